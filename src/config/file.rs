//! The client's configuration file, the person's and the organisation's.
//! Refuses unknown keys: a typo would otherwise be a setting that silently does nothing.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;

use super::folders::Folders;
use crate::error::{Error, Result};

/// Keys that a file may have.
const KEYS: &[&str] = &["server"];

/// What the files say; the person's wins over the organisation's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    /// The backend of whoever has not signed in anywhere yet.
    pub server: Option<String>,
}

impl ConfigFile {
    /// Reads both files; one that is missing says nothing.
    ///
    /// # Errors
    /// Exit 3 for a file that cannot be read or understood.
    pub fn load(folders: &Folders) -> Result<Self> {
        let own = read(&folders.config_file, folders.config_is_named)?;
        let system = read(&folders.system_config_file, false)?;
        Ok(Self {
            server: own.server.or(system.server),
        })
    }
}

fn read(path: &Path, must_exist: bool) -> Result<ConfigFile> {
    match fs::read_to_string(path) {
        Ok(text) => parse(&text, path),
        Err(error) if error.kind() == ErrorKind::NotFound && !must_exist => Ok(ConfigFile::default()),
        Err(error) => Err(Error::configuration(format!("{}: {error}", path.display()))),
    }
}

fn parse(text: &str, path: &Path) -> Result<ConfigFile> {
    let wrong = |what: String| Error::configuration(format!("{}: {what}", path.display()));
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| wrong(error.message().to_owned()))?;
    if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
        let near = KEYS
            .iter()
            .find(|known| strsim::damerau_levenshtein(known, key) <= 2)
            .map_or_else(
                || format!("known keys: {}", KEYS.join(", ")),
                |known| format!("did you mean {known}?"),
            );
        return Err(wrong(format!("no key named {key}")).hint(near));
    }
    table
        .try_into()
        .map_err(|error: toml::de::Error| wrong(error.message().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_the_server() {
        let file = parse("server = \"https://jit.acme.example\"", Path::new("f")).unwrap();
        assert_eq!(file.server.as_deref(), Some("https://jit.acme.example"));
    }

    #[test]
    fn unknown_key_is_refused_with_the_nearest() {
        let error = parse("sever = 1", Path::new("f")).unwrap_err();
        assert_eq!(
            (error.exit.code(), error.hint.as_deref()),
            (3, Some("did you mean server?"))
        );
        assert_eq!(parse("server = 1", Path::new("f")).unwrap_err().exit.code(), 3);
        assert_eq!(parse("server", Path::new("f")).unwrap_err().exit.code(), 3);
    }
}
