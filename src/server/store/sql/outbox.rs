//! Rows of the outbox: left by commits, claimed by the worker, settled by its commits.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use sqlx::query;

use super::super::dialect::{CLAIM, Connection, Failure, Row, meaning};
use super::super::sqlite::SqliteStore;
use super::super::writer::Work;
use super::super::{Claimed, Outbox, Pending, StoreError};
use super::read::{count, raw, time, time_or_none, word};
use crate::domain::{Effect, EffectId, GrantId, Postpone, RequestId, Timestamp};

/// Which rows are wanted, by whom.
#[derive(Debug)]
pub(in super::super) struct Claim {
    owner: String,
    now: Timestamp,
    until: Timestamp,
    urgencies: RangeInclusive<u8>,
    limit: u32,
}

/// The third is what it is on, where that is neither request nor grant: a lock's scope, a membership's name.
fn subjects(effect: &Effect) -> (Option<&RequestId>, Option<&GrantId>, Option<String>) {
    match effect {
        Effect::Expire { request } => (Some(request), None, None),
        Effect::Sweep { scope } => (None, None, Some(scope.to_string())),
        Effect::Oust { membership } => (None, None, Some(membership.clone())),
        Effect::Depart { person } => (None, None, Some(person.to_string())),
        Effect::Stop { grant, scope } => (None, Some(grant), Some(scope.to_string())),
        Effect::Activate { grant }
        | Effect::Give { grant }
        | Effect::End { grant }
        | Effect::Take { grant }
        | Effect::LetGo { grant }
        | Effect::Kill { grant }
        | Effect::Warn { grant }
        | Effect::Recall { grant }
        | Effect::Unkill { grant } => (None, Some(grant), None),
    }
}

