//! The AWS console: exchanges keys for a sign-in address at AWS's federation endpoint.
//! Owns AWS's hosts, a partition each. Refuses to put a key into an address or a log, and any other host.

use std::time::Duration;

use percent_encoding::utf8_percent_encode;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::calls::UNRESERVED;
use super::keys::Keys;
use crate::config::NetworkSettings;
use crate::domain::target::{Partition, Road};
use crate::domain::time::Timestamp;
use crate::error::{Error, Exit, Result};
use crate::network::Network;

/// The endpoint answers within a second or not at all.
const LIMIT: Duration = Duration::from_secs(15);
/// A sign-in token has about 2,000 characters.
const LARGEST_ANSWER: usize = 64 * 1024;
/// What AWS takes as the length of a console session, in seconds.
const SESSION: std::ops::RangeInclusive<u32> = 900..=43_200;

/// Where in the console.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    service: Option<String>,
    region: Option<String>,
}

/// Where keys are exchanged, and for the console of which partition.
#[derive(Clone, Debug)]
pub struct Federation {
    /// Without a path.
    endpoint: String,
    partition: Partition,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "SigninToken")]
    token: SecretString,
}

impl Page {
    /// A page of the console.
    ///
    /// # Errors
    /// Exit 2 for what is no service and no region: either becomes part of an address.
    pub fn new(service: Option<&str>, region: Option<&str>) -> Result<Self> {
        Ok(Self {
            service: service.map(|text| word("service", text, "s3")).transpose()?,
            region: region.map(|text| word("region", text, "eu-central-1")).transpose()?,
        })
    }

    fn address(&self, partition: Partition) -> String {
        let service = self.service.as_deref().unwrap_or("console");
        let region = self.region.as_ref().map(|region| format!("?region={region}"));
        let (_, host) = hosts(partition);
        format!("https://{host}/{service}/home{}", region.unwrap_or_default())
    }
}

fn word(what: &str, text: &str, example: &str) -> Result<String> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (1..=40).contains(&text.len()) && text.bytes().all(fits) {
        return Ok(text.to_owned());
    }
    let shown: String = text.chars().take(40).collect();
    Err(Error::usage(format!("`{shown}` is no {what}")).hint(format!("write it as {example}")))
}

/// Who signs in, and whose console it is.
const fn hosts(partition: Partition) -> (&'static str, &'static str) {
    match partition {
        Partition::Aws => ("signin.aws.amazon.com", "console.aws.amazon.com"),
        Partition::AwsUsGov => ("signin.amazonaws-us-gov.com", "console.amazonaws-us-gov.com"),
        Partition::AwsCn => ("signin.amazonaws.cn", "console.amazonaws.cn"),
        Partition::AwsEusc => ("eusc-de-east-1.signin.amazonaws-eusc.eu", "console.amazonaws-eusc.eu"),
    }
}

/// How long the console session lasts: as long as the keys, so that it ends with the last credential. `None` leaves it
/// to AWS, which ends it with the keys too: where these come from chained roles AWS refuses any length, and whether
/// the backend's identity on this road is one is not known here. No road means Identity Center, which chains none and
/// whose keys live on after the grant: the page ends with the grant, or after AWS's shortest time.
pub fn session_s(road: Option<Road>, keys: &Keys, grant_ends_at: Timestamp, now: Timestamp) -> Option<u32> {
    let keys_s = keys.expires_at.since(now).min(*SESSION.end());
    let lives_s = match road {
        Some(Road::AssumeRole) => return None,
        Some(Road::WebIdentity) => keys_s,
        None => keys_s.min(grant_ends_at.since(now).max(*SESSION.start())),
    };
    Some(lives_s).filter(|secs| SESSION.contains(secs))
}

impl Federation {
    /// AWS's own for a partition.
    pub fn of(partition: Partition) -> Self {
        Self::at(format!("https://{}", hosts(partition).0), partition)
    }

    /// The same at another address: for a stand-in.
    pub fn at(endpoint: String, partition: Partition) -> Self {
        Self { endpoint, partition }
    }

