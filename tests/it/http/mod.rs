//! The HTTP interface as any program may use it: the backend runs in this process, on a port of its own.
//! Refuses `jit` itself as a client: what these tests send, others could send.

mod asking;
mod attacks;
mod bodies;
mod caller;
mod decisions;
mod device_flow;
mod edge;
mod ids;
mod issuer;
mod load;
mod locks;
mod names;
mod oidc;
mod oidc_asks;
mod oidc_house;
mod oidc_lies;
mod once;
mod policy;
mod remote;
mod scim;
mod scim_suite;
mod scim_tokens;
mod secrets;
mod sign_in;
mod stage;
mod step_up;
mod tls;
mod waiting;
mod workload_house;
mod workload_lies;
mod workloads;

pub use self::names::{signs_in, two_issuers};
pub use self::oidc_house::with_issuer;
pub use self::stage::{Stage, code_of};
pub use self::workload_house::{PERMITS, enrolled};