/// A new row.
pub(super) async fn add(connection: &mut Connection, due_at: Timestamp, effect: &Effect) -> Result<(), Failure> {
    let (request, grant, scope) = subjects(effect);
    query("INSERT INTO outbox (kind, request_id, grant_id, scope, urgency, due_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(effect.kind())
        .bind(request.map(RequestId::as_str))
        .bind(grant.map(GrantId::as_str))
        .bind(scope)
        .bind(i64::from(effect.urgency()))
        .bind(due_at.millis())
        .execute(connection)
        .await?;
    Ok(())
}

/// The row is settled. Gone already: somebody else settled it, and this commit is about the past.
pub(super) async fn complete(connection: &mut Connection, effect: EffectId) -> Result<(), Failure> {
    let deleted = query("DELETE FROM outbox WHERE id = $1")
        .bind(effect.0)
        .execute(connection)
        .await?;
    match deleted.rows_affected() {
        0 => Err(StoreError::Conflict.into()),
        _ => Ok(()),
    }
}

/// The row is tried again later, by anybody.
pub(super) async fn postpone(connection: &mut Connection, postpone: &Postpone) -> Result<(), Failure> {
    let updated = query(
        "UPDATE outbox SET due_at = $1, attempts = attempts + $2, last_error = $3, claimed_by = NULL,
            claimed_until = NULL
        WHERE id = $4",
    )
    .bind(postpone.until.millis())
    .bind(i64::from(postpone.is_attempt))
    .bind(postpone.error.as_str())
    .bind(postpone.effect.0)
    .execute(connection)
    .await?;
    match updated.rows_affected() {
        0 => Err(StoreError::Conflict.into()),
        _ => Ok(()),
    }
}

/// Takes rows, most urgent first. A row that cannot be read holds up no other: it is reported and left.
pub(in super::super) async fn claim(connection: &mut Connection, claim: &Claim) -> Result<Vec<Claimed>, Failure> {
    let mut claimed = Vec::new();
    for urgency in claim.urgencies.clone() {
        let left = i64::from(claim.limit) - i64::try_from(claimed.len()).unwrap_or(i64::MAX);
        if left <= 0 {
            break;
        }
        let rows = query(CLAIM)
            .bind(claim.owner.as_str())
            .bind(claim.until.millis())
            .bind(i64::from(urgency))
            .bind(claim.now.millis())
            .bind(left)
            .fetch_all(&mut *connection)
            .await?;
        let mut rows = rows.iter().filter_map(readable).collect::<Vec<_>>();
        rows.sort_by_key(|(due_at, row)| (*due_at, row.id));
        claimed.extend(rows.into_iter().map(|(_, row)| row));
    }
    Ok(claimed)
}

fn readable(row: &Row) -> Option<(Timestamp, Claimed)> {
    let read = || Ok::<_, StoreError>((time(row, "due_at")?, read(row)?));
    match read() {
        Ok(claimed) => Some(claimed),
        Err(error) => {
            let id: i64 = raw(row, "id").unwrap_or_default();
            tracing::error!(outbox_id = id, error = %error, "outbox row cannot be read, left as it is");
            None
        }
    }
}

fn read(row: &Row) -> Result<Claimed, StoreError> {
    Ok(Claimed {
        id: EffectId(raw(row, "id")?),
        effect: effect(row)?,
        attempts: count(row, "attempts")?,
    })
}

fn effect(row: &Row) -> Result<Effect, StoreError> {
    let kind: &str = raw(row, "kind")?;
    let grant = || word(row, "grant_id");
    match kind {
        "expire" => Ok(Effect::Expire {
            request: word(row, "request_id")?,
        }),
        "activate" => Ok(Effect::Activate { grant: grant()? }),
        "give" => Ok(Effect::Give { grant: grant()? }),
        "end" => Ok(Effect::End { grant: grant()? }),
        "let_go" => Ok(Effect::LetGo { grant: grant()? }),
        "take" => Ok(Effect::Take { grant: grant()? }),
        "kill" => Ok(Effect::Kill { grant: grant()? }),
        "unkill" => Ok(Effect::Unkill { grant: grant()? }),
        "warn" => Ok(Effect::Warn { grant: grant()? }),
        "sweep" => Ok(Effect::Sweep {
            scope: word(row, "scope")?,
        }),
        "stop" => Ok(Effect::Stop {
            grant: grant()?,
            scope: word(row, "scope")?,
        }),
        "oust" => Ok(Effect::Oust {
            membership: raw(row, "scope")?,
        }),
        "depart" => Ok(Effect::Depart {
            person: word(row, "scope")?,
        }),
        "recall" => Ok(Effect::Recall { grant: grant()? }),
        other => Err(StoreError::Unreadable(format!(
            "effect {other:?} is not known to this version"
        ))),
    }
}

/// Gives back all claims of `owner`.
pub(in super::super) async fn release(connection: &mut Connection, owner: &str) -> Result<(), Failure> {
    query("UPDATE outbox SET claimed_by = NULL, claimed_until = NULL WHERE claimed_by = $1")
        .bind(owner)
        .execute(connection)
        .await?;
    Ok(())
}

#[async_trait]
impl Outbox for SqliteStore {
    async fn claim(
        &self,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        urgencies: RangeInclusive<u8>,
        limit: u32,
    ) -> Result<Vec<Claimed>, StoreError> {
        let owner = owner.to_owned();
        self.writer
            .run(Work::Claim(Claim {
                owner,
                now,
                until,
                urgencies,
                limit,
            }))
            .await
    }

    async fn next_due(&self, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let row = query("SELECT MIN(due_at) AS due_at FROM outbox WHERE due_at > $1")
            .bind(after.millis())
            .fetch_one(&self.readers)
            .await
            .map_err(meaning)?;
        time_or_none(&row, "due_at")
    }

    async fn pending_effects(&self, grant: &GrantId) -> Result<Vec<Pending>, StoreError> {
        let rows = query("SELECT * FROM outbox WHERE grant_id = $1 ORDER BY due_at, id")
            .bind(grant.as_str())
            .fetch_all(&self.readers)
            .await
            .map_err(meaning)?;
        let pending = |row| {
            Ok(Pending {
                effect: effect(row)?,
                attempts: count(row, "attempts")?,
                last_error: raw(row, "last_error")?,
                due_at: time(row, "due_at")?,
            })
        };
        rows.iter().map(pending).collect()
    }

    async fn left(&self) -> Result<u64, StoreError> {
        let row = query("SELECT COUNT(*) AS rows_left FROM outbox")
            .fetch_one(&self.readers)
            .await
            .map_err(meaning)?;
        count(&row, "rows_left")
    }

    async fn release(&self, owner: &str) -> Result<(), StoreError> {
        self.writer.run(Work::Release(owner.to_owned())).await.map(drop)
    }
}
