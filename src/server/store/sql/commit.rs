//! One change: rows, evidence, effects, idempotency key.

use async_trait::async_trait;
use sqlx::query;

use super::super::dialect::{Connection, Failure, meaning};
use super::super::sqlite::SqliteStore;
use super::super::writer::Work;
use super::super::{Commits, StoreError};
use super::audit::Log;
use super::read::{raw, word};
use super::{directories, grants, issuer_keys, locks, memberships, outbox, people, requests, sealing};
use crate::domain::{Change, Digest, Once, PersonId, Row, Timestamp};
use crate::random::Random;

/// All that `change` says, within the caller's savepoint.
pub(in super::super) async fn apply(
    connection: &mut Connection,
    random: &Random,
    log: &mut Log,
    change: &Change,
) -> Result<(), Failure> {
    if let Some(once) = &change.once {
        use_up(connection, once).await?;
    }
    locks::refuse_locked(connection, &change.unless_locked).await?;
    if let Some(effect) = change.completes {
        outbox::complete(connection, effect).await?;
    }
    if let Some(postpone) = &change.postpones {
        outbox::postpone(connection, postpone).await?;
    }
    for row in &change.rows {
        write(connection, row).await?;
    }
    if let Some(event) = &change.event {
        log.append(connection, event, &random.bytes()).await?;
    }
    for (due_at, effect) in &change.effects {
        outbox::add(connection, *due_at, effect).await?;
    }
    Ok(())
}

async fn write(connection: &mut Connection, row: &Row) -> Result<(), Failure> {
    match row {
        Row::Request(request) => requests::write(connection, request).await,
        Row::Decision(decision) => requests::write_decision(connection, decision).await,
        Row::Grant(grant) => grants::write(connection, grant).await,
        Row::Person(person) => people::write(connection, person).await,
        Row::Device(device) => people::write_device(connection, device).await,
        Row::Session(session) => people::write_session(connection, session).await,
        Row::SignInCode(code) => people::write_code(connection, code).await,
        Row::SealingCheck(check) => sealing::write(connection, check).await,
        Row::IssuerKey(key) => issuer_keys::write(connection, key).await,
        Row::Lock(lock) => locks::write(connection, lock).await,
        Row::Membership(membership) => memberships::write(connection, membership).await,
        Row::DirectoryUser(user) => directories::write_user(connection, user).await,
        Row::DirectoryGroup(group) => directories::write_group(connection, group).await,
        Row::DirectoryMembers(members) => directories::write_members(connection, members).await,
    }
}

async fn use_up(connection: &mut Connection, once: &Once) -> Result<(), Failure> {
    let inserted = query(
        "INSERT INTO idempotency (person_id, call_key, body_hash, outcome, used_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (person_id, call_key) DO NOTHING",
    )
    .bind(once.person.as_str())
    .bind(once.key.as_str())
    .bind(once.body_hash.as_str())
    .bind(once.outcome.as_str())
    .bind(once.at.millis())
    .execute(connection)
    .await?;
    match inserted.rows_affected() {
        0 => Err(StoreError::Repeated.into()),
        _ => Ok(()),
    }
}

/// Forgets idempotency keys used before `before`.
pub(in super::super) async fn forget_once(connection: &mut Connection, before: Timestamp) -> Result<(), Failure> {
    query("DELETE FROM idempotency WHERE used_at < $1")
        .bind(before.millis())
        .execute(connection)
        .await?;
    Ok(())
}

#[async_trait]
impl Commits for SqliteStore {
    async fn commit(&self, change: &Change) -> Result<(), StoreError> {
        self.writer.run(Work::Commit(Box::new(change.clone()))).await.map(drop)
    }

    async fn once(&self, person: &PersonId, key: &str) -> Result<Option<(Digest, String)>, StoreError> {
        let row = query("SELECT body_hash, outcome FROM idempotency WHERE person_id = $1 AND call_key = $2")
            .bind(person.as_str())
            .bind(key)
            .fetch_optional(&self.readers)
            .await
            .map_err(meaning)?;
        row.map(|row| Ok((word(&row, "body_hash")?, raw(&row, "outcome")?)))
            .transpose()
    }

    async fn forget_once(&self, before: Timestamp) -> Result<(), StoreError> {
        self.writer.run(Work::ForgetOnce(before)).await.map(drop)
    }
}
