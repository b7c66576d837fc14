//! What `jit serve --config` reads: the file itself and the sealing key that it names.
//! Refuses files that others can write: whoever can, puts another policy in force.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use super::environment::Environment;
use super::guarded::{opened_not_for_others, way_not_for_others};
use super::keyring;
use super::sealing_key::SealingKey;
use super::secret_file;
use super::server_file::{SecretSource, ServerFile};
use crate::error::{Error, Exit, Result};

/// A token that is shorter could be guessed.
const SHORTEST_TOKEN: usize = 32;
/// Larger than any configuration file, in bytes.
const LARGEST: u64 = 1024 * 1024;

impl ServerFile {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// Exit 3 for a file that cannot be read, that others can write, or that says what cannot be right.
    pub fn read(path: &Path) -> Result<Self> {
        let wrong = |what: &str| Error::configuration(format!("{}: {what}", path.display()));
        let unreadable = |error: std::io::Error| {
            wrong(&format!("cannot be read: {error}")).hint("--config names the file that sets a backend up")
        };
        // a pipe would be waited for
        if !fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(wrong("is no file"));
        }
        way_not_for_others(path)?;
        let whole = fs::canonicalize(path).map_err(unreadable)?;
        let file = File::open(&whole).map_err(unreadable)?;
        opened_not_for_others(&whole, &file.metadata().map_err(unreadable)?)?;
        let mut text = String::new();
        file.take(LARGEST).read_to_string(&mut text).map_err(unreadable)?;
        // messages name the file as it was typed, paths in it are relative to where it lies
        Self::parse(&text, path, whole.parent().unwrap_or(Path::new("/")))
    }
}

impl SecretSource {
    /// Reads the sealing key.
    ///
    /// # Errors
    /// Exit 3 where there is none, and for a file that others can read.
    pub fn read_key(&self) -> Result<SealingKey> {
        let wrong = |what: String| Error::new(Exit::Configuration, "server.sealing_key", what);
        let make = "32 random bytes in base64: openssl rand -base64 32";
        match self {
            Self::File(path) => {
                way_not_for_others(path)?;
                SealingKey::read_file(path)?.ok_or_else(|| {
                    let shown = path.display();
                    wrong(format!("sealing key {shown} is missing"))
                        .try_(format!("(umask 077; openssl rand -base64 32 >{shown})"))
                })
            }
            Self::Environment(name) => {
                let text = Environment::secret_named(name)
                    .ok_or_else(|| wrong(format!("sealing key: {name} is not set")).hint(make))?;
                SealingKey::parse(&text).ok_or_else(|| wrong(format!("sealing key: {name} holds no key")).hint(make))
            }
            Self::Keyring(name) => {
                let text = keyring::get(name)
                    .map_err(|why| {
                        wrong(format!("sealing key: the keyring failed: {why}"))
                            .hint("unlock it, or give the key as a file: [sealing_key] file")
                    })?
                    .ok_or_else(|| wrong(format!("sealing key: the keyring has no entry {name} of jit")).hint(make))?;
                SealingKey::parse(&text).ok_or_else(|| wrong(format!("sealing key: {name} holds no key")).hint(make))
            }
        }
    }

    /// Reads the client secret for the identity provider `of`; white space around it does not count.
    ///
    /// # Errors
    /// Exit 3 where there is none, and for a file that others can read.
    pub fn read_secret(&self, of: &str) -> Result<SecretString> {
        self.read_text("client secret", of, |what| {
            Error::new(Exit::Configuration, "server.client_secret", what)
        })
    }

    /// Reads the token of the directory `of` in the same way.
    ///
    /// # Errors
    /// Exit 3 where there is none, where it could be guessed, and for a file that others can read.
    pub fn read_token(&self, of: &str) -> Result<SecretString> {
        let wrong = |what: String| Error::new(Exit::Configuration, "server.directory_token", what);
        let token = self.read_text("token", of, wrong)?;
        let text = token.expose_secret();
        match text.len() >= SHORTEST_TOKEN && text.bytes().all(|b| b.is_ascii_graphic()) {
            true => Ok(token),
            false => {
                Err(wrong(format!("token of {of} can be guessed")).hint("32 characters at least: openssl rand -hex 32"))
            }
        }
    }

