//! Why a call got no answer, out of the chain of errors that an HTTP client gives.
//! Owns the words for proxy and trust. Refuses to name a proxy by itself: its address may hold a password.

use std::error::Error;
use std::io;

use rustls::CertificateError;

pub(super) const CHECK_PROXY: &str = "check HTTPS_PROXY and ALL_PROXY, or name the host in NO_PROXY";

/// Where a call ended before it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Nobody who is trusted signed the certificate.
    UnknownAuthority,
    /// The certificate is not the other side's.
    OtherName,
    /// The certificate is too old, or not valid yet.
    Date,
    /// Something else is wrong with the certificate.
    Certificate(String),
    /// The proxy asks who we are (407).
    ProxyAsksWho,
    /// The proxy answers, and does not connect us.
    ProxyRefuses,
    /// The proxy cannot be reached.
    ProxyGone(String),
    /// What the system or the other side said.
    Other(String),
}

impl Cause {
    /// The cause in `error` and all that it comes from.
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        let root = || {
            let last = chain(error).last().unwrap_or(error);
            last.to_string().to_lowercase()
        };
        for link in chain(error) {
            if let Some(rustls::Error::InvalidCertificate(wrong)) = link.downcast_ref() {
                return Self::of_certificate(wrong);
            }
            // the type is not public; its words are pinned by tests with a real proxy
            match link.to_string().strip_prefix("tunnel error: ") {
                Some("proxy authorization required") => return Self::ProxyAsksWho,
                Some("failed to create underlying connection" | "io error establishing tunnel") => {
                    // trust may be what failed, between us and the proxy
                    let tls = chain(link).find_map(|inner| match inner.downcast_ref() {
                        Some(rustls::Error::InvalidCertificate(wrong)) => Some(Self::of_certificate(wrong)),
                        _ => None,
                    });
                    return tls.unwrap_or_else(|| Self::ProxyGone(root()));
                }
                Some(_) => return Self::ProxyRefuses,
                None => {}
            }
        }
        Self::Other(root())
    }

    fn of_certificate(wrong: &CertificateError) -> Self {
        match wrong {
            // an authority that was made anew under its old name has another key
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::UnknownAuthority,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Self::OtherName,
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Self::Date,
            other => Self::Certificate(other.to_string().to_lowercase()),
        }
    }

    /// In a few words; `proxy` is the one on the way, where that is known.
    pub fn words(&self, proxy: Option<&str>) -> String {
        let proxy = || proxy.map_or_else(|| "the proxy".to_owned(), |proxy| format!("proxy {proxy}"));
        match self {
            Self::UnknownAuthority => "its certificate is not trusted".to_owned(),
            Self::OtherName => "its certificate is for another name".to_owned(),
            Self::Date => "its certificate is not valid now".to_owned(),
            Self::Certificate(why) => format!("its certificate is refused: {why}"),
            Self::ProxyAsksWho => format!("{} wants a name and password", proxy()),
            Self::ProxyRefuses => format!("{} does not connect to it", proxy()),
            Self::ProxyGone(why) => format!("{}: {why}", proxy()),
            Self::Other(why) => why.clone(),
        }
    }

    /// What to do about it, where that is known.
    pub fn mend(&self) -> Option<&'static str> {
        match self {
            Self::UnknownAuthority => Some("set JIT_CA_BUNDLE to a PEM file of the authority that signed it"),
            Self::Date => Some("check this machine's clock: date -u"),
            Self::ProxyAsksWho => Some("try: export HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT"),
            Self::ProxyRefuses | Self::ProxyGone(_) => Some(CHECK_PROXY),
            Self::OtherName | Self::Certificate(_) | Self::Other(_) => None,
        }
    }
}

/// `error` and what it comes from. An `io::Error` hides what it was made of from `source`.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error: &'a (dyn Error + 'static) = *error;
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match wrapped {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(wrong: CertificateError) -> io::Error {
        io::Error::other(io::Error::other(rustls::Error::InvalidCertificate(wrong)))
    }

    #[test]
    fn certificate_is_found_below_wrapped_errors() {
        for (wrong, cause) in [
            (CertificateError::UnknownIssuer, Cause::UnknownAuthority),
            (CertificateError::NotValidForName, Cause::OtherName),
            (CertificateError::Expired, Cause::Date),
        ] {
            assert_eq!(Cause::of(&certificate(wrong)), cause);
        }
        assert!(matches!(
            Cause::of(&certificate(CertificateError::Revoked)),
            Cause::Certificate(_)
        ));
    }

    #[test]
    fn other_errors_say_what_lies_at_the_bottom() {
        let error = io::Error::other(io::Error::other("Nobody Home"));
        assert_eq!(Cause::of(&error), Cause::Other("nobody home".into()));
    }
}
