//! Files of the state folder: read checked, written by rename, under one lock.
//! Refuses links, other owners, and anything that others may read or write: exit 3 with the mend.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

use crate::error::{Error, Result};

/// No state file of ours is larger, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// The lock of all files here.
const LOCK: &str = "lock";
/// Between two looks at a lock that somebody holds.
const PAUSE: Duration = Duration::from_millis(10);

/// The state folder of one person on one machine.
#[derive(Clone, Debug)]
pub(super) struct StateFolder(PathBuf);

/// Held while a file is read, changed and written again.
pub(super) struct StateLock {
    _file: File,
}

/// Held while a call goes on that only one process may make.
pub(super) struct NamedLock {
    _file: File,
}

impl StateFolder {
    pub(super) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// A file's bytes; `None` where it, or the folder, is missing.
    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        if !self.is_there()? {
            return Ok(None);
        }
        let path = self.0.join(name);
        let file = match careful().read(true).open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(|error| opening(&path, &error))?,
        };
        let metadata = check(&path, &file)?;
        if metadata.len() > LARGEST {
            return Err(damaged(&path));
        }
        let mut bytes = Vec::new();
        file.take(LARGEST)
            .read_to_end(&mut bytes)
            .map_err(|error| system(&path, &error))?;
        Ok(Some(bytes))
    }

    /// Puts a file in place: new name, flush, rename. Hold the lock.
    pub(super) fn write(&self, name: &str, bytes: &[u8], held: &StateLock) -> Result<()> {
        self.written(name, bytes, held, File::sync_all)
    }

    /// The same for what may be lost: without the flush, which takes longer than a call.
    pub(super) fn write_unflushed(&self, name: &str, bytes: &[u8], held: &StateLock) -> Result<()> {
        self.written(name, bytes, held, |_| Ok(()))
    }

    fn written(
        &self,
        name: &str,
        bytes: &[u8],
        _held: &StateLock,
        flush: impl Fn(&File) -> io::Result<()>,
    ) -> Result<()> {
        let path = self.0.join(name);
        let new = self.0.join(format!(".{name}.new"));
        let written = remove(&new)
            .and_then(|()| careful().write(true).create_new(true).mode(0o600).open(&new))
            .and_then(|mut file| file.write_all(bytes).and_then(|()| flush(&file)))
            .and_then(|()| fs::rename(&new, &path))
            .and_then(|()| flush(&File::open(&self.0)?));
        written.map_err(|error| {
            // the first error is the one to tell
            let _ = fs::remove_file(&new);
            system(&path, &error)
        })
    }

    /// Waits for the lock; whoever holds it does so for one small file.
    pub(super) fn lock(&self) -> Result<StateLock> {
        let (path, file) = self.lock_file(LOCK)?;
        file.lock().map_err(|error| system(&path, &error))?;
        Ok(StateLock { _file: file })
    }

    /// The lock if nobody holds it.
    pub(super) fn try_lock(&self) -> Result<Option<StateLock>> {
        let (_, file) = self.lock_file(LOCK)?;
        Ok(file.try_lock().is_ok().then_some(StateLock { _file: file }))
    }

    /// A lock of its own for work that takes longer than a small file does; `None` when `limit` passes first.
    pub(super) fn lock_within(&self, name: &str, limit: Duration) -> Result<Option<NamedLock>> {
        let (_, file) = self.lock_file(name)?;
        let begun = Instant::now();
        loop {
            if file.try_lock().is_ok() {
                return Ok(Some(NamedLock { _file: file }));
            }
            if begun.elapsed() >= limit {
                return Ok(None);
            }
            std::thread::park_timeout(PAUSE);
        }
    }

    fn lock_file(&self, name: &str) -> Result<(PathBuf, File)> {
        self.make()?;
        let path = self.0.join(name);
        let file = careful()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| opening(&path, &error))?;
        check(&path, &file)?;
        Ok((path, file))
    }

    fn make(&self) -> Result<()> {
        if !self.is_there()? {
            match DirBuilder::new().mode(0o700).recursive(true).create(&self.0) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(system(&self.0, &error)),
                _ => {}
            }
            self.is_there()?;
        }
        Ok(())
    }

    /// Whether the folder exists; an error where it is not one that only we can enter.
    fn is_there(&self) -> Result<bool> {
        let metadata = match fs::symlink_metadata(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            read => read.map_err(|error| system(&self.0, &error))?,
        };
        if !metadata.is_dir() {
            return Err(refused(&self.0, "is no folder").try_(format!("rm {}", quoted(&self.0))));
        }
        owner(&self.0, &metadata)?;
        match metadata.permissions().mode() & 0o077 {
            0 => Ok(true),
            _ => Err(refused(&self.0, "is open to others").try_(format!("chmod 700 {}", quoted(&self.0)))),
        }
    }
}

