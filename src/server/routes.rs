//! Every route in one table. A route cannot be added without saying who may call it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, delete, get, patch, post, put};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::server::backend::Backend;
use crate::server::edge::answer::described;
use crate::server::edge::directory::from_directory;
use crate::server::edge::guard::guard;
use crate::server::edge::let_in::{admin_only, on_device, people_alone, signed_in, used};
use crate::server::edge::whole::whole;
use crate::server::failure::Failure;
use crate::server::handlers::{
    admin, confirm, device_flow, grants, health, issuer, locks, requests, scim, sessions, sign_in, targets,
};
use crate::wire::{LARGEST_BODY, LARGEST_SCIM_BODY, paths};

/// Longer than any wait, shorter than most proxies.
const LONGEST_CALL: Duration = Duration::from_secs(45);

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Anyone,
    /// Whoever proves to hold a device key.
    OnDevice,
    /// Whoever is signed in; what they may do is policy's and the domain's.
    SignedIn,
    /// The same, but no workload: those ask and receive, nothing else.
    People,
    /// Whoever is signed in and runs the backend.
    Admin,
    /// A directory, with a token of its own.
    Directory,
}

/// A route.
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Whether programs call it again and again with nobody there: waiting, watching, fetching credentials.
    pub unattended: bool,
    handler: MethodRouter<Arc<Backend>>,
}

/// The table.
pub fn table() -> Vec<Route> {
    use Access::{Admin, Anyone, Directory, OnDevice, People, SignedIn};
    let route = |method, path, access, handler| Route {
        method,
        path,
        access,
        unattended: false,
        handler,
    };
    let unattended = |method, path, access, handler| Route {
        unattended: true,
        ..route(method, path, access, handler)
    };
    vec![
        route(Method::GET, paths::LIVEZ, Anyone, get(health::livez)),
        route(Method::GET, paths::READYZ, Anyone, get(health::readyz)),
        route(Method::GET, paths::OPENAPI, Anyone, get(health::description)),
        route(Method::GET, paths::DISCOVERY, Anyone, get(issuer::discovery)),
        route(Method::GET, paths::KEY_SET, Anyone, get(issuer::key_set)),
        route(Method::GET, paths::SIGN_IN_METHODS, Anyone, get(sign_in::methods)),
        route(Method::GET, paths::SIGN_IN, Anyone, get(sign_in::begin)),
        route(Method::GET, paths::SIGN_IN_CALLBACK, Anyone, get(sign_in::finish)),
        route(Method::GET, paths::SIGN_IN_CONFIRM, Anyone, get(confirm::ask)),
        route(Method::POST, paths::SIGN_IN_CONFIRM, Anyone, post(confirm::say_yes)),
        route(Method::GET, paths::DEVICE, Anyone, get(device_flow::look)),
        route(Method::POST, paths::DEVICE, Anyone, post(device_flow::typed)),
        route(Method::GET, paths::DEVICE_SIGN_IN, Anyone, get(device_flow::sign_in)),
        route(Method::POST, paths::DEVICE_ANSWER, Anyone, post(device_flow::answer)),
        route(Method::POST, paths::DEVICE_SIGN_INS, OnDevice, post(device_flow::ask)),
        route(Method::POST, paths::SESSIONS, OnDevice, post(sessions::open)),
        route(
            Method::POST,
            paths::WORKLOAD_SESSIONS,
            OnDevice,
            post(sessions::open_workload),
        ),
        route(Method::GET, paths::SESSIONS, SignedIn, get(sessions::look)),
        route(Method::DELETE, paths::SESSIONS, SignedIn, delete(sessions::close)),
        route(Method::POST, paths::RENEWAL, SignedIn, post(sessions::renew)),
        route(Method::GET, paths::ME, SignedIn, get(sessions::me)),
        route(Method::GET, paths::TARGETS, SignedIn, get(targets::list)),
        unattended(Method::GET, paths::REQUESTS, SignedIn, get(requests::list)),
        route(Method::POST, paths::REQUESTS, SignedIn, post(requests::file)),
        route(Method::POST, paths::DRY_RUN, SignedIn, post(requests::dry_run)),
        unattended(Method::GET, paths::REQUEST, SignedIn, get(requests::look)),
        route(Method::POST, paths::DECISIONS, People, post(requests::decide)),
        route(Method::POST, paths::CANCEL, SignedIn, post(requests::cancel)),
        route(Method::GET, paths::INBOX, People, get(requests::inbox)),
        route(Method::GET, paths::LOCKS, People, get(locks::list)),
        route(Method::POST, paths::LOCKS, People, post(locks::set)),
        route(Method::POST, paths::LIFT, People, post(locks::lift)),
        unattended(Method::GET, paths::GRANTS, SignedIn, get(grants::list)),
        route(Method::POST, paths::END, SignedIn, post(grants::end)),
        unattended(Method::POST, paths::CREDENTIALS, SignedIn, post(grants::credentials)),
        route(Method::POST, paths::ADMIN_USERS, Admin, post(admin::add_user)),
        route(Method::GET, paths::ADMIN_SESSIONS, Admin, get(admin::sessions)),
        route(Method::DELETE, paths::ADMIN_SESSION, Admin, delete(admin::revoke)),
        route(Method::GET, paths::SCIM_CONFIG, Directory, get(scim::config)),
        route(
            Method::GET,
            paths::SCIM_RESOURCE_TYPES,
            Directory,
            get(scim::resource_types),
        ),
        route(
            Method::GET,
            paths::SCIM_RESOURCE_TYPE,
            Directory,
            get(scim::resource_type),
        ),
        route(Method::GET, paths::SCIM_SCHEMAS, Directory, get(scim::schemas)),
        route(Method::GET, paths::SCIM_SCHEMA, Directory, get(scim::schema)),
        route(Method::POST, paths::SCIM_SEARCH, Directory, post(scim::search)),
        route(Method::GET, paths::SCIM_USERS, Directory, get(scim::list_users)),
        route(Method::POST, paths::SCIM_USERS, Directory, post(scim::create_user)),
        route(Method::GET, paths::SCIM_USER, Directory, get(scim::look_at_user)),
        route(Method::PUT, paths::SCIM_USER, Directory, put(scim::replace_user)),
        route(Method::PATCH, paths::SCIM_USER, Directory, patch(scim::patch_user)),
        route(Method::DELETE, paths::SCIM_USER, Directory, delete(scim::delete_user)),
        route(Method::GET, paths::SCIM_GROUPS, Directory, get(scim::list_groups)),
        route(Method::POST, paths::SCIM_GROUPS, Directory, post(scim::create_group)),
        route(Method::GET, paths::SCIM_GROUP, Directory, get(scim::look_at_group)),
        route(Method::PUT, paths::SCIM_GROUP, Directory, put(scim::replace_group)),
        route(Method::PATCH, paths::SCIM_GROUP, Directory, patch(scim::patch_group)),
        route(Method::DELETE, paths::SCIM_GROUP, Directory, delete(scim::delete_group)),
    ]
}

