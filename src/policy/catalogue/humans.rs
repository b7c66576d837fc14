//! `[human.NAME]`: everything that one human is: identities that sign in, and accounts that start jobs.
//! Owns that nobody is two of them. Refuses logins: an account is known by its id, which nobody can take over.

use std::collections::BTreeSet;

use toml::Spanned;

use super::Member;
use super::build::Ground;
use super::shape::{self, Document};
use super::workloads::is_issuer;
use crate::policy::finding::Source;

/// A human.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Human {
    /// As whom they sign in.
    pub(super) identities: BTreeSet<Member>,
    /// By what they start jobs: (issuer of the jobs' tokens, id there).
    accounts: BTreeSet<(String, String)>,
}

impl Human {
    /// Whether what the account `id` starts at `issuer` is theirs.
    pub(super) fn has_account(&self, issuer: &str, id: &str) -> bool {
        self.accounts
            .iter()
            .any(|account| account.0 == issuer && account.1 == id)
    }
}

impl<'a> Ground<'a> {
    pub(super) fn add_humans(&mut self, source: &Source<'a>, document: &'a Document) {
        for (name, written) in &document.human {
            self.check_text(source, name, "name of the human");
            if self.humans.contains_key(name.get_ref()) {
                self.twice(source, name, "human");
                continue;
            }
            let human = self.human(source, name, written);
            self.humans.insert(name.get_ref().clone(), human);
        }
    }

    fn human(&mut self, source: &Source<'a>, name: &Spanned<String>, written: &shape::Human) -> Human {
        let before = self.findings.len();
        let human = Human {
            identities: self.people(source, written.identities.iter()),
            accounts: self.accounts_of(source, written),
        };
        if self.findings.len() > before {
            return human;
        }
        // nobody could tell who approves, where an account is of nobody who signs in
        if human.identities.is_empty() {
            let message = format!("`{}` has no identity", name.get_ref());
            self.find(source, name.span(), message, None);
        } else if human.identities.len() < 2 && human.accounts.is_empty() {
            let message = format!("`{}` has fewer than two identities, and no account", name.get_ref());
            self.find(source, name.span(), message, None);
        }
        let mut others = self.humans.values();
        let doubled = |one: &&Member| others.clone().any(|other| other.identities.contains(*one));
        if let Some((_, subject)) = human.identities.iter().find(doubled) {
            let message = format!("`{subject}` is named as two humans");
            self.find(source, name.span(), message, None);
        } else if let Some((_, id)) = human
            .accounts
            .iter()
            .find(|one| others.any(|other| other.accounts.contains(*one)))
        {
            let message = format!("account `{id}` is named as of two humans");
            self.find(source, name.span(), message, None);
        }
        human
    }

    fn accounts_of(&mut self, source: &Source<'a>, written: &shape::Human) -> BTreeSet<(String, String)> {
        let mut accounts = BTreeSet::new();
        for one in &written.accounts {
            match account(one.get_ref()) {
                Some((issuer, id)) => {
                    accounts.insert((issuer.to_owned(), id.to_owned()));
                }
                None => {
                    let hint = "write it as `ISSUER ID`, such as `https://token.actions.githubusercontent.com 583231`";
                    let message = format!("`{}` is no account", one.get_ref());
                    self.find(source, one.span(), message, Some(hint.to_owned()));
                }
            }
        }
        accounts
    }
}

/// An issuer and what its tokens call an account, with a space between, which neither has.
fn account(written: &str) -> Option<(&str, &str)> {
    let (issuer, id) = written.split_once(' ')?;
    let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_graphic());
    (is_issuer(issuer) && is_id).then_some((issuer, id))
}
