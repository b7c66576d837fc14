//! The cache on disk: where it lies, and reading what is in it.
//! Owns paths. Refuses to look into a folder before that folder was checked.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Env;
use crate::entry::{Entry, Facts};
use crate::guard;
use crate::names::{Account, BadName, decoded, encode, is_target};
use crate::problem::Problem;

/// The local cache below one root. Holds nothing open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    root: PathBuf,
}

/// One target's file in an account's folder.
#[derive(Debug)]
pub struct Listed {
    /// The target.
    pub target: String,
    /// Line 1 of its file, or what is wrong with it.
    pub facts: Result<Facts, Problem>,
}

/// Where a target's file lies, and the name that its line 1 must carry.
pub(crate) struct Slot {
    /// `ROOT/ORIGIN/IDENTITY`, checked.
    pub(crate) folder: PathBuf,
    /// `ORIGIN/IDENTITY/TARGET`, encoded.
    pub(crate) whose: String,
}

impl Slot {
    /// The target's file.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join(self.name())
    }

    /// A file beside the target's: `.lock`, `.failed`.
    pub(crate) fn beside(&self, ending: &str) -> PathBuf {
        let mut name = String::with_capacity(self.whose.len());
        name.push_str(self.name());
        name.push_str(ending);
        self.folder.join(name)
    }

    /// The target, encoded.
    pub(crate) fn name(&self) -> &str {
        self.whose.rsplit('/').next().unwrap_or(&self.whose)
    }
}

impl Cache {
    /// The cache below a root that is known already.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Cache { root: root.into() }
    }

    /// The cache that the environment names: `JIT_CACHE_DIR`, else what crate `directories` gives for
    /// `ProjectDirs::from("dev", "jit", "jit")`. `None` where all of them and `HOME` are missing:
    /// whoever can read the account database goes on with `at`.
    ///
    /// # Errors
    /// `RelativeRoot`: what a relative path means changes with every folder that a tool is run in.
    pub fn from_env(env: Env<'_>) -> Result<Option<Self>, Problem> {
        let given = |name: &str| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(root) = given("JIT_CACHE_DIR") {
            return if root.is_absolute() {
                Ok(Some(Cache { root }))
            } else {
                Err(Problem::RelativeRoot(root))
            };
        }
        if cfg!(target_os = "macos") {
            return Ok(given("HOME").map(|home| Cache::at(home.join("Library/Caches/dev.jit.jit"))));
        }
        let folder = match given("XDG_CACHE_HOME").filter(|path| path.is_absolute()) {
            Some(folder) => Some(folder),
            None => given("HOME").map(|home| home.join(".cache")),
        };
        Ok(folder.map(|folder| Cache::at(folder.join("jit"))))
    }

    /// The root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of an account, whether it exists or not.
    pub fn folder(&self, account: &Account) -> PathBuf {
        self.root.join(account.folder())
    }

    /// The file of a target, whether it exists or not.
    ///
    /// # Errors
    /// `Name` for what cannot be a target.
    pub fn path(&self, account: &Account, target: &str) -> Result<PathBuf, Problem> {
        Ok(self.root.join(whose(account, target)?))
    }

    /// Reads a credential. Says nothing about its time: see `Facts::state`.
    ///
    /// # Errors
    /// A miss (`Problem::is_miss`) or a refusal.
    pub fn read(&self, account: &Account, target: &str) -> Result<Entry, Problem> {
        let slot = self.slot(account, target)?;
        Entry::from_bytes(guard::read(&slot.file())?, &slot.whose)
    }

    /// All targets that have a file, by name; empty where nothing was ever written.
    ///
    /// # Errors
    /// A folder that is refused or cannot be read. A bad file is reported in its place.
    pub fn list(&self, account: &Account) -> Result<Vec<Listed>, Problem> {
        let mut listed = Vec::new();
        for name in self.names(account)? {
            let Some(target) = decoded(&name).filter(|target| is_target(target)) else {
                continue;
            };
            match self.read(account, &target) {
                Err(Problem::Absent) => {}
                read => listed.push(Listed {
                    target,
                    facts: read.map(|entry| entry.facts),
                }),
            }
        }
        listed.sort_by(|a, b| a.target.cmp(&b.target));
        Ok(listed)
    }

    /// Names of all files in an account's folder, checked.
    pub(crate) fn names(&self, account: &Account) -> Result<Vec<String>, Problem> {
        let folder = match self.checked(&account.folder()) {
            Err(Problem::Absent) => return Ok(Vec::new()),
            checked => checked?,
        };
        let failed = |error| Problem::io(&folder, error);
        let mut names = Vec::new();
        for file in fs::read_dir(&folder).map_err(failed)? {
            // A name that is not UTF-8 is none of ours.
            names.extend(file.map_err(failed)?.file_name().into_string().ok());
        }
        Ok(names)
    }

    /// The slot of a target in a folder that exists and was checked.
    pub(crate) fn slot(&self, account: &Account, target: &str) -> Result<Slot, Problem> {
        let whose = whose(account, target)?;
        let end = whose.rfind('/').unwrap_or(whose.len());
        let folder = self.checked(&whose[..end])?;
        Ok(Slot { folder, whose })
    }

    /// Checks root, `ORIGIN` and `ORIGIN/IDENTITY`, from the top: what was checked cannot be exchanged
    /// by another user while the next is looked at.
    fn checked(&self, folder: &str) -> Result<PathBuf, Problem> {
        guard::root(&self.root)?;
        let mut path = self.root.clone();
        for name in folder.split('/') {
            path.push(name);
            guard::folder(&path)?;
        }
        Ok(path)
    }
}

