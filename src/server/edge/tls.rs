//! The end of TLS: which certificate is served, and the next one without a restart.
//! Owns what is wrong with a certificate before a client finds out. Refuses one that is over, for another name, or whose
//! key is another; a renewal that is broken changes nothing.
//! HTTP/1.1 alone is offered (ALPN), as it is served.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use hot::Origin;
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, RootCertStore, ServerConfig};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::{TlsFiles, TlsPair};
use crate::domain::{Digest, Timestamp};
use crate::error::{Error, Result};
use crate::server::wake::stopped;

/// The files are looked at this often.
const LOOK: Duration = Duration::from_mins(1);
/// A certificate that ends within this is told of, in seconds: what renews it should have by then.
const SOON_S: u64 = 7 * 86_400;

/// What a handshake is answered with.
#[derive(Debug)]
struct Served(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Served {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// What was seen when the files were looked at last.
#[derive(Debug)]
struct Seen {
    fingerprint: Option<Digest>,
    said: Option<String>,
}

/// The end of TLS.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    host: ServerName<'static>,
    provider: Arc<CryptoProvider>,
    served: Arc<Served>,
    seen: Mutex<Seen>,
    /// How handshakes are held.
    pub config: Arc<ServerConfig>,
}

impl Tls {
    /// The certificate in `files`, for whoever calls `origin` at `now`.
    ///
    /// # Errors
    /// Exit 3 with the file, and what is wrong with it.
    pub fn open(files: &TlsFiles, origin: &str, now: Timestamp) -> Result<Self> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let host = host(origin)?;
        let pair = files.read()?;
        let fingerprint = pair.fingerprint.clone();
        let checked = checked(&provider, files, pair, &host, now)?;
        let served = Arc::new(Served(RwLock::new(Arc::new(checked))));
        let failed = |error: rustls::Error| Error::configuration(format!("no TLS: {error}"));
        // TLS 1.2 and 1.3: what the library holds to be safe
        let mut config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_cert_resolver(served.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            files: files.clone(),
            host,
            provider,
            served,
            seen: Mutex::new(Seen {
                fingerprint: Some(fingerprint),
                said: None,
            }),
            config: Arc::new(config),
        })
    }

    /// Looks at the files: puts a renewed certificate in force. What is wrong is said once in the log.
    pub fn look(&self, now: Timestamp) {
        let trouble = self.renew(now).map_err(|error| {
            let kept = "the certificate in their place stays in force";
            format!("{error}; {kept}")
        });
        let trouble = trouble.err().or_else(|| self.ends_soon(now));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(trouble) = trouble.as_ref().filter(|trouble| seen.said.as_ref() != Some(trouble)) {
            tracing::error!(trouble, "TLS needs somebody");
        }
        seen.said = trouble;
    }

    /// Puts what lies in the files in force, where it is new and right.
    fn renew(&self, now: Timestamp) -> Result<()> {
        let pair = self.files.read()?;
        let fingerprint = pair.fingerprint.clone();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.fingerprint.as_ref() == Some(&fingerprint) {
            return Ok(());
        }
        let renewed = checked(&self.provider, &self.files, pair, &self.host, now)?;
        *self.served.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(renewed);
        seen.fingerprint = Some(fingerprint);
        tracing::warn!(file = %self.files.certificate.display(), "a renewed certificate is in force");
        Ok(())
    }

    /// What to say of a certificate whose end is near.
    fn ends_soon(&self, now: Timestamp) -> Option<String> {
        let served = self.served.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let at = |secs: u64| UnixTime::since_unix_epoch(Duration::from_secs(secs));
        let secs = u64::try_from(now.millis().div_euclid(1000)).unwrap_or_default();
        let soon = validity(&self.provider, &served.cert, at(secs + SOON_S)).err()?;
        match soon {
            CertificateError::ExpiredContext { not_after, .. } => {
                let ends = Timestamp::from_millis(i64::try_from(not_after.as_secs()).unwrap_or(i64::MAX / 1000) * 1000);
                let verb = if ends <= now { "expired" } else { "expires" };
                Some(format!(
                    "{}: the certificate {verb} at {ends}",
                    self.files.certificate.display()
                ))
            }
            _ => None,
        }
    }
}

/// Catches the signal that has the files looked at.
///
/// # Errors
/// Exit 1 where the system gives none.
pub fn hangup() -> Result<Signal> {
    signal(SignalKind::hangup()).map_err(|error| Error::unexpected(format!("no signals: {error}")))
}

/// Looks at the files each minute and at each `hangup`, until `stop` turns true.
pub async fn watch(tls: Arc<Tls>, mut hangup: Signal, clock: Arc<Clock>, mut stop: watch::Receiver<bool>) {
    loop {
        tls.look(clock.now());
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            Some(()) = hangup.recv() => {}
            () = stopped(&mut stop) => return,
        }
    }
}

