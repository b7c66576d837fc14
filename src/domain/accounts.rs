//! Accounts that a target names together: by where they stand in the organization, or by a tag of theirs.
//! Owns whether an account is one of them. Refuses to ask the organization: what is known of an account is an argument.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// By what accounts are chosen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// Those anywhere below an organizational unit, or below the root: its id.
    Ou(String),
    /// Those that have a tag.
    Tag {
        /// Its key.
        key: String,
        /// Its value.
        value: String,
    },
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ou(id) => f.write_str(id),
            Self::Tag { key, value } => write!(f, "tag {key}={value}"),
        }
    }
}

/// How an account came to be what a request is about. Part of its body: whoever approves, approves this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// Name of these accounts in the catalogue.
    pub accounts: String,
    /// By what they are chosen.
    pub by: Choice,
}

/// An account as the organization had it when it was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountFacts {
    /// Its 12 digits.
    pub id: String,
    /// Its name there. Whoever runs the account may change it: nothing is decided by it.
    pub name: String,
    /// Ids of the units that it stands below, the nearest first, the root last.
    pub ous: Vec<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl AccountFacts {
    /// Whether it is one of those that `by` chooses.
    pub fn is_chosen(&self, by: &Choice) -> bool {
        match by {
            Choice::Ou(id) => self.ous.contains(id),
            Choice::Tag { key, value } => self.tags.get(key) == Some(value),
        }
    }
}

/// What people may type for an account of that name: lower case, with dashes for spaces. None where it has other
/// characters: letters that look like others name nothing.
pub fn typed_name(name: &str) -> Option<String> {
    let typed = name.trim().to_ascii_lowercase().replace(' ', "-");
    let is_plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = typed.as_bytes();
    let fits = (1..=63).contains(&bytes.len())
        && is_plain(&bytes[0])
        && bytes.iter().all(|b| is_plain(b) || b"._-".contains(b))
        && !is_account_id(&typed);
    fits.then_some(typed)
}

/// Whether `text` is the id of an account: 12 digits.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> AccountFacts {
        AccountFacts {
            id: "333333333333".into(),
            name: "Payments Prod".into(),
            ous: vec!["ou-ab12-22222222".into(), "ou-ab12-11111111".into(), "r-ab12".into()],
            tags: BTreeMap::from([("team".to_owned(), "payments".to_owned())]),
        }
    }

    #[test]
    fn account_is_chosen_by_any_unit_above_it() {
        for above in ["ou-ab12-22222222", "ou-ab12-11111111", "r-ab12"] {
            assert!(facts().is_chosen(&Choice::Ou(above.into())), "{above}");
        }
        for other in ["ou-ab12-2222222", "ou-ab12-222222222", "OU-AB12-11111111", ""] {
            assert!(!facts().is_chosen(&Choice::Ou(other.into())), "{other}");
        }
    }

    #[test]
    fn account_is_chosen_by_key_and_value_as_they_are() {
        let tag = |key: &str, value: &str| Choice::Tag {
            key: key.into(),
            value: value.into(),
        };
        assert!(facts().is_chosen(&tag("team", "payments")));
        for (key, value) in [("Team", "payments"), ("team", "Payments"), ("team", ""), ("", "")] {
            assert!(!facts().is_chosen(&tag(key, value)), "{key}={value}");
        }
    }

    #[test]
    fn attack_28_name_that_looks_like_another_is_not_typed() {
        assert_eq!(typed_name("Payments Prod").as_deref(), Some("payments-prod"));
        for name in [
            "pаyments",
            "payments\u{200b}",
            "prod/payments",
            "",
            "-x",
            "333333333333",
            "a\nb",
        ] {
            assert_eq!(typed_name(name), None, "{name:?}");
        }
    }
}
