//! What exists in an account, held against what jit needs there.
//! Owns reading it and judging it; the judging is pure, and calls well only what it understands as well. Refuses to
//! change anything: every finding says what a person should do.

mod boundary;
mod clients;
mod demand;
mod described;
mod document;
mod entrance;
mod finding;
mod json;
mod judge;
mod kill_switch;
mod organization;
mod read;
mod session_deny;
mod trust;

#[cfg(test)]
mod tests;

pub use self::clients::{Endpoints, ShellClients};
pub use self::described::{Described, DescribedRole};
pub use self::finding::{Finding, Kind, Severity};
pub use self::judge::judge;
pub use self::organization::Over;
pub use self::read::{ReadError, Reader};
pub use self::session_deny::{AttachedPolicy, Denied, SessionDeny};
