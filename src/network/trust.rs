//! Authorities that are trusted beside the platform's own: `JIT_CA_BUNDLE`.
//! Refuses a file that cannot be read or holds no certificate: without it a call would fail far from the cause.

use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::error::{Error, Result};

/// Larger than any bundle of authorities, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Authorities that one file holds.
#[derive(Clone)]
pub(super) struct Roots {
    path: PathBuf,
    certificates: Vec<CertificateDer<'static>>,
    #[cfg_attr(
        not(feature = "server"),
        expect(dead_code, reason = "the AWS SDK alone takes them as text")
    )]
    pem: Vec<u8>,
}

impl Roots {
    /// Reads the certificates in `path`.
    ///
    /// # Errors
    /// Exit 3 for a relative path, a file that cannot be read, and one that holds anything but certificates.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let wrong = |what: &str| Error::configuration(format!("JIT_CA_BUNDLE: {} {what}", path.display()));
        if !path.is_absolute() {
            return Err(wrong("is not absolute").try_(format!("export JIT_CA_BUNDLE=\"$PWD\"/{}", path.display())));
        }
        let unreadable = |error: std::io::Error| {
            wrong(&format!("cannot be read: {error}")).hint("it names a PEM file; unset it if there is none")
        };
        let about = fs::metadata(path).map_err(unreadable)?;
        if !about.is_file() || about.len() > LARGEST {
            return Err(wrong("is no file of certificates").hint("it names a PEM file"));
        }
        let mut pem = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(LARGEST).read_to_end(&mut pem).map_err(unreadable)?;
        let broken = |number: usize| {
            wrong(&format!("is broken: certificate {number}")).hint("each begins with -----BEGIN CERTIFICATE-----")
        };
        let mut store = RootCertStore::empty();
        let mut certificates = Vec::new();
        for (at, certificate) in CertificateDer::pem_slice_iter(&pem).enumerate() {
            let certificate = certificate.map_err(|_| broken(at + 1))?;
            store.add(certificate.clone()).map_err(|_| broken(at + 1))?;
            certificates.push(certificate);
        }
        if certificates.is_empty() {
            return Err(wrong("holds no certificate").hint("each begins with -----BEGIN CERTIFICATE-----"));
        }
        Ok(Self {
            path: path.to_owned(),
            certificates,
            pem,
        })
    }

    pub(super) fn for_reqwest(&self) -> Result<Vec<reqwest::Certificate>> {
        let each = self.certificates.iter().map(|der| reqwest::Certificate::from_der(der));
        each.collect::<std::result::Result<_, _>>()
            .map_err(|error| Error::configuration(format!("JIT_CA_BUNDLE: {}: {error}", self.path.display())))
    }

    #[cfg(feature = "server")]
    pub(super) fn pem(&self) -> &[u8] {
        &self.pem
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} certificates of {}", self.certificates.len(), self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Roots> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        fs::write(&path, bytes).unwrap();
        Roots::read(&path)
    }

    #[test]
    fn file_that_holds_no_certificate_is_refused() {
        let key = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let junk = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let torn = b"-----BEGIN CERTIFICATE-----\nAAAA\n";
        for (bytes, said) in [
            (&b""[..], "holds no certificate"),
            (b"hello", "holds no certificate"),
            (key, "holds no certificate"),
            (junk, "is broken: certificate 1"),
            (torn, "is broken: certificate 1"),
        ] {
            let error = read(bytes).unwrap_err();
            assert_eq!(error.exit.code(), 3);
            assert!(error.message.ends_with(said), "{}", error.message);
        }
    }

    #[test]
    fn path_that_names_no_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for path in [
            Path::new("ca.pem"),
            Path::new("/dev/zero"),
            folder.path(),
            Path::new("/nonexistent"),
        ] {
            assert_eq!(Roots::read(path).unwrap_err().exit.code(), 3, "{}", path.display());
        }
    }
}
