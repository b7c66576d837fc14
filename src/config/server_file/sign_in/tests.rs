//! Identity providers as a file names them, and what is refused of them.

use std::path::Path;

use super::*;
use crate::config::ServerFile;

const WHOLE: &str = r#"public_url = "https://jit.acme.example"
policy = "policy"
database = "jit.db"
sealing_key = { keyring = "k" }

[[sign_in]]
name = "acme"
issuer = "https://acme.okta.com"
client_id = "0oa1"
client_secret = { file = "client.secret" }
scopes = ["openid", "groups"]
name_claim = "nickname"
algorithms = ["ES256"]
mfa_acr = ["urn:acme:two"]

[[sign_in]]
name = "mail"
issuer = "https://accounts.google.com"
client_id = "1"
client_secret = { file = "client.secret" }
require = { hd = "acme.example" }

[[sign_in]]
name = "partners"
issuer = "https://login.partner.example/v2.0/"
client_id = "jit"

[sign_in.client_secret]
environment = "PARTNER_SECRET"
"#;

fn parse(text: &str) -> Result<ServerFile> {
    ServerFile::parse(text, Path::new("/etc/jit/jit.toml"), Path::new("/etc/jit"))
}

#[test]
fn file_names_several_identity_providers() {
    let file = parse(WHOLE).unwrap();
    let [acme, mail, partners] = file.sign_in.as_slice() else {
        panic!("{:?}", file.sign_in)
    };
    assert_eq!(acme.client_secret, SecretSource::File("/etc/jit/client.secret".into()));
    assert_eq!(
        (acme.scopes.join(" "), &*acme.algorithms),
        ("openid groups".into(), &[TokenAlgorithm::Es256][..])
    );
    assert_eq!(
        partners.client_secret,
        SecretSource::Environment("PARTNER_SECRET".into())
    );
    assert_eq!(mail.require, [("hd".to_owned(), "acme.example".to_owned())].into());
    assert_eq!(partners.issuer, "https://login.partner.example/v2.0/");
    assert_eq!(partners.algorithms, [TokenAlgorithm::Rs256, TokenAlgorithm::Es256]);
    assert_eq!(partners.scopes.join(" "), "openid profile email");
}

#[test]
fn identity_provider_that_cannot_be_right_is_refused_with_its_place() {
    for (from, to, what, hint) in [
        (
            "name_claim",
            "name_clam",
            "12:1: no key named name_clam in [sign_in]",
            "did you mean name_claim?",
        ),
        (
            "{ file =",
            "{ fil =",
            "10:19: no key named fil in [sign_in.client_secret]",
            "did you mean file?",
        ),
        (
            "[[sign_in]]",
            "[[sign_inn]]",
            "6:3: no key named sign_inn",
            "did you mean sign_in?",
        ),
        (
            "client_id = \"0oa1\"\n",
            "",
            "client_id is missing in [[sign_in]]",
            "client_id = \"jit\"",
        ),
        (
            "https://acme.okta",
            "http://acme.okta",
            "issuer is not encrypted: http://acme.okta.com",
            "https://",
        ),
        (
            "https://acme.okta.com",
            "https://a:b@acme.okta.com",
            "issuer holds user info: https://****@acme.okta.com",
            "",
        ),
        ("okta.com\"", "okta.com?a=b\"", "issuer has a query", ""),
        (
            "https://acme.okta.com",
            "https://accounts.google.com",
            "anybody in the world may sign in at https://accounts.google.com",
            "require = { hd = \"acme.example\" }",
        ),
        ("\"acme\"", "\"local\"", "name of a sign_in is none", "not local"),
        ("\"acme\"", "\"a b\"", "name of a sign_in is none", ""),
        ("\"partners\"", "\"acme\"", "two of sign_in have the name acme", ""),
        (
            "https://login.partner.example/v2.0/",
            "https://acme.okta.com",
            "two of sign_in have the issuer",
            "",
        ),
        (
            "\"ES256\"",
            "\"none\"",
            "no algorithm that tokens may be signed with: \"none\"",
            "RS256",
        ),
        (
            "\"ES256\"",
            "\"HS256\"",
            "no algorithm that tokens may be signed with: \"HS256\"",
            "",
        ),
        ("[\"ES256\"]", "[]", "algorithms names none", ""),
        (
            "\"PARTNER_SECRET\"",
            "\"s3cr3t!\"",
            "environment is no name of a variable",
            "JIT_CLIENT_SECRET",
        ),
    ] {
        assert!(WHOLE.contains(from), "{from}");
        let error = parse(&WHOLE.replacen(from, to, 1)).expect_err(to);
        assert_eq!(error.exit.code(), 3, "{to}");
        assert!(error.message.contains(what), "{to}: {error}");
        assert!(
            error.hint.clone().unwrap_or_default().contains(hint),
            "{to}: {:?}",
            error.hint
        );
        assert!(!error.message.contains("s3cr3t"), "{error}");
    }
}
