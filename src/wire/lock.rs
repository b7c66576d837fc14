//! Locks: what stands still, since when, why, and who lifts it.

use serde::{Deserialize, Serialize};

use super::view::PersonView;
use crate::domain::called::called;
use crate::domain::time::Timestamp;

/// Who began to lift a lock that takes two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct LiftView {
    /// Who.
    pub by: PersonView,
    /// When.
    #[cfg_attr(feature = "server", schema(value_type = String))]
    pub at: Timestamp,
}

/// A lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct LockView {
    /// `all`, `person:ID` or `target:NAME`.
    pub id: String,
    /// `all`, `person` or `target`.
    pub scope: String,
    /// Name of the person or target; `all`.
    pub name: String,
    /// Whom it is on, where it is on a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonView>,
    /// Who set it.
    pub by: PersonView,
    /// Why.
    pub reason: String,
    /// Since when.
    #[cfg_attr(feature = "server", schema(value_type = String))]
    pub since: Timestamp,
    /// The first of the two who lift a lock on everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifting: Option<LiftView>,
    /// Other targets that are the same role, or the same permission set in the same account: they are locked with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub same_access: Vec<String>,
    /// How many grants under it are not over yet; said to who may lock it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<u64>,
}

impl LockView {
    /// What it is on, in a sentence: `everything`, the target, the person.
    pub fn what(&self) -> String {
        match (self.scope.as_str(), &self.person) {
            ("all", _) => "everything".to_owned(),
            (_, Some(person)) => person.called(),
            ("target", None) => self.name.clone(),
            (_, None) => called(&self.name, None),
        }
    }
}

/// Locks that stand, as far as one may see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct LockList {
    /// Oldest first.
    pub locks: Vec<LockView>,
}

/// A lock to set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewLock {
    /// `all`, or the name of a person or target; `person:NAME` and `target:NAME` say which.
    #[cfg_attr(feature = "server", schema(min_length = 1, max_length = 300))]
    pub on: String,
    /// Why.
    #[cfg_attr(
        feature = "server",
        schema(
            min_length = 1,
            max_length = 2000,
            pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb]*$"
        )
    )]
    pub reason: String,
}

/// A lock to lift.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LiftLock {
    /// As it was named to set it.
    #[cfg_attr(feature = "server", schema(min_length = 1, max_length = 300))]
    pub on: String,
}

/// What became of setting a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Locked {
    /// The lock as it stands; `ending` counts what it ends.
    pub lock: LockView,
    /// Whether it was set now; false where it stood already.
    pub set: bool,
    /// How many grants were not over when it was set.
    pub grants: u64,
    /// How many of them leave behind what their beneficiary had before jit gave it.
    #[serde(default)]
    pub remaining: u64,
    /// Who had begun to lift it: that does not count any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_back: Option<LiftView>,
    /// Others that are shown by the name that was given: who gave it may have meant them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namesakes: Vec<PersonView>,
    /// Until when copies of credentials that were handed out under it work at the latest, also of grants that were over
    /// before; absent where none do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>))]
    pub last_credential_at: Option<Timestamp>,
}

/// What became of lifting a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Lifted {
    /// The lock as it was, or as it stands until a second person lifts it too.
    pub lock: LockView,
    /// Whether it is lifted.
    pub lifted: bool,
    /// Other targets that are the same access, or have the account, and are locked themselves: so it stays shut.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub still_locked: Vec<String>,
}
