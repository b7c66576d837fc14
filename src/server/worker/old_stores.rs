//! What an older version left in its store, finished by this one.

use std::sync::Arc;

use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::TempDir;

use crate::domain::refusal::Code;
use crate::domain::{EndCause, GrantState, Membership, RequestState, Timestamp};
use crate::server::stage::members::Members;
use crate::server::stage::{Stage, new_key};

/// When its live grant ends.
const ENDS_MS: i64 = 1_795_290_482_000;
/// When its pending request dies.
const DIES_MS: i64 = 1_795_315_684_000;

/// A folder with the database that `dump` left.
async fn left(dump: &'static str) -> TempDir {
    let dir = TempDir::new().unwrap();
    // a dump has its tables in the order of their making, and rows of one before the table that they refer to
    let old = sqlx::sqlite::SqliteConnectOptions::new()
        .foreign_keys(false)
        .filename(dir.path().join("jit.db"))
        .create_if_missing(true);
    let mut connection = old.connect().await.unwrap();
    sqlx::raw_sql(dump).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    dir
}

#[tokio::test]
async fn grant_of_the_schema_before_memberships_ends_at_its_time() {
    let dump = include_str!("../../../tests/stores/schema_0035.sql");
    let stage = Stage::on_database(left(dump).await).await;
    let store = &stage.backend.store;
    stage.backend.clock.set(Timestamp::from_millis(ENDS_MS - 1_000));
    stage.work().await;
    let grants = store.grants_like("grt_4wwxd43cte2f", 2).await.unwrap();
    let live = store.case_of_grant(&grants[0]).await.unwrap().unwrap();
    assert!(live.is_bound(), "what was approved is read as it was");
    assert_eq!(live.grant.as_ref().unwrap().state, GrantState::Active);
    assert_eq!(live.membership, None::<Membership>);

    stage.backend.clock.set(Timestamp::from_millis(ENDS_MS));
    stage.work().await;
    let over = store.case_of_grant(&grants[0]).await.unwrap().unwrap().grant.unwrap();
    assert_eq!((over.state, over.cause), (GrantState::Ended, Some(EndCause::Expired)));

    stage.backend.clock.set(Timestamp::from_millis(DIES_MS));
    stage.work().await;
    let waiting = store.requests_like("req_fmjpynz22vd1", 2).await.unwrap();
    let dead = store.case(&waiting[0]).await.unwrap().unwrap().request.unwrap();
    assert_eq!(dead.state, RequestState::Expired);
    assert_eq!(store.left().await.unwrap(), 0);
}

/// When the claims of the worker that was killed have lapsed.
const LAPSED_MS: i64 = 1_795_330_280_000;
/// The ends of four grants of the schema 0050, in their order: what was being given, the shared two, what starts after the
/// third.
const ENDS: [i64; 4] = [
    1_795_333_819_000,
    1_795_337_405_000,
    1_795_341_006_000,
    1_795_341_009_000,
];
/// When the planned one starts.
const STARTS_MS: i64 = 1_795_337_409_000;

/// Two grants of Alice's share one, Bob's is being taken because of a lock, Carol's is being given and goes on by itself, and
/// one of hers starts later. Mallory's nobody here gave.
#[tokio::test]
async fn memberships_of_the_schema_before_places_come_to_their_ends() {
    let members = Arc::new(Members::default());
    let all = ["alice", "bob", "carol", "mallory"].map(|name| format!("user-{name}"));
    members.there.lock().unwrap().extend(all);
    let dump = include_str!("../../../tests/stores/schema_0050.sql");
    let stage = Stage::of_those_members(left(dump).await, members.clone()).await;
    let store = &stage.backend.store;
    let at = async |ms: i64| {
        stage.backend.clock.set(Timestamp::from_millis(ms));
        stage.work().await;
        let there = members.there.lock().unwrap();
        there
            .iter()
            .map(|user| user.replace("user-", ""))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(at(LAPSED_MS).await, "alice carol mallory");
    let of = async |id: &str| {
        let ids = store.grants_like(id, 2).await.unwrap();
        store.case_of_grant(&ids[0]).await.unwrap().unwrap()
    };
    let locked = of("grt_2cwvfevb3cyd").await.grant.unwrap();
    assert_eq!(
        (locked.state, locked.cause),
        (GrantState::Ended, Some(EndCause::Locked))
    );
    // a session of an hour may have been begun until now
    assert_eq!(
        locked.last_credential_at,
        Some(Timestamp::from_millis(LAPSED_MS + 3_600_000))
    );
    let given = of("grt_cjfg2z4tfz3h").await.grant.unwrap();
    assert_eq!(given.state, GrantState::Active);
    let shared = of("grt_cmba12mrysx1").await;
    assert!(shared.is_bound(), "what was approved is read as it was");
    assert_eq!(shared.membership.unwrap().leases.len(), 2);
    let refused = stage.try_sign_in("bob", &new_key()).await.unwrap_err();
    assert_eq!(refused.problem.code(), Some(Code::Locked));

    let [given, first, second, planned] = ENDS;
    assert_eq!(at(given).await, "alice mallory");
    assert_eq!(at(first).await, "alice mallory", "the second grant holds it");
    assert_eq!(at(STARTS_MS).await, "alice carol mallory");
    assert_eq!(at(second).await, "carol mallory");
    assert_eq!(at(planned).await, "mallory", "nobody's is never taken");
    assert_eq!(store.left().await.unwrap(), 0);
    assert_eq!(store.memberships(None, 10).await.unwrap(), []);
}
