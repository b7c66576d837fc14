//! The proxy: its address, and which calls go through it.
//! Refuses an address that is none, and to send what is meant for this machine through it.

use std::fmt;
use std::sync::Arc;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use secrecy::{ExposeSecret, SecretString};

use crate::config::ProxySetting;
use crate::error::{Error, Result};

/// This machine itself.
const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";

/// A proxy that has been checked.
#[derive(Clone)]
pub(super) struct Proxy {
    /// With scheme, and with name and password where it has them.
    address: SecretString,
    shown: String,
    matcher: Arc<Matcher>,
    #[cfg(feature = "server")]
    pub(super) for_aws: aws_smithy_http_client::proxy::ProxyConfig,
}

impl Proxy {
    /// # Errors
    /// Exit 3 for what is no `http://` or `https://` address; its text is not repeated.
    pub(super) fn parse(setting: &ProxySetting, no_proxy: &str) -> Result<Self> {
        let wrong = || {
            Error::configuration(format!("{} is no proxy's address", setting.variable))
                .try_(format!("export {}=http://HOST:PORT", setting.variable))
        };
        let text = setting.address.expose_secret();
        let address = if text.contains("://") {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        let uri: Uri = address.parse().map_err(|_| wrong())?;
        let scheme = uri.scheme_str().unwrap_or_default();
        let authority = uri.authority().ok_or_else(wrong)?;
        if !matches!(scheme, "http" | "https") || authority.host().is_empty() {
            return Err(wrong());
        }
        let at = authority.port().map(|port| format!(":{port}")).unwrap_or_default();
        let around = around(no_proxy);
        Ok(Self {
            shown: format!("{scheme}://{}{at}", authority.host()),
            matcher: Arc::new(Matcher::builder().https(address.as_str()).no(around.as_str()).build()),
            #[cfg(feature = "server")]
            for_aws: aws_smithy_http_client::proxy::ProxyConfig::https(uri.clone())
                .map_err(|_| wrong())?
                .no_proxy(&around),
            address: SecretString::from(address),
        })
    }

    /// Whether a call to `url` goes through it.
    pub(super) fn serves(&self, url: &str) -> bool {
        url.parse().is_ok_and(|uri: Uri| self.matcher.intercept(&uri).is_some())
    }

    pub(super) fn for_reqwest(&self) -> Result<reqwest::Proxy> {
        reqwest::Proxy::https(self.address.expose_secret())
            .map_err(|_| Error::configuration(format!("{self} is no proxy's address")))
    }
}

/// Without name and password.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// Loopback and what `no_proxy` says. `*.acme.example` is written as often as `.acme.example` and means the same.
fn around(no_proxy: &str) -> String {
    let entries = no_proxy.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let entries = entries.map(|entry| {
        entry
            .strip_prefix('*')
            .filter(|rest| rest.starts_with('.'))
            .unwrap_or(entry)
    });
    std::iter::once(LOOPBACK).chain(entries).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(address: &str, no_proxy: &str) -> Result<Proxy> {
        let setting = ProxySetting {
            variable: "HTTPS_PROXY",
            address: SecretString::from(address.to_owned()),
        };
        Proxy::parse(&setting, no_proxy)
    }

    #[test]
    fn address_may_lack_scheme_and_is_shown_without_password() {
        for (address, shown) in [
            ("proxy:3128", "http://proxy:3128"),
            ("http://proxy", "http://proxy"),
            ("https://me:hunter2@proxy:443/path", "https://proxy:443"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(proxy(address, "").unwrap().to_string(), shown);
        }
    }

    #[test]
    fn address_that_is_none_is_refused_and_not_repeated() {
        for bad in [
            "socks5://h:1",
            "http://",
            "://hunter2",
            "hunter2 x",
            "\u{fffd}",
            "http://:hunter2@",
        ] {
            let error = proxy(bad, "").map(|p| p.to_string()).unwrap_err();
            assert_eq!(error.exit.code(), 3, "{bad}");
            assert!(!error.message.contains("hunter2"), "{}", error.message);
        }
    }

    #[test]
    fn loopback_and_named_hosts_go_around_the_proxy() {
        let proxy = proxy("http://proxy:3128", " *.acme.example, 10.0.0.0/8 ,exact.example").unwrap();
        for around in [
            "https://localhost:1",
            "https://127.3.2.1",
            "https://[::1]:1/x",
            "http://elsewhere.example",
            "https://jit.acme.example/v1",
            "https://10.9.8.7",
            "https://exact.example:8443",
        ] {
            assert!(!proxy.serves(around), "{around}");
        }
        for through in [
            "https://jit.acme.example.evil",
            "https://11.0.0.1",
            "https://notexact.example",
        ] {
            assert!(proxy.serves(through), "{through}");
        }
    }

    #[test]
    fn star_reaches_everything_directly() {
        assert!(!proxy("http://proxy", "*").unwrap().serves("https://h"));
    }
}
