//! The sign-in service (`sso-oidc`): a client is registered, somebody approves it, tokens come and are refreshed.
//! Refuses to hold a token in plain text longer than it takes to read it.

use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::call::{Caller, Reply};
use super::token::{Registration, Token};
use crate::domain::time::{Duration, Timestamp};
use crate::error::Result;

/// What a token is for; with it, it can be refreshed.
const SCOPE: &str = "sso:account:access";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const CODE: &str = "authorization_code";
const REFRESH: &str = "refresh_token";

/// Where a browser is sent back to: any port of this machine, this path.
pub(super) const CALLBACK: &str = "/oauth/callback";
/// The same, as a client is registered with it.
const REDIRECT: &str = "http://127.0.0.1/oauth/callback";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Register<'a> {
    client_name: &'static str,
    client_type: &'static str,
    scopes: [&'static str; 1],
    grant_types: [&'static str; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_uris: Option<[&'static str; 1]>,
    issuer_url: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Registered {
    client_id: String,
    client_secret: SecretString,
    client_secret_expires_at: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StartDevice<'a> {
    client_id: &'a str,
    client_secret: &'a str,
    start_url: &'a str,
}

/// A code to be typed in elsewhere.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Device {
    pub(super) device_code: SecretString,
    pub(super) user_code: String,
    pub(super) verification_uri: String,
    #[serde(default)]
    pub(super) verification_uri_complete: Option<String>,
    pub(super) expires_in: u32,
    #[serde(default)]
    pub(super) interval: Option<u32>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct CreateToken<'a> {
    client_id: &'a str,
    client_secret: &'a str,
    grant_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_verifier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    access_token: SecretString,
    expires_in: u32,
    #[serde(default)]
    refresh_token: Option<SecretString>,
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoToken {
    /// Nobody has approved yet.
    Pending,
    /// The same, and we ask too often.
    SlowDown,
    /// Somebody said no.
    Denied,
    /// What it was asked with is over: a code, a refresh token.
    Over,
}

#[derive(Deserialize)]
struct OAuthError {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

impl Caller<'_> {
    /// Registers a client: for a browser on this machine, or for a code that is typed in elsewhere.
    pub(super) fn register(&self, has_browser: bool) -> Result<Registration> {
        let new = Register {
            client_name: "jit",
            client_type: "public",
            scopes: [SCOPE],
            grant_types: [if has_browser { CODE } else { DEVICE }, REFRESH],
            redirect_uris: has_browser.then_some([REDIRECT]),
            issuer_url: self.center.start_url(),
        };
        let reply = self.post("/client/register", &new)?;
        let made: Registered = self.answer(&reply)?;
        Ok(Registration {
            id: made.client_id,
            secret: made.client_secret,
            expires_at: Timestamp::from_millis(made.client_secret_expires_at.saturating_mul(1000)),
        })
    }

    /// The page on which somebody approves `client`; it sends the browser back to `redirect`.
    pub(super) fn authorize_page(
        &self,
        client: &Registration,
        redirect: &str,
        state: &str,
        challenge: &str,
    ) -> SecretString {
        let encoded =
            |text: &str| percent_encoding::utf8_percent_encode(text, crate::client::calls::UNRESERVED).to_string();
        SecretString::from(format!(
            "{}/authorize?response_type=code&client_id={}&redirect_uri={}&state={}&code_challenge_method=S256&scopes={}&code_challenge={}",
            self.endpoints.oidc,
            encoded(&client.id),
            encoded(redirect),
            encoded(state),
            encoded(SCOPE),
            encoded(challenge),
        ))
    }

    /// A code for somebody to type in.
    pub(super) fn device(&self, client: &Registration) -> Result<Device> {
        let reply = self.post(
            "/device_authorization",
            &StartDevice {
                client_id: &client.id,
                client_secret: client.secret.expose_secret(),
                start_url: self.center.start_url(),
            },
        )?;
        self.answer(&reply)
    }

    /// The token for a code that was approved elsewhere.
    pub(super) fn token_by_device(
        &self,
        now: Timestamp,
        client: &Registration,
        device: &Device,
    ) -> Result<std::result::Result<Token, NoToken>> {
        let ask = CreateToken {
            grant_type: DEVICE,
            device_code: Some(device.device_code.expose_secret()),
            ..by(client)
        };
        self.token(now, client, &ask)
    }

    /// The token for what the browser brought back.
    pub(super) fn token_by_code(
        &self,
        now: Timestamp,
        client: &Registration,
        (code, verifier, redirect): (&SecretString, &SecretString, &str),
    ) -> Result<std::result::Result<Token, NoToken>> {
        let ask = CreateToken {
            grant_type: CODE,
            code: Some(code.expose_secret()),
            code_verifier: Some(verifier.expose_secret()),
            redirect_uri: Some(redirect),
            ..by(client)
        };
        self.token(now, client, &ask)
    }

    /// The next token. The refresh token that it is asked with is spent then.
    pub(super) fn refreshed(
        &self,
        now: Timestamp,
        client: &Registration,
        refresh: &SecretString,
    ) -> Result<std::result::Result<Token, NoToken>> {
        let ask = CreateToken {
            grant_type: REFRESH,
            refresh_token: Some(refresh.expose_secret()),
            ..by(client)
        };
        self.token(now, client, &ask)
    }

    /// Tells the portal that a token is to work no longer.
    pub(super) fn end(&self, token: &SecretString) -> Result<()> {
        self.portal(Method::POST, "/logout", "", token).map(drop)
    }

    fn token(
        &self,
        now: Timestamp,
        client: &Registration,
        ask: &CreateToken<'_>,
    ) -> Result<std::result::Result<Token, NoToken>> {
        let reply = self.post("/token", ask)?;
        if !reply.is_success() {
            return no_token(&reply).map(Err);
        }
        let made: Created = reply.read()?;
        let is_token = |token: &SecretString| {
            let text = token.expose_secret();
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
        };
        let lives = Duration::from_secs(made.expires_in).map_err(|_| reply.odd())?;
        if !is_token(&made.access_token) || !made.refresh_token.iter().all(is_token) {
            return Err(reply.odd());
        }
        Ok(Ok(Token::new(
            (self.center.start_url(), self.center.region()),
            made.access_token,
            now.plus(lives),
            client.clone(),
            made.refresh_token,
        )))
    }

    fn answer<T: serde::de::DeserializeOwned>(&self, reply: &Reply) -> Result<T> {
        if reply.is_success() {
            return reply.read();
        }
        let said: Option<OAuthError> = reply.try_read();
        let words = said
            .as_ref()
            .map(|said| said.error_description.as_ref().unwrap_or(&said.error).as_str());
        Err(reply.refusal(words))
    }
}

fn by(client: &Registration) -> CreateToken<'_> {
    CreateToken {
        client_id: &client.id,
        client_secret: client.secret.expose_secret(),
        ..CreateToken::default()
    }
}

/// What is said instead of a token; an error where it is none of the four.
fn no_token(reply: &Reply) -> Result<NoToken> {
    let said: OAuthError = reply.try_read().ok_or_else(|| reply.refusal(None))?;
    match said.error.as_str() {
        "authorization_pending" => Ok(NoToken::Pending),
        "slow_down" => Ok(NoToken::SlowDown),
        "access_denied" => Ok(NoToken::Denied),
        // a client that is gone cannot refresh, either
        "expired_token" | "invalid_grant" | "invalid_client" | "unauthorized_client" => Ok(NoToken::Over),
        other => Err(reply.refusal(Some(said.error_description.as_deref().unwrap_or(other)))),
    }
}
