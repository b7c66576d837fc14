//! Where the backend listens, and who stands in front of it: `listen`, `[tls]`, `trusted_proxies`.
//! Owns which of them go together. Refuses plain http beyond this machine, and proxies that could be anybody.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use serde::Deserialize;
use toml::Spanned;

use super::Source;
use crate::error::Result;

const LISTEN: &str = "127.0.0.1:7878";

/// Files of the certificate that TLS is spoken with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and what leads from it to an authority, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
}

/// In which header a proxy says who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Proxies that are believed when they say who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedProxies {
    /// Where they are.
    pub networks: Vec<IpNet>,
    /// How they say it.
    pub header: ForwardedHeader,
}

impl TrustedProxies {
    /// Whether `address` is one of them.
    pub fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }
}

#[derive(Deserialize)]
pub(super) struct Tls {
    certificate: Option<Spanned<String>>,
    key: Option<Spanned<String>>,
}

impl Source<'_> {
    /// Where it listens; beyond this machine only where `is_guarded`, by TLS or by proxies that are named.
    pub(super) fn listen(&self, written: Option<&Spanned<String>>, is_guarded: bool) -> Result<SocketAddr> {
        let text = written.map_or(LISTEN, |text| text.get_ref().as_str());
        let at = written.map_or(0..0, Spanned::span);
        let address: SocketAddr = text.parse().map_err(|_| {
            self.wrong(&at, &format!("listen is no address: {text}"))
                .hint(format!("such as  listen = \"{LISTEN}\""))
        })?;
        if address.ip().is_loopback() || is_guarded {
            return Ok(address);
        }
        Err(self
            .wrong(&at, &format!("listen is beyond loopback: {text}"))
            .hint("add [tls], or trusted_proxies; or listen on 127.0.0.1 behind a TLS proxy on this machine"))
    }

    pub(super) fn tls(&self, written: &Spanned<Tls>) -> Result<TlsFiles> {
        let missing = |key: &str, example: &str| {
            self.wrong(&written.span(), &format!("{key} is missing in [tls]"))
                .hint(format!("such as  {key} = \"{example}\""))
        };
        let table = written.get_ref();
        let certificate = table.certificate.as_ref();
        let key = table.key.as_ref();
        Ok(TlsFiles {
            certificate: self.path(certificate.ok_or_else(|| missing("certificate", "tls/fullchain.pem"))?)?,
            key: self.path(key.ok_or_else(|| missing("key", "tls/privkey.pem"))?)?,
        })
    }

    pub(super) fn trusted_proxies(
        &self,
        networks: Option<&Spanned<Vec<Spanned<String>>>>,
        header: Option<&Spanned<String>>,
    ) -> Result<Option<TrustedProxies>> {
        let Some(written) = networks else {
            return match header {
                Some(header) => Err(self
                    .wrong(&header.span(), "forwarded_header without trusted_proxies")
                    .hint("such as  trusted_proxies = [\"10.0.0.5\"]")),
                None => Ok(None),
            };
        };
        if written.get_ref().is_empty() {
            return Err(self
                .wrong(&written.span(), "trusted_proxies names none")
                .hint("leave it out where there is no proxy"));
        }
        let networks = written.get_ref().iter().map(|network| self.network(network));
        Ok(Some(TrustedProxies {
            networks: networks.collect::<Result<_>>()?,
            header: self.forwarded_header(header)?,
        }))
    }

    fn network(&self, written: &Spanned<String>) -> Result<IpNet> {
        let text = written.get_ref();
        let wrong = |what: &str, hint: &str| {
            self.wrong(&written.span(), &format!("trusted_proxies {what}: {text}"))
                .hint(hint)
        };
        let such = "such as  trusted_proxies = [\"10.0.0.5\", \"10.1.0.0/24\"]";
        let alone = text
            .parse::<IpAddr>()
            .ok()
            .map(|address| IpNet::from(address.to_canonical()));
        let network = alone.or_else(|| text.parse().ok());
        let network = network.ok_or_else(|| wrong("is no address or network", such))?;
        if network.prefix_len() == 0 {
            return Err(wrong(
                "is everybody",
                "name the proxies alone: whoever is one of them is believed",
            ));
        }
        if network.trunc() != network {
            return Err(wrong("is no network", &format!("did you mean {}?", network.trunc())));
        }
        Ok(network)
    }

    fn forwarded_header(&self, written: Option<&Spanned<String>>) -> Result<ForwardedHeader> {
        let Some(written) = written else {
            return Ok(ForwardedHeader::XForwardedFor);
        };
        match written.get_ref().to_ascii_lowercase().as_str() {
            "x-forwarded-for" => Ok(ForwardedHeader::XForwardedFor),
            "forwarded" => Ok(ForwardedHeader::Forwarded),
            _ => Err(self
                .wrong(
                    &written.span(),
                    &format!("no such forwarded_header: {}", written.get_ref()),
                )
                .hint("X-Forwarded-For or Forwarded: the one that the proxy sets")),
        }
    }
}
