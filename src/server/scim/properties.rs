//! Whatever is sent: nothing panics, what is refused says why, and what is ours is never written.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::filter::{means, parse};
use super::{Kind, attributes, patch};

fn word() -> impl Strategy<Value = String> {
    let known = [
        "active",
        "userName",
        "emails",
        "value",
        "type",
        "members",
        "name",
        "id",
        "meta",
        "displayName",
        "externalId",
        "eq",
        "ne",
        "co",
        "pr",
        "gt",
        "and",
        "or",
        "not",
        "(",
        ")",
        "[",
        "]",
        "\"a\"",
        "\"work\"",
        "true",
        "null",
        "1",
        ".",
        " ",
        "urn:ietf:params:scim:schemas:core:2.0:User:",
    ];
    prop_oneof![
        8 => prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => "\\PC{0,6}",
    ]
}

fn sentence() -> impl Strategy<Value = String> {
    prop::collection::vec((word(), any::<bool>()), 0..12).prop_map(|words| {
        let spaced = words
            .into_iter()
            .map(|(word, space)| if space { word + " " } else { word });
        spaced.collect()
    })
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((word(), inner), 0..4)
                .prop_map(|parts| Value::Object(parts.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn operation() -> impl Strategy<Value = Value> {
    let op = prop::sample::select(vec!["add", "Replace", "remove", "other"]);
    (op, prop::option::of(sentence()), prop::option::of(json_value())).prop_map(|(op, path, value)| {
        let mut operation = json!({ "op": op });
        if let Some(path) = path {
            operation["path"] = json!(path);
        }
        if let Some(value) = value {
            operation["value"] = value;
        }
        operation
    })
}

fn resource(kind: Kind) -> Map<String, Value> {
    let resource = match kind {
        Kind::User => json!({
            "id": "9f", "userName": "ana", "active": true, "meta": { "version": "W/\"1\"" },
            "emails": [{ "value": "a", "type": "work" }, { "value": "b" }],
        }),
        Kind::Group => json!({
            "id": "9f", "displayName": "team", "meta": { "version": "W/\"1\"" },
            "members": [{ "value": "a", "$ref": "u/a" }],
        }),
    };
    resource.as_object().unwrap().clone()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn filter_of_any_text_is_answered_or_refused(text in sentence()) {
        if let Ok(filter) = parse(&text) {
            for kind in Kind::ALL {
                drop(means(&filter, kind, &resource(kind)));
            }
            // what was understood is understood again, and alike
            let again = parse(&filter.to_string()).unwrap();
            prop_assert_eq!(again, filter);
        }
    }

    #[test]
    fn patch_of_any_shape_writes_nothing_of_ours(operations in prop::collection::vec(operation(), 1..4)) {
        for kind in Kind::ALL {
            let before = resource(kind);
            let mut after = before.clone();
            drop(patch::apply(kind, &mut after, &json!({ "Operations": operations })));
            prop_assert_eq!(&after["id"], &before["id"]);
            prop_assert_eq!(&after["meta"], &before["meta"]);
            for (name, value) in &after {
                let attribute = attributes::find(kind, name).unwrap();
                prop_assert!(!value.is_null());
                prop_assert_eq!(value.is_array(), attribute.several, "{}", name);
            }
        }
    }

    #[test]
    fn body_of_any_shape_is_read_or_refused(body in json_value()) {
        for kind in Kind::ALL {
            if let Ok(read) = attributes::read_all(kind, &body) {
                prop_assert!(!read.contains_key("id") && !read.contains_key("meta"));
            }
        }
    }
}
