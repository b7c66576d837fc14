//! What a backend says of itself.

use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;

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
    /// How we stand as OpenID Connect issuer, where we are one. Never a reason not to be ready: approvals and
    /// revokes go on, and what has to be published may come through this backend itself.
    #[serde(default)]
    pub issuer: Option<IssuerReadiness>,
    /// How each directory stands. Never a reason not to be ready: who leaves there is ended by hand meanwhile.
    #[serde(default)]
    pub directories: Vec<DirectoryReadiness>,
}

/// How a directory stands that pushes people here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct DirectoryReadiness {
    /// As the file calls it.
    pub name: String,
    /// When its last token ends; none where the file does not name it any more.
    #[cfg_attr(feature = "server", schema(value_type = Option<String>))]
    pub token_ends: Option<Timestamp>,
    /// When it called last, since the start.
    #[cfg_attr(feature = "server", schema(value_type = Option<String>))]
    pub called_at: Option<Timestamp>,
    /// What somebody has to look after.
    pub trouble: Option<String>,
}

/// How we stand as OpenID Connect issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct IssuerReadiness {
    /// A published key signs.
    pub signs: bool,
    /// Why none does.
    pub why_not: Option<String>,
    /// How what is published differs from what should be, as it was seen last.
    pub differences: Vec<String>,
    /// When what is published was looked at last.
    #[cfg_attr(feature = "server", schema(value_type = Option<String>))]
    pub looked_at: Option<Timestamp>,
}

/// What `jit serve -o json` says first.
#[derive(Clone, Serialize, Deserialize)]
pub struct Serving {
    /// `jit/serve/1`.
    pub schema: String,
    /// Where people reach it; under `--dev` this machine.
    pub url: String,
    /// Where it listens.
    pub listen: String,
    /// Local people with their one-time codes: under `--dev`, and the first admin while nobody has signed in as them.
    pub people: Vec<ServingPerson>,
}

/// A local person who may sign in.
#[derive(Clone, Serialize, Deserialize)]
pub struct ServingPerson {
    /// Their name.
    pub name: String,
    /// Signs them in once, for 10 minutes under `--dev`, else for 15.
    pub code: String,
    /// What they are, in a word.
    pub role: String,
}