/// Stops at a link, and does not wait for the other end of a pipe.
fn careful() -> OpenOptions {
    let mut options = OpenOptions::new();
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    options.custom_flags(flags.bits().cast_signed());
    options
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn check(path: &Path, file: &File) -> Result<Metadata> {
    let metadata = file.metadata().map_err(|error| system(path, &error))?;
    if !metadata.is_file() {
        return Err(refused(path, "is no regular file").try_(format!("rm -r {}", quoted(path))));
    }
    owner(path, &metadata)?;
    match metadata.permissions().mode() & 0o077 {
        0 => Ok(metadata),
        _ => Err(refused(path, "is open to others").try_(format!("chmod 600 {}", quoted(path)))),
    }
}

fn owner(path: &Path, metadata: &Metadata) -> Result<()> {
    if metadata.uid() == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    let what = format!("belongs to uid {}, not to you", metadata.uid());
    Err(refused(path, &what).try_("export JIT_STATE_DIR=\"$HOME/.jit-state\""))
}

fn opening(path: &Path, error: &io::Error) -> Error {
    if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
        return refused(path, "is a symbolic link").try_(format!("rm {}", quoted(path)));
    }
    match error.kind() {
        ErrorKind::PermissionDenied => refused(path, "cannot be read").try_(format!("chmod 600 {}", quoted(path))),
        _ => system(path, error),
    }
}

fn refused(path: &Path, what: &str) -> Error {
    Error::new(
        crate::error::Exit::Configuration,
        "state.refused",
        format!("{} {what}", path.display()),
    )
}

/// What the system said about a file of ours: a read-only home, a full disk.
fn system(path: &Path, error: &io::Error) -> Error {
    Error::new(
        crate::error::Exit::Configuration,
        "state.failed",
        format!("{}: {error}", path.display()),
    )
    .hint("point JIT_STATE_DIR and JIT_CACHE_DIR at a folder that you can write")
}

/// A file that is not what we wrote.
pub(super) fn damaged(path: &Path) -> Error {
    refused(path, "is damaged").try_(format!("rm {}", quoted(path)))
}

/// A path as a shell takes it: it is our own, not the backend's.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c)) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn folder() -> (tempfile::TempDir, StateFolder) {
        let temp = tempfile::tempdir().unwrap();
        let state = StateFolder::at(temp.path().join("state"));
        (temp, state)
    }

    fn written(state: &StateFolder) {
        state.write("f", b"x", &state.lock().unwrap()).unwrap();
    }

    #[test]
    fn file_reads_back_as_written() {
        let (_temp, state) = folder();
        assert_eq!(state.read("f").unwrap(), None);
        written(&state);
        assert_eq!(state.read("f").unwrap().as_deref(), Some(&b"x"[..]));
        let mode = fs::metadata(state.path().join("f")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn attack_25_open_file_is_refused_with_the_mend() {
        let (_temp, state) = folder();
        written(&state);
        fs::set_permissions(state.path().join("f"), PermissionsExt::from_mode(0o644)).unwrap();
        let error = state.read("f").unwrap_err();
        assert_eq!(error.exit.code(), 3);
        assert!(error.hint.unwrap().starts_with("try: chmod 600 "));
    }

    #[test]
    fn attack_25_link_is_never_followed() {
        let (temp, state) = folder();
        written(&state);
        fs::write(temp.path().join("other"), "y").unwrap();
        fs::remove_file(state.path().join("f")).unwrap();
        symlink(temp.path().join("other"), state.path().join("f")).unwrap();
        assert_eq!(state.read("f").unwrap_err().exit.code(), 3);
        written(&state);
        assert_eq!(fs::read(temp.path().join("other")).unwrap(), b"y");
    }

    #[test]
    fn attack_25_open_or_linked_folder_is_refused() {
        let (temp, state) = folder();
        written(&state);
        fs::set_permissions(state.path(), PermissionsExt::from_mode(0o755)).unwrap();
        assert_eq!(state.read("f").unwrap_err().exit.code(), 3);
        fs::set_permissions(state.path(), PermissionsExt::from_mode(0o700)).unwrap();
        symlink(state.path(), temp.path().join("link")).unwrap();
        let linked = StateFolder::at(temp.path().join("link"));
        assert_eq!(linked.read("f").unwrap_err().exit.code(), 3);
    }
}
