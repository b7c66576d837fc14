//! A call that changes something goes on to its end, though its caller has gone: what is committed is woken for,
//! and what was minted is written down.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::server::backend::Backend;
use crate::server::failure::Failure;

/// Where browsers come back to.
const RETURN: &str = "/sign-in/callback/";

/// Runs what changes something in a task of its own, which a stop waits for.
pub async fn whole(State(backend): State<Arc<Backend>>, request: Request, next: Next) -> Response {
    // a browser comes back with GET, and spends a code with it
    let is_return = request.uri().path().starts_with(RETURN);
    if request.method().is_safe() && !is_return {
        return next.run(request).await;
    }
    let under_way = backend.under_way.clone().read_owned().await;
    let call = tokio::spawn(async move {
        let response = next.run(request).await;
        drop(under_way);
        response
    });
    // it ends badly by a panic only, whose words may name anything: they are not repeated
    call.await
        .unwrap_or_else(|_| Failure::broken("a call panicked").into_response())
}
