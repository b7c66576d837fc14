//! Groups as they are written: who is in one, or which group of which directory feeds it.
//! Owns what may name a person. Refuses a group of two sources, and two of one source: nobody could say whose it is.

use std::collections::BTreeSet;

use toml::Spanned;

use super::Member;
use super::build::{Ground, TARGET_APPROVERS};
use super::shape::{Document, FromDirectory, Group};
use crate::policy::finding::Source;

/// Sources of people that need no address.
const PEOPLE: [&str; 1] = ["local"];

/// The group of a directory that feeds a group here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// The directory.
    pub source: String,
    /// Which of its groups.
    pub of: FeedBy,
}

/// Which group of a directory is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedBy {
    /// The one of this name.
    Name(String),
    /// The one that the directory itself calls so.
    ExternalId(String),
}

impl<'a> Ground<'a> {
    pub(super) fn add_groups(&mut self, source: &Source<'a>, document: &'a Document) {
        for (name, group) in &document.group {
            self.check_text(source, name, "name of the group");
            if name.get_ref() == TARGET_APPROVERS {
                let message = format!("`{TARGET_APPROVERS}` stands for the approvers of a target");
                self.find(
                    source,
                    name.span(),
                    message,
                    Some("name the group otherwise".to_owned()),
                );
            } else if self.groups.contains_key(name.get_ref()) {
                self.twice(source, name, "group");
            }
            self.add_feed(source, name, group);
            let members = self.people(source, group.members.iter().flatten());
            self.groups.insert(name.get_ref().clone(), members);
        }
    }

    fn add_feed(&mut self, source: &Source<'a>, name: &Spanned<String>, group: &Group) {
        let Some(written) = &group.directory else {
            if group.members.is_none() {
                let hint = Some("write members, or directory = { source = \"acme\", name = \"payments\" }".to_owned());
                let message = format!("group `{}` has neither members nor a directory", name.get_ref());
                self.find(source, name.span(), message, hint);
            }
            return;
        };
        if group.members.is_some() {
            let message = format!("group `{}` has two sources: members, and a directory", name.get_ref());
            let hint = Some("name two groups, and both where one may decide".to_owned());
            self.find(source, written.span(), message, hint);
        }
        let Some(feed) = feed(written.get_ref()) else {
            let message = format!("group `{}` names no group of a directory", name.get_ref());
            let hint = Some("write source and one of name, external_id".to_owned());
            return self.find(source, written.span(), message, hint);
        };
        if let Some((other, _)) = self.feeds.iter().find(|(_, other)| **other == feed) {
            let message = format!("groups `{other}` and `{}` are fed by one group", name.get_ref());
            let hint = Some("one group of a directory feeds one group here".to_owned());
            self.find(source, written.span(), message, hint);
        }
        self.feeds.insert(name.get_ref().clone(), feed);
    }

    /// Whom `names` name; who is nobody is a finding.
    pub(super) fn people<'n>(
        &mut self,
        source: &Source<'a>,
        names: impl Iterator<Item = &'n Spanned<String>>,
    ) -> BTreeSet<Member> {
        let mut people = BTreeSet::new();
        for name in names {
            match person(name.get_ref()) {
                Some((issuer, subject)) => {
                    people.insert((issuer.to_owned(), subject.to_owned()));
                }
                None => {
                    let hint = Some("write it as local:NAME, or as `ISSUER SUBJECT`".to_owned());
                    let message = format!("`{}` is no member", name.get_ref());
                    self.find(source, name.span(), message, hint);
                }
            }
        }
        people
    }
}

fn feed(written: &FromDirectory) -> Option<Feed> {
    let of = match (&written.name, &written.external_id) {
        (Some(name), None) => FeedBy::Name(name.clone()),
        (None, Some(id)) => FeedBy::ExternalId(id.clone()),
        (None, None) | (Some(_), Some(_)) => return None,
    };
    let source = written.source.clone();
    let (FeedBy::Name(text) | FeedBy::ExternalId(text)) = &of;
    (!source.is_empty() && !text.is_empty()).then_some(Feed { source, of })
}

/// Whom a member of a group names, as (issuer, subject): `local:alice`, or an issuer's address and its name for somebody
/// with a space between, which no address has.
pub(super) fn person(member: &str) -> Option<(&str, &str)> {
    let (issuer, subject) = match member.split_once(' ') {
        Some((issuer, subject)) if is_address(issuer) => (issuer, subject),
        Some(_) | None => member.split_once(':').filter(|(source, _)| PEOPLE.contains(source))?,
    };
    (!subject.is_empty() && subject.trim() == subject).then_some((issuer, subject))
}

/// Whether people may come from `issuer`.
pub(super) fn is_source(issuer: &str) -> bool {
    PEOPLE.contains(&issuer) || is_address(issuer)
}

/// Encrypted, or on this machine, as a `[[sign_in]]` may have it.
pub(super) fn is_address(issuer: &str) -> bool {
    let plain = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"];
    issuer.starts_with("https://") || plain.iter().any(|here| issuer.starts_with(here))
}
