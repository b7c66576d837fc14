//! `[[sign_in]]`: identity providers at which people sign in.
//! Owns what can be right of them. Refuses two of one name or one issuer: nobody could tell whose a token is.

use serde::Deserialize;
use toml::Spanned;

use super::{Secret, SecretSource, Source};
use crate::config::WebAddress;
use crate::config::shown_url::shown_url;
use crate::error::{Error, Result};

/// Keys of one.
pub(super) const KEYS: &[&str] = &[
    "name",
    "issuer",
    "client_id",
    "client_secret",
    "scopes",
    "name_claim",
    "algorithms",
    "mfa_acr",
    "remote",
    "device",
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
    /// How its tokens may be signed.
    pub algorithms: Vec<TokenAlgorithm>,
    /// Values of `acr` that say that a second factor was shown.
    pub mfa_acr: Vec<String>,
    /// Whether people may carry a code to a terminal that has no browser.
    pub remote: bool,
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
    algorithms: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    mfa_acr: Vec<Spanned<String>>,
    remote: Option<bool>,
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
            name: self.provider_name(name)?,
            issuer: self.issuer(issuer)?,
            client_id: self.plain("client_id", client_id)?,
            client_secret: self.secret("client_secret", ("secret", "JIT_CLIENT_SECRET"), client_secret)?,
            scopes: self.scopes(table.scopes.as_deref())?,
            name_claim: table
                .name_claim
                .as_ref()
                .map(|claim| self.plain("name_claim", claim))
                .transpose()?,
            algorithms: self.algorithms(table.algorithms.as_ref())?,
            mfa_acr: table
                .mfa_acr
                .iter()
                .map(|acr| self.plain("mfa_acr", acr))
                .collect::<Result<_>>()?,
            remote: table.remote.unwrap_or(true),
            device: table.device.unwrap_or(false),
        })
    }

    fn provider_name(&self, written: &Spanned<String>) -> Result<String> {
        let text = written.get_ref();
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        // what people of this backend itself are known by
        if text == "local" || !(1..=40).contains(&text.len()) || !text.bytes().all(is_plain) {
            return Err(self
                .wrong(&written.span(), "name of a sign_in is none")
                .hint("letters, digits, -, _ and . such as  name = \"acme\"; not local"));
        }
        Ok(text.clone())
    }

    fn issuer(&self, written: &Spanned<String>) -> Result<String> {
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

    /// Text that a request can carry as it is.
    fn plain(&self, key: &str, written: &Spanned<String>) -> Result<String> {
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

    fn algorithms(&self, written: Option<&Spanned<Vec<Spanned<String>>>>) -> Result<Vec<TokenAlgorithm>> {
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
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::ServerFile;

    const WHOLE: &str = r#"public_url = "https://jit.acme.example"
policy = "policy"
database = "jit.db"
sealing_key = { keyring = "k" }

[[sign_in]]
name = "acme"
issuer = "https://acme.okta.com"
client_id = "0oa1"
client_secret = { file = "client.secret" }
scopes = ["openid", "groups"]
name_claim = "nickname"
algorithms = ["ES256"]
mfa_acr = ["urn:acme:two"]
remote = false
device = true

[[sign_in]]
name = "partners"
issuer = "https://login.partner.example/v2.0/"
client_id = "jit"

[sign_in.client_secret]
environment = "PARTNER_SECRET"
"#;

    fn parse(text: &str) -> Result<ServerFile> {
        ServerFile::parse(text, Path::new("/etc/jit/jit.toml"), Path::new("/etc/jit"))
    }

    #[test]
    fn file_names_several_identity_providers() {
        let file = parse(WHOLE).unwrap();
        let [acme, partners] = file.sign_in.as_slice() else {
            panic!("{:?}", file.sign_in)
        };
        assert_eq!(acme.client_secret, SecretSource::File("/etc/jit/client.secret".into()));
        assert_eq!(
            (acme.scopes.join(" "), &*acme.algorithms),
            ("openid groups".into(), &[TokenAlgorithm::Es256][..])
        );
        assert_eq!(
            partners.client_secret,
            SecretSource::Environment("PARTNER_SECRET".into())
        );
        assert_eq!(partners.issuer, "https://login.partner.example/v2.0/");
        assert_eq!(partners.algorithms, [TokenAlgorithm::Rs256, TokenAlgorithm::Es256]);
        assert_eq!(partners.scopes.join(" "), "openid profile email");
        assert_eq!((acme.remote, partners.remote), (false, true));
        assert_eq!((acme.device, partners.device), (true, false));
    }

    #[test]
    fn identity_provider_that_cannot_be_right_is_refused_with_its_place() {
        for (from, to, what, hint) in [
            (
                "name_claim",
                "name_clam",
                "12:1: no key named name_clam in [sign_in]",
                "did you mean name_claim?",
            ),
            (
                "{ file =",
                "{ fil =",
                "10:19: no key named fil in [sign_in.client_secret]",
                "did you mean file?",
            ),
            (
                "[[sign_in]]",
                "[[sign_inn]]",
                "6:3: no key named sign_inn",
                "did you mean sign_in?",
            ),
            (
                "client_id = \"0oa1\"\n",
                "",
                "client_id is missing in [[sign_in]]",
                "client_id = \"jit\"",
            ),
            (
                "https://acme.okta",
                "http://acme.okta",
                "issuer is not encrypted: http://acme.okta.com",
                "https://",
            ),
            (
                "https://acme.okta.com",
                "https://a:b@acme.okta.com",
                "issuer holds user info: https://****@acme.okta.com",
                "",
            ),
            ("okta.com\"", "okta.com?a=b\"", "issuer has a query", ""),
            ("\"acme\"", "\"local\"", "name of a sign_in is none", "not local"),
            ("\"acme\"", "\"a b\"", "name of a sign_in is none", ""),
            ("\"partners\"", "\"acme\"", "two of sign_in have the name acme", ""),
            (
                "https://login.partner.example/v2.0/",
                "https://acme.okta.com",
                "two of sign_in have the issuer",
                "",
            ),
            (
                "\"ES256\"",
                "\"none\"",
                "no algorithm that tokens may be signed with: \"none\"",
                "RS256",
            ),
            (
                "\"ES256\"",
                "\"HS256\"",
                "no algorithm that tokens may be signed with: \"HS256\"",
                "",
            ),
            ("[\"ES256\"]", "[]", "algorithms names none", ""),
            (
                "\"PARTNER_SECRET\"",
                "\"s3cr3t!\"",
                "environment is no name of a variable",
                "JIT_CLIENT_SECRET",
            ),
        ] {
            assert!(WHOLE.contains(from), "{from}");
            let error = parse(&WHOLE.replacen(from, to, 1)).expect_err(to);
            assert_eq!(error.exit.code(), 3, "{to}");
            assert!(error.message.contains(what), "{to}: {error}");
            assert!(
                error.hint.clone().unwrap_or_default().contains(hint),
                "{to}: {:?}",
                error.hint
            );
            assert!(!error.message.contains("s3cr3t"), "{error}");
        }
    }
}
