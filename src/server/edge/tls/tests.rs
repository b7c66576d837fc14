//! Certificates that are refused, and renewals.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};

use super::*;

const ORIGIN: &str = "https://jit.acme.example";
/// 2026-06-15.
const NOW: Timestamp = Timestamp::from_millis(1_781_481_600_000);

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2026, 6, 1);
    params.not_after = date_time_ymd(2026, 9, 1);
    params
}

struct Folder {
    folder: tempfile::TempDir,
    authority: Authority,
}

impl Folder {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            authority: authority("acme"),
        }
    }

    fn files(&self) -> TlsFiles {
        TlsFiles {
            certificate: self.folder.path().join("chain.pem"),
            key: self.folder.path().join("key.pem"),
        }
    }

    fn write(&self, chain: &str, key: &str) {
        fs::write(self.files().certificate, chain).unwrap();
        fs::write(self.files().key, key).unwrap();
        fs::set_permissions(self.files().key, Permissions::from_mode(0o600)).unwrap();
    }

    /// A certificate of the authority and its key, in the files.
    fn put(&self, params: &CertificateParams) -> KeyPair {
        let key = KeyPair::generate().unwrap();
        let own = params.signed_by(&key, &self.authority).unwrap();
        self.write(&format!("{}{}", own.pem(), self.authority.pem()), &key.serialize_pem());
        key
    }

    fn said(&self) -> (String, String) {
        let error = Tls::open(&self.files(), ORIGIN, NOW).unwrap_err();
        assert_eq!(error.exit.code(), 3);
        let place = format!("{}/", self.folder.path().display());
        (error.message.replace(&place, ""), error.hint.unwrap_or_default())
    }
}

fn first(tls: &Tls) -> CertificateDer<'static> {
    tls.served.0.read().unwrap().cert[0].clone()
}

#[test]
fn certificate_that_fits_is_served() {
    let folder = Folder::new();
    for name in ["jit.acme.example", "*.acme.example"] {
        folder.put(&params(name));
        let tls = Tls::open(&folder.files(), "https://jit.acme.example:8443", NOW).unwrap();
        assert_eq!(tls.config.alpn_protocols, [b"http/1.1".to_vec()]);
    }
    folder.put(&params("192.0.2.7"));
    Tls::open(&folder.files(), "https://192.0.2.7", NOW).unwrap();
    // alone, as an authority of a company's own may give it
    let key = KeyPair::generate().unwrap();
    let own = params("jit.acme.example").signed_by(&key, &folder.authority).unwrap();
    folder.write(&own.pem(), &key.serialize_pem());
    Tls::open(&folder.files(), ORIGIN, NOW).unwrap();
}

#[test]
fn certificate_that_clients_would_refuse_is_refused_with_its_file() {
    let folder = Folder::new();
    let mut late = params("jit.acme.example");
    late.not_after = date_time_ymd(2026, 6, 14);
    let mut early = params("jit.acme.example");
    early.not_before = date_time_ymd(2026, 6, 16);
    let mut for_clients = params("jit.acme.example");
    for_clients.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let mut of_an_authority = params("jit.acme.example");
    of_an_authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    for (params, message) in [
        (late, "chain.pem: the certificate expired at 2026-06-14T00:00:00Z"),
        (early, "chain.pem: the certificate counts from 2026-06-16T00:00:00Z"),
        (
            params("other.acme.example"),
            "chain.pem: the certificate is not for jit.acme.example",
        ),
        (
            params("*.jit.acme.example"),
            "chain.pem: the certificate is not for jit.acme.example",
        ),
        (for_clients, "chain.pem: the certificate is not for servers"),
        (of_an_authority, "chain.pem: clients refuse this certificate"),
    ] {
        folder.put(&params);
        let (said, hint) = folder.said();
        assert_eq!(said, message);
        assert!(!hint.is_empty());
    }
}

