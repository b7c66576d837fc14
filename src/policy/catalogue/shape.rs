//! The catalogue as it is written: TOML, with the place of everything that can be wrong.
//! Refuses unknown keys. Meaning is `build`'s.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::Drift;
use crate::domain::{self, Partition, Trace};
use crate::policy::finding::{Finding, Source};
use crate::policy::nearest::suggestion;

/// A table of named things.
pub(super) type Named<T> = BTreeMap<Spanned<String>, T>;
/// A list of names.
pub(super) type Names = Vec<Spanned<String>>;

/// A length of time written `30m`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Duration(pub(super) domain::Duration);

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        domain::Duration::parse(&text).map(Self).map_err(|refusal| {
            let hint = refusal.hint().unwrap_or_default();
            serde::de::Error::custom(format!("{refusal}: {hint}"))
        })
    }
}

/// One file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) organisation: Option<Spanned<Organisation>>,
    #[serde(rename = "identity-center")]
    pub(super) identity_center: Option<Spanned<IdentityCenter>>,
    #[serde(default)]
    pub(super) account: Named<Account>,
    #[serde(default)]
    pub(super) accounts: Named<Accounts>,
    #[serde(default)]
    pub(super) environment: Named<Environment>,
    #[serde(default)]
    pub(super) workflow: Named<Workflow>,
    #[serde(default)]
    pub(super) group: Named<Group>,
    #[serde(default)]
    pub(super) workload: Named<Workload>,
    #[serde(default)]
    pub(super) human: Named<Human>,
    #[serde(default)]
    pub(super) target: Vec<Spanned<Target>>,
}

/// What holds everywhere.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Organisation {
    pub(super) max_duration: Option<Duration>,
    #[serde(default)]
    pub(super) never: Names,
}

/// The instance of Identity Center.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdentityCenter {
    pub(super) instance: Spanned<String>,
    pub(super) identity_store: Spanned<String>,
    pub(super) region: Spanned<String>,
    pub(super) start_url: Spanned<String>,
    pub(super) user_name: Option<Spanned<String>>,
    pub(super) e_mail: Option<Spanned<String>>,
    pub(super) people: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) drift: Drift,
}

/// An AWS account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    pub(super) id: Spanned<String>,
    pub(super) environment: Spanned<String>,
    pub(super) partition: Option<Partition>,
    pub(super) region: Option<Spanned<String>>,
    pub(super) kill_role: Option<Spanned<String>>,
}

/// AWS accounts that are found by where they stand or by a tag.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Accounts {
    pub(super) ou: Option<Spanned<String>>,
    pub(super) tag: Option<Spanned<String>>,
    pub(super) environment: Spanned<String>,
    pub(super) partition: Option<Partition>,
    #[serde(default)]
    pub(super) except: Names,
}

/// What holds for every target of some accounts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Environment {
    pub(super) max_duration: Duration,
    pub(super) workflow: Spanned<String>,
    #[serde(default)]
    pub(super) least_risk: u8,
    #[serde(default)]
    pub(super) never: Names,
}

/// Who has to agree.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Workflow {
    pub(super) expires_after: Duration,
    pub(super) activate_within: Duration,
    #[serde(default)]
    pub(super) stage: Vec<Spanned<Stage>>,
}

/// One step of a workflow.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stage {
    pub(super) name: Spanned<String>,
    pub(super) groups: Spanned<Names>,
    pub(super) approvals: Spanned<u32>,
    #[serde(default)]
    pub(super) after: Names,
}

/// Some people.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub(super) members: Option<Names>,
    pub(super) directory: Option<Spanned<FromDirectory>>,
}

/// Which group of which directory feeds a group.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FromDirectory {
    pub(super) source: String,
    pub(super) name: Option<String>,
    pub(super) external_id: Option<String>,
}

/// Identities that are one human, and accounts by which they start jobs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Human {
    pub(super) identities: Names,
    #[serde(default)]
    pub(super) accounts: Names,
}

/// A workload that may sign in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Workload {
    pub(super) issuer: Spanned<String>,
    pub(super) kind: Spanned<String>,
    #[serde(default)]
    pub(super) claims: Named<Spanned<toml::Value>>,
}

/// What can be asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    pub(super) name: Spanned<String>,
    pub(super) title: Spanned<String>,
    pub(super) description: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) aliases: Names,
    pub(super) account: Option<Spanned<String>>,
    pub(super) accounts: Option<Spanned<String>>,
    pub(super) risk: Spanned<u8>,
    #[serde(default)]
    pub(super) owners: Names,
    pub(super) approvers: Names,
    pub(super) max_duration: Option<Duration>,
    pub(super) default_duration: Option<Spanned<Duration>>,
    pub(super) workflow: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) never: Names,
    pub(super) provider: Spanned<Provider>,
}

/// How it becomes access.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Provider {
    pub(super) kind: Kind,
    pub(super) road: Road,
    pub(super) role: Option<Spanned<String>>,
    pub(super) permission_set: Option<Spanned<String>>,
    pub(super) id: Option<Spanned<String>>,
    pub(super) session: Spanned<Duration>,
    #[serde(default)]
    pub(super) chain: bool,
    pub(super) trace: Option<Trace>,
    #[serde(default)]
    pub(super) denies_never: bool,
    pub(super) kill: Option<Spanned<Kill>>,
}

/// The roads that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Road {
    /// STS, as the backend's own identity.
    AssumeRole,
    /// STS, by a token that the backend signs.
    WebIdentity,
    /// An assignment in Identity Center.
    IdentityCenter,
}

/// How sessions that live on are shut out.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kill {
    /// By an inline policy on the role that denies them everything.
    DenyPolicy,
}

/// The systems that there are providers for.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// Amazon Web Services.
    Aws,
}

/// Reads a file, or says where it cannot be read.
pub(super) fn read(source: &Source<'_>) -> Result<Document, Finding> {
    toml::from_str(source.text).map_err(|error| {
        let at = error.span().unwrap_or(0..0);
        match expected(error.message()) {
            Some((message, hint)) => source.finding(at, message).with_hint(hint),
            None => source.finding(at, error.message()),
        }
    })
}

/// Message and hint that serde's "unknown field `x`, expected one of `y`, `z`" becomes.
fn expected(message: &str) -> Option<(&str, String)> {
    let (unknown, known) = message.split_once(", expected ")?;
    let quoted = |text| str::split(text, '`').skip(1).step_by(2);
    let given = quoted(unknown).next().filter(|_| unknown.starts_with("unknown "))?;
    Some((unknown, suggestion(given, quoted(known))))
}
