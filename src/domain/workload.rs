//! Jobs and machines that ask: what is enrolled of them, and what a token of theirs said that fits.
//! Owns when claims fit. Refuses names: a repository and an account are known by their ids, which nobody can take over.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::digest::{Digest, canonical};
use super::id::PersonId;

/// Hex digits of the digest in a workload's subject: 48 bits tell what is enrolled under one name apart.
const DIGEST_DIGITS: usize = 12;

/// Who makes the tokens, as far as it says what has to be looked at in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkloadKind {
    /// GitHub Actions.
    Github,
    /// Accounts of AWS, by `sts:GetWebIdentityToken`.
    Aws,
    /// Any other: CI systems, Kubernetes.
    Generic,
}

impl WorkloadKind {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Github, Self::Aws, Self::Generic];

    /// As files name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Aws => "aws",
            Self::Generic => "generic",
        }
    }

    /// The one of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }
}

/// What a claim has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Exactly one of these: a text, an integer or a boolean each.
    OneOf(Vec<Value>),
    /// An object in which each of these is so.
    Inside(BTreeMap<String, Wanted>),
}

/// A workload as the catalogue enrols it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolled {
    /// Its name.
    pub name: String,
    /// Who makes its tokens, letter by letter.
    pub issuer: String,
    /// Of which kind that one is.
    pub kind: WorkloadKind,
    /// What its tokens say; all of it.
    pub claims: BTreeMap<String, Wanted>,
}

impl Enrolled {
    /// Those of `claims` that are asked for, where every one of them fits.
    pub fn matched(&self, claims: &Map<String, Value>) -> Option<Map<String, Value>> {
        inside(&self.claims, claims)
    }

    /// Whether it enrols still what signed in as `workload`.
    pub fn holds(&self, workload: &Workload) -> bool {
        self.name == workload.name && self.matched(&workload.claims).as_ref() == Some(&workload.claims)
    }
}

fn inside(wanted: &BTreeMap<String, Wanted>, claims: &Map<String, Value>) -> Option<Map<String, Value>> {
    let one = |(name, wanted): (&String, &Wanted)| {
        let value = claims.get(name)?;
        let fitting = match wanted {
            Wanted::OneOf(several) => several.contains(value).then(|| value.clone()),
            Wanted::Inside(further) => inside(further, value.as_object()?).map(Value::Object),
        };
        Some((name.clone(), fitting?))
    };
    // nothing asked for is nothing enrolled
    let matched: Option<Map<String, Value>> = wanted.iter().map(one).collect();
    matched.filter(|matched| !matched.is_empty())
}

/// By whom a job was started, as its token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartedBy {
    /// Nobody: such tokens are of machines.
    Nobody,
    /// It does not say.
    Unknown,
    /// This account at its issuer, by its id there.
    Account(String),
}

impl StartedBy {
    /// As policy names it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Unknown => "unknown",
            Self::Account(_) => "account",
        }
    }
}

/// Who it is that asks, where it is no person: part of the body of its requests, so whoever approves, approves this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workload {
    /// The name that it is enrolled under.
    pub name: String,
    /// Who made its token.
    pub issuer: String,
    /// Those claims of its token that it is enrolled by.
    pub claims: Map<String, Value>,
    /// Who started it.
    pub started_by: StartedBy,
}

impl Workload {
    /// What it is known by at its issuer: the name, what matched, and who started it, so that no run rides on what was
    /// approved for somebody else's. `subject` is the token's own, where that means something.
    pub fn subject(&self, subject: Option<&str>) -> String {
        let digest = Digest::of(&canonical(&json!([self.claims, subject])));
        let matched = &digest.as_str()[..DIGEST_DIGITS];
        let by = match &self.started_by {
            StartedBy::Nobody => "",
            StartedBy::Unknown => "/?",
            StartedBy::Account(id) => &format!("/{id}"),
        };
        format!("{}/{matched}{by}", self.name)
    }
}

/// The people behind a request that a workload made, as far as the catalogue links accounts to people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Behind {
    /// Nobody: a person asks, or a machine.
    #[default]
    Nobody,
    /// Somebody of whom nothing is known. Anybody could be approving what they started themselves.
    Unknown,
    /// Somebody, with all that they are here; nothing where they never signed in.
    Known(Vec<PersonId>),
}

