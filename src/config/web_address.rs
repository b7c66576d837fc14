//! Addresses of other people's services: what of them may be called at all.
//! Refuses plain http beyond this machine, names and passwords, and whatever is no address.

use reqwest::Url;

/// An address that may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebAddress {
    url: Url,
    is_loopback: bool,
}

impl WebAddress {
    /// Checks and wraps `text`.
    ///
    /// # Errors
    /// What is wrong with it, in words that follow a name.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| "is no address")?;
        let host = url.host_str().unwrap_or_default();
        let is_loopback = is_loopback(host);
        match url.scheme() {
            _ if host.is_empty() => return Err("is no address"),
            "https" => {}
            "http" if is_loopback => {}
            "http" => return Err("is not encrypted"),
            _ => return Err("is no https address"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds user info");
        }
        if url.fragment().is_some() {
            return Err("has a fragment");
        }
        Ok(Self { url, is_loopback })
    }

    /// The same, as `by` names it: what is outside may not send us to our own machine, nor from https to http.
    ///
    /// # Errors
    /// As [`WebAddress::parse`].
    pub fn named(text: &str, by: &Self) -> Result<Self, &'static str> {
        let named = Self::parse(text)?;
        if named.is_loopback && !by.is_loopback {
            return Err("is on our own machine");
        }
        Ok(named)
    }

    /// The address.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Whether it is on this machine.
    pub fn is_loopback(&self) -> bool {
        self.is_loopback
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let is_ours = |ip: std::net::IpAddr| ip.to_canonical().is_loopback() || ip.is_unspecified();
    host == "localhost" || host.ends_with(".localhost") || address.parse().is_ok_and(is_ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_beyond_this_machine_is_encrypted() {
        for fine in [
            "https://a.example/x?y=z",
            "http://127.0.0.1:1",
            "http://localhost:2",
            "http://[::1]:3/a",
        ] {
            assert!(WebAddress::parse(fine).is_ok(), "{fine}");
        }
        for (text, what) in [
            ("http://a.example", "is not encrypted"),
            ("http://127.0.0.1.example", "is not encrypted"),
            ("ftp://127.0.0.1", "is no https address"),
            ("https://me:hunter2@a.example", "holds user info"),
            ("https://a.example/#x", "has a fragment"),
            ("a.example", "is no address"),
            ("https://", "is no address"),
            ("file:///etc/passwd", "is no address"),
        ] {
            assert_eq!(WebAddress::parse(text).unwrap_err(), what, "{text}");
        }
    }

    #[test]
    fn address_outside_sends_nobody_to_this_machine() {
        let outside = WebAddress::parse("https://a.example").unwrap();
        let inside = WebAddress::parse("http://127.0.0.1:1").unwrap();
        for own in [
            "https://127.0.0.1/k",
            "https://localhost",
            "https://[::1]:8",
            "https://[::ffff:127.0.0.1]",
        ] {
            assert_eq!(
                WebAddress::named(own, &outside).unwrap_err(),
                "is on our own machine",
                "{own}"
            );
            assert!(WebAddress::named(own, &inside).is_ok());
        }
        assert!(WebAddress::named("https://b.example/k", &outside).is_ok());
        assert!(WebAddress::named("http://b.example/k", &inside).is_err());
    }
}
