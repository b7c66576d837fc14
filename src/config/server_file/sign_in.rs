//! `[[sign_in]]`: identity providers at which people sign in.
//! Owns what can be right of them. Refuses two of one name or one issuer: nobody could tell whose a token is.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{Secret, SecretSource, Source};
use crate::config::WebAddress;
use crate::config::shown_url::shown_url;
use crate::error::{Error, Result};

/// The table whose keys are claims: whatever an issuer calls them.
pub(super) const CLAIMS: &str = "sign_in.require";
/// Issuers at which people of no company in particular sign in, too.
const EVERYBODYS: &[&str] = &[
    "https://accounts.google.com",
    "https://appleid.apple.com",
    "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
    "https://gitlab.com",
    "https://www.facebook.com",
    "https://slack.com",
];

/// Keys of one.
pub(super) const KEYS: &[&str] = &[
    "name",
    "issuer",
    "client_id",
    "client_secret",
    "scopes",
    "name_claim",
    "subject_claim",
    "algorithms",
    "mfa_acr",
    "remote",
    "require",
    "device",
];

/// Claims that people, or those who administer them, may change.
const CHANGED: &[&str] = &[
    "email",
    "preferred_username",
    "upn",
    "unique_name",
    "name",
    "nickname",
    "given_name",
    "family_name",
    "phone_number",
];

/// An identity provider, as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityProvider {
    /// As people see it.
    pub name: String,
    /// Its issuer, as it stands in tokens, letter by letter.
    pub issuer: String,
    /// What it knows us by.
    pub client_id: String,
    /// What proves that we are it.
    pub client_secret: SecretSource,
    /// What is asked for; `openid` is among it.
    pub scopes: Vec<String>,
    /// The claim that people are shown by, where it is not one of the usual.
    pub name_claim: Option<String>,
    /// The claim that says who somebody is, where it is not `sub`.
    pub subject_claim: Option<String>,
    /// How its tokens may be signed.
    pub algorithms: Vec<TokenAlgorithm>,
    /// Values of `acr` that say that a second factor was shown.
    pub mfa_acr: Vec<String>,
    /// Whether people may carry a code to a terminal that has no browser.
    pub remote: bool,
    /// Claims that a person's token must have, with exactly this text.
    pub require: BTreeMap<String, String>,
    /// Whether people may sign machines in that have no browser.
    pub device: bool,
}

/// How a token may be signed: with a private key, always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names are those of RFC 7518 and RFC 8037")]
pub enum TokenAlgorithm {
    Rs256,
    Ps256,
    Es256,
    Es384,
    EdDsa,
}

impl TokenAlgorithm {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Rs256, Self::Ps256, Self::Es256, Self::Es384, Self::EdDsa];

    /// As a token names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The one of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|algorithm| algorithm.as_str() == text)
    }
}

#[derive(Deserialize)]
pub(super) struct Written {
    name: Option<Spanned<String>>,
    issuer: Option<Spanned<String>>,
    client_id: Option<Spanned<String>>,
    client_secret: Option<Spanned<Secret>>,
    scopes: Option<Vec<Spanned<String>>>,
    name_claim: Option<Spanned<String>>,
    subject_claim: Option<Spanned<String>>,
    algorithms: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    mfa_acr: Vec<Spanned<String>>,
    remote: Option<bool>,
    #[serde(default)]
    require: BTreeMap<Spanned<String>, Spanned<String>>,
    device: Option<bool>,
}

