//! A token of Identity Center as AWS tools keep it: JSON with these names, times to the second.
//! Owns the format. Refuses a token that says of no instance that it is of it, and keeps what it does not know.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::domain::time::Timestamp;

/// Under this remainder a token is refreshed: AWS tools do it then, too.
const NEAR_END_S: u32 = 15 * 60;

/// A token.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) start_url: String,
    pub(super) region: String,
    pub(super) access: SecretString,
    pub(super) expires_at: Timestamp,
    /// By which client it was asked for.
    pub(super) client: Option<Registration>,
    /// Gives the next one; none without the scope `sso:account:access`.
    pub(super) refresh: Option<SecretString>,
    /// What others keep beside it.
    others: Map<String, Value>,
}

/// A client as it was registered.
#[derive(Clone)]
pub(super) struct Registration {
    pub(super) id: String,
    pub(super) secret: SecretString,
    pub(super) expires_at: Timestamp,
}

impl Token {
    /// A new one.
    pub(super) fn new(
        (start_url, region): (&str, &str),
        access: SecretString,
        expires_at: Timestamp,
        client: Registration,
        refresh: Option<SecretString>,
    ) -> Self {
        Self {
            start_url: start_url.to_owned(),
            region: region.to_owned(),
            access,
            expires_at,
            client: Some(client),
            refresh,
            others: Map::new(),
        }
    }

    /// Reads a file; `None` for JSON that is something else, such as a registration alone.
    pub(super) fn of(mut all: Map<String, Value>) -> Option<Self> {
        let mut take = |name: &str| match all.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        let (start_url, region) = (take("startUrl")?, take("region")?);
        let access = take("accessToken").filter(|token| is_token(token))?;
        let expires_at = time(&take("expiresAt")?)?;
        let (id, secret) = (take("clientId"), take("clientSecret"));
        let registered_until = take("registrationExpiresAt").and_then(|text| time(&text));
        let refresh = take("refreshToken").filter(|token| is_token(token));
        let client = id.zip(secret).zip(registered_until);
        Some(Self {
            start_url,
            region,
            access: SecretString::from(access),
            expires_at,
            client: client.map(|((id, secret), expires_at)| Registration {
                id,
                secret: SecretString::from(secret),
                expires_at,
            }),
            refresh: refresh.map(SecretString::from),
            others: all,
        })
    }

    /// As it is written.
    pub(super) fn json(&self) -> Zeroizing<Vec<u8>> {
        let mut all = self.others.clone();
        let mut put = |name: &str, text: &str| all.insert(name.to_owned(), Value::from(text));
        put("startUrl", &self.start_url);
        put("region", &self.region);
        put("accessToken", self.access.expose_secret());
        put("expiresAt", &self.expires_at.whole_second().to_string());
        if let Some(client) = &self.client {
            put("clientId", &client.id);
            put("clientSecret", client.secret.expose_secret());
            put("registrationExpiresAt", &client.expires_at.whole_second().to_string());
        }
        if let Some(refresh) = &self.refresh {
            put("refreshToken", refresh.expose_secret());
        }
        Zeroizing::new(Value::Object(all).to_string().into_bytes())
    }

    /// Whether it works at `now`, as far as its own time says.
    pub(super) fn is_alive(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// Whether the next one is worth a call.
    pub(super) fn is_near_end(&self, now: Timestamp) -> bool {
        self.expires_at.since(now) < NEAR_END_S
    }

    /// What the next one is asked for with.
    pub(super) fn refreshes_with(&self, now: Timestamp) -> Option<(&Registration, &SecretString)> {
        let client = self.client.as_ref().filter(|client| now < client.expires_at)?;
        Some((client, self.refresh.as_ref()?))
    }

    /// Whether both hold the same access token.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.access.expose_secret() == other.access.expose_secret()
    }
}

/// What fits into a header.
fn is_token(text: &str) -> bool {
    text.len() <= 16_384 && text.bytes().all(|b| b.is_ascii_graphic())
}

/// RFC 3339, and what older AWS tools wrote: `UTC` in the place of `Z`.
fn time(text: &str) -> Option<Timestamp> {
    let old = text.strip_suffix("UTC").map(|rest| format!("{rest}Z"));
    Timestamp::parse(old.as_deref().unwrap_or(text)).ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A file as the AWS CLI writes it.
    pub(in super::super) const WRITTEN: &str = r#"{"startUrl": "https://d-1111111111.awsapps.com/start", "region": "eu-central-1", "accessToken": "aoa", "expiresAt": "2026-11-21T20:00:00Z", "clientId": "c", "clientSecret": "s", "registrationExpiresAt": "2027-02-19T12:00:00Z", "refreshToken": "aor", "kept": 1}"#;

    pub(in super::super) fn token(text: &str) -> Option<Token> {
        Token::of(serde_json::from_str(text).unwrap())
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn token_is_written_as_it_was_read() {
        let read = token(WRITTEN).unwrap();
        let again: Value = serde_json::from_slice(&read.json()).unwrap();
        assert_eq!(again, serde_json::from_str::<Value>(WRITTEN).unwrap());
        assert!(read.is_alive(at("2026-11-21T19:59:59Z")) && !read.is_alive(at("2026-11-21T20:00:00Z")));
        assert!(!read.is_near_end(at("2026-11-21T19:45:00Z")) && read.is_near_end(at("2026-11-21T19:45:01Z")));
        assert!(read.refreshes_with(at("2027-02-19T11:59:59Z")).is_some());
        assert!(read.refreshes_with(at("2027-02-19T12:00:00Z")).is_none());
    }

    #[test]
    fn token_of_an_older_tool_is_read() {
        let old = r#"{"startUrl":"https://x.awsapps.com/start","region":"us-east-1","accessToken":"a","expiresAt":"2026-11-21T20:00:00UTC"}"#;
        let read = token(old).unwrap();
        assert_eq!(read.expires_at, at("2026-11-21T20:00:00Z"));
        assert!(read.refreshes_with(at("2026-11-21T19:00:00Z")).is_none());
    }

    #[test]
    fn attack_16_file_that_holds_no_token_is_none() {
        for (from, to) in [
            ("\"aoa\"", "\"a\\nb\""),
            ("\"aoa\"", "7"),
            ("2026-11-21T20:00:00Z", "soon"),
            ("startUrl", "startURL"),
        ] {
            assert!(token(&WRITTEN.replace(from, to)).is_none(), "{from} {to}");
        }
    }
}