/// `ORIGIN/IDENTITY/TARGET`, encoded.
fn whose(account: &Account, target: &str) -> Result<String, Problem> {
    if !is_target(target) {
        return Err(BadName::Target(target.to_owned()).into());
    }
    let mut whose = account.folder();
    whose.push('/');
    encode(target, &mut whose);
    Ok(whose)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn root(set: &[(&str, &str)]) -> Option<PathBuf> {
        let env = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v));
        Cache::from_env(&env).unwrap().map(|cache| cache.root)
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn root_is_the_platforms_cache_folder() {
        assert_eq!(root(&[("HOME", "/h")]), Some("/h/.cache/jit".into()));
        assert_eq!(root(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")]), Some("/x/jit".into()));
        assert_eq!(
            root(&[("HOME", "/h"), ("XDG_CACHE_HOME", "x")]),
            Some("/h/.cache/jit".into())
        );
        assert_eq!(
            root(&[("HOME", "/h"), ("XDG_CACHE_HOME", "")]),
            Some("/h/.cache/jit".into())
        );
        assert_eq!(root(&[("XDG_CACHE_HOME", "/x")]), Some("/x/jit".into()));
        assert_eq!(root(&[]), None);
    }

    #[test]
    #[cfg(target_os = "macos")]
    fn root_is_the_platforms_cache_folder() {
        assert_eq!(root(&[("HOME", "/h")]), Some("/h/Library/Caches/dev.jit.jit".into()));
        assert_eq!(root(&[]), None);
    }

    #[test]
    fn cache_folder_from_environment_wins() {
        assert_eq!(root(&[("HOME", "/h"), ("JIT_CACHE_DIR", "/c")]), Some("/c".into()));
        assert!(root(&[("HOME", "/h"), ("JIT_CACHE_DIR", "")]).is_some_and(|r| r.starts_with("/h")));
    }

    #[test]
    fn relative_cache_folder_is_refused() {
        let env = |name: &str| (name == "JIT_CACHE_DIR").then(|| OsString::from("cache"));
        let problem = Cache::from_env(&env).unwrap_err();
        assert_eq!(problem.exit(), 3);
        assert!(problem.to_string().contains("run  export JIT_CACHE_DIR="));
    }
}
