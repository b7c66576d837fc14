//! A certificate and its key, from their files.
//! Owns what can be read of them. Refuses a key that others may read; whether the two may be served is the server's to
//! judge.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::ExposeSecret;

use super::guarded::{opened_not_for_others, way_not_for_others};
use super::secret_file;
use super::server_file::listening::TlsFiles;
use crate::domain::Digest;
use crate::error::{Error, Result};

/// Larger than any chain of certificates, in bytes.
const LARGEST_CHAIN: u64 = 256 * 1024;
/// Larger than any private key, in bytes.
const LARGEST_KEY: u64 = 64 * 1024;

/// A certificate and its key, as they lie in their files.
pub struct TlsPair {
    /// The certificate, and what leads from it to an authority.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its private key.
    pub key: PrivateKeyDer<'static>,
    /// Tells one pair from another.
    pub fingerprint: Digest,
}

impl TlsFiles {
    /// Reads both files. Links are followed, as programs that renew certificates make them.
    ///
    /// # Errors
    /// Exit 3 for what cannot be read, holds none, or is open to others.
    pub fn read(&self) -> Result<TlsPair> {
        let text = read_chain(&self.certificate)?;
        let mut chain = Vec::new();
        for (at, certificate) in CertificateDer::pem_slice_iter(&text).enumerate() {
            let what = format!("certificate {} cannot be read", at + 1);
            chain.push(certificate.map_err(|_| in_file(&self.certificate, &what).hint(BEGINS))?);
        }
        if chain.is_empty() {
            return Err(in_file(&self.certificate, "holds no certificate").hint(BEGINS));
        }
        way_not_for_others(&self.key)?;
        let whole = fs::canonicalize(&self.key).map_err(|error| unreadable(&self.key, &error))?;
        let key = secret_file::read_up_to(LARGEST_KEY, &whole, in_file)?;
        let key = key.ok_or_else(|| in_file(&self.key, "is missing"))?;
        let mut both = text;
        both.extend_from_slice(key.expose_secret().as_bytes());
        let fingerprint = Digest::of(&both);
        let key = PrivateKeyDer::from_pem_slice(key.expose_secret().as_bytes()).map_err(|_| {
            in_file(&self.key, "holds no private key").hint("in PEM, without a passphrase: -----BEGIN PRIVATE KEY-----")
        })?;
        Ok(TlsPair {
            chain,
            key,
            fingerprint,
        })
    }
}

const BEGINS: &str = "in PEM, the backend's own first: -----BEGIN CERTIFICATE-----";

fn read_chain(path: &Path) -> Result<Vec<u8>> {
    way_not_for_others(path)?;
    let whole = fs::canonicalize(path).map_err(|error| unreadable(path, &error))?;
    // a pipe would be waited for
    if !fs::metadata(&whole)
        .map_err(|error| unreadable(path, &error))?
        .is_file()
    {
        return Err(in_file(path, "is no file"));
    }
    let file = File::open(&whole).map_err(|error| unreadable(path, &error))?;
    opened_not_for_others(&whole, &file.metadata().map_err(|error| unreadable(path, &error))?)?;
    let mut text = Vec::new();
    let read = file.take(LARGEST_CHAIN).read_to_end(&mut text);
    match read.map_err(|error| unreadable(path, &error))? as u64 {
        LARGEST_CHAIN.. => Err(in_file(path, "is no chain of certificates")),
        _ => Ok(text),
    }
}

