//! Flags, environment and files as typed values.
//! Owns every look at the environment beside the credential cache's own. Refuses to guess: a value that is wrong is exit 3.

mod environment;
mod file;
mod folders;
mod issuer_url;
mod network;
mod sealing_file;
mod sealing_key;

pub use environment::{Environment, VARIABLES, Variable};
pub use file::ConfigFile;
pub use folders::Folders;
pub use issuer_url::IssuerUrl;
pub use network::{NetworkSettings, ProxySetting};
pub use sealing_key::SealingKey;
