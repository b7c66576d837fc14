//! Signing a machine in that has no browser: what it asks, and the pages on which a person types its code and says yes.
//! Owns queries, forms and pages. Refuses forms that no page of ours sent.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::sign_in::{cookies, go_to, slowed, stopped, with_cookie};
use crate::server::backend::Backend;
use crate::server::edge::body::{Body, Form, Json};
use crate::server::edge::page::{Line, page};
use crate::server::failure::Failure;
use crate::server::identity::device::DeviceKey;
use crate::server::identity::device_sign_ins::Waiting;
use crate::server::identity::proved::Proved;
use crate::server::identity::relying_party::encoded;
use crate::server::service::browser::Stopped;
use crate::server::service::device_flow::{self, SIGNED_IN};
use crate::wire::{DeviceSignIn, NewDeviceSignIn, Problem, paths};

/// A code that was typed.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct Typed {
    /// What our own page alone knows.
    token: String,
    /// The code.
    code: String,
}

/// Where the person signs in.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct With {
    /// The identity provider's name.
    with: String,
}

/// What the person says.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct Answer {
    /// What our own page alone knows.
    token: String,
    /// `yes` or `no`.
    answer: String,
}

/// Asks to be signed in, as a machine without a browser.
#[utoipa::path(post, path = "/v1/device-sign-ins", request_body = NewDeviceSignIn,
    responses((status = 201, body = DeviceSignIn), (status = "default", body = Problem)))]
pub async fn ask(
    State(backend): State<Arc<Backend>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    key: DeviceKey,
    body: Body<NewDeviceSignIn>,
) -> Result<Response, Failure> {
    let called = backend.limits.call_from(peer.ip(), backend.now());
    called.map_err(|wait_s| Failure::too_much("too many calls", wait_s))?;
    let asked = device_flow::ask(&backend, &body.value, &key.id, peer.ip())?;
    Ok((StatusCode::CREATED, Json(asked)).into_response())
}

/// Where a person types the code of a machine.
#[utoipa::path(get, path = "/device",
    responses((status = 200, body = String, content_type = "text/html")))]
pub async fn look(State(backend): State<Arc<Backend>>, ConnectInfo(peer): ConnectInfo<SocketAddr>) -> Response {
    if let Some(slowed) = slowed(&backend, peer) {
        return slowed;
    }
    form(&backend, None)
}

/// Takes the code, and says which machine it is of.
#[utoipa::path(post, path = "/device",
    request_body(content = Typed, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html")))]
pub async fn typed(
    State(backend): State<Arc<Backend>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    typed: Form<Typed>,
) -> Response {
    if let Some(slowed) = slowed(&backend, peer) {
        return slowed;
    }
    let Form(Some(typed)) = typed else {
        return stopped(&Stopped::NotBegun);
    };
    let read = device_flow::typed(&backend, &cookies(&headers), &typed.token, &typed.code, peer.ip());
    match read {
        Err(why) => form(&backend, Some(why)),
        Ok((waiting, cookie)) => {
            let links = device_flow::names(&backend).into_iter().map(|name| Line::Link {
                to: format!("{}?with={}", paths::DEVICE_SIGN_IN, encoded(name)),
                text: format!("Sign in at {name}"),
            });
            let about = Line::Text(about(&backend, &waiting));
            let lines: Vec<Line> = std::iter::once(about).chain(links).collect();
            with_cookie(page(StatusCode::OK, "Sign a machine in", &lines), &cookie)
        }
    }
}

/// Sends the browser that typed a code to an identity provider.
#[utoipa::path(get, path = "/device/sign-in", params(With), responses((status = 303)))]
pub async fn sign_in(
    State(backend): State<Arc<Backend>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    with: Result<Query<With>, QueryRejection>,
) -> Response {
    if let Some(slowed) = slowed(&backend, peer) {
        return slowed;
    }
    let Ok(Query(with)) = with else {
        return stopped(&Stopped::NotBegun);
    };
    match device_flow::sign_in(&backend, &cookies(&headers), &with.with).await {
        Ok(begun) => go_to(&begun.address, Some(&begun.cookie)),
        Err(why) => stopped(&why),
    }
}

/// Takes the answer of whoever signed in.
#[utoipa::path(post, path = "/device/answer",
    request_body(content = Answer, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html")))]
pub async fn answer(
    State(backend): State<Arc<Backend>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    answer: Form<Answer>,
) -> Response {
    if let Some(slowed) = slowed(&backend, peer) {
        return slowed;
    }
    let Form(Some(given)) = answer else {
        return stopped(&Stopped::NotBegun);
    };
    let is_yes = given.answer == "yes";
    let answered = device_flow::answer(&backend, &cookies(&headers), &given.token, is_yes).await;
    let (status, title, text) = match answered {
        Ok(true) => (
            StatusCode::OK,
            "The machine is signed in",
            "You can close this tab: go on there.".to_owned(),
        ),
        Ok(false) => (
            StatusCode::OK,
            "The machine is not signed in",
            "Did somebody send you here? They wanted to sign in as you: tell whoever runs jit.".to_owned(),
        ),
        Err(why) => (StatusCode::BAD_REQUEST, "Not signed in", why),
    };
    let said = page(status, title, &[Line::Text(text)]);
    with_cookie(said, &backend.sign_ins.cookies.forget(SIGNED_IN))
}

/// Asks whoever signed in whether that machine is theirs.
pub(super) fn offered(backend: &Backend, proved: Proved) -> Response {
    let Some((waiting, offer, cookie)) = device_flow::offer(backend, proved) else {
        return stopped(&Stopped::NotBegun);
    };
    let says = |answer: &str, button: String| Line::Form {
        to: paths::DEVICE_ANSWER.to_owned(),
        given: vec![
            ("token".to_owned(), offer.proved.answer.clone()),
            ("answer".to_owned(), answer.to_owned()),
        ],
        asked: None,
        button,
    };
    let lines = [
        Line::Text(about(backend, &waiting)),
        Line::Text(format!(
            "It wants to be signed in as {}, and can then ask for access in that name.",
            offer.proved.name
        )),
        Line::Text(
            "Say yes if you typed jit login --device there yourself. Did somebody send you here, or give you the code? Say no."
                .to_owned(),
        ),
        says("yes", format!("Yes, sign it in as {}", offer.proved.name)),
        says("no", "No".to_owned()),
    ];
    with_cookie(page(StatusCode::OK, "Is this machine yours?", &lines), &cookie)
}

/// Which machine, as far as anybody knows: its name is its own say, its address is not.
fn about(backend: &Backend, waiting: &Waiting) -> String {
    let ago = backend.now().since(waiting.asked_at);
    let (machine, address) = (&waiting.machine, waiting.address);
    format!("A machine that calls itself {machine} asked {ago} s ago, from {address}.")
}

fn form(backend: &Backend, why: Option<String>) -> Response {
    if device_flow::names(backend).is_empty() {
        return stopped(&Stopped::NotOffered);
    }
    let token = backend.random.secret();
    let Some(cookie) = device_flow::form_cookie(backend, &token) else {
        return stopped(&Stopped::Failed);
    };
    let field = Line::Form {
        to: paths::DEVICE.to_owned(),
        given: vec![("token".to_owned(), token)],
        asked: Some(("code".to_owned(), "Code".to_owned())),
        button: "Go on".to_owned(),
    };
    let status = match why {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    let intro = why.unwrap_or_else(|| "Type the code that jit login --device shows on your machine.".to_owned());
    with_cookie(page(status, "Sign a machine in", &[Line::Text(intro), field]), &cookie)
}