/// The name that a certificate has to cover.
fn host(origin: &str) -> Result<ServerName<'static>> {
    let no_name = || Error::configuration(format!("public_url has no host for a certificate: {origin}"));
    let origin = Origin::parse(origin).map_err(|_| no_name())?;
    let (_, rest) = origin.as_str().split_once("://").ok_or_else(no_name)?;
    let host = match rest.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => rest.split(':').next().unwrap_or_default(),
    };
    ServerName::try_from(host.to_owned()).map_err(|_| no_name())
}

/// `pair`, where it can be served to whoever calls `host` at `now`.
fn checked(
    provider: &CryptoProvider,
    files: &TlsFiles,
    pair: TlsPair,
    host: &ServerName<'_>,
    now: Timestamp,
) -> Result<CertifiedKey> {
    let wrong = |what: String| Error::configuration(format!("{}: {what}", files.certificate.display()));
    let secs = u64::try_from(now.millis().div_euclid(1000)).unwrap_or_default();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(secs));
    validity(provider, &pair.chain, now).map_err(|error| {
        let (what, hint) = described(&error);
        wrong(what).hint(hint)
    })?;
    let own = ParsedCertificate::try_from(&pair.chain[0]);
    let own = own.map_err(|_| wrong("certificate 1 cannot be read".to_owned()))?;
    verify_server_name(&own, host).map_err(|error| {
        let names = match &error {
            rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. }) => {
                // as the library tells them: DnsName("jit.acme.example"), IpAddress(10.0.0.1)
                let name = |told: &String| told.split(['(', ')']).nth(1).map(|name| name.replace('"', ""));
                let names: Vec<String> = presented.iter().filter_map(name).collect();
                names.join(", ")
            }
            _ => String::new(),
        };
        let hint = match names.as_str() {
            "" => "it names nobody: it needs the host of public_url as subject alternative name".to_owned(),
            names => format!("public_url calls that name, and the certificate is for: {names}"),
        };
        wrong(format!("the certificate is not for {}", host.to_str())).hint(hint)
    })?;
    let key = |error: &rustls::Error| match error {
        rustls::Error::InconsistentKeys(_) => {
            let message = format!("{}: the key is of another certificate", files.key.display());
            Error::configuration(message).hint(format!("it has to be that of {}", files.certificate.display()))
        }
        _ => Error::configuration(format!("{}: the key cannot be used", files.key.display()))
            .hint("an RSA key of 2048 bits and up, or an ECDSA key on P-256, P-384 or P-521, or Ed25519"),
    };
    CertifiedKey::from_der(pair.chain, pair.key, provider).map_err(|error| key(&error))
}

/// Whether the first of `chain` is a server's at `now`, and what follows leads on from it. Which authorities clients trust
/// is not known here: what lacks is one's own word for the last.
fn validity(
    provider: &CryptoProvider,
    chain: &[CertificateDer<'_>],
    now: UnixTime,
) -> std::result::Result<(), CertificateError> {
    let algorithms = provider.signature_verification_algorithms.all;
    let meaning = |error: rustls::Error| match error {
        rustls::Error::InvalidCertificate(error) => error,
        _ => CertificateError::BadEncoding,
    };
    let Some((own, others)) = chain.split_first() else {
        return Err(CertificateError::BadEncoding);
    };
    let own = ParsedCertificate::try_from(own).map_err(meaning)?;
    let mut roots = RootCertStore::empty();
    if let Some(last) = others.last() {
        roots.add(last.clone().into_owned()).map_err(meaning)?;
    }
    match verify_server_cert_signed_by_trust_anchor(&own, &roots, others, now, algorithms).map_err(meaning) {
        Err(CertificateError::UnknownIssuer) if others.is_empty() => Ok(()),
        verified => verified,
    }
}

/// What is wrong with a certificate, and what to do.
fn described(error: &CertificateError) -> (String, &'static str) {
    let renew = "renew it; a backend that runs takes the new files up by itself";
    let at = |time: &UnixTime| Timestamp::from_millis(i64::try_from(time.as_secs()).unwrap_or(i64::MAX / 1000) * 1000);
    match error {
        CertificateError::ExpiredContext { not_after, .. } => {
            (format!("the certificate expired at {}", at(not_after)), renew)
        }
        CertificateError::NotValidYetContext { not_before, .. } => (
            format!("the certificate counts from {}", at(not_before)),
            "is this machine's clock right?",
        ),
        CertificateError::UnknownIssuer | CertificateError::BadSignature => (
            "what follows the certificate does not lead on from it".to_owned(),
            "the backend's own first, then who signed it, then who signed that",
        ),
        CertificateError::InvalidPurposeContext { .. } | CertificateError::InvalidPurpose => (
            "the certificate is not for servers".to_owned(),
            "it needs the extended key usage serverAuth",
        ),
        CertificateError::BadEncoding => (
            "a certificate cannot be read".to_owned(),
            "in PEM: -----BEGIN CERTIFICATE-----",
        ),
        _ => (
            "clients refuse this certificate".to_owned(),
            "it must be a server's own, not that of an authority: version 3, with subject alternative names",
        ),
    }
}

#[cfg(test)]
mod tests;
