//! Our own mock of what a backend answers: the shapes of the interface with plain values, for servers that misbehave.

use jit::wire::token;
use serde_json::{Value, json};

fn person() -> Value {
    json!({"id": "usr_000000000001", "name": "x"})
}

fn grant() -> Value {
    json!({
        "id": "grt_000000000001", "request": "req_000000000001", "target": "prod-admin", "beneficiary": person(),
        "state": "active", "only": ["x"], "activated_at": "2026-01-01T00:00:00Z", "ends_at": "2099-01-01T00:00:00Z",
        "last_credential_at": "2099-01-01T00:00:00Z", "renews": true, "ended_at": null, "cause": "x", "detail": "x",
        "attempts": 1, "last_error": "x", "next_attempt_at": null, "end_is_enforced": false,
        "kill_switch": true, "sessions": "x", "shut_out_before": "2099-01-01T00:00:00Z",
    })
}

/// A request that was approved and is live.
pub fn request() -> Value {
    let stage = json!({"name": "x", "groups": ["x"], "approvers": ["x"], "approvals": 1, "missing": 1, "open": true});
    let decision =
        json!({"by": person(), "verdict": "approve", "stage": "x", "comment": "x", "at": "2026-01-01T00:00:00Z"});
    json!({
        "id": "req_000000000001", "version": "1.1.0", "digest": "0".repeat(64), "body": "x", "state": "approved",
        "requester": person(), "beneficiary": person(), "target": "prod-admin", "title": "x", "account_name": "x",
        "account": "111111111111", "role_arn": "x", "duration_s": 3600, "reason": "x", "only": ["x"], "automatic": false,
        "filed_at": "2026-01-01T00:00:00Z", "expires_at": "2099-01-01T00:00:00Z", "stages": [stage],
        "decisions": [decision], "grant": grant(), "before": {"grants": 1, "last_at": null, "last_duration_s": 1, "dropped_early": 0},
        "chain": true,
    })
}

fn lock() -> Value {
    json!({
        "id": "all", "scope": "all", "name": "x", "by": person(), "reason": "x", "since": "2026-01-01T00:00:00Z",
        "lifting": {"by": person(), "at": "2026-01-01T00:00:00Z"}, "ending": 0,
    })
}

fn me() -> Value {
    json!({
        "person": person(), "issuer": "x", "subject": "x", "groups": ["x"], "method": "x", "session": "ses_000000000001",
        "session_ends_at": "2099-01-01T00:00:00Z", "device": "A".repeat(43), "key_storage": "x",
    })
}

/// What a backend answers to the call that `line` begins.
pub fn honest(line: &str) -> Value {
    let (method, path) = line.split_once(' ').unwrap_or_default();
    let path = path.split([' ', '?']).next().unwrap_or_default();
    match (method, path) {
        ("POST", "/v1/sessions") => json!({"token": token::encode(&[7; 32]), "me": me()}),
        (_, "/v1/me") => me(),
        (_, "/v1/targets") => json!({"targets": [{
            "name": "prod-admin", "title": "x", "description": "x", "aliases": ["x"], "environment": "x", "risk": 1,
            "max_duration_s": 3600, "default_duration_s": 3600, "provider": "x", "account_name": "x",
            "account": "111111111111", "role_arn": "x", "automatic": false, "stages": [], "chain": true,
            "identity_center": {"start_url": "x", "region": "x", "partition": "aws", "session_s": 3600},
        }], "locks": [lock()]}),
        ("POST", "/v1/requests") => json!({"outcome": "filed", "request": request()}),
        (_, "/v1/requests" | "/v1/inbox") => json!({"requests": [request()], "next": null, "locks": [lock()]}),
        ("POST", "/v1/locks") => json!({"lock": lock(), "set": true, "grants": 1}),
        (_, "/v1/locks/lift") => json!({"lock": lock(), "lifted": true}),
        (_, "/v1/locks") => json!({"locks": [lock()]}),
        (_, "/v1/grants") => json!({"grants": [grant()]}),
        (_, path) if path.ends_with("/credentials") => json!({
            "grant": "grt_000000000001", "access_key_id": "x", "secret_access_key": "x", "session_token": "x",
            "expires_at": "2099-01-01T00:00:00Z", "account": "111111111111", "grant_ends_at": "2099-01-01T00:00:00Z", "only": ["x"],
        }),
        (_, path) if path.starts_with("/v1/grants/") => grant(),
        _ => request(),
    }
}

/// A whole answer of a jit backend of this version.
pub fn answer(status: u16, body: &Value) -> Vec<u8> {
    let (body, version) = (body.to_string(), env!("CARGO_PKG_VERSION"));
    let kind = if status < 400 {
        "application/json"
    } else {
        "application/problem+json"
    };
    let head = format!(
        "HTTP/1.1 {status} Answer\r\nJit-Version: {version}\r\nContent-Type: {kind}\r\nETag: \"1\"\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    format!("{head}{body}").into_bytes()
}
