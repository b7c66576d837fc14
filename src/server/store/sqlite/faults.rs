//! Bad days of the file: full, read-only, foreign, from a newer version, tampered with.

use std::path::PathBuf;

use serde_json::json;
use sqlx::Row as _;

use super::*;
use crate::domain::{Actor, Change, Digest, Effect, EffectId, GrantId, Once, Person, PersonId, Row, Timestamp};
use crate::server::store::contract::{a_grant, a_request, approved};
use crate::server::store::{Audit as _, Cases as _, Commits as _, Outbox as _, People as _};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn a_person(n: u64) -> Change {
    let person = Person {
        id: PersonId::from_bits(n),
        issuer: "local".to_owned(),
        subject: n.to_string(),
        name: "x".repeat(500),
        since: at(0),
        workload: None,
    };
    Change::new(
        at(1),
        "person.seen",
        Actor::Backend,
        None,
        vec![Row::Person(person)],
        json!({}),
    )
}

/// A pending request of a newer version, of whoever is there.
const UNREADABLE_REQUEST: &str =
    "INSERT INTO requests (id, requester_id, beneficiary_id, target, body, digest, frozen, state, automatic,
        filed_at, filed_from, expires_at, version)
    SELECT 'req_1', id, id, 'prod-admin', '{\"schema\":\"jit/request-body/9\"}', '', '{}', 'pending', 0, 0, '', 9, 1
    FROM people";

fn file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state").join("jit.db");
    (folder, path)
}

