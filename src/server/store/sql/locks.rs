//! Rows of locks, the guard that nothing passes one, and what they end.

use async_trait::async_trait;
use sqlx::query;

use super::super::dialect::{Connection, Failure, Row, meaning};
use super::super::sqlite::SqliteStore;
use super::super::{Locks, StoreError, Under};
use super::read::{count, number, time, time_or_none, word, word_or_none};
use crate::domain::{GrantId, Lift, Lock, PersonId, RequestId, Scope, TargetName, Timestamp};

/// One lock that stands.
pub(super) const STANDING: &str = "SELECT * FROM locks WHERE scope = $1 AND lifted_at IS NULL";

/// All of them.
pub(super) const ALL_STANDING: &str = "SELECT * FROM locks WHERE lifted_at IS NULL ORDER BY since, scope LIMIT $1";

/// Those on everything, on a target and on the one that has its accounts, on two people and on who decided on a request.
pub(super) const OF_A_CASE: &str = "SELECT * FROM locks WHERE lifted_at IS NULL AND scope IN ($1, $2, $3, $4, $6)
    UNION SELECT l.* FROM decisions AS d JOIN locks AS l ON l.scope = 'person:' || d.person_id
        WHERE d.request_id = $5 AND l.lifted_at IS NULL
    ORDER BY scope";

/// Grants that a lock on everything ends; the same with one more condition for the others.
const UNDER_ALL: &str = "SELECT id FROM grants WHERE is_open = 1 AND state <> 'revoking' AND created_at <= $1
    AND seq > COALESCE((SELECT seq FROM grants WHERE id = $2), 0) ORDER BY seq LIMIT $3";
const UNDER_PERSON: &str = "SELECT id FROM grants WHERE is_open = 1 AND state <> 'revoking' AND created_at <= $1
    AND seq > COALESCE((SELECT seq FROM grants WHERE id = $2), 0) AND beneficiary_id = $4 ORDER BY seq LIMIT $3";
const UNDER_TARGET: &str = "SELECT id FROM grants WHERE is_open = 1 AND state <> 'revoking' AND created_at <= $1
    AND seq > COALESCE((SELECT seq FROM grants WHERE id = $2), 0) AND (target = $4 OR substr(target, 1, length($4) + 1) = $4 || '/') ORDER BY seq LIMIT $3";

/// How many are open, and until when copies of their credentials work.
const OPEN_ALL: &str =
    "SELECT COUNT(*) AS grants, MAX(last_credential_at) AS last_credential_at FROM grants WHERE is_open = 1";
const OPEN_PERSON: &str = "SELECT COUNT(*) AS grants, MAX(last_credential_at) AS last_credential_at FROM grants
    WHERE is_open = 1 AND beneficiary_id = $1";
const OPEN_TARGET: &str = "SELECT COUNT(*) AS grants, MAX(last_credential_at) AS last_credential_at FROM grants
    WHERE is_open = 1 AND (target = $1 OR substr(target, 1, length($1) + 1) = $1 || '/')";

/// A lock as it shall stand.
pub(super) async fn write(connection: &mut Connection, lock: &Lock) -> Result<(), Failure> {
    let version = number(lock.version);
    let by = |lift: &Option<Lift>| lift.as_ref().map(|lift| lift.by.to_string());
    let at = |lift: &Option<Lift>| lift.as_ref().map(|lift| lift.at.millis());
    let statement = if version == 1 {
        "INSERT INTO locks (scope, set_by, reason, since, lifting_by, lifting_at, lifted_by, lifted_at, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (scope) DO NOTHING"
    } else {
        "UPDATE locks SET set_by = $2, reason = $3, since = $4, lifting_by = $5, lifting_at = $6, lifted_by = $7,
            lifted_at = $8, version = $9
        WHERE scope = $1 AND version = $9 - 1"
    };
    let written = query(statement)
        .bind(lock.scope.to_string())
        .bind(lock.by.as_str())
        .bind(lock.reason.as_str())
        .bind(lock.since.millis())
        .bind(by(&lock.lifting))
        .bind(at(&lock.lifting))
        .bind(by(&lock.lifted))
        .bind(at(&lock.lifted))
        .bind(version)
        .execute(connection)
        .await?;
    match written.rows_affected() {
        // of two that lock at once, the second sees the first
        0 => Err(StoreError::Conflict.into()),
        _ => Ok(()),
    }
}

