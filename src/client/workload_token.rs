//! The token that says which job or machine this is: where it comes from.
//! Owns GitHub's way to make one. Refuses to show it: errors name where it was to come from.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::config::{Environment, NetworkSettings, WebAddress};
use crate::error::{Error, Exit, Result};
use crate::network::{HttpClient, Network};

/// The longest token that is sent, in bytes.
const LONGEST: u64 = 32 * 1024;
/// The largest answer that is read, in bytes.
const LARGEST: usize = 64 * 1024;
/// What to do where it is not GitHub that answers.
const AS_SET: &str = "leave ACTIONS_ID_TOKEN_REQUEST_URL as GitHub Actions sets it";
/// GitHub answers sooner.
const LIMIT: Duration = Duration::from_secs(15);

/// Where the token comes from.
pub(super) enum Source {
    /// The variable itself has it.
    Variable(SecretString),
    /// A file, which somebody else writes anew.
    File(PathBuf),
    /// GitHub makes one for whom it is asked for.
    GitHub { url: String, shown: SecretString },
}

#[derive(Deserialize)]
struct Made {
    value: SecretString,
}

impl Source {
    /// The one that the variables name; what names it directly comes first.
    pub(super) fn find(env: &Environment) -> Option<Self> {
        let secret = |name: &str| env.text(name).map(SecretString::from);
        if let Some(token) = secret("JIT_ID_TOKEN") {
            return Some(Self::Variable(token));
        }
        if let Some(path) = env.os("JIT_ID_TOKEN_FILE") {
            return Some(Self::File(path.into()));
        }
        let (url, shown) = (
            env.text("ACTIONS_ID_TOKEN_REQUEST_URL")?,
            secret("ACTIONS_ID_TOKEN_REQUEST_TOKEN")?,
        );
        Some(Self::GitHub { url, shown })
    }

    /// A token for the backend at `audience`.
    ///
    /// # Errors
    /// Exit 4: what failed and what to do.
    pub(super) fn token(&self, network: &NetworkSettings, audience: &str) -> Result<SecretString> {
        let token = match self {
            Self::Variable(token) => token.clone(),
            Self::File(path) => read(path)?,
            Self::GitHub { url, shown } => asked(network, url, shown, audience)?,
        };
        let text = token.expose_secret().trim();
        let is_token = text.split('.').count() == 3 && text.bytes().all(|b| b.is_ascii_graphic());
        match is_token && text.len() as u64 <= LONGEST {
            true => Ok(SecretString::from(text)),
            false => Err(failed(format!("{} has no token", self.name())).hint(self.mend())),
        }
    }

    /// What the backend says of it, with what to do here.
    pub(super) fn explained(&self, error: Error) -> Error {
        let needs_another = error.exit == Exit::SignedOut && error.hint.is_none();
        if needs_another { error.hint(self.mend()) } else { error }
    }

    fn name(&self) -> String {
        match self {
            Self::Variable(_) => "JIT_ID_TOKEN".to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::GitHub { .. } => "GitHub".to_owned(),
        }
    }

    fn mend(&self) -> &'static str {
        match self {
            Self::Variable(_) => "have its issuer make one for this backend, and set JIT_ID_TOKEN anew",
            Self::File(_) => "have its issuer write one for this backend into the file that JIT_ID_TOKEN_FILE names",
            Self::GitHub { .. } => "run the job again; it needs  permissions: id-token: write",
        }
    }
}

fn failed(message: String) -> Error {
    Error::new(Exit::SignedOut, "workload.token", message)
}

fn read(path: &Path) -> Result<SecretString> {
    let mut text = String::new();
    let file = std::fs::File::open(path);
    let read = file.and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text));
    match read {
        Ok(_) => Ok(SecretString::from(text)),
        Err(error) => Err(failed(format!("{}: {error}", path.display())).hint("check JIT_ID_TOKEN_FILE")),
    }
}

/// What GitHub makes for `audience`, for the job that shows `shown`.
fn asked(network: &NetworkSettings, url: &str, shown: &SecretString, audience: &str) -> Result<SecretString> {
    let address =
        WebAddress::parse(url).map_err(|what| failed(format!("ACTIONS_ID_TOKEN_REQUEST_URL {what}")).hint(AS_SET))?;
    let mut url = address.url().clone();
    url.query_pairs_mut().append_pair("audience", audience);
    let client = Network::for_address(network, url.as_str())?.client(url.as_str())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::unexpected(format!("no runtime could be started: {error}")))?;
    runtime.block_on(made(&client, url.as_str(), shown))
}

async fn made(client: &HttpClient, url: &str, shown: &SecretString) -> Result<SecretString> {
    let unfit = |_| failed("ACTIONS_ID_TOKEN_REQUEST_TOKEN cannot be sent".to_owned());
    let mut value = HeaderValue::from_str(&format!("bearer {}", shown.expose_secret())).map_err(unfit)?;
    value.set_sensitive(true);
    let lost = |error: &reqwest::Error| {
        let why = client.why(error);
        let error = failed(format!("GitHub makes no token: {}", why.words));
        error.hint(why.mend.unwrap_or("run the job again"))
    };
    let call = client
        .request(Method::GET, url)
        .header(AUTHORIZATION, value)
        .header(ACCEPT, "application/json; api-version=2.0")
        .timeout(LIMIT);
    let mut answer = call.send().await.map_err(|error| lost(&error))?;
    if answer.status() != StatusCode::OK {
        let message = format!("GitHub makes no token: it answers {}", answer.status().as_u16());
        return Err(failed(message).hint("run the job again; it needs  permissions: id-token: write"));
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| lost(&error))? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST {
            return Err(failed("GitHub makes no token: its answer is too large".to_owned()).hint(AS_SET));
        }
    }
    let made: Option<Made> = serde_json::from_slice(&body).ok();
    let odd = || failed("GitHub makes no token: its answer cannot be read".to_owned()).hint(AS_SET);
    Ok(made.ok_or_else(odd)?.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(set: &[(&str, &str)]) -> Option<Source> {
        let set: Vec<(String, String)> = set
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        Source::find(&Environment::of(|name| {
            let value = set.iter().find(|(known, _)| known == name);
            value.map(|(_, value)| value.into())
        }))
    }

    #[test]
    fn token_that_is_named_directly_comes_first() {
        let github = [
            ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://g"),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t"),
        ];
        assert!(matches!(found(&github), Some(Source::GitHub { .. })));
        assert!(found(&github[..1]).is_none() && found(&[]).is_none());
        let with = |name| [&github[..], &[(name, "x")][..]].concat();
        assert!(matches!(found(&with("JIT_ID_TOKEN_FILE")), Some(Source::File(_))));
        assert!(matches!(found(&with("JIT_ID_TOKEN")), Some(Source::Variable(_))));
    }

    #[test]
    fn what_is_no_token_is_not_sent() {
        let network = NetworkSettings::default();
        for text in ["", "x", "a.b", "a.b.c.d", "a.b.c d", "a.b.\u{e9}", "Bearer a.b.c"] {
            let source = Source::Variable(SecretString::from(text));
            let error = source.token(&network, "https://h").unwrap_err();
            assert_eq!(error.exit, Exit::SignedOut);
            assert!(error.message == "JIT_ID_TOKEN has no token", "{error}");
        }
        let source = Source::Variable(SecretString::from(" a.b.c\n"));
        assert_eq!(source.token(&network, "https://h").unwrap().expose_secret(), "a.b.c");
    }
}
