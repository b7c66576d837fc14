//! Rows of people, devices, sessions and sign-in codes.

use async_trait::async_trait;
use sqlx::query;

use super::super::dialect::{Connection, Failure, Row, meaning};
use super::super::sqlite::SqliteStore;
use super::super::writer::Work;
use super::super::{People, StoreError};
use super::read::{count, json_or_none, millis, number, raw, time, time_or_none, to_json, word};
use crate::domain::{Device, DeviceId, Person, PersonId, Session, SessionId, SignInCode, Timestamp};

/// Sessions of a person that are not over.
pub(super) const LIVE_SESSIONS_OF: &str = "SELECT * FROM sessions
    WHERE person_id = $1 AND ended_at IS NULL AND expires_at > $2 ORDER BY created_at DESC, id DESC LIMIT $3";

/// Codes that nobody can use any more.
pub(super) const FORGET_CODES: &str = "DELETE FROM sign_in_codes WHERE expires_at < $1";

/// A person. Who is known already under the same (issuer, subject) came first.
pub(super) async fn write(connection: &mut Connection, person: &Person) -> Result<(), Failure> {
    let inserted = query(
        "INSERT INTO people (id, issuer, subject, name, since, workload) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (id) DO NOTHING",
    )
    .bind(person.id.as_str())
    .bind(person.issuer.as_str())
    .bind(person.subject.as_str())
    .bind(person.name.as_str())
    .bind(person.since.millis())
    .bind(person.workload.as_ref().map(to_json).transpose()?)
    .execute(connection)
    .await?;
    match inserted.rows_affected() {
        0 => Err(StoreError::Duplicate.into()),
        _ => Ok(()),
    }
}

/// A device as it shall stand. Enrolled as a new one again for the same person it stays as it is.
pub(super) async fn write_device(connection: &mut Connection, device: &Device) -> Result<(), Failure> {
    let version = number(device.version);
    if version != 1 {
        let updated = query(
            "UPDATE devices SET key_storage = $1, enrolled_at = $2, known_until = $3, version = $4
            WHERE id = $5 AND person_id = $6 AND version = $7",
        )
        .bind(device.key_storage.as_str())
        .bind(device.enrolled_at.millis())
        .bind(device.known_until.millis())
        .bind(version)
        .bind(device.id.as_str())
        .bind(device.person.as_str())
        .bind(version.saturating_sub(1));
        let rows = updated.execute(connection).await?.rows_affected();
        return written_once(rows, version);
    }
    query(
        "INSERT INTO devices (id, person_id, public_key, key_storage, enrolled_at, known_until, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (id, person_id) DO NOTHING",
    )
    .bind(device.id.as_str())
    .bind(device.person.as_str())
    .bind(device.public_key.as_str())
    .bind(device.key_storage.as_str())
    .bind(device.enrolled_at.millis())
    .bind(device.known_until.millis())
    .bind(version)
    .execute(connection)
    .await?;
    Ok(())
}

/// A session as it shall stand. Whose, on which device and since when never changes.
pub(super) async fn write_session(connection: &mut Connection, session: &Session) -> Result<(), Failure> {
    let version = number(session.version);
    let written = if version == 1 {
        query(
            "INSERT INTO sessions (id, token_hash, person_id, device_id, key_storage, method, created_at, expires_at,
                ended_at, mfa_at, version, id_token, used_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            ON CONFLICT (id) DO NOTHING",
        )
        .bind(session.id.as_str())
        .bind(session.token_hash.as_str())
        .bind(session.person.as_str())
        .bind(session.device.as_str())
        .bind(session.key_storage.as_str())
        .bind(session.method.as_str())
        .bind(session.created_at.millis())
        .bind(session.expires_at.millis())
        .bind(millis(session.ended_at))
        .bind(millis(session.mfa_at))
        .bind(version)
        .bind(session.id_token.as_deref())
        .bind(session.used_at.millis())
    } else {
        // a use that was noted meanwhile stays
        query(
            "UPDATE sessions SET expires_at = $1, ended_at = $2, mfa_at = $3,
                used_at = CASE WHEN used_at < $4 THEN $4 ELSE used_at END, version = $5
            WHERE id = $6 AND version = $7",
        )
        .bind(session.expires_at.millis())
        .bind(millis(session.ended_at))
        .bind(millis(session.mfa_at))
        .bind(session.used_at.millis())
        .bind(version)
        .bind(session.id.as_str())
        .bind(version.saturating_sub(1))
    };
    let rows = written.execute(connection).await?.rows_affected();
    written_once(rows, version)
}

/// That somebody used a session, where it was last used between these two. No version: it stands in nobody's way.
pub(in super::super) async fn note_use(
    connection: &mut Connection,
    session: &SessionId,
    at: Timestamp,
    (after, before): (Timestamp, Timestamp),
) -> Result<(), Failure> {
    query("UPDATE sessions SET used_at = $1 WHERE id = $2 AND used_at > $3 AND used_at < $4 AND ended_at IS NULL")
        .bind(at.millis())
        .bind(session.as_str())
        .bind(after.millis())
        .bind(before.millis())
        .execute(connection)
        .await?;
    Ok(())
}