fn in_file(path: &Path, what: &str) -> Error {
    Error::configuration(format!("{}: {what}", path.display()))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    in_file(path, &format!("cannot be read: {error}")).hint("[tls] in the backend's file names it")
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn files(folder: &Path) -> TlsFiles {
        let made = rcgen::generate_simple_self_signed(vec!["jit.acme.example".to_owned()]).unwrap();
        let files = TlsFiles {
            certificate: folder.join("chain.pem"),
            key: folder.join("key.pem"),
        };
        fs::write(&files.certificate, made.cert.pem()).unwrap();
        fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        fs::set_permissions(&files.key, Permissions::from_mode(0o600)).unwrap();
        files
    }

    fn said(files: &TlsFiles) -> String {
        let error = files.read().err().expect("refused");
        assert_eq!(error.exit.code(), 3);
        error.message
    }

    #[test]
    fn pair_is_read_through_links() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        let first = files.read().unwrap();
        let (live, archive) = (folder.path().join("live"), folder.path().join("archive"));
        fs::create_dir(&live).unwrap();
        fs::create_dir(&archive).unwrap();
        for name in ["chain.pem", "key.pem"] {
            fs::rename(folder.path().join(name), archive.join(name)).unwrap();
            symlink(format!("../archive/{name}"), live.join(name)).unwrap();
        }
        let linked = TlsFiles {
            certificate: live.join("chain.pem"),
            key: live.join("key.pem"),
        };
        let second = linked.read().unwrap();
        assert_eq!((first.chain, first.fingerprint), (second.chain, second.fingerprint));
    }

    #[test]
    fn attack_25_key_of_the_certificate_that_others_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        for mode in [0o644, 0o640, 0o604] {
            fs::set_permissions(&files.key, Permissions::from_mode(mode)).unwrap();
            assert!(said(&files).ends_with("is open to others"), "{mode:o}");
        }
        fs::set_permissions(&files.key, Permissions::from_mode(0o400)).unwrap();
        files.read().unwrap();
        fs::set_permissions(&files.certificate, Permissions::from_mode(0o666)).unwrap();
        assert!(said(&files).ends_with("can be written by others"));
    }

    #[test]
    fn attack_25_pair_in_a_folder_that_others_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let own = files(folder.path());
        let open = fs::canonicalize(folder.path()).unwrap().join("open");
        fs::create_dir(&open).unwrap();
        for file in [&own.certificate, &own.key] {
            fs::copy(file, open.join(file.file_name().unwrap())).unwrap();
        }
        let chain = TlsFiles {
            certificate: open.join("chain.pem"),
            ..own.clone()
        };
        let key = TlsFiles {
            key: open.join("key.pem"),
            ..own
        };
        for files in [chain, key] {
            fs::set_permissions(&open, Permissions::from_mode(0o755)).unwrap();
            files.read().unwrap();
            fs::set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
            assert_eq!(said(&files), format!("{} can be written by others", open.display()));
        }
    }

    #[test]
    fn file_without_certificate_or_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        let (chain, key) = (files.certificate.display().to_string(), files.key.display().to_string());
        let (certificate, secret) = (fs::read(&files.certificate).unwrap(), fs::read(&files.key).unwrap());
        for (bytes, what) in [
            (&b""[..], "holds no certificate"),
            (b"hello", "holds no certificate"),
            (&secret, "holds no certificate"),
            (&certificate[..certificate.len() / 2], "certificate 1 cannot be read"),
        ] {
            fs::write(&files.certificate, bytes).unwrap();
            assert_eq!(said(&files), format!("{chain}: {what}"));
        }
        let torn = [&certificate[..], &certificate[..40]].concat();
        fs::write(&files.certificate, torn).unwrap();
        assert_eq!(said(&files), format!("{chain}: certificate 2 cannot be read"));
        fs::write(&files.certificate, &certificate).unwrap();
        for bytes in [
            &b""[..],
            b"hello",
            &certificate,
            &secret[..secret.len() / 2],
            &[0xff, 0xfe],
        ] {
            fs::write(&files.key, bytes).unwrap();
            assert_eq!(said(&files), format!("{key}: holds no private key"));
        }
        fs::remove_file(&files.key).unwrap();
        assert!(said(&files).starts_with(&format!("{key}: cannot be read: ")));
        fs::remove_file(&files.certificate).unwrap();
        assert!(said(&files).starts_with(&format!("{chain}: cannot be read: ")));
    }
}