#[test]
fn key_or_chain_of_another_certificate_is_refused() {
    let folder = Folder::new();
    folder.put(&params("jit.acme.example"));
    let chain = fs::read_to_string(folder.files().certificate).unwrap();
    let other = KeyPair::generate().unwrap();
    folder.write(&chain, &other.serialize_pem());
    assert_eq!(folder.said().0, "key.pem: the key is of another certificate");
    let own = params("jit.acme.example").signed_by(&other, &folder.authority).unwrap();
    folder.write(
        &format!("{}{}", own.pem(), authority("other").pem()),
        &other.serialize_pem(),
    );
    assert_eq!(
        folder.said().0,
        "chain.pem: what follows the certificate does not lead on from it"
    );
    folder.write(
        &format!("{}{}", folder.authority.pem(), own.pem()),
        &other.serialize_pem(),
    );
    assert!(folder.said().0.starts_with("chain.pem: "), "the authority's first");
}

#[test]
fn renewed_certificate_is_taken_up() {
    let folder = Folder::new();
    folder.put(&params("jit.acme.example"));
    let tls = Tls::open(&folder.files(), ORIGIN, NOW).unwrap();
    let before = first(&tls);
    tls.look(NOW);
    assert_eq!(first(&tls), before);
    folder.put(&params("jit.acme.example"));
    tls.look(NOW);
    assert_ne!(first(&tls), before);
}

#[test]
fn broken_renewal_keeps_the_certificate_and_is_said_once() {
    let folder = Folder::new();
    folder.put(&params("jit.acme.example"));
    let tls = Tls::open(&folder.files(), ORIGIN, NOW).unwrap();
    let before = first(&tls);
    let said = |tls: &Tls| tls.seen.lock().unwrap().said.clone();
    let chain = fs::read(folder.files().certificate).unwrap();
    for broken in [&b""[..], &chain[..chain.len() / 3]] {
        fs::write(folder.files().certificate, broken).unwrap();
        tls.look(NOW);
        assert_eq!(first(&tls), before);
        assert!(said(&tls).unwrap().ends_with("stays in force"), "{:?}", said(&tls));
    }
    folder.put(&params("other.acme.example"));
    tls.look(NOW);
    assert!(
        said(&tls).unwrap().contains("not for jit.acme.example"),
        "{:?}",
        said(&tls)
    );
    fs::remove_file(folder.files().key).unwrap();
    tls.look(NOW);
    assert_eq!(first(&tls), before);
    folder.put(&params("jit.acme.example"));
    tls.look(NOW);
    assert_ne!(first(&tls), before);
    assert_eq!(said(&tls), None);
}

#[test]
fn certificate_that_nobody_renews_is_told_of() {
    let folder = Folder::new();
    folder.put(&params("jit.acme.example"));
    let tls = Tls::open(&folder.files(), ORIGIN, NOW).unwrap();
    let said = |day: i64| {
        tls.look(Timestamp::from_millis(NOW.millis() + day * 86_400_000));
        tls.seen.lock().unwrap().said.clone().unwrap_or_default()
    };
    assert_eq!(said(70), "");
    assert!(said(72).ends_with("the certificate expires at 2026-09-01T00:00:00Z"));
    assert!(said(79).ends_with("the certificate expired at 2026-09-01T00:00:00Z"));
}

#[test]
fn certificate_of_a_few_days_is_told_of_late() {
    let folder = Folder::new();
    let mut short = params("jit.acme.example");
    (short.not_before, short.not_after) = (date_time_ymd(2026, 6, 14), date_time_ymd(2026, 6, 20));
    folder.put(&short);
    let tls = Tls::open(&folder.files(), ORIGIN, NOW).unwrap();
    let said = |day: i64| {
        tls.look(Timestamp::from_millis(NOW.millis() + day * 86_400_000));
        tls.seen.lock().unwrap().said.clone().unwrap_or_default()
    };
    assert_eq!(said(2), "");
    assert!(said(4).ends_with("the certificate expires at 2026-06-20T00:00:00Z"));
}

#[test]
fn host_of_the_address_is_what_a_certificate_covers() {
    for (origin, name) in [
        ("https://jit.acme.example", "jit.acme.example"),
        ("https://jit.acme.example:8443", "jit.acme.example"),
        ("https://192.0.2.7:1", "192.0.2.7"),
        ("https://[2001:db8::1]:1", "2001:db8::1"),
    ] {
        assert_eq!(host(origin).unwrap().to_str(), name);
    }
    assert!(host("nonsense").is_err());
}