/// Codes that were too old before `before` are gone.
pub(in super::super) async fn forget_codes(connection: &mut Connection, before: Timestamp) -> Result<(), Failure> {
    query(FORGET_CODES).bind(before.millis()).execute(connection).await?;
    Ok(())
}

/// A code as it shall stand. Whom it signs in never changes.
pub(super) async fn write_code(connection: &mut Connection, code: &SignInCode) -> Result<(), Failure> {
    let version = number(code.version);
    let written = if version == 1 {
        let bound = code.bound.as_deref();
        let unwritable = |error: serde_json::Error| StoreError::Unreadable(error.to_string());
        let text = bound.map(serde_json::to_string).transpose().map_err(unwritable)?;
        query(
            "INSERT INTO sign_in_codes (code_hash, person_id, expires_at, spent_at, bound, sign_in, tries, version)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (code_hash) DO NOTHING",
        )
        .bind(code.code_hash.as_str())
        .bind(code.person.as_str())
        .bind(code.expires_at.millis())
        .bind(millis(code.spent_at))
        .bind(text)
        .bind(bound.map(|bound| bound.sign_in.as_str()))
        .bind(i64::from(code.tries))
        .bind(version)
    } else {
        query("UPDATE sign_in_codes SET spent_at = $1, tries = $2, version = $3 WHERE code_hash = $4 AND version = $5")
            .bind(millis(code.spent_at))
            .bind(i64::from(code.tries))
            .bind(version)
            .bind(code.code_hash.as_str())
            .bind(version.saturating_sub(1))
    };
    let rows = written.execute(connection).await?.rows_affected();
    written_once(rows, version)
}

fn written_once(rows: u64, version: i64) -> Result<(), Failure> {
    match (rows, version) {
        (0, 1) => Err(StoreError::Duplicate.into()),
        (0, _) => Err(StoreError::Conflict.into()),
        _ => Ok(()),
    }
}

fn read(row: &Row) -> Result<Person, StoreError> {
    Ok(Person {
        id: word(row, "id")?,
        issuer: raw(row, "issuer")?,
        subject: raw(row, "subject")?,
        name: raw(row, "name")?,
        since: time(row, "since")?,
        workload: json_or_none(row, "workload")?,
    })
}

fn read_device(row: &Row) -> Result<Device, StoreError> {
    Ok(Device {
        id: word(row, "id")?,
        person: word(row, "person_id")?,
        public_key: raw(row, "public_key")?,
        key_storage: word(row, "key_storage")?,
        enrolled_at: time(row, "enrolled_at")?,
        known_until: time(row, "known_until")?,
        version: count(row, "version")?,
    })
}

fn read_session(row: &Row) -> Result<Session, StoreError> {
    Ok(Session {
        id: word(row, "id")?,
        token_hash: raw(row, "token_hash")?,
        person: word(row, "person_id")?,
        device: word(row, "device_id")?,
        key_storage: word(row, "key_storage")?,
        method: word(row, "method")?,
        mfa_at: time_or_none(row, "mfa_at")?,
        id_token: raw(row, "id_token")?,
        created_at: time(row, "created_at")?,
        used_at: time(row, "used_at")?,
        expires_at: time(row, "expires_at")?,
        ended_at: time_or_none(row, "ended_at")?,
        version: count(row, "version")?,
    })
}

fn read_code(row: &Row) -> Result<SignInCode, StoreError> {
    Ok(SignInCode {
        code_hash: raw(row, "code_hash")?,
        person: word(row, "person_id")?,
        expires_at: time(row, "expires_at")?,
        spent_at: time_or_none(row, "spent_at")?,
        bound: json_or_none(row, "bound")?,
        tries: count(row, "tries")?,
        version: count(row, "version")?,
    })
}

#[async_trait]
impl People for SqliteStore {
    async fn person(&self, id: &PersonId) -> Result<Option<Person>, StoreError> {
        let query = query("SELECT * FROM people WHERE id = $1").bind(id.as_str());
        let row = query.fetch_optional(&self.readers).await.map_err(meaning)?;
        row.as_ref().map(read).transpose()
    }

    async fn person_by_subject(&self, issuer: &str, subject: &str) -> Result<Option<Person>, StoreError> {
        let query = query("SELECT * FROM people WHERE issuer = $1 AND subject = $2")
            .bind(issuer)
            .bind(subject);
        let row = query.fetch_optional(&self.readers).await.map_err(meaning)?;
        row.as_ref().map(read).transpose()
    }

