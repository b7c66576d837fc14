//! Every bad line of a backend's file, and what is said about it.

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

const WHOLE: &str = r#"listen = "127.0.0.1:9000"
public_url = "https://jit.acme.example"
policy = "policy"
database = "/var/lib/jit/jit.db"

[aws]
endpoint = "https://sts.eu-central-1.amazonaws.com"

[issuer]
url = "https://issuer.acme.example"
period = "14d"

[sealing_key]
file = "sealing.key"
"#;

fn parse(text: &str) -> Result<ServerFile> {
    ServerFile::parse(text, Path::new("/etc/jit/jit.toml"), Path::new("/etc/jit"))
}

/// What is said about [`WHOLE`] with `from` replaced.
#[track_caller]
fn said(from: &str, to: &str) -> (String, String) {
    assert!(WHOLE.contains(from), "{from}");
    let error = parse(&WHOLE.replacen(from, to, 1)).expect_err(to);
    assert_eq!(error.exit.code(), 3);
    let message = error.message.strip_prefix("/etc/jit/jit.toml:").unwrap().trim_start();
    (message.to_owned(), error.hint.unwrap_or_default())
}

#[test]
fn file_gives_every_value() {
    let file = parse(WHOLE).unwrap();
    assert_eq!(file.listen.to_string(), "127.0.0.1:9000");
    assert_eq!(file.public_url.as_str(), "https://jit.acme.example");
    assert_eq!(file.policy, PathBuf::from("/etc/jit/policy"));
    assert_eq!(file.database, PathBuf::from("/var/lib/jit/jit.db"));
    assert_eq!(
        file.aws_endpoint.as_deref(),
        Some("https://sts.eu-central-1.amazonaws.com")
    );
    assert_eq!(file.issuer_url.as_deref(), Some("https://issuer.acme.example"));
    assert_eq!(file.issuer_period.map(Duration::secs), Some(14 * 86_400));
    assert_eq!(file.sealing_key, SecretSource::File("/etc/jit/sealing.key".into()));
}

#[test]
fn file_may_leave_out_what_has_a_default() {
    let text = "public_url = \"https://JIT.acme.example:443/\"\npolicy = \"p\"\ndatabase = \"d\"\nsealing_key = { environment = \"JIT_KEY\" }\n";
    let file = parse(text).unwrap();
    assert_eq!(file.listen.to_string(), "127.0.0.1:7878");
    assert_eq!((file.tls, file.trusted_proxies, file.session_life), (None, None, None));
    assert_eq!(file.admins, [Admin::local("admin")]);
    assert_eq!(file.public_url.as_str(), "https://jit.acme.example");
    assert_eq!(
        (file.aws_endpoint, file.issuer_url, file.issuer_period),
        (None, None, None)
    );
    assert_eq!(file.sealing_key, SecretSource::Environment("JIT_KEY".into()));
}

#[test]
fn unknown_key_is_refused_with_place_and_nearest() {
    for (from, to, message, hint) in [
        ("listen", "listn", "1:1: no key named listn", "did you mean listen?"),
        ("public_url", "url", "2:1: no key named url", "did you mean public_url?"),
        (
            "endpoint",
            "endpiont",
            "7:1: no key named endpiont in [aws]",
            "did you mean endpoint?",
        ),
        ("[issuer]", "[isuer]", "9:2: no key named isuer", "did you mean issuer?"),
        (
            "file =",
            "vault =",
            "14:1: no key named vault in [sealing_key]",
            "known keys: file, environment, keyring",
        ),
        (
            "[sealing_key]",
            "[oidc]\nx = 1\n[sealing_key]",
            "13:2: no key named oidc",
            "known keys: listen, public_url, policy, database, tls, trusted_proxies, forwarded_header, aws, issuer, \
             sealing_key, sign_in, workload_issuer, admins, session, directory",
        ),
    ] {
        assert_eq!(said(from, to), (message.to_owned(), hint.to_owned()));
    }
}

