//! The groups that somebody is in, and where each came from.
//! Refuses to forget since when: a vote counts only by what is older than the request.

use serde_json::{Value, json};

use crate::domain::Timestamp;

/// A group that somebody is in because a directory says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fed {
    /// As the catalogue names it.
    pub group: String,
    /// The directory.
    pub source: String,
    /// Since when.
    pub since: Timestamp,
}

/// The groups of somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    names: Vec<String>,
    fed: Vec<Fed>,
}

impl Groups {
    /// Those that stand in the catalogue itself, and those that directories feed.
    pub fn new(named: Vec<String>, fed: Vec<Fed>) -> Self {
        let mut names = named;
        names.extend(fed.iter().map(|fed| fed.group.clone()));
        names.sort();
        names.dedup();
        Self { names, fed }
    }

    /// Their names, as the catalogue has them.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Those that came from a directory.
    pub fn fed(&self) -> &[Fed] {
        &self.fed
    }

    /// Those that counted before `at`. What stands in the catalogue does: it is policy that says so.
    #[must_use]
    pub fn before(&self, at: Timestamp) -> Self {
        let is_too_new = |name: &String| {
            let mut of = self.fed.iter().filter(|fed| fed.group == *name);
            of.any(|fed| fed.since >= at)
        };
        Self {
            names: self.names.iter().filter(|name| !is_too_new(name)).cloned().collect(),
            fed: self.fed.iter().filter(|fed| fed.since < at).cloned().collect(),
        }
    }

    /// Where they came from, for the evidence; nothing where all stand in the catalogue.
    pub(super) fn origins(&self) -> Option<Value> {
        let origin = |fed: &Fed| json!({ "group": fed.group, "directory": fed.source, "since": fed.since.to_string() });
        let origins: Vec<Value> = self.fed.iter().map(origin).collect();
        (!origins.is_empty()).then(|| json!(origins))
    }
}

impl From<Vec<String>> for Groups {
    fn from(names: Vec<String>) -> Self {
        Self::new(names, Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_counts_from_the_instant_after_it_was_joined() {
        let since = Timestamp::from_millis(1_000);
        let fed = Fed {
            group: "payments".into(),
            source: "acme".into(),
            since,
        };
        let groups = Groups::new(vec!["engineering".into()], vec![fed]);
        assert_eq!(groups.names(), ["engineering", "payments"]);
        assert_eq!(groups.before(since).names(), ["engineering"]);
        assert_eq!(
            groups.before(Timestamp::from_millis(1_001)).names(),
            ["engineering", "payments"]
        );
    }
}
