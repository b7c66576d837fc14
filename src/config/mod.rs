//! Flags, environment and files as typed values.
//! Owns every look at the environment beside the credential cache's own. Refuses to guess: a value that is wrong is exit 3.

mod environment;
mod file;
mod folders;
mod guarded;
mod issuer_url;
pub mod keyring;
mod network;
mod parent;
mod sealing_file;
mod sealing_key;
mod secret_file;
mod server_file;
mod server_source;
mod shown_url;
mod tls_pair;
mod web_address;

pub use environment::{Environment, VARIABLES, Variable};
pub use file::ConfigFile;
pub use folders::Folders;
pub use guarded::{not_for_others, opened_not_for_others, way_not_for_others};
pub use issuer_url::IssuerUrl;
pub use network::{NetworkSettings, ProxySetting};
pub use parent::parent_program;
pub use sealing_key::SealingKey;
pub use server_file::directory::Directory;
pub use server_file::listening::{ForwardedHeader, TlsFiles, TrustedProxies};
pub use server_file::people::Admin;
pub use server_file::sign_in::{IdentityProvider, TokenAlgorithm};
pub use server_file::workload_issuer::WorkloadIssuer;
pub use server_file::{SecretSource, ServerFile};
pub use shown_url::shown_url;
pub use tls_pair::TlsPair;
pub use web_address::WebAddress;