#[test]
fn wrong_type_is_refused_with_its_place() {
    for (from, to, place) in [
        ("\"127.0.0.1:9000\"", "7878", "1:10:"),
        ("\"policy\"", "[\"policy\"]", "3:10:"),
        (
            "[aws]\nendpoint = \"https://sts.eu-central-1.amazonaws.com\"",
            "aws = 3",
            "6:7:",
        ),
        ("\"sealing.key\"", "true", "14:8:"),
        ("listen = ", "listen ", "1:8:"),
        ("listen", "listen = \"a\"\nlisten", "2:1:"),
    ] {
        let (message, _) = said(from, to);
        assert!(message.starts_with(place), "{to}: {message}");
    }
}

#[test]
fn required_key_that_is_missing_is_named() {
    for (line, message) in [
        ("public_url = \"https://jit.acme.example\"\n", "public_url is missing"),
        ("policy = \"policy\"\n", "policy is missing"),
        ("database = \"/var/lib/jit/jit.db\"\n", "database is missing"),
        ("[sealing_key]\nfile = \"sealing.key\"\n", "sealing_key is missing"),
    ] {
        let (said, hint) = said(line, "");
        assert_eq!(said, message);
        assert!(hint.starts_with("such as  "), "{hint}");
    }
}

#[test]
fn listening_beyond_loopback_is_refused() {
    for beyond in ["0.0.0.0:7878", "192.0.2.1:7878", "[::]:7878"] {
        let (message, hint) = said("127.0.0.1:9000", beyond);
        assert_eq!(message, format!("1:10: listen is beyond loopback: {beyond}"));
        assert!(
            hint.starts_with("add [tls], or trusted_proxies;") && hint.contains("TLS proxy on this machine"),
            "{hint}"
        );
    }
    for none in ["localhost:7878", "7878", "127.0.0.1", "127.0.0.1:99999", ""] {
        assert_eq!(
            said("127.0.0.1:9000", none).0,
            format!("1:10: listen is no address: {none}")
        );
    }
}

#[test]
fn listening_beyond_loopback_takes_tls_or_named_proxies() {
    let beyond = WHOLE.replace("127.0.0.1:9000", "0.0.0.0:443");
    let with = |first: &str, last: &str| parse(&format!("{first}\n{beyond}\n{last}\n"));
    let file = with("", "[tls]\ncertificate = \"tls/chain.pem\"\nkey = \"/run/key.pem\"").unwrap();
    let tls = TlsFiles {
        certificate: "/etc/jit/tls/chain.pem".into(),
        key: "/run/key.pem".into(),
    };
    assert_eq!((file.listen.port(), file.tls), (443, Some(tls)));
    let file = with("trusted_proxies = [\"10.0.0.5\", \"fd00::/64\"]", "").unwrap();
    let proxies = file.trusted_proxies.unwrap();
    assert_eq!(proxies.header, listening::ForwardedHeader::XForwardedFor);
    for (address, is_one) in [
        ("10.0.0.5", true),
        ("::ffff:10.0.0.5", true),
        ("10.0.0.6", false),
        ("fd00::9", true),
        ("fd00:0:0:1::9", false),
        ("::1", false),
    ] {
        assert_eq!(proxies.has(address.parse().unwrap()), is_one, "{address}");
    }
    let file = with("trusted_proxies = [\"10.0.0.5\"]\nforwarded_header = \"forwarded\"", "");
    let header = file.unwrap().trusted_proxies.unwrap().header;
    assert_eq!(header, listening::ForwardedHeader::Forwarded);
}

