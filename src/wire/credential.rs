//! Credentials as they are handed out. Refuses to show their secret half in a log.

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;

/// Credentials of an AWS session.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct MintedCredential {
    /// The grant.
    pub grant: String,
    /// On what.
    pub target: String,
    /// Public half.
    pub access_key_id: String,
    /// Secret half.
    pub secret_access_key: String,
    /// Session token.
    pub session_token: String,
    /// They work until here: never later than the grant's end.
    #[cfg_attr(feature = "server", schema(value_type = String))]
    pub expires_at: Timestamp,
    /// The account.
    pub account: String,
    /// When the grant ends: there is no renewal beyond.
    #[cfg_attr(feature = "server", schema(value_type = String))]
    pub grant_ends_at: Timestamp,
    /// What they are narrowed to.
    pub only: Vec<String>,
}

impl std::fmt::Debug for MintedCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MintedCredential({}, ****)", self.access_key_id)
    }
}
