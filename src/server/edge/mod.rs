//! What every call passes on its way in and out: connection, host, version, request id, limits, identity, bodies,
//! problems. Refuses use cases.

pub mod answer;
pub mod body;
pub mod connections;
pub mod directory;
pub mod forwarded;
pub mod guard;
pub mod let_in;
pub mod limits;
pub mod page;
pub mod tls;
pub mod whole;
