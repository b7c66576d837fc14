//! We as a relying party of one identity provider: where a browser goes, and what is believed of what it brings back.
//! Owns the exchange of a code, once. Refuses an answer that another issuer sent (RFC 9207), and a token of another
//! sign-in.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::believed::{Disbelief, IssuerKeys};
use super::discovery::{self, Discovered};
use super::fetch::{FetchError, Place};
use super::kept::{Fetched, Kept};
use super::token::{Claims, Rules, TokenError};
use crate::clock::Clock;
use crate::config::IdentityProvider;
use crate::domain::called::readable;
use crate::domain::text::shown;
use crate::domain::{SignInMethod, Timestamp};
use crate::network::Network;

/// Codes that are exchanged at the same time; whoever comes then waits for a place, and is then told to try again.
const MOST_EXCHANGES: usize = 32;
/// So long does one wait for a place.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Characters that are repeated of what an identity provider says.
const LONGEST_REPEATED: usize = 120;
/// Everything but what RFC 3986, section 2.3 calls unreserved.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An identity provider and what proves to it who we are.
#[derive(Clone, Debug)]
pub struct SignInSettings {
    /// As the file has it.
    pub provider: IdentityProvider,
    /// What it knows us by.
    pub client_secret: SecretString,
}

/// Why nobody signed in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The identity provider is not there, or says what it should not.
    #[error("{0}")]
    Issuer(#[from] FetchError),
    /// Somebody else than the issuer that was asked sent the answer.
    #[error("the answer is of another issuer")]
    OtherIssuer,
    /// It said no.
    #[error("it refuses: {0}")]
    Refused(String),
    /// What it gave is no token that we believe.
    #[error("its token is not believed: {0}")]
    Token(#[from] TokenError),
    /// Somebody whom this backend does not take, though the issuer does.
    #[error("people of whom it says no {0} of this company do not sign in here")]
    NotOurs(String),
}

impl SignInError {
    /// Whether it is the code that was wrong: strangers send such codes, and each costs a call.
    pub fn is_of_the_code(&self) -> bool {
        match self {
            Self::Refused(_) => true,
            Self::Issuer(FetchError::Status(status)) => (400..500).contains(status),
            Self::Issuer(FetchError::Unreachable(_) | FetchError::TooLarge | FetchError::Wrong(_))
            | Self::OtherIssuer
            | Self::Token(_)
            | Self::NotOurs(_) => false,
        }
    }
}

impl From<Disbelief> for SignInError {
    fn from(why: Disbelief) -> Self {
        match why {
            Disbelief::Issuer(error) => Self::Issuer(error),
            Disbelief::Token(error) => Self::Token(error),
        }
    }
}

/// What a browser takes to the identity provider.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Where it comes back to.
    pub redirect_uri: &'a str,
    /// What it brings back.
    pub state: &'a str,
    /// What the token carries.
    pub nonce: &'a str,
    /// What only who exchanges the code knows (RFC 7636).
    pub verifier: &'a str,
    /// Whether they are to sign in again, by a second factor, whatever they did before.
    pub anew: bool,
}

/// What it brought back.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The code.
    pub code: &'a str,
    /// Who sent it, where they say so.
    pub issuer: Option<&'a str>,
}

/// A code that is being exchanged, one of a few.
pub struct Exchange<'a> {
    _place: SemaphorePermit<'a>,
}

/// One identity provider.
pub struct RelyingParty {
    settings: SignInSettings,
    network: Network,
    discovered: Kept<Discovered>,
    keys: IssuerKeys,
    room: Semaphore,
}

#[derive(Deserialize)]
struct TokenAnswer {
    id_token: String,
}

#[derive(Deserialize)]
struct TokenRefusal {
    error: String,
    error_description: Option<String>,
}

impl RelyingParty {
    /// The one that `settings` set up, over `network`.
    pub fn new(settings: SignInSettings, network: Network) -> Self {
        Self {
            settings,
            network,
            discovered: Kept::default(),
            keys: IssuerKeys::default(),
            room: Semaphore::new(MOST_EXCHANGES),
        }
    }

    /// As people see it.
    pub fn name(&self) -> &str {
        &self.settings.provider.name
    }

    /// Its issuer.
    pub fn issuer(&self) -> &str {
        &self.settings.provider.issuer
    }

    /// Whether people may sign in at it by `method`.
    pub fn offers(&self, method: SignInMethod) -> bool {
        match method {
            SignInMethod::LoopbackPkce => true,
            SignInMethod::Remote => self.settings.provider.remote,
            SignInMethod::Device => self.settings.provider.device,
            SignInMethod::Local | SignInMethod::Workload => false,
        }
    }

    /// What it calls ways of signing in that show a second factor.
    pub fn mfa_acr(&self) -> &[String] {
        &self.settings.provider.mfa_acr
    }

