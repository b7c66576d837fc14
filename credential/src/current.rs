//! Which account is meant: flags, else the environment, else whoever signed in last.
//! Owns the `current` files. Refuses to guess: what names nobody is nobody.

use crate::Env;
use crate::cache::Cache;
use crate::guard;
use crate::names::{Account, BadName, Origin, decoded};
use crate::problem::Problem;
use crate::write::{make, place};

/// Names the account of the last sign-in, below the root.
const CURRENT: &str = "current";
/// Names the identity of the last sign-in, below a server's folder. The dot keeps it apart from an
/// identity that is called `current`.
const CURRENT_OF_SERVER: &str = ".current";

/// What was said about the account, before the cache is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// `--server`, else `JIT_SERVER`.
    pub server: Option<Origin>,
    /// `--identity`, else `JIT_IDENTITY`.
    pub identity: Option<String>,
}

impl Choice {
    /// A flag wins over its variable; an empty variable is none.
    ///
    /// # Errors
    /// A server that is no address, or a variable that is not UTF-8.
    pub fn new(server: Option<&str>, identity: Option<&str>, env: Env<'_>) -> Result<Self, BadName> {
        let variable = |name: &str| match env(name).map(std::ffi::OsString::into_string) {
            Some(Ok(value)) if value.is_empty() => Ok(None),
            Some(Err(raw)) => Err(raw.to_string_lossy().into_owned()),
            Some(Ok(value)) => Ok(Some(value)),
            None => Ok(None),
        };
        let server = match server {
            Some(flag) => Some(flag.to_owned()),
            None => variable("JIT_SERVER").map_err(BadName::Server)?,
        };
        let identity = match identity {
            Some(flag) => Some(flag.to_owned()),
            None => variable("JIT_IDENTITY").map_err(BadName::Identity)?,
        };
        Ok(Choice {
            server: server.as_deref().map(Origin::parse).transpose()?,
            identity,
        })
    }
}

impl Cache {
    /// The account that a choice means. An identity alone keeps the current server; a server alone means
    /// who signed in there last. `None`: nobody is signed in there.
    ///
    /// # Errors
    /// A bad name, or a `current` file that is refused.
    pub fn select(&self, choice: &Choice) -> Result<Option<Account>, Problem> {
        match (&choice.server, &choice.identity) {
            (Some(origin), Some(identity)) => Ok(Some(Account::new(origin.clone(), identity)?)),
            (Some(origin), None) => self.current_of(origin),
            (None, Some(identity)) => match self.current()? {
                Some(current) => Ok(Some(Account::new(current.origin().clone(), identity)?)),
                None => Ok(None),
            },
            (None, None) => self.current(),
        }
    }

    /// Who signed in last.
    ///
    /// # Errors
    /// A file that is refused; a damaged one names nobody.
    pub fn current(&self) -> Result<Option<Account>, Problem> {
        let read = guard::root(self.root()).and_then(|()| guard::read(&self.root().join(CURRENT)));
        Ok(line(read)?.as_deref().and_then(Account::from_folder))
    }

    /// Who signed in last at a server.
    ///
    /// # Errors
    /// A file that is refused; a damaged one names nobody.
    pub fn current_of(&self, origin: &Origin) -> Result<Option<Account>, Problem> {
        let folder = self.origin_folder(origin);
        let read = guard::root(self.root())
            .and_then(|()| guard::folder(&folder))
            .and_then(|()| guard::read(&folder.join(CURRENT_OF_SERVER)));
        let identity = line(read)?.as_deref().and_then(decoded);
        Ok(identity.and_then(|identity| Account::new(origin.clone(), &identity).ok()))
    }

    /// Makes an account the default, of its server too.
    ///
    /// # Errors
    /// A refusal, or what the system said.
    pub fn set_current(&self, account: &Account) -> Result<(), Problem> {
        let folder = account.folder();
        let identity = folder.rsplit('/').next().unwrap_or_default();
        let origin = self.origin_folder(account.origin());
        self.make_root()?;
        make(&origin, false)?;
        guard::folder(&origin)?;
        place(&origin.join(CURRENT_OF_SERVER), format!("{identity}\n").as_bytes())?;
        place(&self.root().join(CURRENT), format!("{folder}\n").as_bytes())
    }

    fn origin_folder(&self, origin: &Origin) -> std::path::PathBuf {
        let mut name = String::new();
        crate::names::encode(origin.as_str(), &mut name);
        self.root().join(name)
    }
}

/// The only line of a file; none where the file is missing or is anything else.
fn line(read: Result<Vec<u8>, Problem>) -> Result<Option<String>, Problem> {
    match read {
        Ok(bytes) => Ok(String::from_utf8(bytes)
            .ok()
            .and_then(|text| text.strip_suffix('\n').map(str::to_owned))),
        Err(problem) if problem.is_miss() => Ok(None),
        Err(problem) => Err(problem),
    }
}
