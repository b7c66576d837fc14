//! What `jit status` says of several grants that are one access, and of what is over.

use serde_json::{Value, json};

use super::*;
use crate::domain::time::Timestamp;
use crate::wire::Before;

fn words() -> TimeWords {
    TimeWords::utc(Timestamp::parse("2026-11-21T12:00:00Z").unwrap())
}

/// A grant of alice on `dev-admin` and the request behind it.
fn request(state: &str, end: &str, last: &str, more: Value) -> RequestView {
    let time = |of: &str| format!("2026-11-21T{of}:00Z");
    let alice = json!({"id": "usr_000000000001", "name": "alice"});
    let mut grant = json!({
        "id": "grt_000000000001", "request": "req_000000000001", "target": "dev-admin", "beneficiary": alice,
        "state": state, "only": [], "activated_at": time("11:00"), "ends_at": time(end),
        "last_credential_at": time(last), "renews": false, "ended_at": null, "cause": null, "detail": null,
        "attempts": 0, "last_error": null, "next_attempt_at": null, "end_is_enforced": true,
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        grant[key] = value.clone();
    }
    serde_json::from_value(json!({
        "id": "req_000000000001", "version": "1", "digest": "", "body": "", "state": "approved", "requester": alice,
        "beneficiary": alice, "target": "dev-admin", "title": "Admin in dev", "account_name": "dev",
        "account": "222222222222", "role_arn": "arn:aws:iam::222222222222:role/jit/jit-dev-admin", "duration_s": 3600,
        "reason": "day to day", "only": [], "automatic": true, "filed_at": time("11:00"), "expires_at": time("19:00"),
        "stages": [], "decisions": [], "grant": grant, "before": Before::default(), "chain": false,
    }))
    .unwrap()
}

fn shown(requests: &[RequestView]) -> Vec<String> {
    let sections = status_sections(requests, &words(), "usr_000000000001");
    sections.iter().flat_map(|(_, table)| table.lines(120)).collect()
}

#[test]
fn several_grants_on_a_target_are_one_row_with_the_last_credential_of_all() {
    for state in ["active", "revoking"] {
        // the one that ends first has the credential that lives longest
        let both = [
            request(state, "13:00", "13:30", json!({})),
            request(state, "14:00", "12:30", json!({})),
        ];
        for requests in [both.clone(), [both[1].clone(), both[0].clone()]] {
            let lines = shown(&requests);
            assert_eq!(lines.len(), 2, "{lines:?}");
            assert!(lines[1].contains("13:30") && !lines[1].contains("12:30"), "{lines:?}");
        }
    }
}

#[test]
fn of_what_is_over_the_one_that_began_last_is_the_row() {
    let over = |began: &str, at: &str, cause: &str| {
        let more = json!({"activated_at": began, "ended_at": at, "cause": cause});
        request("ended", "14:00", "13:30", more)
    };
    let first = over("2026-11-21T11:00:00Z", "2026-11-21T11:30:01Z", "revoked");
    let then = over("2026-11-21T11:10:00Z", "2026-11-21T11:30:00Z", "dropped");
    for requests in [[first.clone(), then.clone()], [then, first]] {
        let lines = shown(&requests);
        assert!(lines.len() == 2 && lines[1].contains("(dropped)"), "{lines:?}");
    }
    // an extension and what it extends, taken by one word
    let of =
        |ends: &str, at: &str, cause: &str| request("ended", ends, "13:30", json!({"ended_at": at, "cause": cause}));
    let base = of("12:30", "2026-11-21T11:30:01Z", "revoked");
    // and what was asked for again and ends sooner, within one second of what a lock took
    for ends in ["13:00", "12:10"] {
        let mut later = of(ends, "2026-11-21T11:30:00Z", "dropped");
        later.filed_at = Timestamp::from_millis(later.filed_at.millis() + 1);
        let (base, extension) = (base.clone(), later);
        for requests in [[base.clone(), extension.clone()], [extension, base]] {
            let lines = shown(&requests);
            assert!(lines.len() == 2 && lines[1].contains("(dropped)"), "{lines:?}");
        }
    }
}

#[test]
fn what_is_over_says_when_it_was_to_end() {
    let dropped = json!({"ended_at": "2026-11-21T11:29:00Z", "cause": "dropped"});
    let lines = request_details(&request("ended", "12:59", "12:30", dropped), &words()).join("\n");
    assert!(
        lines.contains("was to end  12:59") && !lines.contains("  ends "),
        "{lines}"
    );
    assert!(lines.contains("last credential  12:30 (30m left)"), "{lines}");
    let live = request_details(&request("active", "12:59", "12:30", json!({})), &words()).join("\n");
    assert!(live.contains("ends    12:59 (59m left)"), "{live}");
    let expired = json!({"ended_at": "2026-11-21T11:59:00Z", "cause": "expired"});
    let over = request_details(&request("ended", "11:59", "11:59", expired), &words()).join("\n");
    assert!(!over.contains("to end") && !over.contains("  ends "), "{over}");
}

#[test]
fn access_from_before_is_said_to_remain_under_ended() {
    let over = json!({"ended_at": "2026-11-21T11:30:00Z", "cause": "dropped", "pre_existing": true});
    let mut request = request("ended", "12:00", "12:30", over);
    request.grant.as_mut().unwrap().last_credential_at = None;
    let sections = status_sections(std::slice::from_ref(&request), &words(), "usr_000000000001");
    let (_, table) = &sections[0];
    let text = table.lines(200).join("\n");
    assert!(text.starts_with("ENDED") && text.contains("11:30 (dropped)"), "{text}");
    assert!(text.contains("access remains: it was there before jit"), "{text}");
}
