//! Where a browser begins to sign in, and where the identity provider sends it back to.
//! Owns the queries and the pages. Refuses what no terminal of ours sends.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::uri::{Authority, PathAndQuery};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::device_flow::said;
use crate::domain::{DeviceId, SessionId};
use crate::server::backend::Backend;
use crate::server::edge::body::Json;
use crate::server::edge::page::{Line, guarded, page};
use crate::server::identity::on_its_way::Terminal;
use crate::server::identity::relying_party::encoded;
use crate::server::identity::sign_ins::Ended;
use crate::server::service::browser::{self, Begun, Return, Stopped};
use crate::wire::{Problem, SignInMethods, paths};

/// The longest value that an identity provider brings back, in bytes.
const LONGEST: usize = 4_096;

/// Which terminal asks.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Asking {
    /// The identity provider's name; it may be left out where there is one.
    with: Option<String>,
    /// SHA-256 of what the terminal alone knows, base64url (RFC 7636).
    challenge: String,
    /// Thumbprint of the device's key (RFC 7638).
    device: String,
    /// Where the terminal listens on 127.0.0.1; left out where the person carries the code there.
    port: Option<u16>,
    /// What it knows its own answer by: up to 64 characters of base64url.
    state: String,
    /// The session for which a second factor is to be shown again, where none is to be opened.
    renews: Option<String>,
}

/// What the identity provider sends back.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Brought {
    /// Which sign-in.
    #[serde(default)]
    state: String,
    /// Its code.
    code: Option<String>,
    /// Who sends it (RFC 9207).
    iss: Option<String>,
    /// Its "no".
    error: Option<String>,
    /// In its words.
    error_description: Option<String>,
}

/// Ways to sign in.
#[utoipa::path(get, path = "/v1/sign-in-methods",
    responses((status = 200, body = SignInMethods), (status = "default", body = Problem)))]
pub async fn methods(State(backend): State<Arc<Backend>>) -> Json<SignInMethods> {
    Json(browser::methods(&backend))
}

/// Sends a browser to an identity provider.
#[utoipa::path(get, path = "/sign-in", params(Asking),
    responses((status = 200, body = String, content_type = "text/html"), (status = 303)))]
pub async fn begin(
    State(backend): State<Arc<Backend>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    uri: Uri,
    asking: Result<Query<Asking>, QueryRejection>,
) -> Response {
    if let Some(slowed) = slowed(&backend, peer) {
        return slowed;
    }
    // the identity provider sends it back there: what it keeps under another name of ours would not come along
    if let Some(elsewhere) = under_another_name(&backend.settings.origin, &headers, &uri) {
        return go_to(&elsewhere, None);
    }
    let Ok(Query(asking)) = asking else {
        return not_ours();
    };
    let Some(terminal) = asking.terminal() else {
        return not_ours();
    };
    if let Some(renews) = asking.renews.as_deref() {
        let Ok(renews) = SessionId::parse(renews) else {
            return not_ours();
        };
        return match browser::begin_again(&backend, terminal.clone(), renews).await {
            Ok(begun) => sent(&backend, &headers, &begun),
            Err(why) => not_begun(&terminal, &why),
        };
    }
    let party = backend.sign_ins.party(asking.with.as_deref());
    let Some(party) = party else {
        return match (&asking.with, backend.sign_ins.parties()) {
            (Some(_), _) | (None, []) => stopped(&Stopped::NoSuchParty),
            (None, several) => {
                let link = |name: &str| Line::Link {
                    to: asking.with_party(name),
                    text: name.to_owned(),
                };
                let links: Vec<Line> = several.iter().map(|party| link(party.name())).collect();
                page(StatusCode::OK, "Where do you sign in?", &links)
            }
        };
    };
    match browser::begin(&backend, party, terminal.clone(), None).await {
        Ok(begun) => sent(&backend, &headers, &begun),
        Err(why) => not_begun(&terminal, &why),
    }
}

/// The same address at `origin`, where the browser calls us by another name. Ports may differ: of a proxy's, nothing is known.
fn under_another_name(origin: &str, headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let given = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let given = given.or(uri.authority().map(Authority::as_str))?;
    let name = |host: &str| Some(host.parse::<Authority>().ok()?.host().to_ascii_lowercase());
    let own = name(origin.split_once("://")?.1)?;
    (name(given)? != own).then(|| format!("{origin}{}", uri.path_and_query().map_or("", PathAndQuery::as_str)))
}

/// Where an identity provider sends a browser back to.
#[utoipa::path(get, path = "/sign-in/callback/{with}", params(("with" = String, Path, description = "The identity provider's name."), Brought),
    responses((status = 303), (status = 400, body = String, content_type = "text/html")))]
pub async fn finish(
    State(backend): State<Arc<Backend>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(with): Path<String>,
    method: Method,
    headers: HeaderMap,
    brought: Result<Query<Brought>, QueryRejection>,
) -> Response {
    if let Some(slowed) = slowed(&backend, peer) {
        return slowed;
    }
    let Ok(Query(brought)) = brought else {
        return stopped(&Stopped::NotBegun);
    };
    // what only looks (HEAD) spends no code
    if method != Method::GET {
        return stopped(&Stopped::NotBegun);
    }
    let values = [
        Some(&brought.state),
        brought.code.as_ref(),
        brought.iss.as_ref(),
        brought.error.as_ref(),
        brought.error_description.as_ref(),
    ];
    if values.into_iter().flatten().any(|value| value.len() > LONGEST) {
        return stopped(&Stopped::NotBegun);
    }
    let returned = Return {
        state: brought.state,
        code: brought.code,
        issuer: brought.iss,
        error: brought.error,
        description: brought.error_description,
        with,
    };
    match browser::finish(&backend, &cookies(&headers), &returned, peer.ip()).await {
        Ok(ended) => over(&backend, &returned.state, ended),
        Err(why) => stopped(&why),
    }
}

