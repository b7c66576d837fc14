//! The sealing key as a file.
//! Refuses a link, somebody else's file, one that others may read, and one that holds no key.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::sealing_key::SealingKey;
use super::secret_file;
use crate::error::{Error, Exit, Result};

impl SealingKey {
    /// Reads the key that the file at `path` holds; none where there is no file.
    ///
    /// # Errors
    /// Exit 3 for a file that is refused.
    pub fn read_file(path: &Path) -> Result<Option<Self>> {
        let Some(text) = secret_file::read(path, refused)? else {
            return Ok(None);
        };
        match Self::parse(&text) {
            Some(key) => Ok(Some(key)),
            None => Err(refused(path, "holds no key").hint("32 random bytes in base64: openssl rand -base64 32")),
        }
    }

    /// Writes the key to a new file that only its owner reads.
    ///
    /// # Errors
    /// Exit 3 where there is such a file already, or none can be made.
    pub fn write_new_file(&self, path: &Path) -> Result<()> {
        let text = Zeroizing::new(format!("{}\n", self.to_text().expose_secret()));
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write().map_err(|error| refused(path, &format!("cannot be written: {error}")))
    }
}

fn refused(path: &Path, what: &str) -> Error {
    Error::new(
        Exit::Configuration,
        "server.sealing_key",
        format!("sealing key {} {what}", path.display()),
    )
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn key_is_read_back_from_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sealing.key");
        assert!(SealingKey::read_file(&path).unwrap().is_none());
        SealingKey::new([7; 32]).write_new_file(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(SealingKey::read_file(&path).unwrap().unwrap().bytes(), &[7; 32]);
        let again = SealingKey::new([8; 32]).write_new_file(&path).unwrap_err();
        assert_eq!(again.exit.code(), 3, "a key is never written over");
    }

    #[test]
    fn attack_25_file_open_to_others_or_linked_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sealing.key");
        SealingKey::new([7; 32]).write_new_file(&path).unwrap();
        let link = folder.path().join("link");
        symlink(&path, &link).unwrap();
        assert!(
            SealingKey::read_file(&link)
                .unwrap_err()
                .message
                .ends_with("is a symbolic link")
        );
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let open = SealingKey::read_file(&path).unwrap_err();
        assert!(open.message.ends_with("is open to others"), "{open}");
        assert!(open.hint.unwrap().starts_with("try: chmod 600 "));
        assert!(
            SealingKey::read_file(folder.path())
                .unwrap_err()
                .message
                .contains("is no regular file")
        );
    }

    #[test]
    fn file_that_holds_no_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sealing.key");
        for bytes in [&b""[..], b"AAAA", &[0xff; 32], &[b'A'; 4000]] {
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            assert!(
                SealingKey::read_file(&path)
                    .unwrap_err()
                    .message
                    .ends_with("holds no key")
            );
        }
    }
}
