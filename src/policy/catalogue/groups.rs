//! Groups of people, as the catalogue writes them.
//! Owns who is named by what is written. Refuses whoever is not named by an issuer and its own name for them.

use std::collections::BTreeSet;

use super::build::{Ground, TARGET_APPROVERS};
use super::shape::Document;
use crate::policy::finding::Source;

/// Sources of people that need no address.
const PEOPLE: [&str; 1] = ["local"];

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
            let mut members = BTreeSet::new();
            for member in &group.members {
                match person(member.get_ref()) {
                    Some((issuer, subject)) => {
                        members.insert((issuer.to_owned(), subject.to_owned()));
                    }
                    None => {
                        let hint = Some("write it as local:NAME, or as `ISSUER SUBJECT`".to_owned());
                        let message = format!("`{}` is no member", member.get_ref());
                        self.find(source, member.span(), message, hint);
                    }
                }
            }
            self.groups.insert(name.get_ref().clone(), members);
        }
    }
}

/// Whom a member of a group names, as (issuer, subject): `local:alice`, or an issuer's address and its name for somebody
/// with a space between, which no address has.
fn person(member: &str) -> Option<(&str, &str)> {
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
fn is_address(issuer: &str) -> bool {
    let plain = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"];
    issuer.starts_with("https://") || plain.iter().any(|here| issuer.starts_with(here))
}
