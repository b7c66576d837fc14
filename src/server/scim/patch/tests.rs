//! Every shape of RFC 7644, section 3.5.2, and those that Okta and Entra send.

use serde_json::json;

use super::*;

mod leaving;
mod many;

fn ana() -> Value {
    json!({
        "schemas": ["s"], "id": "9f", "externalId": "00uA", "userName": "ana", "active": true,
        "name": { "givenName": "Ana", "familyName": "A" },
        "emails": [
            { "value": "ana@acme.example", "type": "work", "primary": true },
            { "value": "a@home.example", "type": "home" },
        ],
    })
}

fn team() -> Value {
    json!({
        "id": "g", "displayName": "payments",
        "members": [{ "value": "1", "$ref": "u/1" }, { "value": "2", "$ref": "u/2" }],
    })
}

fn patched(kind: Kind, resource: &Value, operations: Value) -> Result<Value, ScimError> {
    let mut resource = resource.as_object().unwrap().clone();
    let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations });
    apply(kind, &mut resource, &body)?;
    Ok(Value::Object(resource))
}

fn user(operation: Value) -> Value {
    patched(Kind::User, &ana(), json!([operation])).unwrap()
}

fn group(operation: Value) -> Vec<String> {
    let group = patched(Kind::Group, &team(), json!([operation])).unwrap();
    let members = group["members"].as_array().cloned().unwrap_or_default();
    members
        .iter()
        .map(|member| member["value"].as_str().unwrap().to_owned())
        .collect()
}

fn refused(kind: Kind, resource: &Value, operation: Value) -> ScimType {
    match patched(kind, resource, json!([operation])) {
        Err(ScimError::Wrong(kind, _)) => kind,
        other => panic!("{operation}: {other:?}"),
    }
}

#[test]
fn add_sets_what_is_single_and_appends_to_what_is_several() {
    let added = user(json!({ "op": "add", "path": "displayName", "value": "Ana A." }));
    assert_eq!(added["displayName"], "Ana A.");
    let whole = user(json!({ "op": "add", "value": {
        "displayName": "Ana A.", "name": { "formatted": "Ana A." },
        "emails": [{ "value": "ana@new.example", "type": "other", "primary": true }],
    } }));
    assert_eq!(
        whole["name"],
        json!({ "givenName": "Ana", "familyName": "A", "formatted": "Ana A." })
    );
    assert_eq!(whole["emails"].as_array().unwrap().len(), 3);
    // there is one first address at most
    assert_eq!(whole["emails"][0]["primary"], false);
    let again =
        user(json!({ "op": "add", "path": "emails", "value": [{ "value": "a@home.example", "type": "home" }] }));
    assert_eq!(again["emails"], ana()["emails"], "what is there is not added");
    assert_eq!(
        group(json!({ "op": "add", "path": "members", "value": [{ "value": "2" }, { "value": "3" }] })),
        ["1", "2", "3"]
    );
    assert_eq!(
        group(json!({ "op": "add", "path": "members", "value": { "value": "3" } })),
        ["1", "2", "3"]
    );
    assert_eq!(
        group(json!({ "op": "add", "path": "members", "value": [] })),
        ["1", "2"]
    );
}

#[test]
fn replace_sets_parts_values_and_wholes() {
    let replaced = user(json!({ "op": "replace", "path": "name.familyName", "value": "B" }));
    assert_eq!(replaced["name"], json!({ "givenName": "Ana", "familyName": "B" }));
    let replaced =
        user(json!({ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "b@acme.example" }));
    assert_eq!(
        replaced["emails"][0],
        json!({ "value": "b@acme.example", "type": "work", "primary": true })
    );
    assert_eq!(replaced["emails"][1], ana()["emails"][1]);
    let replaced =
        user(json!({ "op": "replace", "path": "emails[type eq \"home\"]", "value": { "value": "c@d.example" } }));
    assert_eq!(replaced["emails"][1], json!({ "value": "c@d.example", "type": "home" }));
    let replaced = user(json!({ "op": "replace", "path": "emails.type", "value": "other" }));
    assert_eq!(replaced["emails"][1]["type"], "other");
    let replaced = user(json!({ "op": "replace", "path": "emails", "value": [{ "value": "only@acme.example" }] }));
    assert_eq!(replaced["emails"], json!([{ "value": "only@acme.example" }]));
    let path = "urn:ietf:params:scim:schemas:core:2.0:User:name.givenName";
    let replaced = user(json!({ "op": "replace", "path": path, "value": "Anna" }));
    assert_eq!(replaced["name"]["givenName"], "Anna");
    assert_eq!(
        group(json!({ "op": "replace", "path": "members", "value": [{ "value": "7" }, { "value": "7" }] })),
        ["7"]
    );
    assert_eq!(
        group(json!({ "op": "replace", "path": "members", "value": [] })),
        Vec::<String>::new()
    );
    assert_eq!(
        group(json!({ "op": "replace", "value": { "id": "g", "displayName": "payments" } })),
        ["1", "2"]
    );
}

