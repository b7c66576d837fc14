//! The nonce that a backend wants in proofs: kept from one command to the next, and asked for where it has ended.

use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::mock_answers::{answer, honest};
use crate::harness::{BackendPlan, LIMIT, RawServer, SealedBox};

/// What a proof says of the backend's nonce.
fn nonce_in(proof: &str) -> Option<String> {
    let part = URL_SAFE_NO_PAD.decode(proof.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&part).ok()?;
    claims["nonce"].as_str().map(str::to_owned)
}

/// A machine of alice's, and a backend that takes one nonce: the one that a test may change.
fn wanting(first: &str) -> (SealedBox, RawServer, Arc<Mutex<(String, usize)>>) {
    let mut backend = BackendPlan::with_aws("http://127.0.0.1:9").start();
    let machine = backend.machine_of("alice");
    backend.kill();
    let wanted = Arc::new(Mutex::new((first.to_owned(), 0)));
    let asked = Arc::clone(&wanted);
    let server = RawServer::seeing_proofs(backend.url(), move |line, proof| {
        let mut wanted = wanted.lock().unwrap();
        if nonce_in(proof).as_deref() == Some(&wanted.0) {
            return answer(200, &honest(line));
        }
        wanted.1 += 1;
        let body = json!({"code": "session.nonce", "status": 401, "title": "the proof needs a nonce"});
        let text = String::from_utf8(answer(401, &body)).unwrap();
        text.replacen("\r\n", &format!("\r\nDPoP-Nonce: {}\r\n", wanted.0), 1)
            .into_bytes()
    });
    (machine, server, asked)
}

#[test]
fn next_command_needs_no_nonce_first() {
    let (machine, _server, asked) = wanting("one");
    let whoami = ["whoami", "-o", "json"];
    for _ in 0..3 {
        drop(machine.jit(&whoami).exits(0));
    }
    assert_eq!(asked.lock().unwrap().1, 1);
    // its time is over: one call more, once
    "two".clone_into(&mut asked.lock().unwrap().0);
    for _ in 0..3 {
        drop(machine.jit(&whoami).exits(0));
    }
    assert_eq!(asked.lock().unwrap().1, 2);
    // many at once, and what somebody else put there
    std::fs::write(machine.home().join(".local/state/jit/nonces"), "\u{0}junk").unwrap();
    let running: Vec<_> = (0..8).map(|_| machine.jit_command(&whoami).start()).collect();
    for run in running {
        drop(run.finish(LIMIT).exits(0));
    }
    let before = asked.lock().unwrap().1;
    drop(machine.jit(&whoami).exits(0));
    assert_eq!(asked.lock().unwrap().1, before);
}