#[test]
fn proxies_and_tls_that_cannot_be_right_are_refused() {
    for (first, message) in [
        ("trusted_proxies = []", "1:19: trusted_proxies names none"),
        (
            "trusted_proxies = [\"0.0.0.0/0\"]",
            "1:20: trusted_proxies is everybody: 0.0.0.0/0",
        ),
        (
            "trusted_proxies = [\"::/0\"]",
            "1:20: trusted_proxies is everybody: ::/0",
        ),
        (
            "trusted_proxies = [\"10.0.0.5/8\"]",
            "1:20: trusted_proxies is no network: 10.0.0.5/8",
        ),
        (
            "trusted_proxies = [\"proxy\"]",
            "1:20: trusted_proxies is no address or network: proxy",
        ),
        (
            "forwarded_header = \"Forwarded\"",
            "1:20: forwarded_header without trusted_proxies",
        ),
        (
            "trusted_proxies = [\"10.0.0.5\"]\nforwarded_header = \"X-Real-Ip\"",
            "2:20: no such forwarded_header: X-Real-Ip",
        ),
        ("tls = { key = \"k\" }", "1:7: certificate is missing in [tls]"),
        ("tls = { certificate = \"c\" }", "1:7: key is missing in [tls]"),
        (
            "tls = { certificate = \"c\", keys = \"k\" }",
            "1:28: no key named keys in [tls]",
        ),
    ] {
        let error = parse(&format!("{first}\n{WHOLE}")).unwrap_err();
        assert_eq!(error.message, format!("/etc/jit/jit.toml:{message}"));
        assert!(error.hint.is_some_and(|hint| !hint.is_empty()), "{message}");
    }
}

#[test]
fn admins_are_local_or_of_an_issuer() {
    let with = |admins: &str| parse(&format!("admins = {admins}\n{WHOLE}"));
    let admins = with("[\"local:root\", \"https://acme.okta.com 00u1\"]").unwrap().admins;
    let of_issuer = Admin {
        issuer: "https://acme.okta.com".to_owned(),
        subject: "00u1".to_owned(),
    };
    assert_eq!(admins, [Admin::local("root"), of_issuer]);
    for wrong in [
        "root",
        "local:",
        "ldap:root",
        "https://acme.okta.com",
        "00u1 https://a",
        "local: x",
        "",
    ] {
        let error = with(&format!("[\"{wrong}\"]")).unwrap_err();
        assert_eq!(error.message, format!("/etc/jit/jit.toml:1:11: `{wrong}` is no admin"));
    }
    assert!(with("[]").unwrap_err().message.ends_with("admins names nobody"));
}

#[test]
fn sessions_last_a_working_day_at_most() {
    let with = |key: &str, time: &str| parse(&format!("{WHOLE}\n[session]\n{key} = \"{time}\"\n"));
    for (wrong, what) in [
        ("13h", "is too long"),
        ("4m59s", "is too short"),
        ("day", "is no length of time"),
    ] {
        for key in ["life", "idle"] {
            let error = with(key, wrong).unwrap_err();
            assert!(error.message.ends_with(&format!("{key} {what}: {wrong}")), "{error}");
        }
    }
    for (fine, secs) in [("5m", 300), ("8h", 28_800), ("12h", 43_200)] {
        let file = |key| with(key, fine).unwrap();
        assert_eq!(file("life").session_life.map(Duration::secs), Some(secs));
        assert_eq!(file("idle").session_idle.map(Duration::secs), Some(secs));
    }
}

#[test]
fn public_url_is_https_or_loopback_without_a_path() {
    for (bad, what) in [
        ("http://jit.acme.example", "is not encrypted"),
        ("http://127.0.0.1.evil.example", "is not encrypted"),
        ("HTTP://jit.acme.example", "is not encrypted"),
        ("https://jit.acme.example/x", "is no https address without a path"),
        ("https://jit.acme.example?x", "is no https address without a path"),
        ("https://jit.acme.example/?a", "is no https address without a path"),
        ("jit.acme.example", "is no https address without a path"),
        ("ftp://jit.acme.example", "is no https address without a path"),
        ("https://", "is no https address without a path"),
    ] {
        assert_eq!(
            said("https://jit.acme.example", bad).0,
            format!("2:14: public_url {what}: {bad}")
        );
    }
    let (message, hint) = said("https://jit.acme.example", "https://me:hunter2@jit.acme.example");
    let shown = "2:14: public_url is no https address without a path: https://****@jit.acme.example";
    assert_eq!(message, shown);
    assert!(!hint.contains("hunter2"), "{hint}");
    for fine in [
        "http://127.0.0.1:7878",
        "http://[::1]:1",
        "http://localhost",
        "https://h:8443",
    ] {
        let text = WHOLE.replace("https://jit.acme.example", fine);
        assert_eq!(parse(&text).unwrap().public_url.as_str(), fine);
    }
}

