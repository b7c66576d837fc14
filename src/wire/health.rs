//! What a backend says of itself.

use serde::{Deserialize, Serialize};

/// Whether the backend is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Readiness {
    /// All below are.
    pub ready: bool,
    /// The database takes writes.
    pub database: bool,
    /// A policy bundle is in force and what lies in the folder is the same.
    pub policy: bool,
    /// What is wrong with the bundle in the folder.
    pub policy_error: Option<String>,
    /// Hash of the bundle in force.
    pub policy_hash: Option<String>,
    /// The worker ticked a short while ago.
    pub worker: bool,
}

/// What `jit serve -o json` says first.
#[derive(Clone, Serialize, Deserialize)]
pub struct Serving {
    /// `jit/serve/1`.
    pub schema: String,
    /// Where it listens.
    pub url: String,
    /// Local people with their one-time codes; under `--dev` only.
    pub people: Vec<ServingPerson>,
}

/// A local person of `jit serve --dev`.
#[derive(Clone, Serialize, Deserialize)]
pub struct ServingPerson {
    /// Their name.
    pub name: String,
    /// Signs them in once, for 10 minutes.
    pub code: String,
    /// What they are, in a word.
    pub role: String,
}
