//! An organization that is a stand-in of ours. Exists under test only. Owns what is there. Refuses to page and to throttle: the stand-in of AWS does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use async_trait::async_trait;

use super::StandIn;
use crate::domain::{AccountFacts, Choice, Partition};
use crate::server::provider::{ListedAccount, Organization, ProviderError};

/// The accounts of an organization.
#[derive(Default)]
pub struct Organized {
    /// By id.
    pub accounts: Mutex<BTreeMap<String, AccountFacts>>,
    /// Accounts that are not active.
    pub suspended: Mutex<BTreeSet<String>>,
    /// Units that are gone.
    pub gone: Mutex<BTreeSet<String>>,
    /// What it answers to everything, where it does not answer.
    pub silent: Mutex<Option<ProviderError>>,
    /// How often one account was looked at.
    pub looks: AtomicU32,
    /// Whether a list by tag is never answered.
    pub is_stuck: AtomicBool,
    /// How often accounts were listed.
    pub walks: AtomicU32,
}

impl Organized {
    /// Puts the account of this id and name below `ous`.
    pub fn put(&self, id: &str, name: &str, ous: &[&str], tags: &[(&str, &str)]) {
        let facts = AccountFacts {
            id: id.to_owned(),
            name: name.to_owned(),
            ous: ous.iter().chain(&["r-ab12"]).map(|ou| (*ou).to_owned()).collect(),
            tags: tags
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
        };
        self.accounts.lock().unwrap().insert(facts.id.clone(), facts);
    }

    fn answers(&self) -> Result<(), ProviderError> {
        self.silent.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl Organization for Organized {
    async fn account(&self, _: Partition, id: &str) -> Result<Option<AccountFacts>, ProviderError> {
        let here = self;
        here.looks.fetch_add(1, Ordering::SeqCst);
        here.answers()?;
        if here.suspended.lock().unwrap().contains(id) {
            return Err(ProviderError::Refused(format!("account {id} is SUSPENDED, not ACTIVE")));
        }
        Ok(here.accounts.lock().unwrap().get(id).cloned())
    }

    async fn has_unit(&self, _: Partition, id: &str) -> Result<bool, ProviderError> {
        self.answers()?;
        Ok(!self.gone.lock().unwrap().contains(id))
    }

    async fn accounts(
        &self,
        _: Partition,
        by: &Choice,
        except: &[String],
    ) -> Result<Vec<ListedAccount>, ProviderError> {
        let here = self;
        here.walks.fetch_add(1, Ordering::SeqCst);
        here.answers()?;
        if matches!(by, Choice::Tag { .. }) && here.is_stuck.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if let Choice::Ou(unit) = by
            && here.gone.lock().unwrap().contains(unit)
        {
            return Err(ProviderError::Refused(format!("there is no {unit}")));
        }
        let suspended = here.suspended.lock().unwrap();
        let is_offered = |one: &&AccountFacts| {
            let is_out = except.iter().any(|id| one.ous.contains(id) || *id == one.id);
            one.is_chosen(by) && !is_out && !suspended.contains(&one.id)
        };
        let accounts = here.accounts.lock().unwrap();
        let listed = accounts.values().filter(is_offered).map(|one| ListedAccount {
            id: one.id.clone(),
            name: one.name.clone(),
        });
        Ok(listed.collect())
    }
}

#[async_trait]
impl Organization for StandIn {
    async fn account(&self, _: Partition, _: &str) -> Result<Option<AccountFacts>, ProviderError> {
        Ok(None)
    }

    async fn has_unit(&self, _: Partition, _: &str) -> Result<bool, ProviderError> {
        Ok(false)
    }

    async fn accounts(&self, _: Partition, _: &Choice, _: &[String]) -> Result<Vec<ListedAccount>, ProviderError> {
        Ok(Vec::new())
    }
}
