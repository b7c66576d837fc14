//! The store on SQLite: a pool that reads and one task that writes.
//! Owns opening, the file's mode and the schema's version. Refuses a file from a newer version.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{ConnectOptions as _, Connection as _};

use super::StoreError;
use super::dialect::{Connection, Pool, durable, meaning, reading};
use super::migrations::{migrator, newest};
use super::writer::Writer;

/// Connections that read. They never wait for the writer.
const READERS: u32 = 4;

/// State in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    pub(super) readers: Pool,
    pub(super) writer: Writer,
}

impl SqliteStore {
    /// Opens the file at `path`, made where it is missing (mode 0600, its folder 0700), brings its schema up to this
    /// version and frees what a killed process had claimed or was calling about. The caller holds the folder alone. Belongs into a tokio runtime: the writer is a task of it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the file cannot be written, [`StoreError::Unreadable`] where it is no
    /// database of ours or comes from a newer version.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        make_private(path).map_err(|error| StoreError::Unavailable(format!("{}: {error}", path.display())))?;
        Self::start(durable(SqliteConnectOptions::new().filename(path))).await
    }

    /// Opens the file at `path` beside a backend that may be running: nothing is made, brought up to date or freed.
    /// Commits of both go through one lock of the database, so the evidence stays without gaps.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where there is no file, [`StoreError::Unreadable`] for the schema of another version.
    pub async fn open_beside(path: &Path) -> Result<Self, StoreError> {
        if !path.is_file() {
            return Err(StoreError::Unavailable("there is no such file".to_owned()));
        }
        let options = durable(SqliteConnectOptions::new().filename(path)).create_if_missing(false);
        let mut connection = options.connect().await.map_err(meaning)?;
        is_current(&mut connection).await?;
        connection.close().await.map_err(meaning)?;
        Ok(Self::on(options))
    }

    fn on(options: SqliteConnectOptions) -> Self {
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_lazy_with(reading(options.clone()));
        let writer = Writer::start(options);
        Self { readers, writer }
    }

    /// Opens what `options` say.
    pub(super) async fn start(options: SqliteConnectOptions) -> Result<Self, StoreError> {
        let mut connection = options.connect().await.map_err(meaning)?;
        migrator().run(&mut connection).await.map_err(migration_failed)?;
        take_over(&mut connection).await?;
        connection.close().await.map_err(meaning)?;
        Ok(Self::on(options))
    }
}

/// Refuses a schema that is not exactly this version's: whoever works beside a backend changes none.
async fn is_current(connection: &mut Connection) -> Result<(), StoreError> {
    let row = sqlx::query("SELECT MAX(version) AS version FROM _sqlx_migrations WHERE success = 1")
        .fetch_one(connection)
        .await
        .map_err(|error| StoreError::Unreadable(format!("it has no schema of ours: {error}")))?;
    let version: Option<i64> = sqlx::Row::try_get(&row, "version").map_err(meaning)?;
    match version {
        Some(version) if version == newest() => Ok(()),
        _ => Err(StoreError::Unreadable(format!(
            "its schema (version {}) is not this jit's ({}): use the jit of the backend, or start the backend once",
            version.unwrap_or(0),
            newest()
        ))),
    }
}

/// What a process that died left to be waited for: rows of its own, and how they are freed.
const LEFT: [(&str, &str); 2] = [
    (
        "SELECT id FROM outbox WHERE claimed_by IS NOT NULL LIMIT 1",
        "UPDATE outbox SET claimed_by = NULL, claimed_until = NULL WHERE claimed_by IS NOT NULL",
    ),
    (
        "SELECT name FROM memberships WHERE busy_until IS NOT NULL LIMIT 1",
        "UPDATE memberships SET busy_until = NULL WHERE busy_until IS NOT NULL",
    ),
];

/// One process at a time holds the file, so whoever claimed work before is gone, and its calls broke off with it: a start
/// need not wait for either to lapse, or a killed backend would leave access standing past its end. What such a call began
/// goes on by itself; whoever takes away asks for it first.
async fn take_over(connection: &mut Connection) -> Result<(), StoreError> {
    for (left, free) in LEFT {
        let left = sqlx::query(left).fetch_optional(&mut *connection).await;
        if left.map_err(meaning)?.is_some() {
            sqlx::query(free).execute(&mut *connection).await.map_err(meaning)?;
        }
    }
    Ok(())
}

/// Makes folder and file before SQLite does, which asks the umask. The log beside it takes the file's mode.
fn make_private(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(())
}

fn migration_failed(error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(version) | MigrateError::VersionTooNew(version, _) => {
            StoreError::Unreadable(format!(
                "its schema (version {version}) is newer than this jit; start the jit that wrote it, or a newer one"
            ))
        }
        MigrateError::VersionMismatch(version) => StoreError::Unreadable(format!(
            "its schema differs from this jit's in version {version}; start the jit that wrote it"
        )),
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => meaning(error),
        other => StoreError::Unavailable(other.to_string()),
    }
}

#[cfg(test)]
mod faults;
