//! Rows of requests and decisions: written in a commit, read as domain values.

use sqlx::query;

use super::super::StoreError;
use super::super::dialect::{Connection, Failure, Row, meaning};
use super::read::{count, json, millis, number, raw, time, time_or_none, to_json, word, word_or_none};
use crate::domain::{Decision, Request, RequestId, Scope, TargetName, Timestamp};

/// A request as it shall stand.
pub(super) async fn write(connection: &mut Connection, request: &Request) -> Result<(), Failure> {
    if request.version == 1 {
        insert(connection, request).await
    } else {
        update(connection, request).await
    }
}

/// Names so that each can be found by itself.
fn between_spaces(names: &[TargetName]) -> Option<String> {
    let words = names.iter().map(|name| format!(" {name} "));
    (!names.is_empty()).then(|| words.collect())
}

async fn insert(connection: &mut Connection, request: &Request) -> Result<(), Failure> {
    refuse_beside_scheduled(connection, request).await?;
    let body = String::from_utf8_lossy(&request.body.canonical_bytes()).into_owned();
    let inserted = query(
        "INSERT INTO requests (id, requester_id, beneficiary_id, target, body, digest, frozen, state, automatic,
            filed_at, filed_from, expires_at, closed_at, version, bound_to, starts_at, same_access)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
        ON CONFLICT (id) DO NOTHING",
    )
    .bind(request.id().as_str())
    .bind(request.body.requester.as_str())
    .bind(request.body.beneficiary.as_str())
    .bind(request.body.target.as_str())
    .bind(body)
    .bind(request.digest.as_str())
    .bind(to_json(&request.frozen)?)
    .bind(request.state.as_str())
    .bind(i64::from(request.automatic))
    .bind(request.filed_at.millis())
    .bind(request.filed_from.as_str())
    .bind(request.expires_at.millis())
    .bind(millis(request.closed_at))
    .bind(number(request.version))
    .bind(Scope::bound(&request.body.binding).to_string())
    .bind(request.body.start.map_or(0, Timestamp::millis))
    .bind(between_spaces(&request.frozen.same_access))
    .execute(connection)
    .await?;
    match inserted.rows_affected() {
        0 => Err(StoreError::Duplicate.into()),
        _ => Ok(()),
    }
}

/// A filing that raced another one whose grant is scheduled by now for the same time: the unique index sees pending ones
/// only.
async fn refuse_beside_scheduled(connection: &mut Connection, request: &Request) -> Result<(), Failure> {
    let (from, until) = request.spans();
    let scheduled = query(
        "SELECT 1 FROM grants
        WHERE beneficiary_id = $1 AND target = $2 AND is_open = 1 AND state = 'scheduled'
            AND starts_at < $3 AND activate_by > $4 LIMIT 1",
    )
    .bind(request.body.beneficiary.as_str())
    .bind(request.body.target.as_str())
    .bind(until.millis())
    .bind(from.millis())
    .fetch_optional(connection)
    .await?;
    match scheduled {
        Some(_) => Err(StoreError::Conflict.into()),
        None => Ok(()),
    }
}

/// Body and frozen stay as they were filed.
async fn update(connection: &mut Connection, request: &Request) -> Result<(), Failure> {
    let version = number(request.version);
    let updated = query("UPDATE requests SET state = $1, closed_at = $2, version = $3 WHERE id = $4 AND version = $5")
        .bind(request.state.as_str())
        .bind(millis(request.closed_at))
        .bind(version)
        .bind(request.id().as_str())
        .bind(version.saturating_sub(1))
        .execute(connection)
        .await?;
    match updated.rows_affected() {
        0 => Err(StoreError::Conflict.into()),
        _ => Ok(()),
    }
}

/// A decision. Whoever decided on this request before, elsewhere, meanwhile: the case has changed.
pub(super) async fn write_decision(connection: &mut Connection, decision: &Decision) -> Result<(), Failure> {
    let inserted = query(
        "INSERT INTO decisions (request_id, person_id, verdict, stage, comment, digest, device_id, decided_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (request_id, person_id) DO NOTHING",
    )
    .bind(decision.request.as_str())
    .bind(decision.by.as_str())
    .bind(decision.verdict.as_str())
    .bind(number(decision.stage))
    .bind(decision.comment.as_ref().map(|comment| comment.as_str()))
    .bind(decision.digest.as_str())
    .bind(decision.device.as_str())
    .bind(decision.at.millis())
    .execute(connection)
    .await?;
    match inserted.rows_affected() {
        0 => Err(StoreError::Conflict.into()),
        _ => Ok(()),
    }
}

/// A row of `requests`.
pub(super) fn read(row: &Row) -> Result<Request, StoreError> {
    Ok(Request {
        body: json(row, "body")?,
        digest: word(row, "digest")?,
        frozen: json(row, "frozen")?,
        state: word(row, "state")?,
        automatic: raw::<i64>(row, "automatic")? != 0,
        filed_at: time(row, "filed_at")?,
        filed_from: word(row, "filed_from")?,
        expires_at: time(row, "expires_at")?,
        closed_at: time_or_none(row, "closed_at")?,
        version: count(row, "version")?,
    })
}

fn read_decision(row: &Row) -> Result<Decision, StoreError> {
    Ok(Decision {
        request: word(row, "request_id")?,
        by: word(row, "person_id")?,
        verdict: word(row, "verdict")?,
        stage: count(row, "stage")?,
        comment: word_or_none(row, "comment")?,
        digest: word(row, "digest")?,
        device: word(row, "device_id")?,
        at: time(row, "decided_at")?,
    })
}

/// One request.
pub(super) async fn one(connection: &mut Connection, id: &RequestId) -> Result<Option<Request>, StoreError> {
    let row = query("SELECT * FROM requests WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(connection)
        .await
        .map_err(meaning)?;
    row.as_ref().map(read).transpose()
}

/// Its decisions, oldest first.
pub(super) async fn decisions(connection: &mut Connection, id: &RequestId) -> Result<Vec<Decision>, StoreError> {
    let rows = query("SELECT * FROM decisions WHERE request_id = $1 ORDER BY seq")
        .bind(id.as_str())
        .fetch_all(connection)
        .await
        .map_err(meaning)?;
    rows.iter().map(read_decision).collect()
}
