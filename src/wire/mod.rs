//! The JSON that client and backend speak: paths, views, problems.
//! Owns shapes and their conversion from the domain. Refuses behaviour.
//! Fields are only ever added; an unknown field is ignored by whoever reads.

pub mod admin;
pub mod credential;
pub mod device_flow;
pub mod filing;
pub mod health;
pub mod lock;
pub mod paths;
pub mod problem;
pub mod session;
pub mod target;
pub mod token;
pub mod view;

pub use admin::*;
pub use credential::*;
pub use device_flow::*;
pub use filing::*;
pub use health::*;
pub use lock::*;
pub use problem::Problem;
pub use session::*;
pub use target::*;
pub use view::*;

/// Version of the interface; sent both ways as `Jit-Version`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Header that carries [`VERSION`].
pub const VERSION_HEADER: &str = "jit-version";

/// Header that makes a POST count once (kept 24 h).
pub const IDEMPOTENCY_HEADER: &str = "idempotency-key";

/// Longest wait that the backend grants, in seconds.
pub const LONGEST_WAIT_S: u64 = 30;

/// Largest body that the backend reads, in bytes.
pub const LARGEST_BODY: usize = 64 * 1024;

/// Largest body of a directory: a group with some thousand members.
pub const LARGEST_SCIM_BODY: usize = 1024 * 1024;