/// The table as a service.
pub fn router(backend: &Arc<Backend>) -> Router {
    let mut router = Router::new();
    for route in table() {
        let with_session = |handler: MethodRouter<Arc<Backend>>| {
            let handler = match route.unattended {
                true => handler,
                false => handler.layer(from_fn_with_state(backend.clone(), used)),
            };
            handler.layer(from_fn_with_state(backend.clone(), signed_in))
        };
        let handler = match route.access {
            Access::Anyone => route.handler,
            Access::OnDevice => route.handler.layer(from_fn_with_state(backend.clone(), on_device)),
            Access::SignedIn => with_session(route.handler),
            Access::People => with_session(route.handler.layer(from_fn(people_alone))),
            Access::Admin => with_session(route.handler.layer(from_fn_with_state(backend.clone(), admin_only))),
            Access::Directory => route
                .handler
                .layer(DefaultBodyLimit::max(LARGEST_SCIM_BODY))
                .layer(from_fn_with_state(backend.clone(), from_directory)),
        };
        router = router.route(route.path, handler);
    }
    router
        .fallback(health::no_path)
        .method_not_allowed_fallback(health::no_method)
        .with_state(backend.clone())
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            Failure::broken("a handler panicked").into_response()
        }))
        .layer(from_fn_with_state(backend.clone(), whole))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            LONGEST_CALL,
        ))
        .layer(map_response(described))
        .layer(from_fn_with_state(backend.clone(), guard))
}
