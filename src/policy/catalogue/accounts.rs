//! `[accounts.NAME]`: accounts that a target names together, as they are written.
//! Owns what may be written for them. Refuses to know which those are: that is asked when somebody asks for one.

use toml::Spanned;

use super::build::{Defined, Ground};
use super::shape::{self, Document};
use crate::domain::accounts::is_account_id;
use crate::domain::{Choice, Partition};
use crate::policy::finding::{Finding, Source};
use crate::policy::nearest::suggestion;

/// Accounts that a target names together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounts {
    /// Their name in the catalogue.
    pub name: String,
    /// By what they are chosen.
    pub by: Choice,
    /// Their environment.
    pub environment: String,
    /// Their partition.
    pub partition: Partition,
    /// Ids of units and accounts that are left out.
    pub except: Vec<String>,
}

impl<'a> Ground<'a> {
    pub(super) fn add_many(&mut self, source: &Source<'a>, document: &'a Document) {
        for (name, written) in &document.accounts {
            self.check_text(source, name, "name of the accounts");
            match accounts(source, name, written) {
                Ok(value) => {
                    let (source, at) = (*source, name.span());
                    if self
                        .many
                        .insert(name.get_ref(), Defined { source, at, value })
                        .is_some()
                    {
                        self.twice(&source, name, "accounts");
                    }
                }
                Err(found) => self.findings.extend(found),
            }
        }
    }

    pub(super) fn check_many(&mut self, documents: &'a [(Source<'a>, Document)]) {
        for (source, document) in documents {
            for environment in document.accounts.values().map(|written| &written.environment) {
                if !self.environments.contains_key(environment.get_ref().as_str()) {
                    let hint = suggestion(environment.get_ref(), self.environments.keys().copied());
                    let message = format!("there is no environment `{}`", environment.get_ref());
                    self.find(source, environment.span(), message, Some(hint));
                }
            }
        }
    }
}

/// What `written` describes; what is wrong with it are findings.
fn accounts(source: &Source<'_>, name: &Spanned<String>, written: &shape::Accounts) -> Result<Accounts, Vec<Finding>> {
    let mut found = Vec::new();
    let by = match (&written.ou, &written.tag) {
        (Some(ou), None) => unit(source, ou),
        (None, Some(tag)) => tagged(source, tag),
        (Some(one), Some(_)) => Err(source.finding(one.span(), "accounts are chosen by ou or by tag, not by both")),
        (None, None) => {
            let finding = source.finding(name.span(), "nothing says which accounts these are");
            Err(finding.with_hint("add ou = \"ou-ab12-11111111\" or tag = \"team=payments\""))
        }
    };
    for left_out in &written.except {
        if !is_unit(left_out.get_ref()) && !is_account_id(left_out.get_ref()) {
            let message = format!("`{}` is no unit and no account", left_out.get_ref());
            let hint = "write the id of an organizational unit, or the 12 digits of an account";
            found.push(source.finding(left_out.span(), message).with_hint(hint));
        }
    }
    match by {
        Ok(by) if found.is_empty() => Ok(Accounts {
            name: name.get_ref().clone(),
            by,
            environment: written.environment.get_ref().clone(),
            partition: written.partition.unwrap_or(Partition::Aws),
            except: written.except.iter().map(|one| one.get_ref().clone()).collect(),
        }),
        Ok(_) => Err(found),
        Err(finding) => {
            found.push(finding);
            Err(found)
        }
    }
}

fn unit(source: &Source<'_>, ou: &Spanned<String>) -> Result<Choice, Finding> {
    if is_unit(ou.get_ref()) {
        return Ok(Choice::Ou(ou.get_ref().clone()));
    }
    let finding = source.finding(ou.span(), format!("`{}` is no organizational unit", ou.get_ref()));
    Err(finding.with_hint("write its id, such as ou-ab12-11111111, or the root's, such as r-ab12"))
}

fn tagged(source: &Source<'_>, tag: &Spanned<String>) -> Result<Choice, Finding> {
    match tag.get_ref().split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() && key.len() <= 128 && value.len() <= 256 => {
            Ok(Choice::Tag {
                key: key.to_owned(),
                value: value.to_owned(),
            })
        }
        Some(_) | None => {
            let finding = source.finding(tag.span(), format!("`{}` is no tag", tag.get_ref()));
            Err(finding.with_hint("write its key and its value, such as team=payments"))
        }
    }
}

/// `ou-ROOT-UNIT` or `r-ROOT`, of lower-case letters and digits (`CreateOrganizationalUnit`, `Id`).
pub(in crate::policy) fn is_unit(id: &str) -> bool {
    let word = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    if let Some(root) = id.strip_prefix("r-") {
        return word(root, 4..=32);
    }
    let parts = id.strip_prefix("ou-").and_then(|rest| rest.split_once('-'));
    parts.is_some_and(|(root, unit)| word(root, 4..=32) && word(unit, 8..=32))
}
