//! Both documents as files below a folder, for a web server or a bucket to serve.
//! Owns writing them whole. Refuses to touch what is as it should be.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The media type of both.
pub const CONTENT_TYPE: &str = "application/json";

/// A document as a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Below the folder, as below our address.
    pub path: &'static str,
    /// What is in it.
    pub text: String,
}

/// Where the discovery document lies.
pub const DISCOVERY: &str = ".well-known/openid-configuration";
/// Where the keys lie.
pub const KEY_SET: &str = ".well-known/jwks.json";

/// Writes `document` below `dir`, and says whether that was needed. Whoever reads meanwhile sees the old one or the
/// new one.
///
/// # Errors
/// The path that failed, and what the system said.
pub fn write(dir: &Path, document: &Document) -> Result<bool, (PathBuf, io::Error)> {
    let path = dir.join(document.path);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error: io::Error| (path, error)
    };
    match fs::read(&path) {
        Ok(found) if found == document.text.as_bytes() => return Ok(false),
        _ => {}
    }
    let folder = path.parent().unwrap_or(dir);
    fs::create_dir_all(folder).map_err(failed(folder))?;
    let half = path.with_extension(format!("{}.new", std::process::id()));
    let written = write_whole(&half, &path, document.text.as_bytes());
    if written.is_err() {
        // half of a document is of no use to anybody
        let _ = fs::remove_file(&half);
    }
    written.map_err(failed(&path))?;
    Ok(true)
}

/// Nothing that lies at `half` is written through: somebody may have put a link there.
fn write_whole(half: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::remove_file(half) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = fs::File::create_new(half)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(half, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document {
            path: KEY_SET,
            text: text.to_owned(),
        }
    }

    #[test]
    fn document_is_written_once_and_whole() {
        let dir = tempfile::tempdir().unwrap();
        assert!(write(dir.path(), &document("a\n")).unwrap());
        assert!(!write(dir.path(), &document("a\n")).unwrap());
        assert!(write(dir.path(), &document("b\n")).unwrap());
        let folder = dir.path().join(".well-known");
        assert_eq!(fs::read_to_string(folder.join("jwks.json")).unwrap(), "b\n");
        assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "nothing half is left");
    }

    #[test]
    fn attack_25_link_in_the_place_of_the_half_file_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, other) = (dir.path().join(".well-known"), dir.path().join("other"));
        fs::create_dir(&folder).unwrap();
        fs::write(&other, "another's").unwrap();
        let half = folder.join(format!("jwks.{}.new", std::process::id()));
        std::os::unix::fs::symlink(&other, &half).unwrap();
        assert!(write(dir.path(), &document("a\n")).unwrap());
        assert_eq!(fs::read_to_string(&other).unwrap(), "another's");
        let written = folder.join("jwks.json");
        assert!(fs::symlink_metadata(&written).unwrap().is_file());
        assert_eq!(fs::read_to_string(written).unwrap(), "a\n");
    }

    #[test]
    fn folder_that_cannot_be_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(".well-known"), "a file").unwrap();
        let (path, _) = write(dir.path(), &document("a\n")).unwrap_err();
        assert_eq!(path, dir.path().join(".well-known"));
    }
}
