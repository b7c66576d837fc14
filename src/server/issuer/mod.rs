//! We as an OpenID Connect issuer: keys, tokens, what is published, and what the sealing key wraps.
//! Refuses storage, the network and the clock: all of them come in as arguments.

pub mod documents;
pub mod files;
mod key;
mod published;
#[cfg(test)]
pub mod sample;
mod seal;
mod settings;
pub mod token;

pub use documents::{discovery, key_set};
pub use key::{SigningKey, make, open_key, thumbprint};
pub use published::{Published, compare};
pub use seal::{Unsealable, check_value, is_check_value, open, seal};
pub use settings::IssuerSettings;
