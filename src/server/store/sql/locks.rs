//! Rows of locks, the guard that nothing passes one, and what they end.

use async_trait::async_trait;
use sqlx::query;

use super::super::dialect::{Connection, Failure, Row, meaning};
use super::super::sqlite::SqliteStore;
use super::super::{Locks, StoreError, Under};
use super::read::{count, number, time, time_or_none, word, word_or_none};
use crate::domain::{GrantId, Lift, Lock, PersonId, Request, Scope, TargetName, Timestamp};

/// One lock that stands.
pub(super) const STANDING: &str = "SELECT * FROM locks WHERE scope = $1 AND lifted_at IS NULL";

/// Those on targets that were bound to something when they were set.
pub(super) const STANDING_BOUND: &str = "SELECT * FROM locks WHERE bound_to = $1 AND lifted_at IS NULL ORDER BY scope";

/// All of them.
pub(super) const ALL_STANDING: &str = "SELECT * FROM locks WHERE lifted_at IS NULL ORDER BY since, scope LIMIT $1";

/// Those on everything, on a target, on the one that has its accounts, on what it is bound to and on what it is the same access
/// as, on two people and on who decided on a request.
pub(super) const OF_A_CASE: &str = "SELECT * FROM locks WHERE lifted_at IS NULL AND scope IN ($1, $2, $3, $4, $7)
    UNION SELECT * FROM locks WHERE bound_to = $6 AND lifted_at IS NULL
    UNION SELECT l.* FROM requests AS r JOIN locks AS l ON r.id = $5 AND l.lifted_at IS NULL
        AND l.scope LIKE 'target:%' AND (replace(r.same_access, ' ' || substr(l.scope, 8) || ' ', '') <> r.same_access
            OR replace(r.same_access, ' ' || substr(l.scope, 8) || '/', '') <> r.same_access)
    UNION SELECT l.* FROM decisions AS d JOIN locks AS l ON l.scope = 'person:' || d.person_id
        WHERE d.request_id = $5 AND l.lifted_at IS NULL
    ORDER BY scope";

/// On the target of this name, in one of its accounts, or the same access as that.
macro_rules! of_target {
    ($name:literal) => {
        concat!(
            "target = ",
            $name,
            " OR substr(target, 1, length(",
            $name,
            ") + 1) = ",
            $name,
            " || '/' OR replace(same_access, ' ' || ",
            $name,
            " || ' ', '') <> same_access OR replace(same_access, ' ' || ",
            $name,
            " || '/', '') <> same_access"
        )
    };
}

/// Grants that a lock on everything ends; the same with one more condition for the others.
const UNDER_ALL: &str = "SELECT id FROM grants WHERE is_open = 1 AND state <> 'revoking' AND created_at <= $1
    AND seq > COALESCE((SELECT seq FROM grants WHERE id = $2), 0) ORDER BY seq LIMIT $3";
const UNDER_PERSON: &str = "SELECT id FROM grants WHERE is_open = 1 AND state <> 'revoking' AND created_at <= $1
    AND seq > COALESCE((SELECT seq FROM grants WHERE id = $2), 0) AND beneficiary_id = $4 ORDER BY seq LIMIT $3";
