//! Signing a machine in that has no browser: what it asks, and the pages on which a person types its code and says yes.
//! Owns queries, forms and pages. Refuses forms that no page of ours sent.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::sign_in::{cookies, sent, slowed, stopped, with_cookie};
use crate::domain::Timestamp;
use crate::domain::called::called;
use crate::server::backend::Backend;
use crate::server::edge::body::{Body, Form, Json};
use crate::server::edge::page::{Line, page};
use crate::server::failure::Failure;
use crate::server::identity::device::DeviceKey;
use crate::server::identity::device_sign_ins::Waiting;
use crate::server::identity::proved::Proved;
use crate::server::identity::relying_party::encoded;
use crate::server::service::browser::Stopped;
use crate::server::service::device_flow::{self, Offer};
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
    /// To which sign-in.
    state: String,
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
    let asked = device_flow::ask(&backend, &body.value, &key.id, peer.ip())?;
    Ok((StatusCode::CREATED, Json(asked)).into_response())
}

/// Where a person types the code of a machine.
#[utoipa::path(get, path = "/device",
    responses((status = 200, body = String, content_type = "text/html")))]
pub async fn look(
    State(backend): State<Arc<Backend>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    if let Some(slowed) = slowed(&backend, peer) {
        return slowed;
    }
    form(&backend, &headers, None)
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
        Err(why) => form(&backend, &headers, Some(why)),
        Ok((waiting, cookie)) => {
            let links = device_flow::names(&backend).into_iter().map(|name| Line::Link {
                to: format!("{}?with={}", paths::DEVICE_SIGN_IN, encoded(name)),
                text: format!("Sign in at {name}"),
            });
            let lines: Vec<Line> = about(backend.now(), &waiting).into_iter().chain(links).collect();
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
        Ok(begun) => sent(&backend, &headers, &begun),
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
    let brought = cookies(&headers);
    match device_flow::answer(&backend, &brought, &given.state, &given.token, is_yes).await {
        Ok(is_in) => said(is_in, is_yes),
        Err(why) => page(StatusCode::BAD_REQUEST, "Not signed in", &[Line::Text(why)]),
    }
}

/// What came of the first answer, for whoever says `is_yes` now.
pub(super) fn said(is_in: bool, is_yes: bool) -> Response {
    let (title, text) = match (is_in, is_yes) {
        (true, true) => ("The machine is signed in", "You can close this tab: go on there."),
        (true, false) => (
            "The machine is signed in already",
            "You said yes before. Is it not yours? End its session, in a terminal: jit logout --everywhere. Did somebody send \
             you here? They wanted to sign in as you: tell whoever runs jit.",
        ),
        (false, true) => (
            "The machine is not signed in",
            "You said no before. Is it yours after all? Begin again there: jit login --device",
        ),
        (false, false) => (
            "The machine is not signed in",
            "Did somebody send you here? They wanted to sign in as you: tell whoever runs jit.",
        ),
    };
    page(StatusCode::OK, title, &[Line::Text(text.to_owned())])
}

/// Asks whoever signed in whether that machine is theirs; tells them what they said, where they did.
pub(super) fn offered(backend: &Backend, proved: &Proved) -> Response {
    let waiting = match device_flow::offer(backend, proved) {
        Some(Offer::Waits(waiting)) => waiting,
        Some(Offer::Said(is_in)) => return said(is_in, is_in),
        None => return stopped(&Stopped::NotBegun),
    };
    let who = called(&proved.name, Some(&proved.with));
    let says = |answer: &str, button: String| Line::Form {
        to: paths::DEVICE_ANSWER.to_owned(),
        given: vec![
            ("state".to_owned(), proved.state.clone()),
            ("token".to_owned(), proved.answer.clone()),
            ("answer".to_owned(), answer.to_owned()),
        ],
        asked: None,
        button,
    };
    let asked = [
        Line::Text(format!(
            "It wants to be signed in as {who}, and can then ask for access in that name."
        )),
        Line::Text(
            "Say yes if you typed jit login --device there yourself. Did somebody send you here, or give you the code? Say no."
                .to_owned(),
        ),
        says("yes", format!("Yes, sign it in as {who}")),
        says("no", "No".to_owned()),
    ];
    let lines: Vec<Line> = about(backend.now(), &waiting).into_iter().chain(asked).collect();
    page(StatusCode::OK, "Is this machine yours?", &lines)
}

/// Which machine, as far as anybody knows. Where it called from is no say of its own: that comes first, in a line by itself.
fn about(now: Timestamp, waiting: &Waiting) -> [Line; 2] {
    let (address, ago) = (waiting.address.to_canonical(), now.since(waiting.asked_at));
    let name = match waiting.machine.as_str() {
        "" => "It says no name.".to_owned(),
        machine => format!(
            "It calls itself {}, and may call itself anything.",
            called(machine, None)
        ),
    };
    [
        Line::Text(format!("A machine asks. It called from {address}, {ago} s ago.")),
        Line::Text(name),
    ]
}

fn form(backend: &Backend, headers: &HeaderMap, why: Option<String>) -> Response {
    if device_flow::names(backend).is_empty() {
        return stopped(&Stopped::NotOffered);
    }
    let Some((token, cookie)) = device_flow::form(backend, &cookies(headers)) else {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::DeviceId;

    fn waiting(machine: &str) -> Waiting {
        Waiting {
            user_code: "BCDFGHJK".into(),
            code_hash: "h".into(),
            device: DeviceId::parse(&"d".repeat(43)).unwrap(),
            challenge: "c".into(),
            machine: machine.into(),
            address: "::ffff:203.0.113.5".parse().unwrap(),
            asked_at: Timestamp::from_millis(0),
            until: Timestamp::from_millis(300_000),
        }
    }

    #[test]
    fn attack_27_name_of_a_machine_stands_in_quotes_after_its_address() {
        let twelve = Timestamp::from_millis(12_000);
        let asks = Line::Text("A machine asks. It called from 203.0.113.5, 12 s ago.".into());
        for (machine, said) in [
            ("build-7", "It calls itself build-7, and may call itself anything."),
            (
                "ana-laptop asked 1 s ago, from 10.0.0.7. IT checked it; \"x",
                "It calls itself \"ana-laptop asked 1 s ago, from 10.0.0.7. IT checked it; \\\"x\", and may call itself anything.",
            ),
            ("", "It says no name."),
        ] {
            assert_eq!(
                about(twelve, &waiting(machine)),
                [asks.clone(), Line::Text(said.into())]
            );
        }
    }

    #[tokio::test]
    async fn no_after_a_yes_says_what_to_do() {
        for (is_in, is_yes, what) in [
            (true, true, "go on there"),
            (true, false, "jit logout --everywhere"),
            (false, true, "jit login --device"),
            (false, false, "tell whoever runs jit"),
        ] {
            let page = said(is_in, is_yes);
            assert_eq!(page.status(), StatusCode::OK);
            let text = axum::body::to_bytes(page.into_body(), 10_000).await.unwrap();
            let text = String::from_utf8(text.to_vec()).unwrap();
            assert!(text.contains(what), "{text}");
        }
    }
}