    fn read_text(&self, thing: &str, of: &str, wrong: impl Fn(String) -> Error + Copy) -> Result<SecretString> {
        let (text, place) = match self {
            Self::File(path) => {
                way_not_for_others(path)?;
                let text = secret_file::read(path, |path, what| wrong(format!("{thing} {} {what}", path.display())))?;
                (text, path.display().to_string())
            }
            Self::Environment(name) => (Environment::secret_named(name), name.clone()),
            Self::Keyring(name) => {
                let text = keyring::get(name).map_err(|why| {
                    wrong(format!("{thing} of {of}: the keyring failed: {why}"))
                        .hint("unlock it, or give it as a file: { file = … }")
                })?;
                (text, name.clone())
            }
        };
        let text = text.ok_or_else(|| wrong(format!("{thing} of {of}: no {place}")))?;
        match text.expose_secret().trim() {
            "" => Err(wrong(format!("{thing} of {of}: {place} holds none"))),
            secret => Ok(SecretString::from(secret)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    use super::*;

    const TEXT: &str = "public_url = \"https://jit.acme.example\"\npolicy = \"policy\"\ndatabase = \"jit.db\"\n[sealing_key]\nfile = \"key\"\n";

    #[test]
    fn paths_are_relative_to_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        let (path, link) = (root.join("jit.toml"), root.join("links/jit.toml"));
        fs::write(&path, TEXT).unwrap();
        fs::create_dir(root.join("links")).unwrap();
        std::os::unix::fs::symlink("../jit.toml", &link).unwrap();
        for named in [path, link] {
            let read = ServerFile::read(&named).unwrap();
            assert_eq!(read.policy, root.join("policy"), "{}", named.display());
            assert_eq!(read.database, root.join("jit.db"));
            assert_eq!(read.sealing_key, SecretSource::File(root.join("key")));
        }
    }

    #[test]
    fn attack_25_folder_of_a_link_to_the_file_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let (path, links) = (folder.path().join("jit.toml"), folder.path().join("links"));
        fs::write(&path, TEXT).unwrap();
        fs::create_dir(&links).unwrap();
        let link = links.join("jit.toml");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        fs::set_permissions(&links, Permissions::from_mode(0o777)).unwrap();
        let error = ServerFile::read(&link).unwrap_err();
        assert_eq!(error.message, format!("{} can be written by others", links.display()));
    }

    #[test]
    fn file_or_folder_that_others_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jit.toml");
        fs::write(&path, TEXT).unwrap();
        let link = folder.path().join("link.toml");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for mode in [0o666, 0o664, 0o602] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            for path in [&path, &link] {
                let error = ServerFile::read(path).unwrap_err();
                assert!(error.message.ends_with("can be written by others"), "{error}");
                assert!(error.hint.unwrap().starts_with("try: chmod go-w "));
            }
        }
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        for (mode, is_read) in [(0o777, false), (0o770, false), (0o1777, true), (0o755, true)] {
            fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
            assert_eq!(ServerFile::read(&path).is_ok(), is_read, "{mode:o}");
        }
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for path in [
            folder.path().to_owned(),
            folder.path().join("none"),
            PathBuf::from("/dev/null"),
        ] {
            assert_eq!(ServerFile::read(&path).unwrap_err().exit.code(), 3);
        }
        let path = folder.path().join("jit.toml");
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert_eq!(ServerFile::read(&path).unwrap_err().exit.code(), 3);
    }

    #[test]
    fn variable_that_is_missing_is_named() {
        let error = SecretSource::Environment("JIT_NO_SUCH_VARIABLE".into())
            .read_key()
            .unwrap_err();
        assert_eq!(
            (error.exit.code(), &*error.message),
            (3, "sealing key: JIT_NO_SUCH_VARIABLE is not set")
        );
    }
}