    /// Exchanges `keys` for an address that signs in to `page`. Whoever has it is that session.
    ///
    /// # Errors
    /// Exit 9 where AWS cannot be reached or refuses.
    pub fn sign_in(
        &self,
        settings: &NetworkSettings,
        keys: &Keys,
        page: &Page,
        session_s: Option<u32>,
    ) -> Result<SecretString> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::unexpected(format!("no runtime could be started: {error}")))?;
        let token = runtime.block_on(self.token(settings, keys, session_s))?;
        let (host, _) = hosts(self.partition);
        Ok(SecretString::from(format!(
            "https://{host}/federation?Action=login&Destination={}&SigninToken={}",
            *encoded(&page.address(self.partition)),
            *encoded(token.expose_secret())
        )))
    }

    /// The keys go in the body: an address ends up in logs.
    async fn token(&self, settings: &NetworkSettings, keys: &Keys, session_s: Option<u32>) -> Result<SecretString> {
        let url = format!("{}/federation", self.endpoint);
        let client = Network::for_address(settings, &url)?.client(&url)?;
        let body = form(keys, session_s);
        let request = client
            .request(Method::POST, &url)
            .header(
                CONTENT_TYPE,
                HeaderValue::from_static("application/x-www-form-urlencoded"),
            )
            .timeout(LIMIT)
            .body(body.as_bytes().to_vec());
        let unreachable = |error: &reqwest::Error| {
            let why = client.why(error);
            let error = failed(format!("{} is unreachable: {}", self.endpoint, why.words));
            error.hint(why.mend.unwrap_or("try again"))
        };
        let mut response = request.send().await.map_err(|error| unreachable(&error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(failed(format!("{} refuses with {}", self.endpoint, status.as_u16()))
                .hint("the keys may have ended: try again, or see jit status"));
        }
        let mut answer = Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
            answer.extend_from_slice(&chunk);
            if answer.len() > LARGEST_ANSWER {
                return Err(self.odd());
            }
        }
        let answer: Answer = serde_json::from_slice(&answer).map_err(|_| self.odd())?;
        let token = answer.token.expose_secret();
        match !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()) {
            true => Ok(answer.token),
            false => Err(self.odd()),
        }
    }

    fn odd(&self) -> Error {
        failed(format!("{} gives no sign-in token", self.endpoint)).hint("try again")
    }
}

fn failed(message: String) -> Error {
    Error::new(Exit::Provider, "console.failed", message)
}

fn form(keys: &Keys, session_s: Option<u32>) -> Zeroizing<String> {
    let session = Zeroizing::new(
        json!({
            "sessionId": keys.access_key_id,
            "sessionKey": keys.secret_access_key.expose_secret(),
            "sessionToken": keys.session_token.expose_secret(),
        })
        .to_string(),
    );
    let mut form = Zeroizing::new(format!("Action=getSigninToken&Session={}", *encoded(&session)));
    if let Some(secs) = session_s {
        form.push_str(&format!("&SessionDuration={secs}"));
    }
    form
}

fn encoded(text: &str) -> Zeroizing<String> {
    Zeroizing::new(utf8_percent_encode(text, UNRESERVED).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_stays_on_the_host_of_its_partition() {
        let page = Page::new(Some("s3"), Some("eu-central-1")).unwrap();
        assert_eq!(
            page.address(Partition::Aws),
            "https://console.aws.amazon.com/s3/home?region=eu-central-1"
        );
        let start = Page::default();
        assert_eq!(
            start.address(Partition::AwsCn),
            "https://console.amazonaws.cn/console/home"
        );
        assert_eq!(
            start.address(Partition::AwsEusc),
            "https://console.amazonaws-eusc.eu/console/home"
        );
    }

    #[test]
    fn attack_16_page_that_leaves_its_place_is_refused() {
        for bad in [
            "s3/../x",
            "a@evil.example",
            "//evil",
            "",
            "S3",
            "a?b",
            "a#b",
            "a b",
            &"a".repeat(41),
        ] {
            assert_eq!(Page::new(Some(bad), None).unwrap_err().exit.code(), 2, "{bad}");
            assert_eq!(Page::new(None, Some(bad)).unwrap_err().exit.code(), 2, "{bad}");
        }
    }
}
