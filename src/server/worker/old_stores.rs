//! What an older version left in its store, finished by this one.

use sqlx::{ConnectOptions as _, Connection as _};

use crate::domain::{EndCause, GrantState, Membership, RequestState, Timestamp};
use crate::server::stage::Stage;

/// When its live grant ends.
const ENDS_MS: i64 = 1_795_290_482_000;
/// When its pending request dies.
const DIES_MS: i64 = 1_795_315_684_000;

#[tokio::test]
async fn grant_of_the_schema_before_memberships_ends_at_its_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("jit.db");
    let old = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true);
    let mut connection = old.connect().await.unwrap();
    let dump = include_str!("../../../tests/stores/schema_0035.sql");
    sqlx::raw_sql(dump).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();

    let stage = Stage::on_database(dir).await;
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
