//! What must hold after any number of kills: of the rows, of the evidence, of what STS received.
//! Refuses to ask the backend: everything is read from its file and from the recorder.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::crowd::Told;
use super::tables::{Event, Grant, Tables};
use crate::harness::StsCall;

/// How long the backend may be up past a grant's end before that is over: the worker's tick, on a busy machine.
const LATE_MS: i64 = 5_000;
/// From the backend's look at its clock to the arrival of a call, on a busy machine.
const ON_THE_WAY_MS: i64 = 3_000;

/// From when to when the backend was up, in milliseconds since 1970.
pub type Uptime = (i64, i64);

/// Numbers without gaps, and hashes made here once more (RFC 6962 leaves over RFC 8785 envelopes).
pub fn holds_together(events: &[Event]) {
    for (event, expected) in events.iter().zip(1..) {
        assert_eq!(event.seq, expected, "a gap before {}", event.seq);
        let hashed = Sha256::new()
            .chain_update(unhex(&event.salt))
            .chain_update(&event.payload);
        assert_eq!(hex(&hashed.finalize()), event.payload_hash, "payload of {}", event.seq);
        // in the order of their names, which is the canonical one
        let envelope = json!({
            "actor": event.actor, "bundle_hash": event.bundle_hash, "payload_hash": event.payload_hash,
            "request": event.request, "seq": event.seq, "ts": event.ts, "type": event.kind,
        });
        let leaf = Sha256::new().chain_update([0]).chain_update(envelope.to_string());
        assert_eq!(hex(&leaf.finalize()), event.leaf_hash, "leaf of {}", event.seq);
    }
}

/// Every version of every row stands in exactly one event, and the last one is the row's.
pub fn tells_every_change_once(tables: &Tables) {
    let mut versions: BTreeMap<(String, String), i64> = BTreeMap::new();
    let mut decisions = BTreeSet::new();
    for event in &tables.events {
        let payload: Value = serde_json::from_str(&event.payload).unwrap();
        for row in payload["rows"].as_array().into_iter().flatten() {
            let (kind, is) = (row["row"].as_str().unwrap(), &row["is"]);
            let id = match kind {
                "request" => &is["body"]["id"],
                "sign_in_code" => &is["code_hash"],
                // there is one
                "sealing_check" => &row["row"],
                "membership" => &is["name"],
                "decision" => {
                    let once = decisions.insert((text(&is["request"]), text(&is["by"])));
                    assert!(once, "decided twice: {is}");
                    continue;
                }
                _ => &is["id"],
            };
            let Some(version) = is["version"].as_i64() else {
                continue;
            };
            let last = versions.entry((kind.to_owned(), text(id))).or_default();
            assert_eq!(version, *last + 1, "event {} of {kind} {id}", event.seq);
            *last = version;
        }
    }
    let told = |kind: &str, id: &str| versions.get(&(kind.to_owned(), id.to_owned())).copied();
    for row in &tables.requests {
        assert_eq!(told("request", &row.id), Some(row.version), "{}", row.id);
    }
    for row in &tables.grants {
        assert_eq!(told("grant", &row.id), Some(row.version), "{}", row.id);
    }
    assert_eq!(decisions, tables.decisions.iter().cloned().collect());
}

/// What clients were told is there exactly once, and nothing that no client was told.
pub fn is_what_was_told(tables: &Tables, told: &Told) {
    let stored: Vec<&String> = tables.requests.iter().map(|r| &r.id).collect();
    let distinct: BTreeSet<String> = stored.iter().map(|id| (*id).clone()).collect();
    assert_eq!(distinct.len(), stored.len(), "a request is doubled");
    assert_eq!(distinct, told.requests, "stored on the left, told on the right");
    assert_eq!(
        tables.decisions.iter().cloned().collect::<BTreeSet<_>>(),
        told.decisions
    );
    let minted: Vec<String> = of(tables, "credential.minted")
        .map(|e| e.detail("access_key_id"))
        .collect();
    for (grant, key) in &told.keys {
        assert_eq!(minted.iter().filter(|m| *m == key).count(), 1, "{key} of {grant}");
    }
    assert!(minted.len() <= of(tables, "credential.minting").count());
}

/// Every approved request has one grant, which is over, and was over in time.
pub fn is_over_in_time(tables: &Tables, up: &[Uptime]) {
    for request in &tables.requests {
        let grants = tables.grants.iter().filter(|g| g.request == request.id).count();
        let expected = usize::from(request.state == "approved");
        assert_eq!(grants, expected, "grants of {} ({})", request.id, request.state);
        assert_ne!(request.state, "pending", "{}", request.id);
    }
    for grant in &tables.grants {
        assert_eq!(grant.state, "ended", "{}", grant.id);
        let ended_at = grant.ended_at.expect("an end has its time");
        let Some(ends_at) = grant.ends_at else { continue };
        let late: i64 = up
            .iter()
            .map(|(from, to)| ended_at.min(*to) - ends_at.max(*from))
            .filter(|ms| *ms > 0)
            .sum();
        assert!(late <= LATE_MS, "{} ended {late} ms of uptime late", grant.id);
        assert!(
            grant.last_credential_at.is_none_or(|last| last <= ends_at),
            "{}",
            grant.id
        );
    }
    // the end of a request that was decided in time stays until its hour comes, and does nothing then
    let open: Vec<_> = tables
        .outbox
        .iter()
        .filter(|l| l.kind != "expire")
        .map(|l| (&l.kind, &l.grant))
        .collect();
    assert!(open.is_empty(), "left in the outbox: {open:?}");
}

/// Nothing was asked of STS but within a grant, and every credential is boxed by its end.
pub fn is_boxed(tables: &Tables, calls: &[StsCall]) {
    let of_request: BTreeMap<&str, &Grant> = tables.grants.iter().map(|g| (g.request.as_str(), g)).collect();
    for event in of(tables, "credential.minting") {
        let grant = of_request[event.request.as_deref().unwrap()];
        assert!(Some(event.ts) < grant.ends_at, "{} minted past its end", grant.id);
    }
    for call in calls.iter().filter(|c| c.param("Action") == "AssumeRole") {
        let grant = of_request[call.param("Tags.member.1.Value")];
        let (from, to) = (grant.activated_at.unwrap(), grant.ends_at.unwrap());
        let at = call.at.as_millisecond();
        assert!(
            (from..to + ON_THE_WAY_MS).contains(&at),
            "{} asked at {}",
            grant.id,
            call.at
        );
        let end = jiff::Timestamp::from_millisecond(to).unwrap().to_string();
        let box_of = &call.policy()["Statement"];
        assert_eq!(
            box_of[0]["Condition"]["DateLessThan"]["aws:CurrentTime"], end,
            "{}",
            grant.id
        );
        assert_eq!(box_of[1]["Condition"]["DateGreaterThanEquals"]["aws:CurrentTime"], end);
    }
}

fn of<'a>(tables: &'a Tables, kind: &'a str) -> impl Iterator<Item = &'a Event> {
    tables.events.iter().filter(move |event| event.kind == kind)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