const UNDER_TARGET: &str = concat!(
    "SELECT id FROM grants WHERE is_open = 1 AND state <> 'revoking' AND created_at <= $1
    AND seq > COALESCE((SELECT seq FROM grants WHERE id = $2), 0) AND (",
    of_target!("$4"),
    ") ORDER BY seq LIMIT $3"
);
const UNDER_BOUND: &str = "SELECT id FROM grants WHERE is_open = 1 AND state <> 'revoking' AND created_at <= $1
    AND seq > COALESCE((SELECT seq FROM grants WHERE id = $2), 0) AND bound_to = $4 ORDER BY seq LIMIT $3";

/// How many are open, and until when copies of credentials work: also of what is over already, unless its sessions are
/// shut out. And how many of them leave behind what was there before.
macro_rules! open {
    ($($of:expr),*) => {
        concat!(
            "SELECT SUM(grants) AS grants, MAX(last_at) AS last_credential_at, SUM(remaining) AS remaining FROM (
                SELECT COUNT(*) AS grants, MAX(last_credential_at) AS last_at, 0 AS remaining FROM grants
                    WHERE is_open = 1",
            $($of,)*
            " UNION ALL
                SELECT 0, MAX(last_credential_at), 0 FROM grants
                    WHERE is_open = 0 AND last_credential_at > $1 AND kill IS NULL",
            $($of,)*
            " UNION ALL
                SELECT 0, NULL, COUNT(*) FROM memberships AS m JOIN grants ON m.leases LIKE '%' || id || '%'
                    WHERE m.in_use = 1 AND m.pre_existing = 1 AND is_open = 1",
            $($of,)*
            " UNION ALL
                SELECT 0, NULL, COUNT(*) FROM grants WHERE is_open = 1 AND EXISTS (SELECT 1 FROM requests AS r
                    WHERE r.id = grants.request_id AND r.body LIKE '%\"through_group\":true%')
                AND NOT EXISTS (SELECT 1 FROM memberships AS m
                    WHERE m.in_use = 1 AND m.pre_existing = 1 AND m.leases LIKE '%' || grants.id || '%')",
            $($of,)*
            ") AS counted"
        )
    };
}
const OPEN_ALL: &str = open!("");
const OPEN_PERSON: &str = open!(" AND beneficiary_id = $2");
const OPEN_TARGET: &str = open!(" AND (", of_target!("$2"), ")");
const OPEN_BOUND: &str = open!(" AND grants.bound_to = $2");
const OPEN_TARGET_BOUND: &str = open!(" AND (", of_target!("$2"), " OR grants.bound_to = $3)");

/// A lock as it shall stand.
pub(super) async fn write(connection: &mut Connection, lock: &Lock) -> Result<(), Failure> {
    let version = number(lock.version);
    let by = |lift: &Option<Lift>| lift.as_ref().map(|lift| lift.by.to_string());
    let at = |lift: &Option<Lift>| lift.as_ref().map(|lift| lift.at.millis());
    let statement = if version == 1 {
        "INSERT INTO locks (scope, set_by, reason, since, lifting_by, lifting_at, lifted_by, lifted_at, version, bound_to)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (scope) DO NOTHING"
    } else {
        "UPDATE locks SET set_by = $2, reason = $3, since = $4, lifting_by = $5, lifting_at = $6, lifted_by = $7,
            lifted_at = $8, version = $9, bound_to = $10
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
        .bind(lock.bound_to.as_ref().map(ToString::to_string))
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
        let standing = query(standing(scope)).bind(scope.to_string());
        if standing.fetch_optional(&mut *connection).await?.is_some() {
            return Err(StoreError::Conflict.into());
        }
    }
    Ok(())
}

/// Locks that stand on everything, on `target`, on what has its accounts and on what it is bound to, on `people`, and on who
/// decided on `request` and what it is the same access as.
pub(super) async fn of_a_case(
    connection: &mut Connection,
    target: &TargetName,
    people: [&PersonId; 2],
    request: Option<&Request>,
) -> Result<Vec<Lock>, StoreError> {
    let [one, two] = people.map(|person| Scope::Person(person.clone()).to_string());
    let rows = query(OF_A_CASE)
        .bind(Scope::All.to_string())
        .bind(Scope::Target(target.clone()).to_string())
        .bind(one)
        .bind(two)
        .bind(request.map_or("", |request| request.id().as_str()))
        .bind(request.map(|request| Scope::bound(&request.body.binding).to_string()))
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
        bound_to: word_or_none(row, "bound_to")?,
        by: word(row, "set_by")?,
        reason: word(row, "reason")?,
        since: time(row, "since")?,
        lifting: lift(row, "lifting_by", "lifting_at")?,
        lifted: lift(row, "lifted_by", "lifted_at")?,
        version: count(row, "version")?,
    })
}

/// What a scope names, as its column has it.
fn subject(scope: &Scope) -> Option<String> {
    match scope {
        Scope::All => None,
        Scope::Person(id) => Some(id.to_string()),
        Scope::Target(name) => Some(name.to_string()),
        Scope::Bound(_) => Some(scope.to_string()),
    }
}

/// The statement that finds what stands on `scope`.
fn standing(scope: &Scope) -> &'static str {
    match scope {
        Scope::All | Scope::Person(_) | Scope::Target(_) => STANDING,
        Scope::Bound(_) => STANDING_BOUND,
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
            let rows = query(standing(scope))
                .bind(scope.to_string())
                .fetch_all(&mut *transaction);
            for row in rows.await.map_err(meaning)? {
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
            Scope::Bound(_) => UNDER_BOUND,
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

    async fn open_under(&self, scope: &Scope, bound_to: Option<&Scope>, now: Timestamp) -> Result<Under, StoreError> {
        let statement = match (scope, bound_to) {
            (Scope::All, _) => OPEN_ALL,
            (Scope::Person(_), _) => OPEN_PERSON,
            (Scope::Target(_), None) => OPEN_TARGET,
            (Scope::Target(_), Some(_)) => OPEN_TARGET_BOUND,
            (Scope::Bound(_), _) => OPEN_BOUND,
        };
        let mut query = query(statement).bind(now.millis());
        for named in std::iter::once(scope).chain(bound_to).filter_map(subject) {
            query = query.bind(named);
        }
        let row = query.fetch_one(&self.readers).await.map_err(meaning)?;
        Ok(Under {
            grants: count(&row, "grants")?,
            remaining: count(&row, "remaining")?,
            last_credential_at: time_or_none(&row, "last_credential_at")?,
        })
    }
}
