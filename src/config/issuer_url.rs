//! The address under which we are an OpenID Connect issuer.
//! Owns what AWS takes for one. Refuses every other form in words: a wrong address fails only when AWS is called.

use std::fmt;
use std::net::SocketAddr;

use super::shown_url::shown_url;
use crate::error::{Error, Result};

/// IAM takes no longer address of a provider.
const LONGEST: usize = 255;

/// Such as `https://jit.acme.example`: https, a name, perhaps a path, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerUrl(String);

impl IssuerUrl {
    /// Checks and wraps an address that AWS can fetch and compares letter by letter.
    ///
    /// # Errors
    /// Exit 3 with what is wrong: plain http, user info, port, query, fragment, a slash at the end, a host that is none.
    pub fn parse(text: &str) -> Result<Self> {
        match fault(text) {
            None => Ok(Self(text.to_owned())),
            Some(what) => {
                let shown: String = shown_url(text).chars().take(80).collect();
                Err(Error::configuration(format!("issuer address {shown} {what}"))
                    .hint("an address such as https://jit.acme.example"))
            }
        }
    }

    /// The address of a backend that only this machine reaches: what `--dev` has, and nobody outside can fetch.
    pub fn loopback(address: SocketAddr) -> Self {
        Self(format!("http://{address}"))
    }

    /// The same, read back from where [`Self::loopback`] was written.
    pub fn of_loopback(text: &str) -> Option<Self> {
        let address: SocketAddr = text.strip_prefix("http://")?.parse().ok()?;
        address.ip().is_loopback().then(|| Self::loopback(address))
    }

    /// The host, as a call of ours names it.
    pub fn host(&self) -> &str {
        self.without_scheme().split('/').next().unwrap_or_default()
    }

    /// The address, as it stands in `iss`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address as IAM knows it, in ARNs and condition keys: without the scheme.
    pub fn without_scheme(&self) -> &str {
        self.0.split_once("://").map_or(&self.0, |(_, rest)| rest)
    }

    /// Where the discovery document is (OpenID Connect Discovery 1.0, section 4).
    pub fn discovery(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.0)
    }

    /// Where the public keys are.
    pub fn key_set(&self) -> String {
        format!("{}/.well-known/jwks.json", self.0)
    }

    /// Whether only this machine reaches it.
    pub fn is_loopback(&self) -> bool {
        self.0.starts_with("http://")
    }
}

impl fmt::Display for IssuerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What keeps `text` from being an issuer's address.
fn fault(text: &str) -> Option<&'static str> {
    if text.starts_with("http://") {
        return Some("is plain http: AWS fetches https only");
    }
    let Some(rest) = text.strip_prefix("https://") else {
        return Some("does not begin with https://");
    };
    if text.len() > LONGEST {
        return Some("is longer than 255 characters");
    }
    if rest.contains('#') {
        return Some("has a fragment");
    }
    if rest.contains('?') {
        return Some("has a query");
    }
    let (host, path) = rest
        .split_once('/')
        .map_or((rest, None), |(host, path)| (host, Some(path)));
    if host.contains('@') {
        return Some("holds user info");
    }
    if host.contains(':') {
        return Some("has a port: AWS takes none");
    }
    if path.is_some_and(|path| path.is_empty() || path.ends_with('/')) {
        return Some("ends in a slash");
    }
    if host.bytes().any(|b| b.is_ascii_uppercase()) {
        return Some("has capitals in its host");
    }
    if !is_public_name(host) {
        return Some("has no public host name");
    }
    if path.is_some_and(|path| !path.split('/').all(is_segment)) {
        return Some("has a path that AWS may read otherwise");
    }
    None
}

/// A name with a dot that is no address of a machine: AWS looks it up from outside.
fn is_public_name(host: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    host.contains('.') && host.split('.').all(is_label) && !last.bytes().all(|b| b.is_ascii_digit())
}

/// A part of a path that no program along the way rewrites.
fn is_segment(segment: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn address_that_aws_takes_is_taken() {
        for text in [
            "https://jit.acme.example",
            "https://acme-jit.s3.eu-west-1.amazonaws.com/issuer",
            "https://d111111abcdef8.cloudfront.net/a/b_c~d.e",
        ] {
            let url = IssuerUrl::parse(text).unwrap();
            assert_eq!(url.key_set(), format!("{text}/.well-known/jwks.json"));
            assert!(!url.is_loopback());
        }
    }

    #[test]
    fn address_of_this_machine_is_read_back() {
        let url = IssuerUrl::loopback("[::1]:7878".parse().unwrap());
        assert_eq!(
            (IssuerUrl::of_loopback(url.as_str()), url.host()),
            (Some(url.clone()), "[::1]:7878")
        );
        for text in [
            "http://192.0.2.1:80",
            "https://127.0.0.1:80",
            "http://localhost:80",
            "127.0.0.1:80",
        ] {
            assert_eq!(IssuerUrl::of_loopback(text), None, "{text}");
        }
    }

    #[test]
    fn address_that_aws_refuses_says_why() {
        for (text, what) in [
            ("http://jit.acme.example", "plain http"),
            ("HTTPS://jit.acme.example", "does not begin with https://"),
            ("jit.acme.example", "does not begin with https://"),
            ("", "does not begin with https://"),
            ("https://jit.acme.example:8443", "has a port"),
            ("https://jit.acme.example:", "has a port"),
            ("https://jit.acme.example/?a=b", "has a query"),
            ("https://jit.acme.example?", "has a query"),
            ("https://jit.acme.example/#a", "has a fragment"),
            ("https://me:secret@jit.acme.example", "holds user info"),
            ("https://jit.acme.example/", "ends in a slash"),
            ("https://jit.acme.example/a/", "ends in a slash"),
            ("https://Jit.acme.example", "has capitals"),
            ("https://localhost", "no public host name"),
            ("https://127.0.0.1", "no public host name"),
            ("https://[::1]", "has a port"),
            ("https://jit..example", "no public host name"),
            ("https://jit.acme.example/../x", "a path"),
            ("https://jit.acme.example/%2e", "a path"),
            ("https://jit.acme.example/a b", "a path"),
        ] {
            let error = IssuerUrl::parse(text).unwrap_err();
            assert_eq!(error.exit.code(), 3, "{text}");
            assert!(error.message.contains(what), "{text}: {error}");
            assert!(!error.message.contains("secret"), "{error}");
        }
        let long = format!("https://jit.acme.example/{}", "a".repeat(255));
        assert!(IssuerUrl::parse(&long).unwrap_err().message.contains("255"));
    }

    proptest! {
        #[test]
        fn address_with_anything_odd_is_never_taken(text in "\\PC{0,40}") {
            let is_taken = IssuerUrl::parse(&format!("https://{text}")).is_ok();
            let is_odd = text.contains(|c: char| c.is_whitespace() || c.is_control() || "?#@:\\%".contains(c));
            prop_assert!(!(is_taken && is_odd));
        }
    }
}
