//! Files and folders that nobody but the backend's user and root may write.
//! Owns the rule, for what lies there and for the way to it. Refuses to judge what is not there: whoever opens it does.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// In a folder with this bit, such as `/tmp`, nobody replaces what is another's.
const STICKY: u32 = 0o1000;
/// Group and others may write.
const OTHERS_WRITE: u32 = 0o022;
/// As many links as the system follows.
const MOST_LINKS: u32 = 40;

/// Refuses a file or folder that somebody else can write, or that belongs to somebody else than us and root.
///
/// # Errors
/// Exit 3 with the mend.
pub fn not_for_others(path: &Path) -> Result<()> {
    let about = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    opened_not_for_others(path, &about)
}

/// The same, of what was opened: nobody can put something else in its place meanwhile.
///
/// # Errors
/// Exit 3 with the mend.
pub fn opened_not_for_others(path: &Path, about: &Metadata) -> Result<()> {
    belongs_to_us(path, about)?;
    if about.mode() & OTHERS_WRITE == 0 {
        return Ok(());
    }
    Err(open(path))
}

/// Refuses a way to `path` on which somebody else could put another file or folder in place: every folder up to the
/// root, and every link between them. `path` itself is left to the others here.
///
/// # Errors
/// Exit 3 with the folder that has to be mended.
pub fn way_not_for_others(path: &Path) -> Result<()> {
    let whole = std::path::absolute(path).map_err(|error| unreadable(path, &error))?;
    let (mut here, mut ahead, mut links) = (PathBuf::from("/"), parts(&whole), 0);
    while let Some(part) = ahead.pop() {
        if part == OsStr::new("..") {
            here.pop();
            continue;
        }
        folder_on_the_way(&here)?;
        let next = here.join(part);
        let about = match fs::symlink_metadata(&next) {
            Ok(about) => about,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(unreadable(&next, &error)),
        };
        if !about.is_symlink() {
            here = next;
            continue;
        }
        // its mode says nothing; whoever owns it may point it elsewhere
        belongs_to_us(&next, &about)?;
        links += 1;
        if links > MOST_LINKS {
            return Err(unreadable(&next, &io::Error::other("too many links")));
        }
        let target = fs::read_link(&next).map_err(|error| unreadable(&next, &error))?;
        if target.is_absolute() {
            here = PathBuf::from("/");
        }
        ahead.extend(parts(&target));
    }
    Ok(())
}

fn folder_on_the_way(folder: &Path) -> Result<()> {
    let about = fs::metadata(folder).map_err(|error| unreadable(folder, &error))?;
    belongs_to_us(folder, &about)?;
    if about.mode() & OTHERS_WRITE == 0 || about.mode() & STICKY != 0 {
        return Ok(());
    }
    Err(open(folder))
}

/// The names in `path`, the last one first.
fn parts(path: &Path) -> Vec<OsString> {
    let is_name = |part: &&OsStr| *part != OsStr::new("/") && *part != OsStr::new(".");
    path.iter().rev().filter(is_name).map(OsStr::to_owned).collect()
}

fn belongs_to_us(path: &Path, about: &Metadata) -> Result<()> {
    let owner = about.uid();
    if owner == rustix::process::geteuid().as_raw() || owner == 0 {
        return Ok(());
    }
    let message = format!("{} belongs to uid {owner}, not to you", path.display());
    Err(Error::configuration(message).hint("the backend's user and root alone may write here"))
}

fn open(path: &Path) -> Error {
    let shown = path.display();
    Error::configuration(format!("{shown} can be written by others")).try_(format!("chmod go-w {shown}"))
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::configuration(format!("{}: cannot be read: {error}", path.display()))
        .hint("the backend's file names it: it must be there")
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[track_caller]
    fn refused(path: &Path, at: &Path) {
        let error = way_not_for_others(path).unwrap_err();
        assert_eq!(error.message, format!("{} can be written by others", at.display()));
        assert_eq!(error.hint.unwrap(), format!("try: chmod go-w {}", at.display()));
    }

    #[test]
    fn attack_25_folder_on_the_way_that_others_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        let (open, inner) = (root.join("open"), root.join("open/inner"));
        fs::create_dir_all(&inner).unwrap();
        let policy = inner.join("policy");
        way_not_for_others(&policy).unwrap();
        for mode in [0o777, 0o775, 0o757] {
            set(&open, mode);
            refused(&policy, &open);
            refused(&root.join("open/inner/../inner/policy"), &open);
        }
        // what is another's stays in place there
        set(&open, 0o1777);
        way_not_for_others(&policy).unwrap();
        set(&open, 0o755);
        set(&inner, 0o777);
        way_not_for_others(&inner).unwrap();
        refused(&policy, &inner);
    }

    #[test]
    fn attack_25_link_on_the_way_is_followed_on_both_sides() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        let (real, links) = (root.join("real"), root.join("links"));
        fs::create_dir_all(real.join("deep")).unwrap();
        fs::create_dir(&links).unwrap();
        symlink("../real/deep", links.join("here")).unwrap();
        symlink(real.join("deep"), links.join("there")).unwrap();
        for link in ["here", "there"] {
            let policy = links.join(link).join("policy");
            way_not_for_others(&policy).unwrap();
            for at in [&links, &real] {
                set(at, 0o777);
                refused(&policy, at);
                set(at, 0o755);
            }
        }
        symlink("loop", links.join("loop")).unwrap();
        let error = way_not_for_others(&links.join("loop/policy")).unwrap_err();
        assert!(error.message.ends_with("too many links"), "{error}");
    }

    #[test]
    fn way_to_what_is_not_there_is_fine_as_far_as_it_goes() {
        let folder = tempfile::tempdir().unwrap();
        way_not_for_others(&folder.path().join("none/at/all")).unwrap();
        assert!(not_for_others(&folder.path().join("none")).is_err());
    }
}
