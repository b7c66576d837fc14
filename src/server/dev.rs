//! `jit serve --dev`: the same code with local people, the small bundle and AWS as the environment has it.
//! Owns what is made on first start. Refuses anything but loopback.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{IssuerUrl, SealingKey};
use crate::domain::Duration;
use crate::policy::small;
use crate::random::Random;
use crate::server::StartError;
use crate::server::backend::Backend;
use crate::server::failure::Failure;
use crate::server::issuer::IssuerSettings;
use crate::server::provider::aws::AwsSettings;
use crate::server::service::sign_in::issue_code;
use crate::server::settings::{Admin, Quota, Settings};
use crate::server::store::{Sealing as _, SqliteStore};
use crate::wire::ServingPerson;

/// Local people: name, what they are.
pub const PEOPLE: &[(&str, &str)] = &[("alice", "engineer"), ("bob", "approves"), ("carol", "security")];

const SESSION_S: u32 = 12 * 3600;
const CODE_S: u32 = 600;

/// A data folder that this process holds alone.
#[derive(Debug)]
pub struct Data {
    /// Where.
    pub dir: PathBuf,
    /// Whether it was made just now.
    pub is_new: bool,
    _held: File,
}

impl Data {
    /// Takes `dir`, making it and the small bundle in it if need be.
    ///
    /// # Errors
    /// [`StartError::Folder`], [`StartError::InUse`].
    pub fn take(dir: &Path) -> Result<Self, StartError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error: io::Error| StartError::Folder { path, error }
        };
        let is_new = !dir.exists();
        DirBuilder::new()
            .mode(0o700)
            .recursive(true)
            .create(dir)
            .map_err(failed(dir))?;
        ours_alone(dir).map_err(failed(dir))?;
        let held = hold(&dir.join("lock"), dir)?;
        let policy = dir.join("policy");
        small_unless_there(&policy)?;
        Ok(Self {
            dir: dir.to_owned(),
            is_new,
            _held: held,
        })
    }

    /// The database file in it.
    pub fn database(&self) -> PathBuf {
        self.dir.join("jit.db")
    }
}

/// Whoever can write in the folder can put another policy in force, or another database in place.
fn ours_alone(dir: &Path) -> io::Result<()> {
    let mode = fs::metadata(dir)?.mode();
    if mode & 0o022 == 0 {
        return Ok(());
    }
    let why = format!(
        "others can write in it (mode {:o}): run  chmod go-w on it",
        mode & 0o777
    );
    Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
}

/// Keeps `lock` for this process alone, which holds `what` by it.
///
/// # Errors
/// [`StartError::InUse`], [`StartError::Folder`].
pub(super) fn hold(lock: &Path, what: &Path) -> Result<File, StartError> {
    let failed = |error| StartError::Folder {
        path: lock.to_owned(),
        error,
    };
    let held = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(lock)
        .map_err(failed)?;
    match held.try_lock() {
        Ok(()) => Ok(held),
        Err(TryLockError::WouldBlock) => Err(StartError::InUse { path: what.to_owned() }),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Writes the small bundle where there is no folder yet.
///
/// # Errors
/// [`StartError::Folder`].
pub(super) fn small_unless_there(policy: &Path) -> Result<(), StartError> {
    if policy.exists() {
        return Ok(());
    }
    write_small(policy).map_err(|error| StartError::Folder {
        path: policy.to_owned(),
        error,
    })
}

/// Writes the small bundle whole or not at all: a start that was killed in between begins anew.
fn write_small(policy: &Path) -> io::Result<()> {
    let half = policy.with_extension("new");
    if half.exists() {
        fs::remove_dir_all(&half)?;
    }
    for (path, text) in small::FILES {
        let path = half.join(path);
        if let Some(parent) = path.parent() {
            DirBuilder::new().mode(0o700).recursive(true).create(parent)?;
        }
        // whatever the umask: what others can write is not believed in production
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
    }
    fs::rename(half, policy)
}

/// The key in the folder, made on the first start.
async fn sealing_key(data: &Data) -> Result<Arc<SealingKey>, StartError> {
    let path = data.dir.join("sealing.key");
    if let Some(key) = SealingKey::read_file(&path)? {
        return Ok(Arc::new(key));
    }
    let database = data.database();
    if database.exists() {
        let check = SqliteStore::open(&database).await?.sealing_check().await?;
        if check.is_some_and(|check| check.sealed.is_some()) {
            return Err(StartError::SealingKey("is missing"));
        }
    }
    let key = SealingKey::new(Random::default().bytes());
    key.write_new_file(&path)?;
    Ok(Arc::new(key))
}

/// The settings of `--dev` for a listener at `address`.
///
/// # Errors
/// [`StartError`] for a sealing key that is refused or gone.
pub async fn settings(data: &Data, address: SocketAddr, aws: AwsSettings) -> Result<Settings, StartError> {
    let sealing_key = sealing_key(data).await?;
    Ok(Settings {
        dev: true,
        origin: format!("http://{address}"),
        hosts: loopback_hosts(address),
        tls: None,
        trusted_proxies: None,
        policy_dir: data.dir.join("policy"),
        policy_is_guarded: false,
        database: data.database(),
        aws,
        identity_center: Quota::default(),
        issuer: Some(IssuerSettings::new(IssuerUrl::loopback(address), sealing_key)),
        sign_in: Vec::new(),
        workload_issuers: Vec::new(),
        admins: vec![Admin::local("carol")],
        directories: Vec::new(),
        membership_age_s: 0,
        session_life: session_life(),
        // codes are for trying, and there is nobody to ask for another
        session_idle: session_life(),
        code_life: code_life(),
        new_devices_decide: true,
        shared_devices_decide: true,
    })
}

/// Every spelling of loopback: nobody else can make these names point elsewhere.
pub(super) fn loopback_hosts(address: SocketAddr) -> Vec<String> {
    let port = address.port();
    ["127.0.0.1", "localhost", "[::1]"]
        .map(|host| format!("{host}:{port}"))
        .into()
}

/// A session lives 12 hours.
pub(super) fn session_life() -> Duration {
    Duration::from_secs(SESSION_S).expect("a constant between one second and a year")
}

/// A one-time code lives 10 minutes.
pub(super) fn code_life() -> Duration {
    Duration::from_secs(CODE_S).expect("a constant between one second and a year")
}

/// A new code for each local person.
///
/// # Errors
/// What the store says.
pub async fn people(backend: &Backend) -> Result<Vec<ServingPerson>, Failure> {
    let mut people = Vec::new();
    for (name, role) in PEOPLE {
        let code = issue_code(backend, name).await?;
        people.push(ServingPerson {
            name: (*name).to_owned(),
            code,
            role: (*role).to_owned(),
        });
    }
    Ok(people)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn attack_25_folder_that_others_write_in_is_refused() {
        let dir = tempfile::TempDir::new().unwrap();
        for (mode, is_taken) in [(0o777, false), (0o770, false), (0o755, true)] {
            fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(Data::take(dir.path()).is_ok(), is_taken, "{mode:o}");
        }
    }
}
