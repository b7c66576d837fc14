//! Signing in and who one is.

use serde::{Deserialize, Serialize};

use super::admin::NewDevice;
use super::view::{PersonView, WorkloadView};
use crate::domain::time::Timestamp;

/// A sign-in.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// Name of the person, as the code was handed out for; nothing where a browser brought it.
    #[serde(default)]
    pub name: String,
    /// The one-time code; nothing where a device that is known signs a local person in by its key alone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// What the terminal made before the browser went (RFC 7636), where a browser brought the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verifier: Option<String>,
    /// `keyring` or `file`.
    #[cfg_attr(feature = "server", schema(pattern = "^(keyring|file)$"))]
    pub key_storage: String,
}

/// A workload that signs in.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewWorkloadSession {
    /// What its issuer says of it: a signed token, for this backend alone.
    pub token: String,
    /// `keyring` or `file`.
    #[cfg_attr(feature = "server", schema(pattern = "^(keyring|file)$"))]
    pub key_storage: String,
}

/// A second factor that was shown again, for the session that sends this.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Renewal {
    /// The one-time code that the browser brought.
    pub code: String,
    /// What the terminal made before the browser went (RFC 7636).
    pub verifier: String,
}

/// A P-256 public key as a JWK (RFC 7518, section 6.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PublicKey {
    /// `P-256`.
    #[cfg_attr(feature = "server", schema(pattern = "^P-256$"))]
    pub crv: String,
    /// `EC`.
    #[cfg_attr(feature = "server", schema(pattern = "^EC$"))]
    pub kty: String,
    /// base64url, 32 bytes.
    #[cfg_attr(feature = "server", schema(pattern = "^[A-Za-z0-9_-]{43}$"))]
    pub x: String,
    /// base64url, 32 bytes.
    #[cfg_attr(feature = "server", schema(pattern = "^[A-Za-z0-9_-]{43}$"))]
    pub y: String,
}

/// A session that was opened. The only answer beside credentials that holds a secret.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct OpenedSession {
    /// The token; it is nowhere else.
    pub token: String,
    /// Who signed in.
    pub me: Me,
}

/// Who one is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Me {
    /// The person.
    pub person: PersonView,
    /// Who vouches for them.
    pub issuer: String,
    /// That one's name for them.
    pub subject: String,
    /// Names of groups.
    pub groups: Vec<String>,
    /// Which workload it is, where it is no person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<WorkloadView>,
    /// How they signed in.
    pub method: String,
    /// When they last showed a second factor; absent where they never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>))]
    pub mfa_at: Option<Timestamp>,
    /// Since when nobody has used the session, where that is so long ago that it approves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>))]
    pub idle_since: Option<Timestamp>,
    /// Whether they run the backend.
    #[serde(default)]
    pub admin: bool,
    /// Their other devices that were enrolled lately.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub new_devices: Vec<NewDevice>,
    /// The session's id.
    pub session: String,
    /// The session's end.
    #[cfg_attr(feature = "server", schema(value_type = String))]
    pub session_ends_at: Timestamp,
    /// The device.
    pub device: String,
    /// Where it keeps its key.
    pub key_storage: String,
}

/// A way to sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct SignInWay {
    /// `local` (a one-time code), `loopback-pkce` (a browser beside the terminal), `remote` (one elsewhere), `device` (one
    /// elsewhere, for a machine that asked) or `workload` (a token of a job or machine).
    pub method: String,
    /// Of the identity provider or issuer, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Whom a workload's token is to be for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
}

/// Every way to sign in that the backend offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct SignInMethods {
    /// In the order of the backend's file.
    pub methods: Vec<SignInWay>,
}

/// What the browser brings to the terminal, in the query.
#[derive(Clone, Serialize, Deserialize)]
pub struct Brought {
    /// The terminal's own, by which it knows that it asked.
    pub state: String,
    /// The one-time code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl std::fmt::Debug for NewSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewSession({}, ****)", self.name)
    }
}

impl std::fmt::Debug for NewWorkloadSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewWorkloadSession(****)")
    }
}

impl std::fmt::Debug for Renewal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Renewal(****)")
    }
}

impl std::fmt::Debug for OpenedSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenedSession({}, ****)", self.me.person.name)
    }
}
