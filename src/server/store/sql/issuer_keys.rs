//! Rows of the keys that we sign with as issuer.

use async_trait::async_trait;
use sqlx::query;

use super::super::dialect::{Connection, Failure, Row, meaning};
use super::super::sqlite::SqliteStore;
use super::super::{IssuerKeys, StoreError};
use super::read::{count, millis, number, raw, time, time_or_none, word};
use crate::domain::IssuerKey;

/// A key as it shall stand. What it is never changes; with its removal the private half goes. Of two that are made at
/// once under one number, the second conflicts.
pub(super) async fn write(connection: &mut Connection, key: &IssuerKey) -> Result<(), Failure> {
    let version = number(key.version);
    let written = if version == 1 {
        query(
            "INSERT INTO issuer_keys (id, number, issuer, x, y, sealed, made_at, published_at, retired_at, removed_at,
                version)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            ON CONFLICT (id) DO NOTHING",
        )
        .bind(key.id.as_str())
        .bind(number(key.number))
        .bind(key.issuer.as_str())
        .bind(key.x.as_str())
        .bind(key.y.as_str())
        .bind(key.sealed.as_deref())
        .bind(key.made_at.millis())
        .bind(millis(key.published_at))
        .bind(millis(key.retired_at))
        .bind(millis(key.removed_at))
        .bind(version)
    } else {
        query(
            "UPDATE issuer_keys SET published_at = $1, retired_at = $2, removed_at = $3,
                sealed = CASE WHEN CAST($3 AS BIGINT) IS NULL THEN sealed END, version = $4
            WHERE id = $5 AND version = $6",
        )
        .bind(millis(key.published_at))
        .bind(millis(key.retired_at))
        .bind(millis(key.removed_at))
        .bind(version)
        .bind(key.id.as_str())
        .bind(version.saturating_sub(1))
    };
    match (written.execute(connection).await?.rows_affected(), version) {
        (0, 1) => Err(StoreError::Duplicate.into()),
        (0, _) => Err(StoreError::Conflict.into()),
        _ => Ok(()),
    }
}

fn read(row: &Row) -> Result<IssuerKey, StoreError> {
    Ok(IssuerKey {
        id: word(row, "id")?,
        number: count(row, "number")?,
        issuer: raw(row, "issuer")?,
        x: raw(row, "x")?,
        y: raw(row, "y")?,
        sealed: raw(row, "sealed")?,
        made_at: time(row, "made_at")?,
        published_at: time_or_none(row, "published_at")?,
        retired_at: time_or_none(row, "retired_at")?,
        removed_at: time_or_none(row, "removed_at")?,
        version: count(row, "version")?,
    })
}

#[async_trait]
impl IssuerKeys for SqliteStore {
    async fn issuer_keys(&self) -> Result<Vec<IssuerKey>, StoreError> {
        let rows = query("SELECT * FROM issuer_keys ORDER BY number")
            .fetch_all(&self.readers)
            .await
            .map_err(meaning)?;
        rows.iter().map(read).collect()
    }
}
