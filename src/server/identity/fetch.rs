//! Calls to identity providers: small answers, soon.
//! Refuses an answer that is large, late, elsewhere (no redirect is followed), or no JSON.

use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};

use crate::config::WebAddress;
use crate::network::{HttpClient, Network};

/// A whole call takes no longer.
const LONGEST: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes.
pub const LARGEST: usize = 256 * 1024;

/// Why nothing came of a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Nobody answers there, or not in time.
    #[error("it does not answer: {0}")]
    Unreachable(String),
    /// Not what was asked for.
    #[error("it answers {0}")]
    Status(u16),
    /// More than is read.
    #[error("its answer is too large")]
    TooLarge,
    /// It says something that it should not.
    #[error("{0}")]
    Wrong(String),
}

/// An address of an identity provider, with the client that calls it.
#[derive(Clone)]
pub struct Place {
    address: WebAddress,
    client: HttpClient,
}

impl Place {
    /// The place at `address`.
    ///
    /// # Errors
    /// [`FetchError::Wrong`] where this machine can make no client.
    pub fn at(network: &Network, address: WebAddress) -> Result<Self, FetchError> {
        let client = network.client(address.url().as_str());
        let client = client.map_err(|error| FetchError::Wrong(error.message))?;
        Ok(Self { address, client })
    }

    /// What is there.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn get(&self) -> Result<Vec<u8>, FetchError> {
        match self.answer(self.call(Method::GET)).await? {
            (StatusCode::OK, body) => Ok(body),
            (status, _) => Err(FetchError::Status(status.as_u16())),
        }
    }

    /// What is answered to the form `fields`, with its status.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn post(
        &self,
        fields: String,
        authorization: Option<&SecretString>,
    ) -> Result<(StatusCode, Vec<u8>), FetchError> {
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        let mut call = self.call(Method::POST).header(CONTENT_TYPE, form).body(fields);
        if let Some(shown) = authorization {
            let unfit = |_| FetchError::Wrong("the client secret cannot be sent".to_owned());
            let mut value = HeaderValue::from_str(shown.expose_secret()).map_err(unfit)?;
            value.set_sensitive(true);
            call = call.header(AUTHORIZATION, value);
        }
        self.answer(call).await
    }

    fn call(&self, method: Method) -> RequestBuilder {
        let call = self.client.request(method, self.address.url().as_str());
        call.header(ACCEPT, "application/json").timeout(LONGEST)
    }

    async fn answer(&self, call: RequestBuilder) -> Result<(StatusCode, Vec<u8>), FetchError> {
        let lost = |error: reqwest::Error| FetchError::Unreachable(self.client.why(&error).words);
        let mut answer = call.send().await.map_err(lost)?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(lost)? {
            if body.len() + chunk.len() > LARGEST {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok((answer.status(), body))
    }
}
