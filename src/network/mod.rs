//! The one place that builds HTTP clients: the one for backends and issuers, and the one that the AWS SDK is given.
//! Owns proxy, trust and time limits, the same for both. Refuses redirects, a proxy for this machine itself, and a
//! bundle of authorities that holds none.

#[cfg(feature = "server")]
mod aws;
mod cause;
mod proxy;
mod trust;

use std::fmt;
use std::time::Duration;

use reqwest::{Method, RequestBuilder};

pub use self::cause::Cause;
use self::proxy::Proxy;
use self::trust::Roots;
use crate::config::NetworkSettings;
use crate::error::{Error, Result};

/// The longest that a connection may take, proxy and TLS included.
const CONNECT: Duration = Duration::from_secs(5);

/// The network as this machine may use it: what its settings name is read and checked.
#[derive(Clone, Default)]
pub struct Network {
    proxy: Option<Proxy>,
    roots: Option<Roots>,
}

/// An HTTP client for one address.
#[derive(Clone)]
pub struct HttpClient {
    client: reqwest::Client,
    /// The proxy on the way, without name and password.
    proxy: Option<String>,
}

/// Why a call got no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// In a few words.
    pub words: String,
    /// What to do about it, where that is known.
    pub mend: Option<&'static str>,
}

impl Network {
    /// Reads and checks what `settings` name.
    ///
    /// # Errors
    /// Exit 3 for a proxy's address that is none, and for a bundle that cannot be read or holds no certificate.
    pub fn open(settings: &NetworkSettings) -> Result<Self> {
        let proxy = settings.proxy.as_ref();
        Ok(Self {
            proxy: proxy.map(|p| Proxy::parse(p, &settings.no_proxy)).transpose()?,
            roots: settings.ca_bundle.as_deref().map(Roots::read).transpose()?,
        })
    }

    /// The same for calls to `url` alone: plain `http` needs neither proxy nor trust, and reads nothing.
    ///
    /// # Errors
    /// As [`Network::open`].
    pub fn for_address(settings: &NetworkSettings, url: &str) -> Result<Self> {
        if is_plain(url) {
            Ok(Self::default())
        } else {
            Self::open(settings)
        }
    }

    /// A client for calls to `url`, which is an address with or without a path.
    ///
    /// # Errors
    /// Exit 3 where the platform's trust store cannot be used.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that builds the HTTP client"
    )]
    pub fn client(&self, url: &str) -> Result<HttpClient> {
        let failed = |error: reqwest::Error| Error::configuration(format!("no HTTP client could be made: {error}"));
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT)
            .user_agent(concat!("jit/", env!("CARGO_PKG_VERSION")))
            // the environment is ours to read: what counts of it is in the settings
            .no_proxy();
        let proxy = self.proxy.as_ref().filter(|proxy| proxy.serves(url));
        if let Some(proxy) = proxy {
            builder = builder.proxy(proxy.for_reqwest()?);
        }
        if is_plain(url) {
            // nothing of the platform's trust store is read where there is no TLS: it costs milliseconds
            builder = builder.tls_certs_only([]);
        } else if let Some(roots) = &self.roots {
            builder = builder.tls_certs_merge(roots.for_reqwest()?);
        }
        Ok(HttpClient {
            client: builder.build().map_err(failed)?,
            proxy: proxy.map(Proxy::to_string),
        })
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("proxy", &self.proxy.as_ref().map(Proxy::to_string))
            .field("roots", &self.roots)
            .finish()
    }
}

impl HttpClient {
    /// A call to be filled in and sent.
    pub fn request(&self, method: Method, url: &str) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// Why a call of this client got no answer.
    pub fn why(&self, error: &reqwest::Error) -> Why {
        let proxy = self.proxy.as_deref();
        if error.is_timeout() {
            let through = proxy.map(|proxy| format!(" through proxy {proxy}")).unwrap_or_default();
            return Why {
                words: format!("no answer in time{through}"),
                mend: proxy.map(|_| cause::CHECK_PROXY),
            };
        }
        let cause = Cause::of(error);
        Why {
            words: cause.words(proxy),
            mend: cause.mend(),
        }
    }
}

fn is_plain(url: &str) -> bool {
    url.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    fn settings(set: &[(&str, &str)]) -> NetworkSettings {
        let env = Environment::of(|name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).into()));
        NetworkSettings::find(&env)
    }

    #[test]
    fn plain_address_needs_no_bundle() {
        let broken = settings(&[("JIT_CA_BUNDLE", "/nonexistent.pem"), ("HTTPS_PROXY", "socks5://h")]);
        let plain = Network::for_address(&broken, "http://127.0.0.1:1").unwrap();
        assert!(plain.client("http://127.0.0.1:1").unwrap().proxy.is_none());
        let refused = Network::for_address(&broken, "https://127.0.0.1:1").unwrap_err();
        assert_eq!(refused.exit.code(), 3);
    }

    #[test]
    fn network_shows_no_password() {
        let network = Network::open(&settings(&[("HTTPS_PROXY", "http://me:hunter2@proxy:3128")])).unwrap();
        let shown = format!("{network:?}");
        assert!(shown.contains("proxy:3128") && !shown.contains("hunter2"), "{shown}");
        let client = network.client("https://jit.acme.example").unwrap();
        assert_eq!(client.proxy.as_deref(), Some("http://proxy:3128"));
    }
}
