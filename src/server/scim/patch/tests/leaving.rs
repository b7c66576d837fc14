//! That somebody has left is understood or refused, whatever else is said with it.

use super::*;

#[test]
fn what_is_only_shown_keeps_nobody_from_leaving() {
    let leave = json!({ "op": "replace", "path": "active", "value": false });
    let long = "x".repeat(2_000);
    for shown in [
        json!({ "op": "Replace", "path": "emails[type eq \"nosuch\"].value", "value": "n@acme.example" }),
        json!({ "op": "replace", "path": "emails[type eq \"nosuch\"]", "value": { "value": "n@acme.example" } }),
        json!({ "op": "replace", "path": "emails[type co \"nosuch\"].value", "value": "n@acme.example" }),
        json!({ "op": "add", "path": "emails[not (type pr)].value", "value": "n@acme.example" }),
        json!({ "op": "replace", "path": "emails[type eq \"nosuch\"].primary", "value": true }),
        json!({ "op": "replace", "path": "name.middleName", "value": "x" }),
        json!({ "op": "replace", "path": "displayName", "value": long }),
        json!({ "op": "replace", "path": "name.givenName", "value": "A\u{202e}\0na" }),
    ] {
        let after = patched(Kind::User, &ana(), json!([shown, leave])).unwrap();
        assert_eq!(after["active"], false, "{shown}");
    }
    let replaced = user(json!({ "op": "replace", "path": "emails[type eq \"x\"].value", "value": "n@acme.example" }));
    assert_eq!(
        replaced["emails"][2],
        json!({ "type": "x", "value": "n@acme.example" }),
        "as Entra would have added it"
    );
    let replaced = user(json!({ "op": "replace", "path": "name.givenName", "value": "A\u{202e}\0na" }));
    assert_eq!(replaced["name"]["givenName"], "Ana");
    let many: Vec<Value> = (0..1_000)
        .map(|n| json!({ "value": format!("{n}@x.example") }))
        .collect();
    let replaced = user(json!({ "op": "replace", "path": "emails", "value": many }));
    assert_eq!(replaced["emails"].as_array().unwrap().len(), 50);
}

#[test]
fn mail_without_an_address_is_none() {
    let removed = user(json!({ "op": "remove", "path": "emails[type eq \"work\"].value" }));
    assert_eq!(removed["emails"], json!([ana()["emails"][1]]));
    let removed = user(json!({ "op": "replace", "path": "emails.value", "value": null }));
    assert!(removed.get("emails").is_none());
    let begun = user(json!({ "op": "add", "path": "emails[type eq \"x\"].primary", "value": true }));
    assert_eq!(begun["emails"], ana()["emails"]);
}

#[test]
fn deactivation_is_understood_or_refused() {
    let schema = "urn:ietf:params:scim:schemas:core:2.0:User";
    for operation in [
        json!({ "op": "replace", "value": { schema: { "active": false } } }),
        json!({ "op": "Replace", "value": { schema.to_uppercase(): { "Active": "False" } } }),
        json!({ "op": "replace", "value": { format!("{schema}:active"): false } }),
        json!({ "op": "replace", "path": schema, "value": { "active": false } }),
        json!({ "op": "add", "path": format!("{schema}:active"), "value": "false" }),
        json!({ "op": "replace", "path": " active", "value": false }),
        json!({ "op": "replace", "value": { "active ": false } }),
    ] {
        assert_eq!(user(operation.clone())["active"], false, "{operation}");
    }
    use ScimType::{InvalidPath, InvalidValue};
    for (operation, kind) in [
        (
            json!({ "op": "replace", "path": "active", "value": null }),
            InvalidValue,
        ),
        (json!({ "op": "replace", "value": { "active": null } }), InvalidValue),
        (
            json!({ "op": "replace", "value": { "active": ["False"] } }),
            InvalidValue,
        ),
        (
            json!({ "op": "replace", "value": { schema: { "active": null } } }),
            InvalidValue,
        ),
        (json!({ "op": "replace", "value": { schema: false } }), InvalidValue),
        (
            json!({ "op": "replace", "path": "active.value", "value": false }),
            InvalidPath,
        ),
        (
            json!({ "op": "replace", "path": "User.active", "value": false }),
            InvalidPath,
        ),
        (
            json!({ "op": "replace", "path": format!("{schema}.active"), "value": false }),
            InvalidPath,
        ),
        (
            json!({ "op": "replace", "value": { "active.value": false } }),
            InvalidPath,
        ),
        (
            json!({ "op": "replace", "value": { "active[value eq true]": false } }),
            InvalidPath,
        ),
    ] {
        assert_eq!(refused(Kind::User, &ana(), operation.clone()), kind, "{operation}");
    }
    // what only sounds like it is passed over
    let other = user(json!({ "op": "replace", "value": { "activeSince": "x", "inactive": true } }));
    assert_eq!(other, ana());
}

#[test]
fn whole_of_a_person_is_read_under_its_schema_too() {
    let schema = "urn:ietf:params:scim:schemas:core:2.0:User";
    let read = |body: Value| attributes::read_all(Kind::User, &body);
    let expected = json!({ "userName": "ana", "active": false });
    for body in [
        json!({ "userName": "ana", schema: { "active": false } }),
        json!({ "userName": "ana", format!("{schema}:active"): "False" }),
        json!({ "userName": "ana", "ACTIVE": false, schema: { "active": false } }),
    ] {
        assert_eq!(Value::Object(read(body.clone()).unwrap()), expected, "{body}");
    }
    let many: Vec<Value> = (0..60).map(|n| json!({ "value": format!("{n}@x.example") })).collect();
    let kept = read(json!({ "userName": "ana", "emails": many })).unwrap();
    assert_eq!(kept["emails"].as_array().unwrap().len(), 50);
    for body in [
        json!({ "userName": "ana", "active": null }),
        json!({ "userName": "ana", "active.value": false }),
        json!({ "userName": "ana", schema: [] }),
        json!({ "userName": "ana", "active": true, schema: { "active": false } }),
        // what people are told apart by is shown everywhere
        json!({ "userName": "an\0a" }),
        json!({ "userName": "an\u{202e}a" }),
        json!({ "userName": "ana\nbob" }),
        json!({ "userName": "ana", "externalId": "\0" }),
    ] {
        assert!(read(body.clone()).is_err(), "{body}");
    }
}
