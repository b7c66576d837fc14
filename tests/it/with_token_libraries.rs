//! Tokens that other libraries make (npm's jose, PyJWT), judged by the one place that believes any.

use std::process::Command;

use jit::clock::Clock;
use jit::config::TokenAlgorithm;
use jit::server::identity::key_set::KeySet;
use jit::server::identity::token::{Rules, TokenError, head, verify};
use serde_json::Value;

use crate::harness::{issuers_folder, venv_program};

const ISSUER: &str = "https://idp.example";

/// What is made of `token` with `keys`, where tokens may be signed by `algorithms`: whom it is about.
fn judged(token: &str, keys: &Value, algorithms: &[TokenAlgorithm]) -> Result<String, TokenError> {
    let rules = Rules {
        issuer: ISSUER,
        audience: "jit",
        is_for_client: true,
        algorithms,
    };
    let set = KeySet::parse(keys.to_string().as_bytes(), algorithms).unwrap();
    let head = head(token, &rules)?;
    verify(Clock::real().now(), token, &head, set.find(&head)?, &rules).map(|claims| claims.subject)
}

/// What `command` prints: an object a line.
fn lines_of(command: &mut Command) -> Vec<Value> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn tokens_of_jose_are_believed_by_the_algorithm_that_is_allowed() {
    let Some((node, folder)) = issuers_folder("tokens_of_jose_are_believed_by_the_algorithm_that_is_allowed") else {
        return;
    };
    let lines = lines_of(
        Command::new(node)
            .args(["tokens.mjs", ISSUER, "jit"])
            .current_dir(folder),
    );
    let names: Vec<&str> = lines.iter().map(|line| line["alg"].as_str().unwrap()).collect();
    let known: Vec<&str> = TokenAlgorithm::ALL.iter().map(|algorithm| algorithm.as_str()).collect();
    assert_eq!(names, known);
    for line in &lines {
        let own = TokenAlgorithm::parse(line["alg"].as_str().unwrap()).unwrap();
        let token = line["token"].as_str().unwrap();
        assert_eq!(judged(token, &line["keys"], &[own]).as_deref(), Ok("ana"), "{own:?}");
        assert_eq!(
            judged(token, &line["keys"], TokenAlgorithm::ALL).as_deref(),
            Ok("ana"),
            "{own:?}"
        );
        let others: Vec<TokenAlgorithm> = TokenAlgorithm::ALL.iter().copied().filter(|one| *one != own).collect();
        assert_eq!(
            judged(token, &line["keys"], &others),
            Err(TokenError::Algorithm),
            "{own:?}"
        );
    }
}

#[test]
fn attack_18_tokens_that_pyjwt_makes_wrong_are_refused() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oidc_tokens.py");
    let lines = lines_of(Command::new(venv_program("python")).args([script, ISSUER, "jit"]));
    let all: Vec<String> = lines
        .iter()
        .map(|line| {
            let token = line["token"].as_str().unwrap();
            let judged = match judged(token, &line["keys"], &[TokenAlgorithm::Rs256, TokenAlgorithm::Es256]) {
                Ok(subject) => format!("believed: {subject}"),
                Err(error) => error.to_string(),
            };
            format!("{}: {judged}", line["name"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        all,
        [
            "good by RS256: believed: ana",
            "good by ES256: believed: ana",
            "audience in a list: believed: ana",
            "no audience: it cannot be read",
            "no end: it cannot be read",
            "no issuer: it cannot be read",
            "no subject: it cannot be read",
            "no time of making: it cannot be read",
            "another audience: it is for somebody else",
            "another issuer: another issuer made it",
            "over: it has ended, or the clocks differ",
            "not begun: it is from the future: the clocks differ",
            "none: it is signed in a way that is not allowed here",
            "HS256 with the public key: it is signed in a way that is not allowed here",
            "RS256 of 1024 bits: its signature is wrong",
            "another's key: its signature is wrong",
        ]
    );
}
