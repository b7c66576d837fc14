//! The evidence: appended with the change it is about, read in order. And the bundles that it names.

use async_trait::async_trait;
use sqlx::query;

use super::super::dialect::{Connection, Failure, Row, meaning};
use super::super::seal::{SALT_BYTES, seal};
use super::super::sqlite::SqliteStore;
use super::super::writer::Work;
use super::super::{Audit, Evidence, StoreError};
use super::read::{count, number, raw, time, word_or_none};
use crate::domain::{AuditEvent, RequestId, Timestamp};

/// The last number given out, known within one transaction of the only writer: so there are no gaps.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Log(u64);

impl Log {
    /// Reads the last number.
    pub(in super::super) async fn open(connection: &mut Connection) -> Result<Self, sqlx::Error> {
        let row = query("SELECT COALESCE(MAX(seq), 0) AS seq FROM audit_events")
            .fetch_one(connection)
            .await?;
        let last: i64 = sqlx::Row::try_get(&row, "seq")?;
        Ok(Self(last.unsigned_abs()))
    }

    /// Appends `event` under `salt`.
    pub(super) async fn append(
        &mut self,
        connection: &mut Connection,
        event: &AuditEvent,
        salt: &[u8; SALT_BYTES],
    ) -> Result<(), Failure> {
        let sealed = seal(self.0 + 1, event, salt);
        let line = sealed.line;
        query(
            "INSERT INTO audit_events (seq, ts, type, actor, request, bundle_hash, payload_hash, leaf_hash)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(number(line.seq))
        .bind(line.at.millis())
        .bind(line.kind)
        .bind(line.actor)
        .bind(line.request.as_ref().map(RequestId::as_str))
        .bind(line.bundle_hash)
        .bind(line.payload_hash)
        .bind(line.leaf_hash)
        .execute(&mut *connection)
        .await?;
        query("INSERT INTO audit_payloads (seq, salt, payload) VALUES ($1, $2, $3)")
            .bind(number(line.seq))
            .bind(line.salt)
            .bind(sealed.payload)
            .execute(connection)
            .await?;
        self.0 = line.seq;
        Ok(())
    }
}

/// The words stand in it: only so the index that holds nothing else is used.
pub(super) const TOLD: &str = "SELECT e.seq, e.ts, e.type, e.actor, e.request, e.bundle_hash, e.payload_hash,
    e.leaf_hash, p.salt, p.payload
FROM audit_events AS e LEFT JOIN audit_payloads AS p ON p.seq = e.seq
WHERE e.type IN ('drift.found', 'account.left', 'account.refused') ORDER BY e.seq";

fn read(row: &Row) -> Result<Evidence, StoreError> {
    let payload: Option<&str> = raw(row, "payload")?;
    let payload = payload
        .map(serde_json::from_str)
        .transpose()
        .map_err(|error| StoreError::Unreadable(format!("column payload: {error}")))?;
    Ok(Evidence {
        seq: count(row, "seq")?,
        at: time(row, "ts")?,
        kind: raw(row, "type")?,
        actor: raw(row, "actor")?,
        request: word_or_none(row, "request")?,
        bundle_hash: raw(row, "bundle_hash")?,
        payload_hash: raw(row, "payload_hash")?,
        leaf_hash: raw(row, "leaf_hash")?,
        salt: raw(row, "salt")?,
        payload,
    })
}

/// Keeps a bundle.
pub(in super::super) async fn keep_bundle(
    connection: &mut Connection,
    hash: &str,
    files: &str,
    at: Timestamp,
) -> Result<(), Failure> {
    query("INSERT INTO bundles (hash, files, kept_at) VALUES ($1, $2, $3) ON CONFLICT (hash) DO NOTHING")
        .bind(hash)
        .bind(files)
        .bind(at.millis())
        .execute(connection)
        .await?;
    Ok(())
}

#[async_trait]
impl Audit for SqliteStore {
    async fn evidence(&self, after: u64, limit: u32) -> Result<Vec<Evidence>, StoreError> {
        let rows = query(
            "SELECT e.seq, e.ts, e.type, e.actor, e.request, e.bundle_hash, e.payload_hash, e.leaf_hash,
                p.salt, p.payload
            FROM audit_events AS e LEFT JOIN audit_payloads AS p ON p.seq = e.seq
            WHERE e.seq > $1 ORDER BY e.seq LIMIT $2",
        )
        .bind(number(after))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(meaning)?;
        rows.iter().map(read).collect()
    }

    async fn told(&self) -> Result<Vec<Evidence>, StoreError> {
        let rows = query(TOLD).fetch_all(&self.readers).await.map_err(meaning)?;
        rows.iter().map(read).collect()
    }

    async fn newest_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let row = query("SELECT ts FROM audit_events ORDER BY seq DESC LIMIT 1")
            .fetch_optional(&self.readers)
            .await
            .map_err(meaning)?;
        row.map(|row| raw(&row, "ts").map(Timestamp::from_millis)).transpose()
    }

    async fn keep_bundle(&self, hash: &str, files: &str, at: Timestamp) -> Result<(), StoreError> {
        let (hash, files) = (hash.to_owned(), files.to_owned());
        self.writer.run(Work::KeepBundle { hash, files, at }).await.map(drop)
    }

    async fn bundle_in_force(&self) -> Result<Option<String>, StoreError> {
        let row = query(
            "SELECT b.files FROM audit_events AS e JOIN bundles AS b ON b.hash = e.bundle_hash
            WHERE e.type = $1 ORDER BY e.seq DESC LIMIT 1",
        )
        .bind("policy.loaded")
        .fetch_optional(&self.readers)
        .await
        .map_err(meaning)?;
        row.map(|row| raw(&row, "files")).transpose()
    }

    async fn bundle(&self, hash: &str) -> Result<Option<String>, StoreError> {
        let row = query("SELECT files FROM bundles WHERE hash = $1")
            .bind(hash)
            .fetch_optional(&self.readers)
            .await
            .map_err(meaning)?;
        row.map(|row| raw(&row, "files")).transpose()
    }
}
