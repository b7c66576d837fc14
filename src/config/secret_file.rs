//! A secret in a file of its own.
//! Refuses a link, somebody else's file, and one that others may read.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// More than a secret needs: a file that was named by mistake is not read to its end.
const LONGEST: u64 = 1024;

/// Reads the file at `path`; none where there is none. What is longer than a secret, or no text, is read as nothing.
///
/// # Errors
/// What `refused` makes of a file and what is wrong with it.
pub(super) fn read(path: &Path, refused: impl Fn(&Path, &str) -> Error + Copy) -> Result<Option<SecretString>> {
    read_up_to(LONGEST, path, refused)
}

/// The same of a secret that may be up to `longest` bytes.
///
/// # Errors
/// As [`read`].
pub(super) fn read_up_to(
    longest: u64,
    path: &Path,
    refused: impl Fn(&Path, &str) -> Error + Copy,
) -> Result<Option<SecretString>> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return Err(refused(path, "is a symbolic link").hint("name the file itself"));
        }
        Err(error) => return Err(refused(path, &format!("cannot be read: {error}"))),
    };
    check(path, &file, refused)?;
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(longest).unwrap_or_default()));
    let whole = match file.take(longest).read_to_string(&mut text) {
        Ok(length) if (length as u64) < longest => text.as_str(),
        Ok(_) | Err(_) => "",
    };
    Ok(Some(SecretString::from(whole)))
}

fn check(path: &Path, file: &File, refused: impl Fn(&Path, &str) -> Error) -> Result<()> {
    let metadata = file
        .metadata()
        .map_err(|error| refused(path, &format!("cannot be read: {error}")))?;
    if !metadata.is_file() {
        return Err(refused(path, "is no regular file"));
    }
    let owner = metadata.uid();
    // root may hand a secret to a service of its own
    if owner != rustix::process::geteuid().as_raw() && owner != 0 {
        return Err(refused(path, &format!("belongs to uid {owner}, not to you")));
    }
    match metadata.mode() & 0o077 {
        0 => Ok(()),
        _ => Err(refused(path, "is open to others").try_(format!("chmod 600 {}", path.display()))),
    }
}
