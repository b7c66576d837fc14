//! SCIM as Okta and Entra speak it, word for word, and what anybody else may send.

use jit::domain::{Digest, Timestamp};
use jit::server::settings::DirectorySettings;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::caller::{Answer, new_session};
use super::stage::{Stage, eventually};
use crate::harness::Device;

/// The directory's token.
pub const TOKEN: &str = "scim-token-0123456789abcdef0123456789abcdef";

/// A directory of the backend's own people, named acme.
pub fn acme(groups: &[&str]) -> DirectorySettings {
    DirectorySettings {
        name: "acme".to_owned(),
        issuer: "local".to_owned(),
        groups: groups.iter().map(|name| (*name).to_owned()).collect(),
        tokens: vec![(Digest::of(TOKEN.as_bytes()), Timestamp::from_millis(i64::MAX))],
    }
}

/// The dev bundle, whose payments come from acme.
pub async fn house() -> Stage {
    let from = "[group.payments]\nmembers = [\"local:bob\"]";
    let to = "[group.payments]\ndirectory = { source = \"acme\", name = \"payments\" }";
    let stage = Stage::open_with_policy(from, to).await;
    stage
        .again(|settings| settings.directories.push(acme(&["payments", "Tour *"])))
        .await
}

pub fn call(stage: &Stage, method: Method, path: &str) -> RequestBuilder {
    stage.nobody().bare(method, path).bearer_auth(TOKEN)
}

/// With a body as directories send it.
pub fn with(call: RequestBuilder, body: &Value) -> RequestBuilder {
    call.header("content-type", "application/scim+json; charset=utf-8")
        .body(body.to_string())
}

pub async fn get(stage: &Stage, path: &str) -> Answer {
    Answer::of(call(stage, Method::GET, path)).await
}

pub async fn send(stage: &Stage, method: Method, path: &str, body: &Value) -> Answer {
    Answer::of(with(call(stage, method, path), body)).await
}

fn user(name: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": format!("{name}@acme.example"), "externalId": name,
        "name": { "givenName": name, "familyName": "Test" },
        "emails": [{ "primary": true, "value": format!("{name}@acme.example"), "type": "work" }],
        "displayName": name, "locale": "en-US", "groups": [], "active": true,
    })
}

pub async fn push(stage: &Stage, name: &str) -> String {
    let answer = send(stage, Method::POST, "/scim/v2/Users", &user(name)).await.is(201);
    answer.body["id"].as_str().unwrap().to_owned()
}

