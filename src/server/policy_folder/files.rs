//! Reading the folder of the policy bundle, each folder and file through what was opened.
//! Owns what belongs to a bundle. Refuses links in it and, where it is guarded, whatever others could have written.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat};

use super::Files;
use crate::config::{opened_not_for_others, way_not_for_others};
use crate::server::StartError;

/// Larger than any bundle that people write; smaller than what would hurt.
const LARGEST_FOLDER: u64 = 50 * 1024 * 1024;
/// Deeper than any folder that people make.
const DEEPEST: usize = 8;

/// Every `.toml` and `.cedar` file below `dir`, by path. Hidden files are left out, links are not followed. Where it
/// `is_guarded`, nobody else than our user and root may write any of it, nor on the way to it.
///
/// # Errors
/// [`StartError::Folder`] with what reading says, or for a folder over 50 MiB; [`StartError::Configuration`] for what
/// others can write.
pub fn read(dir: &Path, is_guarded: bool) -> Result<Files, StartError> {
    if is_guarded {
        way_not_for_others(dir)?;
    }
    let mut reading = Reading {
        is_guarded,
        size: 0,
        files: Files::new(),
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(dir, flags, Mode::empty()).map_err(failed(dir))?;
    reading.folder(&File::from(opened), dir, "", 0)?;
    reading.files.sort();
    Ok(reading.files)
}

struct Reading {
    is_guarded: bool,
    size: u64,
    files: Files,
}

impl Reading {
    fn folder(&mut self, folder: &File, path: &Path, below: &str, depth: usize) -> Result<(), StartError> {
        if depth > DEEPEST {
            return Err(failed(path)(io::Error::other("the folder is too deep")));
        }
        self.guard(folder, path)?;
        for entry in Dir::read_from(folder).map_err(failed(path))? {
            let entry = entry.map_err(failed(path))?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name.as_bytes().starts_with(b".") {
                continue;
            }
            let inner = path.join(name);
            let about = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(failed(&inner))?;
            let below = match below {
                "" => name.to_string_lossy().into_owned(),
                _ => format!("{below}/{}", name.to_string_lossy()),
            };
            let is_policy = inner.extension().is_some_and(|e| e == "toml" || e == "cedar");
            match FileType::from_raw_mode(about.st_mode) {
                FileType::Directory => {
                    let opened = open(folder, name, &inner, OFlags::DIRECTORY)?;
                    self.folder(&opened, &inner, &below, depth + 1)?;
                }
                FileType::RegularFile if is_policy => {
                    let opened = open(folder, name, &inner, OFlags::NONBLOCK)?;
                    self.file(&opened, &inner, below)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn file(&mut self, file: &File, path: &Path, below: String) -> Result<(), StartError> {
        self.guard(file, path)?;
        let mut bytes = Vec::new();
        let left = LARGEST_FOLDER - self.size;
        file.take(left + 1).read_to_end(&mut bytes).map_err(failed(path))?;
        self.size += bytes.len() as u64;
        if self.size > LARGEST_FOLDER {
            return Err(failed(path)(io::Error::other("the folder holds more than 50 MiB")));
        }
        self.files.push((below, bytes));
        Ok(())
    }

    fn guard(&self, opened: &File, path: &Path) -> Result<(), StartError> {
        if self.is_guarded {
            opened_not_for_others(path, &opened.metadata().map_err(failed(path))?)?;
        }
        Ok(())
    }
}

/// Opens what lies in `folder` under `name`, and no link.
fn open(folder: &File, name: &OsStr, path: &Path, kind: OFlags) -> Result<File, StartError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | kind;
    let opened = openat(folder, name, flags, Mode::empty()).map_err(failed(path))?;
    Ok(File::from(opened))
}

fn failed<E: Into<io::Error>>(path: &Path) -> impl FnOnce(E) -> StartError + use<E> {
    let path = path.to_owned();
    move |error| StartError::Folder {
        path,
        error: error.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::PathBuf;

    use super::*;

    /// A bundle of two files, one of them in a folder.
    fn bundle() -> (tempfile::TempDir, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("policy");
        fs::create_dir_all(dir.join("security")).unwrap();
        fs::write(dir.join("catalogue.toml"), "a").unwrap();
        fs::write(dir.join("security/00.cedar"), "b").unwrap();
        (root, dir)
    }

    #[test]
    fn bundle_is_read_by_path_without_what_is_no_policy() {
        let (root, dir) = bundle();
        for name in [".hidden.toml", "README.md", "security/x.toml~"] {
            fs::write(dir.join(name), "x").unwrap();
        }
        fs::create_dir(dir.join(".git")).unwrap();
        symlink(root.path().join("policy/catalogue.toml"), dir.join("link.toml")).unwrap();
        symlink(dir.join("security"), dir.join("again")).unwrap();
        let wanted = [("catalogue.toml", "a"), ("security/00.cedar", "b")];
        let wanted = wanted.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
        assert_eq!(read(&dir, true).unwrap(), wanted);
        symlink(&dir, root.path().join("current")).unwrap();
        assert_eq!(read(&root.path().join("current"), true).unwrap(), wanted);
    }

    #[test]
    fn attack_25_policy_that_others_write_is_not_read() {
        let (root, dir) = bundle();
        for (path, mode, mend) in [
            ("policy/catalogue.toml", 0o666, 0o644),
            ("policy/catalogue.toml", 0o664, 0o600),
            ("policy/security/00.cedar", 0o646, 0o644),
            ("policy/security", 0o777, 0o755),
            ("policy/security", 0o1777, 0o755),
            ("policy", 0o775, 0o755),
            ("", 0o777, 0o700),
        ] {
            let path = root.path().join(path);
            let set = |mode| fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            set(mode);
            let error = read(&dir, true).unwrap_err();
            let shown = path.display().to_string();
            let words = format!(
                "{0} can be written by others; try: chmod go-w {0}",
                shown.trim_end_matches('/')
            );
            assert_eq!(error.in_full(), words, "{mode:o}");
            assert_eq!(read(&dir, false).unwrap().len(), 2, "whose folder it is, decides");
            set(mend);
            assert_eq!(read(&dir, true).unwrap().len(), 2);
        }
        // others may read their own notes beside it
        fs::write(dir.join("notes.txt"), "x").unwrap();
        fs::set_permissions(dir.join("notes.txt"), Permissions::from_mode(0o666)).unwrap();
        assert!(read(&dir, true).is_ok());
    }

    #[test]
    fn folder_that_is_too_deep_or_none_is_named() {
        let (_root, dir) = bundle();
        let deep = (0..DEEPEST + 1).fold(dir.clone(), |path, _| path.join("d"));
        fs::create_dir_all(&deep).unwrap();
        let error = read(&dir, true).unwrap_err().to_string();
        assert!(
            error.contains(&format!("{}", deep.display())) && error.contains("too deep"),
            "{error}"
        );
        let error = read(&dir.join("none"), true).unwrap_err();
        assert!(matches!(error, StartError::Folder { .. }), "{error}");
    }
}
