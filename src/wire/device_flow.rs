//! Signing a machine in that has no browser (RFC 8628).

use serde::{Deserialize, Serialize};

/// A machine that asks to be signed in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewDeviceSignIn {
    /// SHA-256 of what it alone knows, base64url (RFC 7636).
    pub challenge: String,
    /// What it is called, for the person who signs it in.
    pub machine: String,
}

/// How it is signed in.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct DeviceSignIn {
    /// What it opens its session with, once somebody signed it in.
    pub device_code: String,
    /// What the person types.
    pub user_code: String,
    /// Where.
    pub page: String,
    /// For so long, in seconds.
    pub expires_in_s: u32,
    /// It asks no more often than so, in seconds.
    pub interval_s: u32,
}

impl std::fmt::Debug for DeviceSignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeviceSignIn(****)")
    }
}