    /// Where a browser goes with `question`.
    ///
    /// # Errors
    /// [`SignInError::Issuer`].
    pub async fn address(&self, clock: &Clock, question: &Question<'_>) -> Result<String, SignInError> {
        let discovered = self.discovered(clock).await?.value;
        let mut url = discovered.authorization.url().clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.provider.client_id)
            .append_pair("redirect_uri", question.redirect_uri)
            .append_pair("scope", &self.settings.provider.scopes.join(" "))
            .append_pair("state", question.state)
            .append_pair("nonce", question.nonce)
            .append_pair("code_challenge", &challenge(question.verifier))
            .append_pair("code_challenge_method", "S256");
        if question.anew {
            // `max_age` has the provider say when (OpenID Connect Core, section 2: auth_time), `prompt` has it ask
            url.query_pairs_mut()
                .append_pair("prompt", "login")
                .append_pair("max_age", "0");
            if !self.mfa_acr().is_empty() {
                url.query_pairs_mut()
                    .append_pair("acr_values", &self.mfa_acr().join(" "));
            }
        }
        Ok(url.into())
    }

    /// A place to exchange a code in, as soon as there is one; none where that takes too long.
    pub async fn place(&self) -> Option<Exchange<'_>> {
        let place = tokio::time::timeout(LONGEST_WAIT, self.room.acquire()).await;
        Some(Exchange {
            _place: place.ok()?.ok()?,
        })
    }

    /// Who somebody is, by the answer to `question`.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn prove(
        &self,
        _: &Exchange<'_>,
        clock: &Clock,
        question: &Question<'_>,
        answer: &Answer<'_>,
    ) -> Result<Claims, SignInError> {
        let discovered = self.discovered(clock).await?.value;
        // RFC 9207, section 2.4: a code of another issuer never goes to this one
        match answer.issuer {
            Some(issuer) if issuer != self.issuer() => return Err(SignInError::OtherIssuer),
            None if discovered.names_itself => return Err(SignInError::OtherIssuer),
            Some(_) | None => {}
        }
        let token = self.exchange(&discovered, question, answer.code).await?;
        let claims = self.believed(clock, &discovered.keys, &token).await?;
        if claims.nonce.as_deref() != Some(question.nonce) {
            return Err(TokenError::Nonce.into());
        }
        let is_other = |(claim, value): &(&String, &String)| {
            let said = match claims.others.get(*claim) {
                Some(Value::Bool(is_so)) => is_so.to_string(),
                Some(Value::String(text)) => text.clone(),
                Some(Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_)) | None => return true,
            };
            said != **value
        };
        match self.settings.provider.require.iter().find(is_other) {
            Some((claim, _)) => Err(SignInError::NotOurs(claim.clone())),
            None => Ok(claims),
        }
    }

    /// When a second factor was last shown, as far as the issuer says so. What it leaves out was not shown.
    pub fn mfa_at(&self, now: Timestamp, claims: &Claims) -> Option<Timestamp> {
        let by_acr = claims
            .acr
            .as_ref()
            .is_some_and(|acr| self.settings.provider.mfa_acr.contains(acr));
        let is_mfa = by_acr || claims.amr.iter().any(|way| way == "mfa");
        claims.auth_time.filter(|_| is_mfa).map(|at| at.min(now))
    }

    /// How a person is shown; never who they are.
    pub fn person_name(&self, claims: &Claims) -> String {
        let own = self.settings.provider.name_claim.as_deref();
        let usual = ["preferred_username", "email", "name"];
        let text = |claim: &str| readable(claims.others.get(claim)?.as_str()?);
        let named = own.into_iter().chain(usual).find_map(text);
        named.unwrap_or_else(|| readable(&claims.subject).unwrap_or_else(|| shown(&claims.subject)))
    }

    async fn discovered(&self, clock: &Clock) -> Result<Fetched<Discovered>, FetchError> {
        let fetch = async {
            let place = Place::at(&self.network, discovery::address(self.issuer())?)?;
            discovery::understand(self.issuer(), &place.get().await?, &self.network)
        };
        self.discovered.get(clock, fetch).await
    }

    async fn exchange(
        &self,
        discovered: &Discovered,
        question: &Question<'_>,
        code: &str,
    ) -> Result<String, SignInError> {
        let (id, secret) = (
            &self.settings.provider.client_id,
            self.settings.client_secret.expose_secret(),
        );
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", question.redirect_uri),
            ("code_verifier", question.verifier),
        ];
        let authorization = if discovered.secret_in_form {
            fields.extend([("client_id", id.as_str()), ("client_secret", secret)]);
            None
        } else {
            // RFC 6749, section 2.3.1: each encoded as in a form
            let pair = format!("{}:{}", encoded(id), encoded(secret));
            Some(SecretString::from(format!("Basic {}", STANDARD.encode(pair))))
        };
        let fields: Vec<String> = fields
            .into_iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        let (status, body) = discovered.token.post(fields.join("&"), authorization.as_ref()).await?;
        if status.is_success() {
            let answer: Option<TokenAnswer> = serde_json::from_slice(&body).ok();
            let no_token = || FetchError::Wrong("it gives no ID token".to_owned());
            return Ok(answer.ok_or_else(no_token)?.id_token);
        }
        match serde_json::from_slice::<TokenRefusal>(&body) {
            Ok(refusal) => {
                if let Some(description) = &refusal.error_description {
                    tracing::warn!(with = self.name(), description = repeated(description), "no token");
                }
                Err(SignInError::Refused(repeated(&refusal.error)))
            }
            Err(_) => Err(FetchError::Status(status.as_u16()).into()),
        }
    }

    async fn believed(&self, clock: &Clock, keys: &Place, token: &str) -> Result<Claims, SignInError> {
        let rules = Rules {
            issuer: self.issuer(),
            audience: &self.settings.provider.client_id,
            is_for_client: true,
            algorithms: &self.settings.provider.algorithms,
        };
        let claims = self.keys.believed(clock, keys, token, &rules).await?;
        Ok(match &self.settings.provider.subject_claim {
            Some(claim) => claims.named_by(claim)?,
            None => claims,
        })
    }
}

/// What others see of `verifier` (RFC 7636, section 4.2).
pub fn challenge(verifier: &str) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
    URL_SAFE_NO_PAD.encode(hash)
}

/// What an identity provider said, cut and with nothing in it that could move a cursor.
pub fn repeated(text: &str) -> String {
    shown(&text.chars().take(LONGEST_REPEATED).collect::<String>())
}

/// `text` as a query or a form carries it.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}
