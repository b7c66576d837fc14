//! Opens files and looks at folders without trusting either.
//! Owns the rules of attack 25: no link is followed, owner and mode are checked on what was opened.
//! Refuses with the mend; never repairs by itself.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use crate::problem::{Problem, Wrong};

#[cfg(all(
    target_os = "linux",
    any(
        target_arch = "x86_64",
        target_arch = "x86",
        target_arch = "riscv64",
        target_arch = "s390x",
        target_arch = "loongarch64"
    )
))]
mod system {
    pub(super) const O_NOFOLLOW: i32 = 0o400000;
    pub(super) const O_NONBLOCK: i32 = 0o4000;
    pub(super) const ELOOP: i32 = 40;
}
#[cfg(all(
    target_os = "linux",
    any(target_arch = "aarch64", target_arch = "arm", target_arch = "powerpc64")
))]
mod system {
    pub(super) const O_NOFOLLOW: i32 = 0o100000;
    pub(super) const O_NONBLOCK: i32 = 0o4000;
    pub(super) const ELOOP: i32 = 40;
}
#[cfg(target_os = "macos")]
mod system {
    pub(super) const O_NOFOLLOW: i32 = 0x100;
    pub(super) const O_NONBLOCK: i32 = 0x4;
    pub(super) const ELOOP: i32 = 62;
}

/// No such device or address: what opening a socket says, on Linux and macOS alike.
const ENXIO: i32 = 6;

/// The largest file that is looked at. Java takes 64,000 bytes from a credential process.
pub(crate) const LARGEST: u64 = 64 * 1024;

unsafe extern "C" {
    // POSIX: always succeeds, has no arguments and touches no memory of ours.
    safe fn geteuid() -> u32;
}

/// Flags that stop at a link, and do not wait for the other end of a pipe.
pub(crate) fn careful() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.custom_flags(system::O_NOFOLLOW | system::O_NONBLOCK);
    options
}

/// Opens a file of ours for reading, checked.
pub(crate) fn open(path: &Path) -> Result<(File, Metadata), Problem> {
    let file = careful().read(true).open(path).map_err(|error| opening(path, error))?;
    let metadata = check(path, &file)?;
    Ok((file, metadata))
}

/// Checks what was opened: a regular file, ours, closed to others.
pub(crate) fn check(path: &Path, file: &File) -> Result<Metadata, Problem> {
    let metadata = file.metadata().map_err(|error| Problem::io(path, error))?;
    let wrong = if !metadata.is_file() {
        Wrong::NoFile
    } else if metadata.uid() != geteuid() {
        Wrong::Owner(metadata.uid())
    } else if metadata.mode() & 0o077 != 0 {
        Wrong::FileMode(metadata.mode() & 0o7777)
    } else {
        return Ok(metadata);
    };
    Err(Problem::refused(path, wrong))
}

/// What a failed opening means.
pub(crate) fn opening(path: &Path, error: io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::NotFound => return Problem::Absent,
        io::ErrorKind::PermissionDenied => return Problem::refused(path, Wrong::Unreadable),
        io::ErrorKind::IsADirectory => return Problem::refused(path, Wrong::NoFile),
        _ => {}
    }
    match error.raw_os_error() {
        Some(system::ELOOP) => Problem::refused(path, Wrong::Link),
        Some(ENXIO) => Problem::refused(path, Wrong::NoFile),
        _ => Problem::io(path, error),
    }
}

/// Reads a checked file whole. One that is too large was not written by us: damaged, so that it is
/// fetched again and overwritten, and nobody has to mend it by hand.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    let (mut file, metadata) = open(path)?;
    if metadata.len() > LARGEST {
        return Err(Problem::Damaged);
    }
    let size = usize::try_from(metadata.len()).map_err(|_| Problem::Damaged)?;
    let mut bytes = vec![0; size];
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Problem::Damaged),
        Err(error) => Err(Problem::io(path, error)),
    }
}

/// Checks a folder that we made: a real one, ours, 0700.
pub(crate) fn folder(path: &Path) -> Result<(), Problem> {
    let metadata = directory(path)?;
    if metadata.uid() != geteuid() {
        return Err(Problem::refused(path, Wrong::Owner(metadata.uid())));
    }
    match metadata.mode() & 0o777 {
        0o700 => Ok(()),
        mode => Err(Problem::refused(path, Wrong::FolderMode(mode))),
    }
}

/// Checks the root. It may be a folder that somebody made for us, so others may see what servers are
/// in it; but once it is ours and they cannot write, nobody else can exchange what lies below it.
pub(crate) fn root(path: &Path) -> Result<(), Problem> {
    let metadata = directory(path)?;
    if metadata.uid() != geteuid() {
        return Err(Problem::refused(path, Wrong::RootOwner(metadata.uid())));
    }
    match metadata.mode() & 0o777 {
        mode if mode & 0o022 != 0 => Err(Problem::refused(path, Wrong::FolderMode(mode))),
        _ => Ok(()),
    }
}

fn directory(path: &Path) -> Result<Metadata, Problem> {
    let metadata = fs::symlink_metadata(path).map_err(|error| opening(path, error))?;
    if metadata.is_symlink() {
        return Err(Problem::refused(path, Wrong::Link));
    }
    if !metadata.is_dir() {
        return Err(Problem::refused(path, Wrong::NoFolder));
    }
    Ok(metadata)
}
