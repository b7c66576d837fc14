//! The lock under which a target's credential is fetched: one process asks, the others find its answer.
//! Owns the limit. Refuses to wait without one; past it the backend still merges who asks together.

use std::fs::{File, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::cache::Cache;
use crate::guard;
use crate::names::Account;
use crate::problem::Problem;

/// Ending of the file that is locked.
pub(crate) const LOCK: &str = ".lock";

/// A held lock; given back when dropped, or by the system when the process ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a child that was forked a moment ago may still hold the same file open.
        let _ = self.file.unlock();
    }
}

impl Cache {
    /// Takes a target's lock, or `None` when `limit` passes first. Whoever gets it after waiting reads the
    /// cache (and the remembered failure) again: somebody else has most likely fetched in the meantime.
    ///
    /// # Errors
    /// A refusal, or what the system said (a read-only home): going on without the lock is safe.
    pub fn lock(&self, account: &Account, target: &str, limit: Duration) -> Result<Option<Lock>, Problem> {
        let path = self.slot_made(account, target)?.beside(LOCK);
        let file = guard::careful()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| guard::opening(&path, error))?;
        guard::check(&path, &file)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { file })),
            Err(TryLockError::WouldBlock) => waited(&path, file, limit),
            Err(TryLockError::Error(error)) => Err(Problem::io(&path, error)),
        }
    }
}

/// Waits on a thread of its own, so that hundreds can wait without asking again and again. A thread that
/// outlives the limit finds nobody to hand the lock to and gives it back.
fn waited(path: &Path, file: File, limit: Duration) -> Result<Option<Lock>, Problem> {
    let (hand_over, taken) = mpsc::sync_channel(0);
    let waiting = move || {
        let locked = file.lock().map(|()| Lock { file });
        // Nobody waits any more: the lock is dropped here.
        let _ = hand_over.send(locked);
    };
    thread::Builder::new()
        .spawn(waiting)
        .map_err(|error| Problem::io(path, error))?;
    match taken.recv_timeout(limit) {
        Ok(locked) => locked.map(Some).map_err(|error| Problem::io(path, error)),
        Err(_) => Ok(None),
    }
}

/// Whether somebody holds the lock of this file now.
pub(crate) fn is_held(path: &Path) -> bool {
    let Ok((file, _)) = guard::open(path) else { return false };
    match file.try_lock() {
        Ok(()) => {
            drop(Lock { file });
            false
        }
        Err(_) => true,
    }
}
