//! A command that works with a target's credentials.
//! Owns its environment, becoming it, and living beside it where it is to get new credentials.

mod beside;
mod command;
mod endpoint;
mod hidden;
mod watch;

pub use command::{ChildCommand, TAKEN_OUT, TARGET_VARIABLE};
pub use watch::Ended;