    async fn people_called(&self, name: &str, most: u32) -> Result<Vec<Person>, StoreError> {
        let query = query("SELECT * FROM people WHERE lower(name) = lower($1) ORDER BY since, id LIMIT $2")
            .bind(name)
            .bind(i64::from(most));
        let rows = query.fetch_all(&self.readers).await.map_err(meaning)?;
        rows.iter().map(read).collect()
    }

    async fn people_of_device(&self, device: &DeviceId) -> Result<Vec<PersonId>, StoreError> {
        let query = query("SELECT person_id FROM devices WHERE id = $1 ORDER BY person_id").bind(device.as_str());
        let rows = query.fetch_all(&self.readers).await.map_err(meaning)?;
        rows.iter().map(|row| word(row, "person_id")).collect()
    }

    async fn device(&self, device: &DeviceId, person: &PersonId) -> Result<Option<Device>, StoreError> {
        let query = query("SELECT * FROM devices WHERE id = $1 AND person_id = $2")
            .bind(device.as_str())
            .bind(person.as_str());
        let row = query.fetch_optional(&self.readers).await.map_err(meaning)?;
        row.as_ref().map(read_device).transpose()
    }

    async fn session_by_hash(&self, token_hash: &str) -> Result<Option<Session>, StoreError> {
        let query = query("SELECT * FROM sessions WHERE token_hash = $1").bind(token_hash);
        let row = query.fetch_optional(&self.readers).await.map_err(meaning)?;
        row.as_ref().map(read_session).transpose()
    }

    async fn session(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        let query = query("SELECT * FROM sessions WHERE id = $1").bind(id.as_str());
        let row = query.fetch_optional(&self.readers).await.map_err(meaning)?;
        row.as_ref().map(read_session).transpose()
    }

    async fn session_of_id_token(&self, id_token: &str) -> Result<Option<Session>, StoreError> {
        let query = query("SELECT * FROM sessions WHERE id_token = $1").bind(id_token);
        let row = query.fetch_optional(&self.readers).await.map_err(meaning)?;
        row.as_ref().map(read_session).transpose()
    }

    async fn has_shown_mfa(&self, person: &PersonId) -> Result<bool, StoreError> {
        let query = query("SELECT 1 FROM sessions WHERE person_id = $1 AND mfa_at IS NOT NULL LIMIT 1");
        let row = query.bind(person.as_str()).fetch_optional(&self.readers).await;
        Ok(row.map_err(meaning)?.is_some())
    }

    async fn note_use(
        &self,
        session: &SessionId,
        at: Timestamp,
        between: (Timestamp, Timestamp),
    ) -> Result<(), StoreError> {
        let session = session.clone();
        self.writer.run(Work::NoteUse { session, at, between }).await.map(drop)
    }

    async fn live_sessions(
        &self,
        person: Option<&PersonId>,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        let query = match person {
            Some(person) => query(LIVE_SESSIONS_OF).bind(person.as_str()),
            None => query(
                "SELECT * FROM sessions WHERE ended_at IS NULL AND expires_at > $1
                ORDER BY created_at DESC, id DESC LIMIT $2",
            ),
        };
        let query = query.bind(now.millis()).bind(i64::from(limit));
        let rows = query.fetch_all(&self.readers).await.map_err(meaning)?;
        rows.iter().map(read_session).collect()
    }

    async fn devices_of(&self, person: &PersonId) -> Result<Vec<Device>, StoreError> {
        let query = query("SELECT * FROM devices WHERE person_id = $1 ORDER BY enrolled_at, id").bind(person.as_str());
        let rows = query.fetch_all(&self.readers).await.map_err(meaning)?;
        rows.iter().map(read_device).collect()
    }

    async fn code_by_hash(&self, code_hash: &str) -> Result<Option<SignInCode>, StoreError> {
        let query = query("SELECT * FROM sign_in_codes WHERE code_hash = $1").bind(code_hash);
        let row = query.fetch_optional(&self.readers).await.map_err(meaning)?;
        row.as_ref().map(read_code).transpose()
    }

    async fn code_of_sign_in(&self, sign_in: &str) -> Result<Option<SignInCode>, StoreError> {
        let query = query("SELECT * FROM sign_in_codes WHERE sign_in = $1").bind(sign_in);
        let row = query.fetch_optional(&self.readers).await.map_err(meaning)?;
        row.as_ref().map(read_code).transpose()
    }

    async fn forget_codes(&self, before: Timestamp) -> Result<(), StoreError> {
        self.writer.run(Work::ForgetCodes(before)).await.map(drop)
    }

    async fn open_codes(&self, person: &PersonId, now: Timestamp) -> Result<Vec<SignInCode>, StoreError> {
        let query = query(
            "SELECT * FROM sign_in_codes WHERE person_id = $1 AND spent_at IS NULL AND expires_at > $2
            ORDER BY expires_at, code_hash",
        )
        .bind(person.as_str())
        .bind(now.millis());
        let rows = query.fetch_all(&self.readers).await.map_err(meaning)?;
        rows.iter().map(read_code).collect()
    }
}
