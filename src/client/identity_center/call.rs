//! Calls of Identity Center: JSON over HTTPS, not signed. Owns limits and what a lost connection says.
//! Refuses to follow a redirect, to read more than an answer can be, and to log what was sent.

use std::time::{Duration, Instant};

use hot::Account;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::center::{Center, Endpoints};
use super::errors::failed;
use crate::client::Backend;
use crate::config::{Environment, NetworkSettings};
use crate::error::{Error, Result};
use crate::network::Network;

/// Both services answer within a second or two.
const LIMIT: Duration = Duration::from_secs(15);
/// An answer has a few thousand characters.
const LARGEST_ANSWER: usize = 256 * 1024;
/// What carries the token.
const BEARER: HeaderName = HeaderName::from_static("x-amz-sso_bearer_token");

/// Who calls: the same command as the backend's calls, with the same interrupt key and deadline.
pub(super) struct Caller<'a> {
    pub(super) backend: &'a Backend,
    /// For whom.
    pub(super) account: &'a Account,
    pub(super) center: &'a Center,
    pub(super) endpoints: Endpoints,
    network: NetworkSettings,
}

/// What was answered.
pub(super) struct Reply {
    pub(super) status: u16,
    body: Zeroizing<Vec<u8>>,
    host: String,
}

/// One call.
struct Call<'a> {
    method: Method,
    base: &'a str,
    path: &'a str,
    query: &'a str,
    token: Option<&'a SecretString>,
    body: Option<Zeroizing<Vec<u8>>>,
}

impl<'a> Caller<'a> {
    /// Calls `center` beside the calls of `backend`.
    pub(super) fn new(
        env: &Environment,
        backend: &'a Backend,
        center: &'a Center,
        account: &'a Account,
    ) -> Result<Self> {
        Ok(Self {
            backend,
            account,
            center,
            endpoints: center.endpoints(env, account.origin())?,
            network: NetworkSettings::find(env),
        })
    }

    /// Asks the sign-in service.
    pub(super) fn post(&self, path: &str, body: &impl Serialize) -> Result<Reply> {
        let body = serde_json::to_vec(body).map_err(|error| Error::unexpected(error.to_string()))?;
        self.call(&Call {
            method: Method::POST,
            base: &self.endpoints.oidc,
            path,
            query: "",
            token: None,
            body: Some(Zeroizing::new(body)),
        })
    }

    /// Asks the portal, as whoever the token is of.
    pub(super) fn portal(&self, method: Method, path: &str, query: &str, token: &SecretString) -> Result<Reply> {
        self.call(&Call {
            method,
            base: &self.endpoints.portal,
            path,
            query,
            token: Some(token),
            body: None,
        })
    }

    fn call(&self, call: &Call<'_>) -> Result<Reply> {
        let begun = Instant::now();
        let result = self.backend.run(self.sent(call));
        let status = result.as_ref().map_or(0, |reply| reply.status);
        let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(method = %call.method, path = %call.path, status, duration_ms, "called Identity Center");
        result
    }

    async fn sent(&self, call: &Call<'_>) -> Result<Reply> {
        let url = format!("{}{}{}", call.base, call.path, call.query);
        let client = Network::for_address(&self.network, &url)?.client(&url)?;
        let mut request = client
            .request(call.method.clone(), &url)
            .timeout(self.backend.within(LIMIT));
        if let Some(token) = call.token {
            let mut value = HeaderValue::from_str(token.expose_secret())
                .map_err(|_| Error::unexpected("the token of Identity Center cannot be sent"))?;
            value.set_sensitive(true);
            request = request.header(BEARER, value);
        }
        if let Some(body) = &call.body {
            let json = HeaderValue::from_static("application/json");
            request = request.header(CONTENT_TYPE, json).body(body.to_vec());
        }
        let host = call.base.split_once("://").map_or(call.base, |(_, host)| host);
        let lost = |error: &reqwest::Error| {
            let why = client.why(error);
            let message = format!("{host} is unreachable: {}", why.words);
            failed(message).hint(why.mend.unwrap_or("try again"))
        };
        let mut response = request.send().await.map_err(|error| lost(&error))?;
        let status = response.status().as_u16();
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(|error| lost(&error))? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_ANSWER {
                return Err(failed(format!("the answer of {host} is too large")));
            }
        }
        Ok(Reply {
            status,
            body,
            host: host.to_owned(),
        })
    }
}

impl Reply {
    /// Whether it is what was asked for.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What it says.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|_| self.odd())
    }

    /// The same where it may be something else.
    pub(super) fn try_read<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    /// It is not what Identity Center answers.
    pub(super) fn odd(&self) -> Error {
        failed(format!("the answer of {} cannot be read", self.host)).hint("try again")
    }

    /// A "no" that nobody foresaw, in its words: they are shown escaped.
    pub(super) fn refusal(&self, words: Option<&str>) -> Error {
        let words: String = words.map_or_else(String::new, |words| {
            let few: String = words.chars().take(200).collect();
            format!(": {few}")
        });
        let message = format!("{} refuses with {}{words}", self.host, self.status);
        failed(message).hint("try again")
    }
}