/// An error in SCIM's form.
#[track_caller]
pub fn fails(answer: &Answer, status: u16, kind: Option<&str>) {
    assert_eq!(answer.status, status, "{answer}");
    assert_eq!(answer.header("content-type"), "application/scim+json", "{answer}");
    let schema = "urn:ietf:params:scim:api:messages:2.0:Error";
    assert_eq!(answer.body["schemas"], json!([schema]), "{answer}");
    assert_eq!(answer.body["status"], status.to_string(), "{answer}");
    assert_eq!(answer.body["scimType"].as_str(), kind, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_okta_are_answered() {
    let stage = house().await;
    let path = "/scim/v2/Users?filter=userName%20eq%20%22bob%40acme.example%22&startIndex=1&count=100";
    let none = get(&stage, path).await.is(200);
    assert_eq!(none.header("content-type"), "application/scim+json");
    assert_eq!(
        none.body,
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": 0, "startIndex": 1, "itemsPerPage": 0, "Resources": [],
        })
    );
    let created = send(&stage, Method::POST, "/scim/v2/Users", &user("bob")).await.is(201);
    let id = created.body["id"].as_str().unwrap().to_owned();
    assert_eq!(created.header("location"), created.body["meta"]["location"]);
    assert_eq!(created.header("etag"), "W/\"1\"");
    assert_eq!(
        created.body["name"],
        json!({ "givenName": "bob", "familyName": "Test" })
    );
    let twice = send(&stage, Method::POST, "/scim/v2/Users", &user("bob")).await;
    fails(&twice, 409, Some("uniqueness"));
    let found = get(&stage, path).await.is(200).body;
    assert_eq!(
        (&found["totalResults"], &found["Resources"][0]["id"]),
        (&json!(1), &json!(id))
    );
    let one = format!("/scim/v2/Users/{id}");
    let mut changed = user("bob");
    changed["name"]["familyName"] = json!("Changed");
    let replaced = send(&stage, Method::PUT, &one, &changed).await.is(200);
    assert_eq!(replaced.body["name"]["familyName"], "Changed");
    // groups are pushed by name, members by PATCH
    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "Tour Promotion", "members": [],
    });
    let group = send(&stage, Method::POST, "/scim/v2/Groups", &group).await.is(201).body;
    let group = format!("/scim/v2/Groups/{}", group["id"].as_str().unwrap());
    let patch = |operations: Value| json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations });
    let add = patch(json!([{
        "op": "add", "path": "members", "value": [{ "value": id, "display": "bob@acme.example" }],
    }]));
    let added = send(&stage, Method::PATCH, &group, &add).await.is(200);
    assert_eq!(added.body["members"][0]["value"], json!(id));
    let rename = patch(json!([{
        "op": "replace", "value": { "id": added.body["id"], "displayName": "Tour Guides" },
    }]));
    let renamed = send(&stage, Method::PATCH, &group, &rename).await.is(200);
    assert_eq!(renamed.body["displayName"], "Tour Guides");
    let remove = patch(json!([{ "op": "remove", "path": format!("members[value eq \"{id}\"]") }]));
    let removed = send(&stage, Method::PATCH, &group, &remove).await.is(200);
    assert_eq!(removed.body.get("members"), None);
    // deactivation
    let leave = patch(json!([{ "op": "replace", "value": { "active": false } }]));
    let left = send(&stage, Method::PATCH, &one, &leave).await.is(200);
    assert_eq!(left.body["active"], false);
    Answer::of(call(&stage, Method::DELETE, &group)).await.is(204);
    fails(&get(&stage, &group).await, 404, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_entra_are_answered() {
    let stage = house().await;
    // the credentials are tried by asking for somebody who is not there
    let none = get(&stage, "/scim/v2/Users?filter=userName+eq+%22non-existing%22")
        .await
        .is(200);
    assert_eq!(none.body["totalResults"], 0);
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let new = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", enterprise],
        "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
        "userName": "Test_User_ab6490ee-1e48-479e-a20b-2d77186b5dd1",
        "active": true,
        "emails": [{ "primary": true, "type": "work", "value": "Test_User_fd0ea19b@testuser.com" }],
        "meta": { "resourceType": "User" },
        "name": { "formatted": "givenName familyName", "familyName": "familyName", "givenName": "givenName" },
        "roles": [], "title": "x", enterprise: { "department": "d", "manager": "m" },
    });
    let created = send(&stage, Method::POST, "/scim/v2/Users", &new).await.is(201);
    let id = created.body["id"].as_str().unwrap();
    let one = format!("/scim/v2/Users/{id}");
    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [
            { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "updatedEmail@microsoft.com" },
            { "op": "Replace", "path": "name.familyName", "value": "updatedFamilyName" },
            { "op": "Add", "path": format!("{enterprise}:manager"), "value": "n" },
            { "op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "1" },
        ],
    });
    let changed = send(&stage, Method::PATCH, &one, &patch).await.is(200).body;
    assert_eq!(changed["emails"][0]["value"], "updatedEmail@microsoft.com");
    assert_eq!(changed["name"]["familyName"], "updatedFamilyName");
    let disable = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "Replace", "path": "active", "value": "False" }],
    });
    assert_eq!(
        send(&stage, Method::PATCH, &one, &disable).await.is(200).body["active"],
        false
    );
    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group",
            "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
        "displayName": "payments", "meta": { "resourceType": "Group" },
    });
    let group = send(&stage, Method::POST, "/scim/v2/Groups", &group).await.is(201).body;
    let of = format!("/scim/v2/Groups/{}", group["id"].as_str().unwrap());
    let member = |op: &str| {
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": op, "path": "members", "value": [{ "$ref": null, "value": id }] }],
        })
    };
    send(&stage, Method::PATCH, &of, &member("Add")).await.is(200);
    let without = get(&stage, &format!("{of}?excludedAttributes=members"))
        .await
        .is(200)
        .body;
    assert_eq!(without.get("members"), None);
    let path = "/scim/v2/Groups?excludedAttributes=members&filter=displayName+eq+%22payments%22";
    let found = get(&stage, path).await.is(200).body;
    assert_eq!(
        (&found["totalResults"], found["Resources"][0].get("members")),
        (&json!(1), None)
    );
    let inside = format!("/scim/v2/Groups?filter=members%20eq%20%22{id}%22");
    assert_eq!(get(&stage, &inside).await.is(200).body["totalResults"], 1);
    let gone = send(&stage, Method::PATCH, &of, &member("Remove")).await.is(200).body;
    assert_eq!(gone.get("members"), None);
    Answer::of(call(&stage, Method::DELETE, &one)).await.is(204);
    fails(&get(&stage, &one).await, 404, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deactivated_loses_sessions_votes_and_grants_within_a_tick() {
    let stage = house().await;
    let (id, bob, alice) = (
        push(&stage, "bob").await,
        stage.sign_in("bob").await,
        stage.sign_in("alice").await,
    );
    let group = json!({ "displayName": "payments", "members": [{ "value": id }] });
    send(&stage, Method::POST, "/scim/v2/Groups", &group).await.is(201);
    assert_eq!(
        bob.get("/v1/me").await.is(200).body["groups"],
        json!(["engineering", "payments"])
    );
    let his = bob.file("dev-admin").await;
    let his = bob.until(&his, |view| view["grant"]["state"] == "active").await;
    bob.mint(&his["grant"]).await.is(200);
    // alice waits for two people, of whom bob is the first
    let hers = alice.file("prod-owner").await;
    bob.approve(&hers).await.is(200);
    let leave = json!({ "Operations": [{ "op": "replace", "value": { "active": false } }] });
    send(&stage, Method::PATCH, &format!("/scim/v2/Users/{id}"), &leave)
        .await
        .is(200);
    bob.get("/v1/me").await.is(401).refuses("session.ended");
    bob.mint(&his["grant"]).await.is(401);
    let is_gone = || async { stage.count("grant.ended").await == 1 };
    eventually("the end of his grant", is_gone).await;
    let carol = stage.sign_in("carol").await;
    let hers = alice.look(&hers).await.is(200).body;
    carol.approve(&hers).await.is(200);
    let over = alice.until(&hers, |view| view["grant"]["state"] == "ended").await;
    assert_eq!(
        over["grant"]["detail"],
        "the approval of bob is void: no longer in the directory"
    );
    // and nobody signs in as him
    let code = jit::server::service::sign_in::issue_code(&stage.backend, "bob")
        .await
        .unwrap();
    let refused = stage
        .nobody_on(Device::new())
        .post("/v1/sessions", &new_session("bob", &code))
        .await
        .is(403);
    refused.refuses("access.forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages_and_what_cannot_be_read_is_refused() {
    let stage = house().await;
    for n in 0..5 {
        push(&stage, &format!("user{n}")).await;
    }
    let page = |start: i64, count: i64| format!("/scim/v2/Users?startIndex={start}&count={count}&attributes=userName");
    let mut names = Vec::new();
    for start in [1, 3, 5] {
        let body = get(&stage, &page(start, 2)).await.is(200).body;
        assert_eq!((&body["totalResults"], &body["startIndex"]), (&json!(5), &json!(start)));
        names.extend(
            body["Resources"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["userName"].clone()),
        );
    }
    names.sort_by_key(ToString::to_string);
    names.dedup();
    assert_eq!(names.len(), 5);
    for (start, count, given) in [(0, 0, 0), (-3, 2, 2), (6, 2, 0), (1, 1_000, 5), (1, -1, 0)] {
        let body = get(&stage, &page(start, count)).await.is(200).body;
        assert_eq!(body["itemsPerPage"], given, "{start} {count}");
        assert_eq!(body["totalResults"], 5);
    }
    let filtered = "/scim/v2/Users?filter=active%20eq%20true%20and%20not%20(userName%20sw%20%22user3%22)";
    assert_eq!(get(&stage, filtered).await.is(200).body["totalResults"], 4);
    // what another language would read something into names nobody
    for name in [
        "' OR '1'='1' --",
        "%",
        "user_",
        "*",
        "user0' UNION SELECT token_hash FROM sessions --",
    ] {
        for how in ["eq", "sw"] {
            let filter = format!("userName {how} \"{name}\"");
            let path = reqwest::Url::parse_with_params("http://x/scim/v2/Users", [("filter", &filter)]).unwrap();
            let path = format!("{}?{}", path.path(), path.query().unwrap());
            assert_eq!(get(&stage, &path).await.is(200).body["totalResults"], 0, "{filter}");
        }
    }
    let deep = format!(
        "/scim/v2/Users?filter={}userName%20pr{}",
        "(".repeat(4_000),
        ")".repeat(4_000)
    );
    fails(&get(&stage, &deep).await, 400, Some("invalidFilter"));
    let bad = get(&stage, "/scim/v2/Users?filter=userName%20is%20%22a%22").await;
    fails(&bad, 400, Some("invalidFilter"));
    fails(&get(&stage, "/scim/v2/Users?count=many").await, 400, None);
    for (body, kind) in [
        (json!([]), "invalidSyntax"),
        (json!({}), "invalidValue"),
        (json!({ "userName": 7 }), "invalidValue"),
        (json!({ "userName": " " }), "invalidValue"),
        (json!({ "userName": "x".repeat(1_001) }), "invalidValue"),
    ] {
        let refused = send(&stage, Method::POST, "/scim/v2/Users", &body).await;
        fails(&refused, 400, Some(kind));
    }
    let text = call(&stage, Method::POST, "/scim/v2/Users").body("{}");
    fails(&Answer::of(text).await, 400, Some("invalidSyntax"));
    let broken = call(&stage, Method::POST, "/scim/v2/Users").header("content-type", "application/json");
    fails(&Answer::of(broken.body("{")).await, 400, Some("invalidSyntax"));
    let large = json!({ "userName": "a", "title": "x".repeat(1_100_000) });
    fails(&send(&stage, Method::POST, "/scim/v2/Users", &large).await, 413, None);
    for (method, path, status) in [
        (Method::GET, "/scim/v2/Users/none", 404),
        (Method::GET, "/scim/v2/nothing", 404),
        (Method::GET, "/scim/v2/Schemas/none", 404),
        (Method::POST, "/scim/v2/Schemas", 405),
        (Method::POST, "/scim/v2/.search", 501),
    ] {
        fails(&Answer::of(call(&stage, method, path)).await, status, None);
    }
    let schema = "/scim/v2/Schemas/urn:ietf:params:scim:schemas:core:2.0:User";
    assert_eq!(
        get(&stage, schema).await.is(200).body["attributes"][0]["name"],
        "userName"
    );
}