/// Refuses what a lock forbids that was set meanwhile.
pub(super) async fn refuse_locked(connection: &mut Connection, scopes: &[Scope]) -> Result<(), Failure> {
    for scope in scopes {
        let standing = query(STANDING).bind(scope.to_string());
        if standing.fetch_optional(&mut *connection).await?.is_some() {
            return Err(StoreError::Conflict.into());
        }
    }
    Ok(())
}

/// Locks that stand on everything, on `target` and on what has its accounts, on `people`, and on who decided on `request`.
pub(super) async fn of_a_case(
    connection: &mut Connection,
    target: &TargetName,
    people: [&PersonId; 2],
    request: Option<&RequestId>,
) -> Result<Vec<Lock>, StoreError> {
    let [one, two] = people.map(|person| Scope::Person(person.clone()).to_string());
    let rows = query(OF_A_CASE)
        .bind(Scope::All.to_string())
        .bind(Scope::Target(target.clone()).to_string())
        .bind(one)
        .bind(two)
        .bind(request.map_or("", RequestId::as_str))
        .bind(target.family().map(|family| Scope::Target(family).to_string()))
        .fetch_all(connection)
        .await
        .map_err(meaning)?;
    rows.iter().map(read).collect()
}

fn lift(row: &Row, by: &str, at: &str) -> Result<Option<Lift>, StoreError> {
    let (by, at) = (word_or_none(row, by)?, time_or_none(row, at)?);
    Ok(by.zip(at).map(|(by, at)| Lift { by, at }))
}

fn read(row: &Row) -> Result<Lock, StoreError> {
    Ok(Lock {
        scope: word(row, "scope")?,
        by: word(row, "set_by")?,
        reason: word(row, "reason")?,
        since: time(row, "since")?,
        lifting: lift(row, "lifting_by", "lifting_at")?,
        lifted: lift(row, "lifted_by", "lifted_at")?,
        version: count(row, "version")?,
    })
}

/// The id that a scope names, as its column has it.
fn subject(scope: &Scope) -> Option<&str> {
    match scope {
        Scope::All => None,
        Scope::Person(id) => Some(id.as_str()),
        Scope::Target(name) => Some(name.as_str()),
    }
}

#[async_trait]
impl Locks for SqliteStore {
    async fn lock(&self, scope: &Scope) -> Result<Option<Lock>, StoreError> {
        let row = query("SELECT * FROM locks WHERE scope = $1")
            .bind(scope.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(meaning)?;
        row.as_ref().map(read).transpose()
    }

    async fn locks_on(&self, scopes: &[Scope]) -> Result<Vec<Lock>, StoreError> {
        let mut transaction = self.readers.begin().await.map_err(meaning)?;
        let mut locks: Vec<Lock> = Vec::new();
        for scope in scopes {
            let row = query(STANDING)
                .bind(scope.to_string())
                .fetch_optional(&mut *transaction);
            if let Some(row) = row.await.map_err(meaning)? {
                let lock = read(&row)?;
                if !locks.contains(&lock) {
                    locks.push(lock);
                }
            }
        }
        locks.sort_by_key(|lock| lock.scope.to_string());
        Ok(locks)
    }

    async fn standing_locks(&self, limit: u32) -> Result<Vec<Lock>, StoreError> {
        let rows = query(ALL_STANDING)
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await
            .map_err(meaning)?;
        rows.iter().map(read).collect()
    }

    async fn grants_under(
        &self,
        scope: &Scope,
        until: Timestamp,
        after: Option<&GrantId>,
        limit: u32,
    ) -> Result<Vec<GrantId>, StoreError> {
        let statement = match scope {
            Scope::All => UNDER_ALL,
            Scope::Person(_) => UNDER_PERSON,
            Scope::Target(_) => UNDER_TARGET,
        };
        let mut query = query(statement)
            .bind(until.millis())
            .bind(after.map_or("", GrantId::as_str))
            .bind(i64::from(limit));
        if let Some(subject) = subject(scope) {
            query = query.bind(subject);
        }
        let rows = query.fetch_all(&self.readers).await.map_err(meaning)?;
        rows.iter().map(|row| word(row, "id")).collect()
    }

    async fn open_under(&self, scope: &Scope) -> Result<Under, StoreError> {
        let mut query = query(match scope {
            Scope::All => OPEN_ALL,
            Scope::Person(_) => OPEN_PERSON,
            Scope::Target(_) => OPEN_TARGET,
        });
        if let Some(subject) = subject(scope) {
            query = query.bind(subject);
        }
        let row = query.fetch_one(&self.readers).await.map_err(meaning)?;
        Ok(Under {
            grants: count(&row, "grants")?,
            last_credential_at: time_or_none(&row, "last_credential_at")?,
        })
    }
}