impl Behind {
    /// Whether it is `person`.
    pub fn is(&self, person: &PersonId) -> bool {
        match self {
            Self::Nobody | Self::Unknown => false,
            Self::Known(people) => people.contains(person),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(value: Value) -> Wanted {
        match value {
            Value::Array(several) => Wanted::OneOf(several),
            Value::Object(further) => Wanted::Inside(further.into_iter().map(|(k, v)| (k, wanted(v))).collect()),
            one => Wanted::OneOf(vec![one]),
        }
    }

    fn enrolled(claims: Value) -> Enrolled {
        let Wanted::Inside(claims) = wanted(claims) else {
            panic!("an object")
        };
        Enrolled {
            name: "deploy".into(),
            issuer: "https://ci.example".into(),
            kind: WorkloadKind::Generic,
            claims,
        }
    }

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn every_claim_has_to_fit_exactly() {
        let deploy = enrolled(json!({ "repository_id": "74", "event": ["push", "manual"], "n": 1, "b": true }));
        let good = json!({ "repository_id": "74", "event": "push", "n": 1, "b": true, "more": "x" });
        let matched = deploy.matched(&object(good.clone())).unwrap();
        assert_eq!(matched.len(), 4, "{matched:?}");
        for (name, value) in [
            ("repository_id", json!("7")),
            ("repository_id", json!("744")),
            ("repository_id", json!(74)),
            ("repository_id", json!(["74"])),
            ("repository_id", json!(null)),
            ("event", json!("PUSH")),
            ("event", json!(["push", "manual"])),
            ("n", json!("1")),
            ("n", json!(1.5)),
            ("b", json!("true")),
        ] {
            let mut claims = object(good.clone());
            claims.insert(name.into(), value.clone());
            assert_eq!(deploy.matched(&claims), None, "{name} {value}");
            claims.remove(name);
            assert_eq!(deploy.matched(&claims), None, "no {name}");
        }
    }

    #[test]
    fn claims_inside_others_are_reached() {
        let pod = enrolled(json!({ "kubernetes.io": { "namespace": "prod", "serviceaccount": { "uid": "u" } } }));
        let says = |namespace: &str| {
            object(json!({
                "kubernetes.io": { "namespace": namespace, "pod": { "name": "x" }, "serviceaccount": { "name": "a", "uid": "u" } },
            }))
        };
        let matched = pod.matched(&says("prod")).unwrap();
        assert_eq!(
            Value::Object(matched),
            json!({ "kubernetes.io": { "namespace": "prod", "serviceaccount": { "uid": "u" } } })
        );
        assert_eq!(pod.matched(&says("dev")), None);
        assert_eq!(pod.matched(&object(json!({ "kubernetes.io": "prod" }))), None);
    }

    #[test]
    fn nothing_asked_for_enrols_nobody() {
        assert_eq!(enrolled(json!({})).matched(&object(json!({ "a": "b" }))), None);
        assert_eq!(enrolled(json!({ "a": {} })).matched(&object(json!({ "a": {} }))), None);
        assert_eq!(enrolled(json!({ "a": [] })).matched(&object(json!({ "a": "" }))), None);
    }

    #[test]
    fn subject_tells_apart_what_matched_and_who_started_it() {
        let workload = |id: &str, started_by| Workload {
            name: "deploy".into(),
            issuer: "https://ci.example".into(),
            claims: object(json!({ "repository_id": id })),
            started_by,
        };
        let alice = StartedBy::Account("583231".into());
        let mut subjects = vec![
            workload("74", alice.clone()).subject(None),
            workload("75", alice.clone()).subject(None),
            workload("74", StartedBy::Account("583232".into())).subject(None),
            workload("74", StartedBy::Nobody).subject(None),
            workload("74", StartedBy::Unknown).subject(None),
            workload("74", alice.clone()).subject(Some("a")),
            workload("74", alice).subject(Some("b")),
        ];
        assert!(subjects[0].starts_with("deploy/") && subjects[0].ends_with("/583231"));
        subjects.sort();
        subjects.dedup();
        assert_eq!(subjects.len(), 7);
    }

    #[test]
    fn what_is_enrolled_otherwise_holds_no_longer() {
        let deploy = enrolled(json!({ "repository_id": "74", "ref": ["a", "b"] }));
        let claims = deploy
            .matched(&object(json!({ "repository_id": "74", "ref": "a" })))
            .unwrap();
        let signed_in = Workload {
            name: "deploy".into(),
            issuer: deploy.issuer.clone(),
            claims,
            started_by: StartedBy::Nobody,
        };
        assert!(deploy.holds(&signed_in));
        for other in [
            json!({ "repository_id": "75", "ref": "a" }),
            json!({ "repository_id": "74", "ref": "b" }),
            json!({ "repository_id": "74" }),
            json!({ "repository_id": "74", "ref": "a", "environment": "prod" }),
        ] {
            assert!(!enrolled(other.clone()).holds(&signed_in), "{other}");
        }
        assert!(
            !Enrolled {
                name: "other".into(),
                ..deploy
            }
            .holds(&signed_in)
        );
    }
}
