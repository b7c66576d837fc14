//! Handlers: parse, call a service, answer. Refuse rules and SQL.

pub mod admin;
pub mod confirm;
pub mod device_flow;
pub mod grants;
pub mod health;
pub mod issuer;
pub mod locks;
pub mod requests;
pub mod scim;
pub mod sessions;
pub mod sign_in;
pub mod targets;

use crate::server::backend::{Backend, Caller};
use crate::server::failure::Failure;
use crate::server::service::Key;
use crate::wire::problem::Code;

/// What the same key led to before, if anything did.
///
/// # Errors
/// [`Code::IdempotencyReused`] where it came with another body.
async fn repeated(backend: &Backend, caller: &Caller, key: Option<&Key>) -> Result<Option<String>, Failure> {
    let Some(key) = key else { return Ok(None) };
    match backend.store.once(&caller.person.id, &key.key).await? {
        Some((hash, outcome)) if hash == key.body_hash => Ok(Some(outcome)),
        Some(_) => Err(Failure::new(
            Code::IdempotencyReused,
            "this idempotency key came with another body before",
        )),
        None => Ok(None),
    }
}

/// What the same key has led to since we looked: two of one call at once are one call, so the second is answered from
/// what the first did.
///
/// # Errors
/// `failure`, where the key led to nothing; [`Code::IdempotencyReused`].
async fn meanwhile(backend: &Backend, caller: &Caller, key: Option<&Key>, failure: Failure) -> Result<String, Failure> {
    repeated(backend, caller, key).await?.ok_or(failure)
}
