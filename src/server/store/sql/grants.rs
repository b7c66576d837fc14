//! Rows of grants: written in a commit, read as domain values.

use sqlx::query;

use super::super::StoreError;
use super::super::dialect::{Connection, Failure, Row, meaning};
use super::read::{count, json, json_or_none, millis, number, raw, time, time_or_none, to_json, word, word_or_none};
use super::switches;
use crate::domain::{Grant, GrantId, RequestId};

/// A grant as it shall stand.
pub(super) async fn write(connection: &mut Connection, grant: &Grant) -> Result<(), Failure> {
    if grant.version == 1 {
        insert(connection, grant).await?;
    } else {
        update(connection, grant).await?;
    }
    match &grant.kill {
        Some(kill) if kill.state.is_under_way() => switches::changed(connection, &kill.role_arn).await,
        Some(_) | None => Ok(()),
    }
}

/// The kill as it is frozen, and the role whose policy is to hold it while it is to.
fn kill_of(grant: &Grant) -> Result<(Option<String>, Option<&str>), StoreError> {
    let Some(kill) = &grant.kill else {
        return Ok((None, None));
    };
    let role = kill.state.is_wanted().then_some(kill.role_arn.as_str());
    Ok((Some(to_json(kill)?), role))
}

async fn insert(connection: &mut Connection, grant: &Grant) -> Result<(), Failure> {
    let (kill, killed_role) = kill_of(grant)?;
    let inserted = query(
        "INSERT INTO grants (id, request_id, requester_id, beneficiary_id, target, narrowed_to, created_at,
            state, is_open, starts_at, activate_by, activated_at, anchor_at, ends_at, last_credential_at,
            ended_at, cause, detail, ended_by, version, kill, killed_role, bound_to, same_access)
        SELECT $1, $2, COALESCE((SELECT requester_id FROM requests WHERE id = $2), ''), $3, $4, $5, $6,
            $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
            (SELECT bound_to FROM requests WHERE id = $2), (SELECT same_access FROM requests WHERE id = $2)
        WHERE TRUE
        ON CONFLICT (id) DO NOTHING",
    )
    .bind(grant.id.as_str())
    .bind(grant.request.as_str())
    .bind(grant.beneficiary.as_str())
    .bind(grant.target.as_str())
    .bind(to_json(&grant.only)?)
    .bind(grant.created_at.millis())
    .bind(grant.state.as_str())
    .bind(i64::from(grant.state.is_open()))
    .bind(grant.starts_at.millis())
    .bind(grant.activate_by.millis())
    .bind(millis(grant.activated_at))
    .bind(millis(grant.anchor_at))
    .bind(millis(grant.ends_at))
    .bind(millis(grant.last_credential_at))
    .bind(millis(grant.ended_at))
    .bind(grant.cause.map(|cause| cause.as_str()))
    .bind(grant.detail.as_deref())
    .bind(grant.ended_by.as_ref().map(|person| person.as_str()))
    .bind(number(grant.version))
    .bind(kill)
    .bind(killed_role)
    .execute(connection)
    .await?;
    match inserted.rows_affected() {
        0 => Err(StoreError::Duplicate.into()),
        _ => Ok(()),
    }
}

/// Whose, on what and of which request stays as it was approved.
async fn update(connection: &mut Connection, grant: &Grant) -> Result<(), Failure> {
    let (version, (kill, killed_role)) = (number(grant.version), kill_of(grant)?);
    let updated = query(
        "UPDATE grants SET state = $1, is_open = $2, starts_at = $3, activate_by = $4, activated_at = $5,
            anchor_at = $6, ends_at = $7, last_credential_at = $8, ended_at = $9, cause = $10, detail = $11,
            ended_by = $12, kill = $13, killed_role = $14, version = $15
        WHERE id = $16 AND version = $17",
    )
    .bind(grant.state.as_str())
    .bind(i64::from(grant.state.is_open()))
    .bind(grant.starts_at.millis())
    .bind(grant.activate_by.millis())
    .bind(millis(grant.activated_at))
    .bind(millis(grant.anchor_at))
    .bind(millis(grant.ends_at))
    .bind(millis(grant.last_credential_at))
    .bind(millis(grant.ended_at))
    .bind(grant.cause.map(|cause| cause.as_str()))
    .bind(grant.detail.as_deref())
    .bind(grant.ended_by.as_ref().map(|person| person.as_str()))
    .bind(kill)
    .bind(killed_role)
    .bind(version)
    .bind(grant.id.as_str())
    .bind(version.saturating_sub(1))
    .execute(connection)
    .await?;
    match updated.rows_affected() {
        0 => Err(StoreError::Conflict.into()),
        _ => Ok(()),
    }
}

/// A row of `grants`.
pub(super) fn read(row: &Row) -> Result<Grant, StoreError> {
    Ok(Grant {
        id: word(row, "id")?,
        request: word(row, "request_id")?,
        beneficiary: word(row, "beneficiary_id")?,
        target: word(row, "target")?,
        only: json(row, "narrowed_to")?,
        state: word(row, "state")?,
        created_at: time(row, "created_at")?,
        starts_at: time(row, "starts_at")?,
        activate_by: time(row, "activate_by")?,
        activated_at: time_or_none(row, "activated_at")?,
        anchor_at: time_or_none(row, "anchor_at")?,
        ends_at: time_or_none(row, "ends_at")?,
        last_credential_at: time_or_none(row, "last_credential_at")?,
        ended_at: time_or_none(row, "ended_at")?,
        cause: word_or_none(row, "cause")?,
        detail: raw(row, "detail")?,
        ended_by: word_or_none(row, "ended_by")?,
        kill: json_or_none(row, "kill")?,
        version: count(row, "version")?,
    })
}

/// One grant.
pub(super) async fn one(connection: &mut Connection, id: &GrantId) -> Result<Option<Grant>, StoreError> {
    let row = query("SELECT * FROM grants WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(connection)
        .await
        .map_err(meaning)?;
    row.as_ref().map(read).transpose()
}

/// The grant of a request.
pub(super) async fn of(connection: &mut Connection, request: &RequestId) -> Result<Option<Grant>, StoreError> {
    let row = query("SELECT * FROM grants WHERE request_id = $1")
        .bind(request.as_str())
        .fetch_optional(connection)
        .await
        .map_err(meaning)?;
    row.as_ref().map(read).transpose()
}
