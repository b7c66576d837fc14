//! What differs between the databases: types, opening, the meaning of an error, the claim.
//! Owns SQLite's side of it. Refuses everything that the common subset of SQL can say.

use std::time::Duration;

use sqlx::error::ErrorKind;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use super::StoreError;

/// The database.
pub(super) type Db = sqlx::Sqlite;

/// One connection to it.
pub(super) type Connection = sqlx::SqliteConnection;

/// Several connections that read.
pub(super) type Pool = sqlx::SqlitePool;

/// One row of an answer.
pub(super) type Row = sqlx::sqlite::SqliteRow;

/// How long a connection waits for another process that writes (a backup, a second backend).
const BUSY: Duration = Duration::from_secs(5);

/// Begins a transaction that will write: taking the lock later could fail half-way.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";

/// Commits are on the disk when they are answered, and readers never wait for the writer.
pub(super) fn durable(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
}

/// The same for a connection that may not write.
pub(super) fn reading(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options.pragma("query_only", "ON")
}

/// Claims rows of one urgency that are due and free, and answers them. Where several writers claim at once
/// (PostgreSQL), the inner query skips what another has locked.
pub(super) const CLAIM: &str = "UPDATE outbox SET claimed_by = $1, claimed_until = $2 WHERE id IN (
    SELECT id FROM outbox
    WHERE urgency = $3 AND due_at <= $4 AND (claimed_until IS NULL OR claimed_until <= $4)
    ORDER BY due_at, id LIMIT $5
) RETURNING id, kind, request_id, grant_id, scope, attempts, due_at";

/// What `error` means for who asked. A broken unique index is a race that somebody else won.
pub(super) fn meaning(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(error) => match error.kind() {
            ErrorKind::UniqueViolation => StoreError::Conflict,
            ErrorKind::ForeignKeyViolation => StoreError::Unreadable("a row names what is not there".to_owned()),
            ErrorKind::NotNullViolation | ErrorKind::CheckViolation | ErrorKind::ExclusionViolation => {
                StoreError::Unreadable(error.to_string())
            }
            _ if is_no_database(error.code().as_deref()) => StoreError::Unreadable(error.to_string()),
            _ => StoreError::Unavailable(error.to_string()),
        },
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::ColumnIndexOutOfBounds { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::TypeNotFound { .. } => StoreError::Unreadable(error.to_string()),
        other => StoreError::Unavailable(other.to_string()),
    }
}

/// SQLITE_CORRUPT and SQLITE_NOTADB, whatever their extended code: <https://sqlite.org/rescode.html>.
fn is_no_database(code: Option<&str>) -> bool {
    let primary = code.and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff);
    matches!(primary, Some(11 | 26))
}

/// Why a piece of work was not done.
#[derive(Debug)]
pub(super) enum Failure {
    /// It alone is at fault; what else is in the transaction goes on.
    Refused(StoreError),
    /// The database takes no writes: SQLite may have rolled the whole transaction back by itself.
    Broken(sqlx::Error),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) if error.kind() != ErrorKind::Other => {
                Self::Refused(meaning(sqlx::Error::Database(error)))
            }
            other => Self::Broken(other),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}
