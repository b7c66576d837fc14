//! The page that asks a person whether the terminal is theirs, and their "yes".
//! Owns its words. Refuses what another page sends in their name.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::Response;
use serde::Deserialize;

use super::device_flow::offered;
use super::sign_in::{cookies, over, slowed, stopped};
use crate::domain::called::called;
use crate::server::backend::Backend;
use crate::server::edge::page::{Line, asking_page};
use crate::server::identity::proved::Proved;
use crate::server::service::browser::Stopped;
use crate::server::service::confirm;
use crate::wire::paths;

/// Which sign-in a person is asked about.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// As the identity provider brought it back.
    state: String,
}

/// A person's "yes", as the page sends it.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Yes {
    /// To which sign-in.
    state: String,
    /// What only the page that asked knows.
    answer: String,
}

/// Asks a person who signed in whether the terminal is theirs, or the machine whose code they typed.
#[utoipa::path(get, path = "/sign-in/confirm", params(Asked),
    responses((status = 200, body = String, content_type = "text/html"), (status = 400, body = String, content_type = "text/html")))]
pub async fn ask(
    State(backend): State<Arc<Backend>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    if let Some(slowed) = slowed(&backend, peer) {
        return slowed;
    }
    let Ok(Query(Asked { state })) = asked else {
        return stopped(&Stopped::NotBegun);
    };
    match confirm::asked(&backend, &cookies(&headers), &state) {
        Ok(proved) if proved.terminal.user_code.is_some() => offered(&backend, &proved),
        Ok(proved) => question(&proved),
        Err(why) => stopped(&why),
    }
}

/// Takes the "yes", and sends the browser on to the terminal.
#[utoipa::path(post, path = "/sign-in/confirm", request_body(content = Yes, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html"), (status = 303), (status = 400, body = String, content_type = "text/html")))]
pub async fn say_yes(
    State(backend): State<Arc<Backend>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    if let Some(slowed) = slowed(&backend, peer) {
        return slowed;
    }
    // no other page says it for them
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    if origin != Some(backend.settings.origin.as_str()) {
        return stopped(&Stopped::NotBegun);
    }
    // a form is written as a query is
    let sent = body.ok().and_then(|body| String::from_utf8(body.to_vec()).ok());
    let sent = sent.and_then(|sent| format!("/?{sent}").parse::<Uri>().ok());
    let yes = sent.and_then(|sent| Query::<Yes>::try_from_uri(&sent).ok());
    let Some(Query(Yes { state, answer })) = yes else {
        return stopped(&Stopped::NotBegun);
    };
    match confirm::confirm(&backend, &cookies(&headers), &state, &answer).await {
        Ok(ended) => over(&backend, &state, ended),
        Err(why) => stopped(&why),
    }
}

/// What stands between an identity provider that answers by itself and a terminal that may be anybody's.
fn question(proved: &Proved) -> Response {
    let who = called(&proved.name, Some(&proved.with));
    let asks = match proved.renews {
        Some(_) => format!("A terminal asks {who} for a second factor. It shows:"),
        None => format!("A terminal asks to sign in as {who}. It shows:"),
    };
    let lines = [
        Line::Text(asks),
        Line::Code(proved.word()),
        Line::Text(
            "Does yours show that? Where it shows something else, or you began nothing in a terminal, somebody else wants \
             to be you: close this page, and tell whoever runs jit."
                .to_owned(),
        ),
        Line::Form {
            to: paths::SIGN_IN_CONFIRM.to_owned(),
            given: vec![
                ("state".to_owned(), proved.state.clone()),
                ("answer".to_owned(), proved.answer.clone()),
            ],
            asked: None,
            button: "Yes, it is my terminal".to_owned(),
        },
    ];
    asking_page("Is it you?", &lines, proved.terminal.port)
}
