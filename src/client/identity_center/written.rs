//! Which tokens of Identity Center `jit` wrote, for whom: another identity of `jit` does not use them, and signing out takes
//! those away that nothing else uses.
//! Owns a list without secrets. Refuses to touch what the AWS configuration signs in to, and what another client wrote.

use hot::Account;
use serde::{Deserialize, Serialize};

use super::call::Caller;
use super::center::Center;
use super::files::Standing;
use super::names;
use super::token::Token;
use crate::client::Backend;
use crate::client::account::Client;
use crate::domain::target::Partition;
use crate::error::{Error, Result};

const FILE: &str = "identity-center.json";
const SCHEMA: &str = "jit/identity-center/1";

/// A token that we wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Written {
    /// For whom: server and identity, as the cache of credentials names them.
    account: String,
    /// In which file.
    file: String,
    /// The client that it was asked for by: another one's is not ours.
    client: String,
}

#[derive(Default, Serialize, Deserialize)]
struct Listed {
    schema: String,
    tokens: Vec<Written>,
}

impl Client {
    /// Notes a token that was written for `account`.
    pub(super) fn note_written(&self, account: &Account, file: &str, token: &Token) -> Result<()> {
        let Some(client) = &token.client else { return Ok(()) };
        let new = Written {
            account: account.folder(),
            file: file.to_owned(),
            client: client.id.clone(),
        };
        self.change_written(|tokens| {
            tokens.retain(|old| old.file != new.file);
            tokens.push(new);
        })
    }

    /// Says of a token whose it is for `account`; none for those that we wrote for another identity. Two identities of one
    /// person, or two people on one machine, are two users there.
    pub(super) fn standing(&self, account: &Account) -> impl Fn(&Token) -> Option<Standing> + use<> {
        let own = account.folder();
        // a list that cannot be read knows of nobody
        let listed = self.listed().unwrap_or_default().tokens;
        move |token| {
            let client = token.client.as_ref().map(|client| client.id.as_str());
            match listed.iter().find(|written| Some(written.client.as_str()) == client) {
                None => Some(Standing::Unknown),
                Some(written) if written.account == own => Some(Standing::Own),
                Some(_) => None,
            }
        }
    }

    /// Takes away the tokens that were written for `account` alone, and tells Identity Center where it can be reached. The
    /// portals whose token stays, because something else signs in with it: that it is this account's stays known.
    ///
    /// # Errors
    /// What keeps the list or a file from being changed: what could not be taken away is tried again the next time.
    pub(in super::super) fn forget_tokens(&self, account: &Account, backend: Option<&Backend>) -> Result<Vec<String>> {
        let own = account.folder();
        let config = std::fs::read_to_string(&self.folders.aws_config).unwrap_or_default();
        let (mut gone, mut stay, mut failed) = (Vec::new(), Vec::new(), None);
        let listed = self.listed()?.tokens.into_iter();
        for written in listed.filter(|token| token.account == own) {
            let folder = self.tokens()?;
            let token = folder.read(&written.file);
            let is_ours = |token: &Token| token.client.as_ref().is_some_and(|client| client.id == written.client);
            match token.filter(is_ours) {
                // none, or another client's by now
                None => gone.push(written),
                Some(token) if is_used(&config, &token, &written.file) => stay.push(token.start_url),
                Some(token) => {
                    if let Some(backend) = backend {
                        self.end_there(backend, account, &token);
                    }
                    match folder.remove(&written.file) {
                        Ok(()) => gone.push(written),
                        Err(error) => failed = failed.or(Some(error)),
                    }
                }
            }
        }
        self.change_written(|tokens| tokens.retain(|token| !gone.contains(token)))?;
        match failed {
            None => Ok(stay),
            Some(error) => {
                let message = format!("the token of Identity Center stays: {error}");
                Err(Error::configuration(message).hint("remove it from ~/.aws/sso/cache"))
            }
        }
    }

    /// Best effort: it ends by itself.
    fn end_there(&self, backend: &Backend, account: &Account, token: &Token) {
        let ended =
            center_of(token).and_then(|center| Caller::new(&self.env, backend, &center, account)?.end(&token.access));
        if let Err(error) = ended {
            tracing::warn!(%error, "Identity Center was not told of the end of a session");
        }
    }

    fn listed(&self) -> Result<Listed> {
        let bytes = self.state.read(FILE)?;
        // a list that is not ours any more is begun anew
        let read = bytes.and_then(|bytes| serde_json::from_slice::<Listed>(&bytes).ok());
        Ok(read.filter(|listed| listed.schema == SCHEMA).unwrap_or_default())
    }

    /// Changes the list under its lock.
    fn change_written(&self, change: impl FnOnce(&mut Vec<Written>)) -> Result<()> {
        let held = self.state.lock()?;
        let mut listed = self.listed()?;
        let before = listed.tokens.clone();
        change(&mut listed.tokens);
        if listed.tokens != before {
            SCHEMA.clone_into(&mut listed.schema);
            let bytes = serde_json::to_vec_pretty(&listed).map_err(|error| Error::unexpected(error.to_string()))?;
            self.state.write(FILE, &bytes, &held)?;
        }
        Ok(())
    }
}

/// The instance that a token says it is of, in whichever partition its region lies.
fn center_of(token: &Token) -> Result<Center> {
    let all = [Partition::AwsUsGov, Partition::AwsCn, Partition::AwsEusc];
    let partition = all.into_iter().find(|partition| partition.has_region(&token.region));
    Center::new(&token.start_url, &token.region, partition.unwrap_or(Partition::Aws))
}

/// Whether something in the AWS configuration signs in under the same name.
fn is_used(config: &str, token: &Token, file: &str) -> bool {
    let name = center_of(token).map(|center| names::of(&center, config));
    name.is_ok_and(|name| name.is_profiles && name.file == file)
}
