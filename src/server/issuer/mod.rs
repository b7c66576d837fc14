//! We as an OpenID Connect issuer.
//! Owns what the sealing key wraps. Refuses storage and the clock: both come in as arguments.

mod seal;
mod settings;

pub use seal::{Unsealable, check_value, is_check_value, open, seal};
pub use settings::IssuerSettings;