impl Source<'_> {
    pub(super) fn sign_in(&self, written: &[Spanned<Written>]) -> Result<Vec<IdentityProvider>> {
        let mut providers: Vec<IdentityProvider> = Vec::new();
        for one in written {
            let provider = self.identity_provider(one)?;
            let twice = |what: &str| Err(self.wrong(&one.span(), &format!("two of sign_in have {what}")));
            if providers.iter().any(|other| other.name == provider.name) {
                return twice(&format!("the name {}", provider.name));
            }
            if providers.iter().any(|other| other.issuer == provider.issuer) {
                return twice(&format!("the issuer {}", provider.issuer));
            }
            providers.push(provider);
        }
        Ok(providers)
    }

    fn identity_provider(&self, one: &Spanned<Written>) -> Result<IdentityProvider> {
        let table = one.get_ref();
        let missing = |key: &str, example: &str| {
            self.wrong(&one.span(), &format!("{key} is missing in [[sign_in]]"))
                .hint(format!("such as  {key} = \"{example}\""))
        };
        let name = table.name.as_ref().ok_or_else(|| missing("name", "acme"))?;
        let issuer = table.issuer.as_ref();
        let issuer = issuer.ok_or_else(|| missing("issuer", "https://acme.okta.com"))?;
        let client_id = table.client_id.as_ref();
        let client_id = client_id.ok_or_else(|| missing("client_id", "jit"))?;
        let client_secret = table.client_secret.as_ref().ok_or_else(|| {
            self.wrong(&one.span(), "client_secret is missing in [[sign_in]]")
                .hint("such as  client_secret = { file = \"client.secret\" }")
        })?;
        Ok(IdentityProvider {
            name: self.provider_name("sign_in", name)?,
            issuer: self.identity_issuer(issuer)?,
            client_id: self.plain("client_id", client_id)?,
            client_secret: self.secret("client_secret", ("secret", "JIT_CLIENT_SECRET"), client_secret)?,
            scopes: self.scopes(table.scopes.as_deref())?,
            name_claim: table
                .name_claim
                .as_ref()
                .map(|claim| self.plain("name_claim", claim))
                .transpose()?,
            subject_claim: table
                .subject_claim
                .as_ref()
                .map(|claim| self.subject_claim(claim))
                .transpose()?,
            algorithms: self.algorithms(table.algorithms.as_ref())?,
            mfa_acr: table
                .mfa_acr
                .iter()
                .map(|acr| self.plain("mfa_acr", acr))
                .collect::<Result<_>>()?,
            remote: table.remote.unwrap_or(true),
            require: self.require(issuer, &table.require)?,
            device: table.device.unwrap_or(false),
        })
    }

    fn require(
        &self,
        issuer: &Spanned<String>,
        written: &BTreeMap<Spanned<String>, Spanned<String>>,
    ) -> Result<BTreeMap<String, String>> {
        if written.is_empty() && EVERYBODYS.contains(&issuer.get_ref().as_str()) {
            let message = format!("anybody in the world may sign in at {}", issuer.get_ref());
            let hint = "say who is yours, such as  require = { hd = \"acme.example\" }";
            return Err(self.wrong(&issuer.span(), &message).hint(hint));
        }
        let plain = |(claim, value): (&Spanned<String>, &Spanned<String>)| {
            Ok((self.plain("require", claim)?, self.plain("require", value)?))
        };
        written.iter().map(plain).collect()
    }

    pub(super) fn provider_name(&self, table: &str, written: &Spanned<String>) -> Result<String> {
        let text = written.get_ref();
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        // what people of this backend itself are known by
        if text == "local" || !(1..=40).contains(&text.len()) || !text.bytes().all(is_plain) {
            return Err(self
                .wrong(&written.span(), &format!("name of a {table} is none"))
                .hint("letters, digits, -, _ and . such as  name = \"acme\"; not local"));
        }
        Ok(text.clone())
    }

    pub(super) fn identity_issuer(&self, written: &Spanned<String>) -> Result<String> {
        let text = written.get_ref();
        let wrong = |what: &str| -> Error {
            self.wrong(&written.span(), &format!("issuer {what}: {}", shown_url(text)))
                .hint("such as  issuer = \"https://acme.okta.com\", as its discovery document has it")
        };
        let address = WebAddress::parse(text).map_err(wrong)?;
        match address.url().query() {
            Some(_) => Err(wrong("has a query")),
            None => Ok(text.clone()),
        }
    }

    /// Whoever may change what it says would be somebody else.
    fn subject_claim(&self, written: &Spanned<String>) -> Result<String> {
        let claim = self.plain("subject_claim", written)?;
        if CHANGED.contains(&claim.as_str()) {
            return Err(self
                .wrong(&written.span(), &format!("subject_claim may change: {claim}"))
                .hint("name a claim that is given to nobody else, ever: sub, or oid at Entra"));
        }
        Ok(claim)
    }

    /// Text that a request can carry as it is.
    pub(super) fn plain(&self, key: &str, written: &Spanned<String>) -> Result<String> {
        let text = written.get_ref();
        if (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
            return Ok(text.clone());
        }
        Err(self.wrong(&written.span(), &format!("{key} has 1 to 255 printable characters")))
    }

    fn scopes(&self, written: Option<&[Spanned<String>]>) -> Result<Vec<String>> {
        let Some(written) = written else {
            return Ok(["openid", "profile", "email"].map(str::to_owned).into());
        };
        let mut scopes = vec!["openid".to_owned()];
        for scope in written {
            let scope = self.plain("scopes", scope)?;
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        Ok(scopes)
    }

    pub(super) fn algorithms(&self, written: Option<&Spanned<Vec<Spanned<String>>>>) -> Result<Vec<TokenAlgorithm>> {
        let Some(written) = written else {
            return Ok(vec![TokenAlgorithm::Rs256, TokenAlgorithm::Es256]);
        };
        let known: Vec<&str> = TokenAlgorithm::ALL.iter().map(|algorithm| algorithm.as_str()).collect();
        let hint = format!("one or more of {}", known.join(", "));
        if written.get_ref().is_empty() {
            return Err(self.wrong(&written.span(), "algorithms names none").hint(hint));
        }
        let read = |text: &Spanned<String>| {
            TokenAlgorithm::parse(text.get_ref()).ok_or_else(|| {
                let message = format!("no algorithm that tokens may be signed with: {:?}", text.get_ref());
                self.wrong(&text.span(), &message).hint(&hint)
            })
        };
        written.get_ref().iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests;
