//! Which accounts a target in many accounts could be had in: read beside everything else, kept for a while.
//! Owns how old a list may be that is shown. Refuses to be decided by: who asks for an account has it looked at afresh.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::{Choice, Partition, Timestamp};
use crate::policy::Family;
use crate::server::backend::Backend;
use crate::server::provider::{ListedAccount, ProviderError};
use crate::server::wake::stopped;

/// How often it is looked whether something is to be read.
const LOOK: Duration = Duration::from_secs(5);
/// A list is read again after this: one costs a call for 20 accounts.
const FRESH_MS: i64 = 10 * 60_000;
/// The same by tag: that costs a call for every account of the organization.
const FRESH_BY_TAG_MS: i64 = 60 * 60_000;
/// A list that could not be read is tried again after this.
const AGAIN_MS: i64 = 60_000;
/// A list that is so many times as old is not shown any more.
const STALE: i64 = 3;

/// What is listed: by what, where, and what is left out.
type Key = (Choice, Partition, Vec<String>);

/// A list as it was read.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its accounts, by id.
    pub accounts: Arc<Vec<ListedAccount>>,
    /// When it was read.
    pub at: Timestamp,
}

/// What is known of the accounts of a target.
#[derive(Clone, Debug)]
pub enum Listing {
    /// These, a while ago.
    Read(Listed),
    /// Nothing yet, or nothing that is not too old; and why.
    Unread(Option<String>),
    /// What they are chosen by is gone.
    Gone,
}

#[derive(Debug, Default)]
struct Entry {
    read: Option<Listed>,
    error: Option<String>,
    is_gone: bool,
    next: Option<Timestamp>,
}

/// The lists.
#[derive(Debug, Default)]
pub struct Roster {
    entries: Mutex<BTreeMap<Key, Entry>>,
}

fn key(family: &Family) -> Key {
    let accounts = &family.accounts;
    (accounts.by.clone(), accounts.partition, accounts.except.clone())
}

const fn fresh_ms(by: &Choice) -> i64 {
    match by {
        Choice::Ou(_) => FRESH_MS,
        Choice::Tag { .. } => FRESH_BY_TAG_MS,
    }
}

impl Roster {
    /// What is known of the accounts of `family`.
    pub fn listing(&self, now: Timestamp, family: &Family) -> Listing {
        let entries = self.entries();
        let Some(entry) = entries.get(&key(family)) else {
            return Listing::Unread(None);
        };
        let longest = fresh_ms(&family.accounts.by) * STALE;
        let read = entry
            .read
            .clone()
            .filter(|read| now.millis() - read.at.millis() <= longest);
        match read {
            _ if entry.is_gone => Listing::Gone,
            Some(read) => Listing::Read(read),
            None => Listing::Unread(entry.error.clone()),
        }
    }

    /// Reads what is due of the lists that are meant, one after the other; forgets what no target names any more.
    pub async fn refresh(&self, backend: &Backend, is_meant: fn(&Choice) -> bool) {
        let bundle = backend.bundle();
        let families = bundle.catalogue().families();
        let wanted: Vec<Key> = families.iter().map(key).collect();
        self.entries().retain(|key, _| wanted.contains(key));
        for key in wanted.into_iter().filter(|(by, _, _)| is_meant(by)) {
            let is_due = self
                .entries()
                .get(&key)
                .and_then(|entry| entry.next)
                .is_none_or(|next| next <= backend.now());
            if is_due {
                self.read(backend, key).await;
            }
        }
    }

    async fn read(&self, backend: &Backend, key: Key) {
        let (by, partition, except) = &key;
        let organization = &backend.identity_center;
        let begun = backend.now();
        let read = organization.accounts(*partition, by, except).await;
        let mut is_gone = false;
        if let (Err(ProviderError::Refused(_)), Choice::Ou(unit)) = (&read, by) {
            is_gone = organization.has_unit(*partition, unit).await == Ok(false);
        }
        let (now, fresh) = (backend.now(), fresh_ms(by));
        let mut entries = self.entries();
        let entry = entries.entry(key.clone()).or_default();
        entry.is_gone = is_gone;
        match read {
            Ok(accounts) => {
                tracing::info!(by = %key.0, accounts = accounts.len(), ms = now.millis() - begun.millis(), "listed accounts");
                let accounts = Arc::new(accounts);
                entry.read = Some(Listed { accounts, at: now });
                entry.error = None;
                entry.next = Some(Timestamp::from_millis(now.millis() + fresh));
            }
            Err(error) => {
                tracing::warn!(by = %key.0, %error, "accounts cannot be listed; it is tried again");
                entry.error = Some(error.to_string());
                entry.next = Some(Timestamp::from_millis(now.millis() + AGAIN_MS));
            }
        }
    }

    /// Nothing that is done under the lock can panic half-way.
    fn entries(&self) -> MutexGuard<'_, BTreeMap<Key, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it is a list that costs a call for every account of the organization.
const fn is_long(by: &Choice) -> bool {
    match by {
        Choice::Ou(_) => false,
        Choice::Tag { .. } => true,
    }
}

/// Reads what is due until `stop` turns true: a long list holds up no short one.
pub async fn run(backend: Arc<Backend>, stop: watch::Receiver<bool>) {
    tokio::join!(
        keep(&backend, stop.clone(), |by| !is_long(by)),
        keep(&backend, stop, is_long)
    );
}

async fn keep(backend: &Backend, mut stop: watch::Receiver<bool>, is_meant: fn(&Choice) -> bool) {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            () = stopped(&mut stop) => return,
        }
        tokio::select! {
            () = backend.roster.refresh(backend, is_meant) => {}
            () = stopped(&mut stop) => return,
        }
    }
}