#[test]
fn attack_14_endpoint_of_the_file_is_https() {
    for bad in [
        "http://127.0.0.1:4566",
        "https://sts.example/path",
        "https://****@sts.example",
        "sts.example",
        "",
    ] {
        let (message, _) = said("https://sts.eu-central-1.amazonaws.com", bad);
        assert_eq!(
            message,
            format!("7:12: endpoint is no https address without a path: {bad}")
        );
    }
}

#[test]
fn sealing_key_comes_from_exactly_one_place() {
    let key = "file = \"sealing.key\"";
    for wrong in [
        "",
        "file = \"a\"\nkeyring = \"b\"",
        "file = \"a\"\nkeyring = \"b\"\nenvironment = \"C\"",
    ] {
        let (message, _) = said(key, wrong);
        assert_eq!(
            message,
            "13:1: sealing_key needs exactly one of file, environment, keyring"
        );
    }
    for wrong in [
        "environment = \"\"",
        "environment = \"4X\"",
        "keyring = \"\"",
        "file = \"\"",
        "file = \"~/x\"",
    ] {
        said(key, wrong);
    }
    let keyring = parse(&WHOLE.replace(key, "keyring = \"sealing key of acme\"")).unwrap();
    assert_eq!(keyring.sealing_key, SecretSource::Keyring("sealing key of acme".into()));
}

#[test]
fn address_of_the_issuer_is_one_that_aws_takes() {
    for (bad, what) in [
        ("https://issuer.acme.example:8443", "has a port: AWS takes none"),
        ("http://issuer.acme.example", "is plain http: AWS fetches https only"),
        ("http://127.0.0.1:7878", "is plain http: AWS fetches https only"),
        ("https://localhost", "has no public host name"),
        ("", "does not begin with https://"),
    ] {
        let (message, hint) = said("https://issuer.acme.example", bad);
        assert_eq!(message, format!("10:7: issuer address {bad} {what}"));
        assert!(hint.contains("https://jit.acme.example"), "{hint}");
    }
    let (message, hint) = said("https://issuer.acme.example", "https://me:hunter2@issuer.acme.example");
    assert!(!message.contains("hunter2") && !hint.contains("hunter2"), "{message}");
}

#[test]
fn period_of_the_issuer_has_bounds() {
    for (wrong, what) in [
        ("2d23h", "is too short"),
        ("0d", "is no length of time"),
        ("400d", "is no length of time"),
        ("soon", "is no length of time"),
        ("", "is no length of time"),
    ] {
        let (message, hint) = said("\"14d\"", &format!("\"{wrong}\""));
        assert_eq!(message, format!("11:10: period {what}: {wrong}"));
        assert!(hint.contains("three days at least"), "{hint}");
    }
    said("\"14d\"", "14");
    for fine in ["3d", "72h", "366d"] {
        assert!(parse(&WHOLE.replace("14d", fine)).is_ok(), "{fine}");
    }
    let (message, hint) = said("period =", "perod =");
    assert_eq!(
        (message.as_str(), hint.as_str()),
        ("11:1: no key named perod in [issuer]", "did you mean period?")
    );
}

#[test]
fn key_in_the_place_of_its_name_is_not_repeated() {
    let secret = "q83vEjRWeJC83v7c3v7c3v7c3v7c3v7c3v7c3v7c3v4=";
    let (message, hint) = said("file = \"sealing.key\"", &format!("environment = \"{secret}\""));
    assert!(!message.contains("q83v") && !hint.contains("q83v"), "{message}; {hint}");
}

proptest! {
    /// Whatever somebody writes, the answer is values or exit 3.
    #[test]
    fn any_text_is_read_or_refused(text in "[a-z_\\[\\]=\"'\n\r .:/{}#0-9é]{0,200}") {
        if let Err(error) = parse(&text) {
            prop_assert_eq!(error.exit.code(), 3);
        }
    }
}
