//! jit: privileged access for a limited time, after a policy or a person said yes.

pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod domain;
pub mod error;
pub mod network;
#[cfg(feature = "server")]
pub mod policy;
pub mod random;
#[cfg(feature = "server")]
pub mod server;
pub mod ui;
pub mod wire;