/// Runs `sql` on the file as somebody else would.
async fn meddle(path: &Path, sql: &'static str) -> Result<(), sqlx::Error> {
    let mut connection = SqliteConnectOptions::new().filename(path).connect().await?;
    sqlx::raw_sql(sql).execute(&mut connection).await?;
    connection.close().await
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn files_are_private_to_their_owner() {
    let (_folder, path) = file();
    let store = SqliteStore::open(&path).await.unwrap();
    store.commit(&a_person(1)).await.unwrap();
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for name in ["jit.db", "jit.db-wal", "jit.db-shm"] {
        assert_eq!(mode(&path.with_file_name(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn file_that_others_may_read_is_closed_to_them() {
    let (_folder, path) = file();
    drop(SqliteStore::open(&path).await.unwrap());
    std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    drop(SqliteStore::open(&path).await.unwrap());
    assert_eq!(mode(&path), 0o600);
}

#[tokio::test]
async fn store_opened_again_goes_on_where_it_was() {
    let (_folder, path) = file();
    for n in 1..=3 {
        let store = SqliteStore::open(&path).await.unwrap();
        store.commit(&a_person(n)).await.unwrap();
    }
    let store = SqliteStore::open(&path).await.unwrap();
    let numbers: Vec<u64> = store
        .evidence(0, 10)
        .await
        .unwrap()
        .iter()
        .map(|line| line.seq)
        .collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[tokio::test]
async fn start_takes_over_what_a_killed_process_claimed() {
    let (_folder, path) = file();
    drop(SqliteStore::open(&path).await.unwrap());
    let claimed = "INSERT INTO outbox (kind, grant_id, urgency, due_at, claimed_by, claimed_until)
        VALUES ('end', 'grt_000000000001', 0, 1, 'killed', 60000)";
    meddle(&path, claimed).await.unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    let (now, until) = (Timestamp::from_millis(2), Timestamp::from_millis(3));
    let taken = store.claim("new", now, until, Effect::ALL, 10).await.unwrap();
    assert_eq!(taken.len(), 1);
}

#[tokio::test]
async fn schema_from_a_newer_version_is_refused() {
    let (_folder, path) = file();
    drop(SqliteStore::open(&path).await.unwrap());
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9999, 'from the future', TRUE, x'00', 0)";
    meddle(&path, newer).await.unwrap();
    let refused = SqliteStore::open(&path).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unreadable(_)), "{refused:?}");
    assert!(refused.to_string().contains("version 9999"), "{refused}");
    assert!(refused.to_string().contains("newer than this jit"), "{refused}");
}

#[tokio::test]
async fn file_that_is_no_database_is_refused() {
    let (_folder, path) = file();
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "no database ".repeat(1000)).unwrap();
    let refused = SqliteStore::open(&path).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unreadable(_)), "{refused:?}");
}

#[tokio::test]
async fn folder_that_cannot_be_made_is_named() {
    let refused = SqliteStore::open(Path::new("/proc/jit/jit.db")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    assert!(refused.to_string().contains("/proc/jit/jit.db"), "{refused}");
}

#[tokio::test]
async fn read_only_file_takes_no_writes_and_says_so() {
    let (_folder, path) = file();
    let writable = SqliteStore::open(&path).await.unwrap();
    writable.commit(&a_person(1)).await.unwrap();
    let options = SqliteConnectOptions::new().filename(&path).read_only(true);
    let store = SqliteStore::start(options).await.unwrap();
    let refused = store.commit(&a_person(2)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    assert!(store.person(&PersonId::from_bits(1)).await.unwrap().is_some());
}

/// Fills the store with idempotency keys until it takes no more.
async fn fill(store: &SqliteStore) -> StoreError {
    for n in 0.. {
        let once = Once {
            person: PersonId::from_bits(1),
            key: format!("{n}-{}", "k".repeat(900)),
            body_hash: Digest::of(b""),
            outcome: String::new(),
            at: at(1),
        };
        if let Err(error) = store.commit(&Change::default().once(Some(once))).await {
            return error;
        }
    }
    unreachable!("a bounded file is full in the end")
}

#[tokio::test]
async fn full_disk_changes_nothing_and_heals_with_room() {
    let (_folder, path) = file();
    drop(SqliteStore::open(&path).await.unwrap());
    let options = durable(SqliteConnectOptions::new().filename(&path)).pragma("max_page_count", "120");
    let store = SqliteStore::start(options).await.unwrap();
    store.commit(&a_person(1)).await.unwrap();
    let full = fill(&store).await;
    assert!(matches!(full, StoreError::Unavailable(_)), "{full:?}");
    let before = store.evidence(0, 1000).await.unwrap();
    let lost = PersonId::from_bits(2);
    let big = a_person(2).with_detail("filler", json!("x".repeat(20_000)));
    let refused = store.commit(&big).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    assert_eq!(store.person(&lost).await.unwrap(), None);
    assert_eq!(store.evidence(0, 1000).await.unwrap(), before);
    store.forget_once(at(2)).await.unwrap();
    store.commit(&big).await.unwrap();
    assert_eq!(store.evidence(0, 1000).await.unwrap().len(), before.len() + 1);
}

#[tokio::test]
async fn evidence_refuses_to_be_rewritten() {
    let (_folder, path) = file();
    let store = SqliteStore::open(&path).await.unwrap();
    store.commit(&a_person(1)).await.unwrap();
    for sql in [
        "UPDATE audit_events SET actor = 'usr_000000000000'",
        "DELETE FROM audit_events",
        "INSERT OR REPLACE INTO audit_events SELECT * FROM audit_events",
        "UPDATE audit_payloads SET payload = '{}'",
    ] {
        assert!(meddle(&path, sql).await.is_err(), "{sql}");
    }
    assert_eq!(store.evidence(0, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn erased_payload_leaves_its_line() {
    let (_folder, path) = file();
    let store = SqliteStore::open(&path).await.unwrap();
    store.commit(&a_person(1)).await.unwrap();
    meddle(&path, "DELETE FROM audit_payloads").await.unwrap();
    let lines = store.evidence(0, 10).await.unwrap();
    assert_eq!(
        (lines.len(), lines[0].payload.clone(), lines[0].salt.clone()),
        (1, None, None)
    );
}

#[tokio::test]
async fn row_that_cannot_be_read_is_an_error_not_a_panic() {
    let (_folder, path) = file();
    let store = SqliteStore::open(&path).await.unwrap();
    store.commit(&a_person(1)).await.unwrap();
    for sql in [
        "UPDATE people SET since = 'soon'",
        "UPDATE people SET since = 0, name = x'ff'",
    ] {
        meddle(&path, sql).await.unwrap();
        let refused = store.person(&PersonId::from_bits(1)).await;
        assert!(matches!(refused, Err(StoreError::Unreadable(_))), "{sql}: {refused:?}");
    }
}

#[tokio::test]
async fn request_that_cannot_be_read_empties_nobodys_inbox() {
    let (_folder, path) = file();
    let store = SqliteStore::open(&path).await.unwrap();
    store.commit(&a_person(1)).await.unwrap();
    meddle(&path, UNREADABLE_REQUEST).await.unwrap();
    assert_eq!(store.pending(10).await.unwrap(), []);
}

#[tokio::test]
async fn neighbour_that_cannot_be_read_holds_up_no_end() {
    let (_folder, path) = file();
    let store = SqliteStore::open(&path).await.unwrap();
    store.commit(&a_person(1)).await.unwrap();
    let request = a_request(1, 1, "prod-admin");
    let rows = |row| Change::new(at(2), "request.filed", Actor::Backend, None, row, json!({}));
    store
        .commit(&rows(vec![Row::Request(Box::new(request.clone()))]))
        .await
        .unwrap();
    let granted = vec![
        Row::Request(Box::new(approved(&request))),
        Row::Grant(a_grant(1, &request)),
    ];
    store.commit(&rows(granted)).await.unwrap();
    meddle(&path, UNREADABLE_REQUEST).await.unwrap();
    let case = store.case(request.id()).await.unwrap().unwrap();
    assert_eq!((case.beside.len(), case.grant.is_some()), (0, true));
    // a new request has to know what it stands beside
    let filing = store.case_to_file(&PersonId::from_bits(1), &request.body.target).await;
    assert!(matches!(filing, Err(StoreError::Unreadable(_))), "{filing:?}");
}

#[tokio::test]
async fn effect_from_a_newer_version_holds_up_no_other() {
    let (_folder, path) = file();
    let store = SqliteStore::open(&path).await.unwrap();
    let unknown = "INSERT INTO outbox (kind, grant_id, urgency, due_at) VALUES ('teleport', 'grt_1', 0, 0)";
    meddle(&path, unknown).await.unwrap();
    let effect = Effect::End {
        grant: GrantId::from_bits(1),
    };
    store
        .commit(&Change::default().with_effect(at(1), effect.clone()))
        .await
        .unwrap();
    let claimed = store.claim("w", at(2), at(9), Effect::ALL, 10).await.unwrap();
    assert_eq!(
        claimed
            .iter()
            .map(|row| (row.id, row.effect.clone()))
            .collect::<Vec<_>>(),
        [(EffectId(2), effect)]
    );
    assert_eq!(store.left().await.unwrap(), 2);
}

/// Statements that are asked often, and words that their plan must not contain.
#[tokio::test]
async fn frequent_questions_read_no_whole_table() {
    let (_folder, path) = file();
    drop(SqliteStore::open(&path).await.unwrap());
    let mut connection = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    for sql in crate::server::store::sql::FREQUENT {
        let plan = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let rows = sqlx::query(plan).fetch_all(&mut connection).await.unwrap();
        for row in rows {
            let step: String = row.get("detail");
            let scans = step.starts_with("SCAN") && !step.contains("USING");
            assert!(
                !scans || step.contains("made") || step.contains("received"),
                "{sql}: {step}"
            );
        }
    }
}
