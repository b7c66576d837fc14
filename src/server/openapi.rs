//! The description of the interface, generated from the code. Committed as `docs/openapi.json`.

use utoipa::OpenApi;

use crate::server::handlers::{grants, health, requests, sessions, targets};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "jit",
        description = "Just-in-time privileged access: request, approve, short-lived credentials, gone at the end."
    ),
    paths(
        health::livez,
        health::readyz,
        health::description,
        sessions::open,
        sessions::look,
        sessions::close,
        sessions::me,
        targets::list,
        requests::list,
        requests::file,
        requests::look,
        requests::decide,
        requests::cancel,
        requests::inbox,
        grants::list,
        grants::end,
        grants::credentials,
    )
)]
struct Description;

/// The description as JSON, ended by a line feed.
pub fn text() -> String {
    // our own derived description always has a JSON form
    Description::openapi().to_pretty_json().unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::server::routes;

    #[test]
    fn description_has_every_route_and_no_other() {
        let described: serde_json::Value = serde_json::from_str(&text()).unwrap();
        let described: BTreeSet<String> = described["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, methods)| {
                methods
                    .as_object()
                    .unwrap()
                    .keys()
                    .map(move |m| format!("{} {path}", m.to_uppercase()))
            })
            .collect();
        let routed: BTreeSet<String> = routes::table()
            .iter()
            .map(|r| format!("{} {}", r.method, r.path))
            .collect();
        assert_eq!(described, routed);
    }

    #[test]
    fn committed_description_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, text()).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            text(),
            "run the tests with UPDATE=1"
        );
    }
}
