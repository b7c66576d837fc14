//! What goes wrong at Identity Center, by name. Owns the codes that others ask for. Refuses words of its own: the caller has
//! them.

use crate::domain::refusal::Code;
use crate::domain::text::TargetName;
use crate::error::{Error, Exit};

/// Identity Center did not do it.
pub(super) fn failed(message: String) -> Error {
    Error::new(Exit::Provider, "identity_center.failed", message)
}

/// Nobody signed in.
pub(super) fn not_signed_in(message: &str) -> Error {
    Error::new(Exit::SignedOut, "identity_center.not_signed_in", message)
}

/// Somebody has to sign in.
pub(super) fn signed_out(target: &TargetName) -> Error {
    Error::new(
        Exit::SignedOut,
        "identity_center.signed_out",
        "signed out of Identity Center",
    )
    .try_(format!("jit login --identity-center {target}"))
}

/// Whether signing in to Identity Center mends an error.
pub fn is_signed_out_there(error: &Error) -> bool {
    error.code == "identity_center.signed_out"
}

/// Whether a moment mends an error.
pub(in super::super) fn is_provisioning(error: &Error) -> bool {
    error.code == "identity_center.provisioning"
}

/// Whether the backend says that it holds no credentials of a grant, and who does.
pub(in super::super) fn is_elsewhere(error: &Error) -> bool {
    error.wire_code() == Some(Code::CredentialElsewhere)
}
