//! Locks: list, set, lift.

use std::sync::Arc;

use axum::extract::State;

use super::{meanwhile, repeated};
use crate::domain::Scope;
use crate::server::backend::{Backend, Caller};
use crate::server::edge::body::{Body, Json};
use crate::server::failure::Failure;
use crate::server::service::locks;
use crate::wire::{LiftLock, Lifted, LockList, Locked, NewLock, Problem};

/// Lists locks that stand, as far as one may see them.
#[utoipa::path(get, path = "/v1/locks", responses((status = 200, body = LockList), (status = "default", body = Problem)))]
pub async fn list(State(backend): State<Arc<Backend>>, caller: Caller) -> Result<Json<LockList>, Failure> {
    locks::list(&backend, &caller).await.map(Json)
}

/// Sets a lock: on a person, on a target, or on everything. What stands under it begins to end at once.
#[utoipa::path(post, path = "/v1/locks", request_body = NewLock,
    responses((status = 200, body = Locked), (status = "default", body = Problem)))]
pub async fn set(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    body: Body<NewLock>,
) -> Result<Json<Locked>, Failure> {
    let key = body.key.as_ref();
    let done = match repeated(&backend, &caller, key).await? {
        Some(done) => done,
        None => match locks::lock(&backend, &caller, &body.value, key).await {
            Ok(locked) => return Ok(Json(locked)),
            Err(failure) => meanwhile(&backend, &caller, key, failure).await?,
        },
    };
    locks::after_lock(&backend, &Scope::try_from(done)?).await.map(Json)
}

/// Lifts a lock. The one on everything takes two people: the first is recorded.
#[utoipa::path(post, path = "/v1/locks/lift", request_body = LiftLock,
    responses((status = 200, body = Lifted), (status = "default", body = Problem)))]
pub async fn lift(
    State(backend): State<Arc<Backend>>,
    caller: Caller,
    body: Body<LiftLock>,
) -> Result<Json<Lifted>, Failure> {
    let key = body.key.as_ref();
    let done = match repeated(&backend, &caller, key).await? {
        Some(done) => done,
        None => match locks::unlock(&backend, &caller, &body.value, key).await {
            Ok(lifted) => return Ok(Json(lifted)),
            Err(failure) => meanwhile(&backend, &caller, key, failure).await?,
        },
    };
    locks::after_lift(&backend, &Scope::try_from(done)?).await.map(Json)
}
