//! The approval backend.

pub mod provider;
pub mod store;
