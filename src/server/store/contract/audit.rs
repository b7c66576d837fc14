//! Evidence: numbers without gaps, hashes that anybody can compute again, payloads that replay. And bundles.

use sha2::{Digest as _, Sha256};

use super::*;
use crate::domain::digest::canonical;
use crate::server::store::{Evidence, StoreError};

on_every_store! {
    evidence_is_numbered_without_gaps
    evidence_hashes_can_be_computed_again
    evidence_is_salted_each_time_anew
    payload_rows_replay_the_change
    evidence_continues_after_a_number
    what_was_told_is_found_among_everything_else
    bundle_is_kept_as_it_was_first
}

async fn what_was_told_is_found_among_everything_else(store: &Tried) {
    assert_eq!(store.told().await.unwrap(), []);
    let told = |(kind, user): (&str, &str)| {
        let details = serde_json::json!({ "user": user });
        Change::new(at(1), kind, Actor::Backend, None, Vec::new(), details)
    };
    let lines = [
        ("drift.found", "user-1"),
        ("drift.before", "user-1"),
        ("account.left", "user-2"),
        ("account.refused", "user-3"),
    ];
    store.commit(&filed(&a_request(1, ALICE, "dev-admin"))).await.unwrap();
    for line in lines {
        store.commit(&told(line)).await.unwrap();
    }
    let found = store.told().await.unwrap();
    let users: Vec<_> = found
        .iter()
        .map(|line| line.payload.as_ref().unwrap()["details"]["user"].clone())
        .collect();
    assert_eq!(users, ["user-1", "user-2", "user-3"]);
}

async fn evidence_is_numbered_without_gaps(store: &Tried) {
    for n in 1..=20 {
        let filing = filed(&a_request(n, ALICE, &format!("target-{n}")));
        store.commit(&filing).await.unwrap();
        let repeated = store.commit(&filing).await;
        assert!(matches!(repeated, Err(StoreError::Duplicate)), "{repeated:?}");
    }
    let numbers: Vec<u64> = store
        .evidence(0, 100)
        .await
        .unwrap()
        .iter()
        .map(|line| line.seq)
        .collect();
    assert_eq!(numbers, (1..=23).collect::<Vec<_>>());
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    parts
        .iter()
        .fold(Sha256::new(), |hash, part| hash.chain_update(part))
        .finalize()
        .to_vec()
}

/// Written out by hand: members in the order of RFC 8785.
fn envelope(line: &Evidence) -> String {
    let or_null = |text: Option<&str>| text.map_or("null".to_owned(), |text| format!("\"{text}\""));
    format!(
        r#"{{"actor":"{}","bundle_hash":{},"payload_hash":"{}","request":{},"seq":{},"ts":{},"type":"{}"}}"#,
        line.actor,
        or_null(line.bundle_hash.as_deref()),
        line.payload_hash,
        or_null(line.request.as_ref().map(RequestId::as_str)),
        line.seq,
        line.at.millis(),
        line.kind,
    )
}

async fn evidence_hashes_can_be_computed_again(store: &Tried) {
    store.commit(&filed(&a_request(1, ALICE, "prod-admin"))).await.unwrap();
    let lines = store.evidence(0, 100).await.unwrap();
    assert_eq!(lines.last().unwrap().kind, "request.filed");
    assert_eq!(lines.last().unwrap().request, Some(request_id(1)));
    for line in lines {
        let salt = unhex(line.salt.as_ref().unwrap());
        let payload = canonical(line.payload.as_ref().unwrap());
        assert_eq!(unhex(&line.payload_hash), sha256(&[&salt, &payload]));
        assert_eq!(unhex(&line.leaf_hash), sha256(&[&[0], envelope(&line).as_bytes()]));
    }
}

async fn evidence_is_salted_each_time_anew(store: &Tried) {
    let same = Change {
        rows: Vec::new(),
        ..change(Row::Device(a_device(ALICE)))
    };
    store.commit(&same).await.unwrap();
    store.commit(&same).await.unwrap();
    let lines = store.evidence(3, 100).await.unwrap();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].payload, lines[1].payload);
    assert_ne!(lines[0].payload_hash, lines[1].payload_hash);
    assert_eq!(unhex(lines[0].salt.as_ref().unwrap()).len(), 32);
}

async fn payload_rows_replay_the_change(store: &Tried) {
    let request = a_request(1, ALICE, "prod-admin");
    let mut all = filed(&request);
    let closed = approved(&request);
    store.commit(&all).await.unwrap();
    all = changes(vec![
        Row::Decision(a_decision(BOB, &request)),
        Row::Request(Box::new(closed.clone())),
        Row::Grant(a_grant(1, &closed)),
    ]);
    store.commit(&all).await.unwrap();
    let line = store.evidence(0, 100).await.unwrap().pop().unwrap();
    let rows: Vec<Row> = serde_json::from_value(line.payload.unwrap()["rows"].clone()).unwrap();
    assert_eq!(rows, all.rows);
}

async fn evidence_continues_after_a_number(store: &Tried) {
    let page = store.evidence(1, 1).await.unwrap();
    assert_eq!(page.iter().map(|line| line.seq).collect::<Vec<_>>(), [2]);
    assert_eq!(store.evidence(3, 10).await.unwrap(), []);
}

async fn bundle_is_kept_as_it_was_first(store: &Tried) {
    store.keep_bundle("hash", "files", at(1)).await.unwrap();
    store.keep_bundle("hash", "other files", at(2)).await.unwrap();
    assert_eq!(store.bundle("hash").await.unwrap().as_deref(), Some("files"));
    assert_eq!(store.bundle("other").await.unwrap(), None);
}
