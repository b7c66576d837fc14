//! Writing and removing: a new file, flushed, then moved into place, so that a reader sees all or nothing.
//! Owns creation of the folders (0700) and files (0600). Refuses folders that were not made so.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::cache::{Cache, Slot};
use crate::entry::Entry;
use crate::guard;
use crate::lock::{LOCK, is_held};
use crate::names::Account;
use crate::problem::Problem;

/// Ending of the remembered failure.
pub(crate) const FAILED: &str = ".failed";
/// Middle of the name of a file that is being written.
const NEW: &str = ".new.";

/// A temporary file this much older than a finished one was left by a process that died, in seconds.
const LEFT_BEHIND_S: i64 = 60;

static COUNTER: AtomicU64 = AtomicU64::new(0);

impl Cache {
    /// Writes a credential in the place of whatever the target had, and forgets its failure.
    ///
    /// A target has one file: a narrowed credential replaces a full one and the other way round, so look
    /// at `Facts::reach` and `Facts::grant` of what `read` gives before.
    ///
    /// # Errors
    /// A refusal, or what the system said (a full disk, a read-only home): the credential itself is good.
    pub fn write(&self, account: &Account, target: &str, entry: &Entry) -> Result<(), Problem> {
        let slot = self.slot_made(account, target)?;
        place(&slot.file(), &entry.to_bytes(&slot.whose))?;
        gone(&slot.beside(FAILED))?;
        sweep(&slot)
    }

    /// Removes a target's credential, its failure and what a dead writer left of it. Done when nothing
    /// is there. Hold the target's lock, or a refresh that is under way writes it again.
    ///
    /// # Errors
    /// A refusal, or what the system said.
    pub fn remove(&self, account: &Account, target: &str) -> Result<(), Problem> {
        let slot = match self.slot(account, target) {
            Err(Problem::Absent) => return Ok(()),
            slot => slot?,
        };
        gone(&slot.file())?;
        gone(&slot.beside(FAILED))?;
        let started = format!("{}{NEW}", slot.name());
        for name in self.names(account)?.iter().filter(|name| name.starts_with(&started)) {
            gone(&slot.folder.join(name))?;
        }
        flush(&slot.folder)
    }

    /// Removes everything of an account, as `jit logout` does; locks that nobody holds go too.
    ///
    /// # Errors
    /// A refusal, or what the system said.
    pub fn remove_all(&self, account: &Account) -> Result<(), Problem> {
        let folder = self.folder(account);
        for name in self.names(account)? {
            let path = folder.join(&name);
            if !name.ends_with(LOCK) || !is_held(&path) {
                gone(&path)?;
            }
        }
        match fs::remove_dir(&folder) {
            // Not empty: a lock is held.
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// The slot of a target, in folders that are made where they are missing.
    pub(crate) fn slot_made(&self, account: &Account, target: &str) -> Result<Slot, Problem> {
        match self.slot(account, target) {
            Err(Problem::Absent) => {}
            slot => return slot,
        }
        self.make_root()?;
        let mut path = self.root().to_owned();
        for name in account.folder().split('/') {
            path.push(name);
            make(&path, false)?;
        }
        self.slot(account, target)
    }

    pub(crate) fn make_root(&self) -> Result<(), Problem> {
        make(self.root(), true)?;
        guard::root(self.root())
    }
}

/// Makes a folder 0700; fine where it exists.
pub(crate) fn make(path: &Path, parents: bool) -> Result<(), Problem> {
    match DirBuilder::new().mode(0o700).recursive(parents).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map_err(|error| Problem::io(path, error)),
    }
}

/// Puts a file in place: new name, flush, rename, flush the folder.
pub(crate) fn place(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let mut new = path.as_os_str().to_owned();
    new.push(format!(
        "{NEW}{}.{}",
        process::id(),
        COUNTER.fetch_add(1, Ordering::Relaxed)
    ));
    let new = Path::new(&new);
    let written = guard::careful()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(new)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(new, path));
    if let Err(error) = written {
        // The first error is the one to tell; a left-over is swept by the next writer.
        let _ = fs::remove_file(new);
        return Err(Problem::io(path, error));
    }
    flush(path.parent().unwrap_or(path))
}

/// Removes a file; fine where there is none. A link goes, never what it points to.
pub(crate) fn gone(path: &Path) -> Result<(), Problem> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Problem::io(path, error)),
        _ => Ok(()),
    }
}

fn flush(folder: &Path) -> Result<(), Problem> {
    File::open(folder)
        .and_then(|file| file.sync_all())
        .map_err(|error| Problem::io(folder, error))
}

/// Takes away what writers of this target left when they died. Compares files with each other, not with
/// a clock.
fn sweep(slot: &Slot) -> Result<(), Problem> {
    let failed = |error| Problem::io(&slot.folder, error);
    let age = |path: &Path| fs::symlink_metadata(path).map(|metadata| metadata.mtime());
    let newest = age(&slot.file()).map_err(failed)?;
    let started = format!("{}{NEW}", slot.name());
    for file in fs::read_dir(&slot.folder).map_err(failed)?.flatten() {
        let ours = file.file_name().to_str().is_some_and(|name| name.starts_with(&started));
        if ours && age(&file.path()).is_ok_and(|at| at < newest - LEFT_BEHIND_S) {
            gone(&file.path())?;
        }
    }
    Ok(())
}
