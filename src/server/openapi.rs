//! The description of the interface, generated from the code. Committed as `docs/openapi.json`.

use serde_json::{Value, json};
use utoipa::OpenApi;

use crate::server::handlers::{
    admin, confirm, device_flow, grants, health, issuer, locks, requests, scim, sessions, sign_in, targets,
};
use crate::server::routes::{Access, table};
use crate::server::scim as scim_error;
use crate::wire::problem::MEDIA_TYPE;

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
        issuer::discovery,
        issuer::key_set,
        sign_in::methods,
        sign_in::begin,
        sign_in::finish,
        confirm::ask,
        confirm::say_yes,
        device_flow::look,
        device_flow::typed,
        device_flow::sign_in,
        device_flow::answer,
        device_flow::ask,
        sessions::open,
        sessions::open_workload,
        sessions::look,
        sessions::close,
        sessions::renew,
        sessions::me,
        targets::list,
        requests::list,
        requests::file,
        requests::dry_run,
        requests::look,
        requests::decide,
        requests::cancel,
        requests::inbox,
        grants::list,
        grants::end,
        grants::credentials,
        locks::list,
        locks::set,
        locks::lift,
        admin::add_user,
        admin::sessions,
        admin::revoke,
        scim::config,
        scim::resource_types,
        scim::resource_type,
        scim::schemas,
        scim::schema,
        scim::search,
        scim::list_users,
        scim::create_user,
        scim::look_at_user,
        scim::replace_user,
        scim::patch_user,
        scim::delete_user,
        scim::list_groups,
        scim::create_group,
        scim::look_at_group,
        scim::replace_group,
        scim::patch_group,
        scim::delete_group,
    )
)]
struct Description;

/// The description as JSON, ended by a line feed.
pub fn text() -> String {
    // our own derived description always has a JSON form
    let mut whole = serde_json::to_value(Description::openapi()).unwrap_or_default();
    whole["components"]["securitySchemes"] = json!({
        "session": {
            "type": "http",
            "scheme": "DPoP",
            "description": "The token that POST /v1/sessions gave, with a proof of the device in the header `DPoP`.",
        },
        "device": {
            "type": "apiKey",
            "in": "header",
            "name": "DPoP",
            "description": "A proof of the device (RFC 9449), with the nonce of the last answer's `DPoP-Nonce`.",
        },
        "directory": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of the directory's own, which counts on no other path.",
        },
    });
    for route in table() {
        let method = route.method.as_str().to_ascii_lowercase();
        complete(&mut whole["paths"][route.path][&method], &method, route.access);
    }
    serde_json::to_string_pretty(&whole).unwrap_or_default() + "\n"
}

/// What every operation has and no handler says: who may call, problems, a name that no other one has.
fn complete(operation: &mut Value, method: &str, access: Access) {
    let tag = operation["tags"][0].as_str().unwrap_or_default();
    let name = format!("{tag}_{}", operation["operationId"].as_str().unwrap_or_default());
    operation["operationId"] = json!(name);
    match access {
        Access::Anyone => {}
        Access::OnDevice => operation["security"] = json!([{ "device": [] }]),
        Access::SignedIn | Access::People | Access::Admin => {
            operation["security"] = json!([{ "session": [], "device": [] }])
        }
        Access::Directory => operation["security"] = json!([{ "directory": [] }]),
    }
    if let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
        for parameter in parameters.iter_mut().filter(|p| p["name"] == "id") {
            parameter["description"] = json!(match access {
                Access::Directory => "The id, whole.",
                Access::Anyone | Access::OnDevice | Access::SignedIn | Access::People | Access::Admin => {
                    "The whole id, or a beginning of it that is unique and has four characters."
                }
            });
        }
    }
    if method == "post" && matches!(access, Access::SignedIn | Access::People) {
        let once = json!({
            "name": "idempotency-key", "in": "header", "required": false,
            "description": "Makes the call count once for 24 hours; a repeat is answered from the state.",
            "schema": { "type": "string", "minLength": 8, "maxLength": 128, "pattern": "^[!-~]+$" },
        });
        match operation.get_mut("parameters").and_then(Value::as_array_mut) {
            Some(parameters) => parameters.push(once),
            None => operation["parameters"] = json!([once]),
        }
    }
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    let html = |response: &Value| response["content"]["text/html"].is_object();
    let is_page = responses.values().any(html);
    let mut error = match access {
        Access::Directory => json!({ scim_error::MEDIA_TYPE: { "schema": { "type": "object" } } }),
        Access::Anyone | Access::OnDevice | Access::SignedIn | Access::People | Access::Admin => {
            json!({ MEDIA_TYPE: { "schema": { "$ref": "#/components/schemas/Problem" } } })
        }
    };
    if is_page {
        error["text/html"] = json!({ "schema": { "type": "string" } });
    }
    responses.insert("default".to_owned(), json!({ "content": error }));
    for (status, response) in responses {
        response["description"] = json!(match status.as_str() {
            "201" => "Done.",
            "204" => "Done; there is nothing to say.",
            "303" => "Go on elsewhere.",
            "304" => "Nothing has changed.",
            "400" => "A page that says why not.",
            "503" => "Not ready.",
            "default" if access == Access::Directory => "An error (RFC 7644, section 3.12).",
            "default" if is_page => "A page that says why not, or a problem (RFC 9457) where the call is not ours.",
            "default" => "A problem (RFC 9457).",
            _ => "As asked.",
        });
    }
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
    fn operations_have_names_of_their_own() {
        let described: serde_json::Value = serde_json::from_str(&text()).unwrap();
        let methods = described["paths"].as_object().unwrap().values();
        let names: Vec<&serde_json::Value> = methods
            .flat_map(|methods| methods.as_object().unwrap().values())
            .map(|operation| &operation["operationId"])
            .collect();
        let unique: BTreeSet<String> = names.iter().map(ToString::to_string).collect();
        assert_eq!(unique.len(), names.len(), "{names:?}");
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "UPDATE is for whoever runs the tests, not for the product"
    )]
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
