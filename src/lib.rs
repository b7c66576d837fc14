//! jit: privileged access for a limited time, after a policy or a person said yes.

pub mod clock;
pub mod domain;
#[cfg(feature = "server")]
pub mod policy;
pub mod random;
#[cfg(feature = "server")]
pub mod server;
pub mod wire;
