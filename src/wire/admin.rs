//! What an admin does: codes for people, sessions of people.

use serde::{Deserialize, Serialize};

use super::view::PersonView;
use crate::domain::time::Timestamp;

/// Somebody who is to sign in with a one-time code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Their name, as they sign in with it.
    pub name: String,
}

/// A code for somebody.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct AddedUser {
    /// Whom it signs in.
    pub person: PersonView,
    /// The code; it is nowhere else.
    pub code: String,
    /// It works before this instant, once.
    #[cfg_attr(feature = "server", schema(value_type = String))]
    pub expires_at: Timestamp,
    /// Whether they were not known before.
    pub is_new: bool,
    /// How long a device that it enrols may ask and not approve, in seconds.
    pub decides_after_s: u32,
}

/// A session of somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct SessionView {
    /// Its id.
    pub id: String,
    /// Whose.
    pub person: PersonView,
    /// Who vouches for them.
    pub issuer: String,
    /// How they signed in.
    pub method: String,
    /// On which device.
    pub device: String,
    /// Where it keeps its key.
    pub key_storage: String,
    /// When.
    #[cfg_attr(feature = "server", schema(value_type = String))]
    pub created_at: Timestamp,
    /// It works before this instant.
    #[cfg_attr(feature = "server", schema(value_type = String))]
    pub expires_at: Timestamp,
}

/// Sessions that are not over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct SessionList {
    /// Newest first.
    pub sessions: Vec<SessionView>,
    /// How many older ones are not told of.
    #[serde(default)]
    pub more: u32,
}

/// A device that was enrolled for oneself lately, beside the one that asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct NewDevice {
    /// Its id.
    pub id: String,
    /// When.
    #[cfg_attr(feature = "server", schema(value_type = String))]
    pub enrolled_at: Timestamp,
}

impl std::fmt::Debug for AddedUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AddedUser({}, ****)", self.person.name)
    }
}
