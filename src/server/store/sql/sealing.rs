//! The check value of the sealing key.

use async_trait::async_trait;
use sqlx::query;

use super::super::dialect::{Connection, Failure, meaning};
use super::super::sqlite::SqliteStore;
use super::super::{Sealing, StoreError};
use super::read::{count, number, raw, time};
use crate::domain::SealingCheck;

/// The check as it shall stand.
pub(super) async fn write(connection: &mut Connection, check: &SealingCheck) -> Result<(), Failure> {
    let version = number(check.version);
    let written = if version == 1 {
        query(
            "INSERT INTO sealing_check (id, sealed, set_at, version) VALUES (1, $1, $2, $3)
            ON CONFLICT (id) DO NOTHING",
        )
        .bind(check.sealed.as_deref())
        .bind(check.at.millis())
        .bind(version)
    } else {
        query("UPDATE sealing_check SET sealed = $1, set_at = $2, version = $3 WHERE version = $4")
            .bind(check.sealed.as_deref())
            .bind(check.at.millis())
            .bind(version)
            .bind(version.saturating_sub(1))
    };
    match written.execute(connection).await?.rows_affected() {
        0 => Err(StoreError::Conflict.into()),
        _ => Ok(()),
    }
}

#[async_trait]
impl Sealing for SqliteStore {
    async fn sealing_check(&self) -> Result<Option<SealingCheck>, StoreError> {
        let row = query("SELECT sealed, set_at, version FROM sealing_check")
            .fetch_optional(&self.readers)
            .await
            .map_err(meaning)?;
        row.map(|row| {
            Ok(SealingCheck {
                sealed: raw(&row, "sealed")?,
                at: time(&row, "set_at")?,
                version: count(&row, "version")?,
            })
        })
        .transpose()
    }
}
