//! Where state, cache and configuration lie.
//! Refuses relative folders: what they mean changes with every folder that a tool is run in.

use std::path::PathBuf;

use directories::{BaseDirs, ProjectDirs};

use super::environment::Environment;
use crate::error::{Error, Result};

/// The folders and files of this person on this machine.
#[derive(Clone, Debug)]
pub struct Folders {
    /// Sessions and, without a keyring, their secrets.
    pub state: PathBuf,
    /// Cached credentials.
    pub cache: PathBuf,
    /// The person's own configuration file.
    pub config_file: PathBuf,
    /// Whether that one was named in the environment, so that it must exist.
    pub config_is_named: bool,
    /// The organisation's configuration file.
    pub system_config_file: PathBuf,
    /// The AWS configuration.
    pub aws_config: PathBuf,
    /// The AWS credentials file.
    pub aws_credentials: PathBuf,
    /// Where AWS tools keep tokens of Identity Center: below HOME, whatever else is named.
    pub aws_tokens: Option<PathBuf>,
}

impl Folders {
    /// From the environment, else the platform's own.
    ///
    /// # Errors
    /// Exit 3 for a relative path, and where there is no home.
    pub fn find(env: &Environment) -> Result<Self> {
        let project = ProjectDirs::from("dev", "jit", "jit");
        let home = BaseDirs::new().map(|dirs| dirs.home_dir().to_owned());
        let homeless = |name: &str| {
            Error::configuration("no home folder: HOME is not set").try_(format!("export {name}=\"$PWD\"/{name}"))
        };
        let folder = |name: &str, platform: Option<PathBuf>| match env.os(name).map(PathBuf::from) {
            Some(path) if path.is_absolute() => Ok(path),
            Some(path) => Err(
                Error::configuration(format!("{name} is not absolute: {}", path.display()))
                    .try_(format!("export {name}=\"$PWD\"/…")),
            ),
            None => platform.ok_or_else(|| homeless(name)),
        };
        let dirs = project.as_ref();
        let own = |d: &ProjectDirs| d.state_dir().unwrap_or_else(|| d.data_local_dir()).to_owned();
        let aws = |name: &str, file: &str| {
            let from_home = |rest: &str| home.as_ref().map(|home| home.join(rest));
            match env.text(name) {
                Some(path) => match path.strip_prefix("~/") {
                    Some(rest) => from_home(rest),
                    None => Some(PathBuf::from(path)),
                },
                None => from_home(".aws").map(|aws| aws.join(file)),
            }
            .ok_or_else(|| homeless(name))
        };
        Ok(Self {
            state: folder("JIT_STATE_DIR", dirs.map(own))?,
            cache: folder("JIT_CACHE_DIR", dirs.map(|d| d.cache_dir().to_owned()))?,
            config_file: folder("JIT_CONFIG_FILE", dirs.map(|d| d.config_dir().join("config.toml")))?,
            config_is_named: env.os("JIT_CONFIG_FILE").is_some(),
            system_config_file: system_config(),
            aws_config: aws("AWS_CONFIG_FILE", "config")?,
            aws_credentials: aws("AWS_SHARED_CREDENTIALS_FILE", "credentials")?,
            aws_tokens: home.as_ref().map(|home| home.join(".aws/sso/cache")),
        })
    }
}

/// Where an organisation presets its server for everybody on the machine.
fn system_config() -> PathBuf {
    if cfg!(target_os = "macos") {
        PathBuf::from("/Library/Application Support/dev.jit.jit/config.toml")
    } else {
        PathBuf::from("/etc/jit/config.toml")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    #[test]
    fn named_folders_win_over_the_platform() {
        let env = Environment::of(|name| match name {
            "JIT_STATE_DIR" => Some("/s".into()),
            "JIT_CACHE_DIR" => Some("/c".into()),
            "JIT_CONFIG_FILE" => Some("/f".into()),
            "AWS_CONFIG_FILE" => Some("/a".into()),
            "AWS_SHARED_CREDENTIALS_FILE" => Some("/b".into()),
            _ => None,
        });
        let folders = Folders::find(&env).unwrap();
        assert_eq!(folders.state, PathBuf::from("/s"));
        assert_eq!(folders.config_file, PathBuf::from("/f"));
        assert_eq!(folders.aws_config, PathBuf::from("/a"));
        assert!(folders.config_is_named);
    }

    #[test]
    fn relative_folder_is_refused() {
        let env = Environment::of(|name| (name == "JIT_STATE_DIR").then(|| OsString::from("state")));
        assert_eq!(Folders::find(&env).unwrap_err().exit.code(), 3);
    }
}
