//! Rows of memberships.

use async_trait::async_trait;
use sqlx::query;

use super::super::dialect::{Connection, Failure, Row, meaning};
use super::super::sqlite::SqliteStore;
use super::super::writer::Work;
use super::super::{Memberships, StoreError};
use super::read::{count, json, millis, number, raw, time, time_or_none, to_json, word, word_or_none};
use crate::domain::{GrantId, Membership, Timestamp};

/// A page of those in use.
pub(super) const IN_USE: &str = "SELECT * FROM memberships WHERE in_use = 1 AND name > $1 ORDER BY name LIMIT $2";

/// A page of those that are somebody else's. '0' comes right after the '/' that a place ends with.
pub(super) const FOREIGN: &str = "SELECT * FROM memberships
    WHERE name > $1 AND name < $2 AND state = 'foreign' ORDER BY name LIMIT $3";

/// When it was looked last.
pub(super) const LOOKED_AT: &str = "SELECT looked_at FROM places WHERE name = $1";

/// It was looked at `at`.
pub(in super::super) async fn note_looked(
    connection: &mut Connection,
    place: &str,
    at: Timestamp,
) -> Result<(), Failure> {
    query("INSERT INTO places (name, looked_at) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET looked_at = $2")
        .bind(place)
        .bind(at.millis())
        .execute(connection)
        .await?;
    Ok(())
}

/// A membership as it shall stand. Of two that come to be at once under one name the second conflicts: it has to see the
/// first.
pub(super) async fn write(connection: &mut Connection, membership: &Membership) -> Result<(), Failure> {
    let version = number(membership.version);
    let in_use = membership.state.may_be_there() || !membership.leases.is_empty();
    let leases = to_json(&membership.leases)?;
    let written = if version == 1 {
        query(
            "INSERT INTO memberships (name, binding, provider_user, state, pre_existing, leases, in_use, busy_until, busy_by,
                since, version)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            ON CONFLICT (name) DO NOTHING",
        )
        .bind(membership.name.as_str())
        .bind(to_json(&membership.binding)?)
        .bind(membership.user.as_str())
        .bind(membership.state.as_str())
        .bind(i64::from(membership.pre_existing))
        .bind(leases)
        .bind(i64::from(in_use))
        .bind(millis(membership.busy_until))
        .bind(membership.busy_by.as_ref().map(GrantId::as_str))
        .bind(membership.since.millis())
        .bind(version)
    } else {
        query(
            "UPDATE memberships SET state = $1, pre_existing = $2, leases = $3, in_use = $4, busy_until = $5, busy_by = $6,
                since = $7, version = $8
            WHERE name = $9 AND version = $10",
        )
        .bind(membership.state.as_str())
        .bind(i64::from(membership.pre_existing))
        .bind(leases)
        .bind(i64::from(in_use))
        .bind(millis(membership.busy_until))
        .bind(membership.busy_by.as_ref().map(GrantId::as_str))
        .bind(membership.since.millis())
        .bind(version)
        .bind(membership.name.as_str())
        .bind(version.saturating_sub(1))
    };
    match written.execute(connection).await?.rows_affected() {
        0 => Err(StoreError::Conflict.into()),
        _ => Ok(()),
    }
}

/// The one of this name.
pub(super) async fn one(connection: &mut Connection, name: &str) -> Result<Option<Membership>, StoreError> {
    let row = query("SELECT * FROM memberships WHERE name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await
        .map_err(meaning)?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Membership, StoreError> {
    let pre_existing: i64 = raw(row, "pre_existing")?;
    Ok(Membership {
        name: raw(row, "name")?,
        binding: json(row, "binding")?,
        user: raw(row, "provider_user")?,
        state: word(row, "state")?,
        pre_existing: pre_existing != 0,
        leases: json(row, "leases")?,
        busy_until: time_or_none(row, "busy_until")?,
        busy_by: word_or_none(row, "busy_by")?,
        since: time(row, "since")?,
        version: count(row, "version")?,
    })
}

#[async_trait]
impl Memberships for SqliteStore {
    async fn membership(&self, name: &str) -> Result<Option<Membership>, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(meaning)?;
        one(&mut connection, name).await
    }

    async fn memberships(&self, after: Option<&str>, limit: u32) -> Result<Vec<Membership>, StoreError> {
        let rows = query(IN_USE)
            .bind(after.unwrap_or_default())
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await
            .map_err(meaning)?;
        rows.iter().map(read).collect()
    }

    async fn foreign(&self, place: &str, after: Option<&str>, limit: u32) -> Result<Vec<Membership>, StoreError> {
        let rows = query(FOREIGN)
            .bind(after.unwrap_or(place))
            .bind(format!("{}0", place.strip_suffix('/').unwrap_or(place)))
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await
            .map_err(meaning)?;
        rows.iter().map(read).collect()
    }

    async fn looked_at(&self, place: &str) -> Result<Option<Timestamp>, StoreError> {
        let row = query(LOOKED_AT)
            .bind(place)
            .fetch_optional(&self.readers)
            .await
            .map_err(meaning)?;
        row.map(|row| time(&row, "looked_at")).transpose()
    }

    async fn note_looked(&self, place: &str, at: Timestamp) -> Result<(), StoreError> {
        let place = place.to_owned();
        self.writer.run(Work::Looked { place, at }).await.map(drop)
    }
}