impl Asking {
    /// The terminal, where it can be one of ours.
    fn terminal(&self) -> Option<Terminal> {
        let is_text = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
            let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            lengths.contains(&text.len()) && text.bytes().all(is_plain)
        };
        let fits = is_text(&self.challenge, 43..=43) && is_text(&self.state, 16..=64) && self.port != Some(0);
        Some(Terminal {
            challenge: self.challenge.clone(),
            device: DeviceId::parse(&self.device).ok()?,
            port: self.port,
            state: self.state.clone(),
            user_code: None,
        })
        .filter(|_| fits)
    }

    /// The same at the identity provider `name`.
    fn with_party(&self, name: &str) -> String {
        let port = self.port.map(|port| format!("&port={port}")).unwrap_or_default();
        format!(
            "{}?with={}&challenge={}&device={}{port}&state={}",
            paths::SIGN_IN,
            encoded(name),
            encoded(&self.challenge),
            encoded(&self.device),
            encoded(&self.state)
        )
    }
}

/// Where the browser goes after the sign-in of `state`; only who is still asked keeps its cookie.
pub(super) fn over(backend: &Backend, state: &str, ended: Ended) -> Response {
    let clear = backend.sign_ins.cookies.clear(state);
    match ended {
        Ended::Asked(cookie) => go_to(
            &format!("{}?state={}", paths::SIGN_IN_CONFIRM, encoded(state)),
            Some(&cookie),
        ),
        Ended::Terminal(address) => go_to(&address, Some(&clear)),
        Ended::Machine(is_in) => said(is_in, is_in),
        Ended::Carried(code) => with_cookie(carried(&code), &clear),
        Ended::Refused(why) => with_cookie(refused(why), &clear),
    }
}

/// A browser may split its cookies (RFC 9113, section 8.2.3).
pub(super) fn cookies(headers: &HeaderMap) -> String {
    let cookies = headers.get_all(header::COOKIE).iter();
    let cookies: Vec<&str> = cookies.filter_map(|cookie| cookie.to_str().ok()).collect();
    cookies.join("; ")
}

pub(super) fn slowed(backend: &Backend, peer: SocketAddr) -> Option<Response> {
    let wait_s = backend.limits.call_from(peer.ip(), backend.now()).err()?;
    let text = format!("Too many calls come from this address. Try again in {wait_s} s.");
    Some(wait(text, wait_s))
}

fn wait(text: String, wait_s: u32) -> Response {
    let mut response = page(StatusCode::TOO_MANY_REQUESTS, "Wait a moment", &[Line::Text(text)]);
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from(wait_s));
    response
}

/// Sends the browser on, with `cookie` where there is one. The address is the terminal's, or the identity provider's own.
pub(super) fn go_to(address: &str, cookie: Option<&str>) -> Response {
    let cookie = cookie.map(HeaderValue::from_str).transpose();
    let (Ok(address), Ok(cookie)) = (HeaderValue::from_str(address), cookie) else {
        return stopped(&Stopped::Failed);
    };
    let mut response = guarded((StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response());
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Sends the browser to the identity provider, without what it keeps of sign-ins that were given up.
pub(super) fn sent(backend: &Backend, headers: &HeaderMap, begun: &Begun) -> Response {
    let mut response = go_to(&begun.address, Some(&begun.cookie));
    for over in backend.sign_ins.cookies.clear_oldest(&cookies(headers)) {
        response = with_cookie(response, &over);
    }
    response
}

/// The terminal waits: it is told, and says how to go on. Where it listens nowhere the page does.
fn not_begun(terminal: &Terminal, why: &Stopped) -> Response {
    match browser::not_begun(terminal, why) {
        Some(address) => go_to(&address, None),
        None => stopped(why),
    }
}

/// Whoever began it elsewhere would be signed in as the person who reads this: it says so.
fn carried(code: &str) -> Response {
    let lines = [
        Line::Text("Paste this code into the terminal in which you typed jit login:".to_owned()),
        Line::Code(code.to_owned()),
        Line::Text(
            "It counts for five minutes, in that terminal alone. Did somebody send you here, or ask you for it? They want to \
             sign in as you: close this page, and tell whoever runs jit."
                .to_owned(),
        ),
    ];
    page(StatusCode::OK, "A code for your terminal", &lines)
}

fn refused(why: String) -> Response {
    let again = Line::Text("Begin again in the terminal.".to_owned());
    page(StatusCode::FORBIDDEN, "Not signed in", &[Line::Text(why), again])
}

pub(super) fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn not_ours() -> Response {
    let line = Line::Text("This address is not whole. In a terminal: jit login".to_owned());
    page(StatusCode::BAD_REQUEST, "Not signed in", &[line])
}

pub(super) fn stopped(why: &Stopped) -> Response {
    let status = match why {
        Stopped::NoSuchParty | Stopped::NotOffered => StatusCode::NOT_FOUND,
        Stopped::Issuer(_) => StatusCode::BAD_GATEWAY,
        Stopped::NotBegun | Stopped::NoSession => StatusCode::BAD_REQUEST,
        Stopped::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        // what the browser keeps of it counts on
        Stopped::Busy(wait_s) => return wait(why.to_string(), *wait_s),
    };
    let again = Line::Text("Begin again in a terminal: jit login".to_owned());
    page(status, "Not signed in", &[Line::Text(why.to_string()), again])
}
