//! `jit admin session list` where there are more sessions than are told of at once.

use serde_json::Value;
use sqlx::ConnectOptions as _;

use crate::harness::{Backend, BackendPlan};

/// Puts sessions of alice beside hers.
fn signed_in_often(backend: &Backend, times: u32) {
    let add = async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(backend.data().join("jit.db"));
        let mut connection = options.connect().await.unwrap();
        let add = sqlx::query(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
            INSERT INTO sessions (id, token_hash, person_id, device_id, key_storage, method, created_at, expires_at,
                version, used_at)
            SELECT printf('ses_%012d', i), 'hash ' || i, s.person_id, s.device_id, s.key_storage, s.method,
                s.created_at - i, s.expires_at, 1, s.used_at
            FROM n, sessions AS s JOIN people AS p ON p.id = s.person_id WHERE p.name = 'alice'",
        );
        add.bind(times).execute(&mut connection).await.unwrap();
    };
    tokio::runtime::Runtime::new().unwrap().block_on(add);
}

#[test]
fn list_says_how_many_sessions_it_leaves_out() {
    let backend = BackendPlan::with_aws("http://127.0.0.1:9").start();
    let (_alice, carol) = (backend.machine_of("alice"), backend.machine_of("carol"));
    let list = ["admin", "session", "list"];
    assert_eq!(carol.jit(&list).exits(0).stderr, "");
    signed_in_often(&backend, 1_003);
    let run = carol.jit(&list).exits(0);
    let said = "5 older sessions are not shown. Of one person: jit admin session list --person NAME\n";
    assert_eq!(run.stderr, said);
    assert_eq!(run.stdout.lines().count(), 1_001);
    let all: Value = carol.jit(&[&list[..], &["-o", "json"]].concat()).exits(0).json();
    assert_eq!(
        (all["sessions"].as_array().unwrap().len(), &all["more"]),
        (1_000, &5.into())
    );
    let of_alice: Value = carol
        .jit(&[&list[..], &["--person", "alice", "-o", "json"]].concat())
        .exits(0)
        .json();
    assert_eq!(
        (of_alice["sessions"].as_array().unwrap().len(), &of_alice["more"]),
        (1_000, &4.into())
    );
}