#[test]
fn remove_takes_wholes_parts_and_selected_values() {
    let removed = user(json!({ "op": "remove", "path": "name" }));
    assert!(removed.get("name").is_none());
    let removed = user(json!({ "op": "remove", "path": "name.givenName" }));
    assert_eq!(removed["name"], json!({ "familyName": "A" }));
    let removed = user(json!({ "op": "remove", "path": "emails[type eq \"work\"]" }));
    assert_eq!(removed["emails"], json!([ana()["emails"][1]]));
    let removed = user(json!({ "op": "remove", "path": "emails[type eq \"work\" and primary eq true].type" }));
    assert_eq!(
        removed["emails"][0],
        json!({ "value": "ana@acme.example", "primary": true })
    );
    let removed = user(json!({ "op": "remove", "path": "emails[type eq \"other\"]" }));
    assert_eq!(removed, ana(), "what is not there is gone already");
    assert_eq!(
        group(json!({ "op": "remove", "path": "members[value eq \"1\"]" })),
        ["2"]
    );
    assert_eq!(
        group(json!({ "op": "remove", "path": "members[value eq \"1\" or value eq \"2\"]" })),
        Vec::<String>::new()
    );
    assert_eq!(
        group(json!({ "op": "remove", "path": "members" })),
        Vec::<String>::new()
    );
}

#[test]
fn shapes_of_entra_are_understood() {
    assert_eq!(
        user(json!({ "op": "Replace", "path": "active", "value": "False" }))["active"],
        false
    );
    assert_eq!(
        user(json!({ "OP": "Add", "Path": "externalId", "Value": "oid-1" }))["externalId"],
        "oid-1"
    );
    let added = user(json!({ "op": "Add", "path": "emails[type eq \"other\"].value", "value": "o@acme.example" }));
    assert_eq!(
        added["emails"][2],
        json!({ "type": "other", "value": "o@acme.example" })
    );
    assert_eq!(
        group(json!({ "op": "Remove", "path": "members", "value": [{ "value": "2" }] })),
        ["1"]
    );
    assert_eq!(
        group(json!({ "op": "Add", "path": "members", "value": [{ "$ref": null, "value": "9" }] })),
        ["1", "2", "9"]
    );
    let named = user(json!({ "op": "replace", "value": { "name.familyName": "C", "active": "True" } }));
    assert_eq!(
        (&named["name"]["familyName"], &named["active"]),
        (&json!("C"), &json!(true))
    );
}

#[test]
fn attributes_that_are_not_kept_stand_in_nobodys_way() {
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let operations = json!([
        { "op": "add", "path": "phoneNumbers[type eq \"work\"].value", "value": "1" },
        { "op": "add", "path": "title", "value": "x" },
        { "op": "replace", "path": format!("{enterprise}:department"), "value": "x" },
        { "op": "replace", "value": { enterprise: { "department": "x" }, "nickName": "n", "active": false } },
        { "op": "remove", "path": "addresses[type eq \"work\"]" },
    ]);
    let mut expected = ana();
    expected["active"] = json!(false);
    assert_eq!(patched(Kind::User, &ana(), operations).unwrap(), expected);
}

#[test]
fn operations_that_cannot_be_done_are_refused_by_kind() {
    use ScimType::{InvalidPath, InvalidSyntax, InvalidValue, Mutability, NoTarget};
    for (operation, kind) in [
        (json!({ "op": "move", "path": "active", "value": true }), InvalidSyntax),
        (json!({ "path": "active", "value": true }), InvalidSyntax),
        (json!("add"), InvalidSyntax),
        (json!({ "op": "remove" }), NoTarget),
        (json!({ "op": "replace", "path": "emails[", "value": "v" }), InvalidPath),
        (json!({ "op": "replace", "path": "", "value": "v" }), InvalidPath),
        (json!({ "op": "replace", "path": 3, "value": "v" }), InvalidPath),
        (
            json!({ "op": "replace", "path": "userName[value eq \"a\"]", "value": "v" }),
            InvalidPath,
        ),
        (json!({ "op": "replace", "path": "id", "value": "v" }), Mutability),
        (json!({ "op": "add", "path": "meta.version", "value": "v" }), Mutability),
        (json!({ "op": "remove", "path": "userName" }), Mutability),
        (json!({ "op": "remove", "path": "active" }), Mutability),
        (
            json!({ "op": "replace", "path": "active", "value": "maybe" }),
            InvalidValue,
        ),
        (json!({ "op": "replace", "path": "active", "value": 0 }), InvalidValue),
        (
            json!({ "op": "replace", "path": "userName", "value": ["a"] }),
            InvalidValue,
        ),
        (json!({ "op": "replace", "path": "userName" }), InvalidValue),
        (json!({ "op": "add", "path": "emails", "value": "a@b.c" }), InvalidValue),
        (json!({ "op": "add", "value": "active" }), InvalidValue),
    ] {
        assert_eq!(refused(Kind::User, &ana(), operation.clone()), kind, "{operation}");
    }
    for body in [
        json!({}),
        json!({ "Operations": [] }),
        json!({ "Operations": {} }),
        json!([]),
    ] {
        let mut resource = ana().as_object().unwrap().clone();
        assert!(apply(Kind::User, &mut resource, &body).is_err(), "{body}");
    }
}
