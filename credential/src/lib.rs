//! The local credential cache and the hit of `credential_process`, shared by `jit-credential` and `jit`.
//! Owns the layout, the file format, who may have written a file, and when a cached credential is served.
//! Refuses dependencies, parsing JSON, following links, and anything that another user could have touched.
//!
//! ```text
//! ROOT/                        JIT_CACHE_DIR, else the platform's cache folder for jit
//!   current                    ORIGIN/IDENTITY of who signed in last
//!   ORIGIN/                    percent-encoded outside [A-Za-z0-9_-]
//!     .current                 IDENTITY of who signed in last at this server
//!     IDENTITY/
//!       TARGET                 line 1: what the hit needs; the rest: the JSON for stdout as it is
//!       TARGET.failed          a failure that is remembered for a few seconds
//!       TARGET.lock            the lock under which a credential is fetched
//! ```
//! An encoded name has no dot, so none of the dotted files can be taken for a target or an identity.

mod answer;
mod ask;
mod cache;
mod current;
mod entry;
mod failure;
mod guard;
mod hit;
mod lock;
mod names;
mod problem;
mod write;

pub use answer::{answer, complain, now_ms};
pub use ask::{Ask, Program};
pub use cache::{Cache, Listed};
pub use current::Choice;
pub use entry::{Entry, Facts, Json, Reach, Refresh, State};
pub use failure::{Failure, joined};
pub use hit::{Outcome, chain_names, chain_with, hit};
pub use lock::Lock;
pub use names::{Account, BadName, Origin, is_target};
pub use problem::{Problem, Wrong};

/// A look-up of environment variables, passed in so that only the edge reads the environment.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<std::ffi::OsString>;
