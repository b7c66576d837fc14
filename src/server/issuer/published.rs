//! What was fetched at our address, held against what should be there.
//! Owns the comparison. Refuses to count a key as published that AWS could not find.

use serde_json::Value;

use super::documents::{discovery, public_key};
use crate::config::IssuerUrl;
use crate::domain::text::shown;
use crate::domain::{IssuerKey, KeyId};

/// Differences that are named; a document of somebody else's would have hundreds.
const MOST: usize = 8;

/// What everybody sees of us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Keys that stand there as they are in the store.
    pub keys: Vec<KeyId>,
    /// Whether both documents were there and could be read: what they do not name is not published then.
    pub is_whole: bool,
    /// What is otherwise than in the store, each in words.
    pub differences: Vec<String>,
}

/// Holds the bodies of both documents against `keys`, the ones that everybody has to be able to fetch.
pub fn compare(url: &IssuerUrl, keys: &[&IssuerKey], found_discovery: &[u8], found_keys: &[u8]) -> Published {
    let mut published = Published::default();
    published.differences.extend(faults(url, found_discovery));
    let found: Option<Value> = serde_json::from_slice(found_keys).ok();
    match found.as_ref().and_then(|set| set["keys"].as_array()) {
        Some(found) => {
            compare_keys(keys, found, &mut published);
            published.is_whole = true;
        }
        None => published.differences.push(format!("{} is no key set", url.key_set())),
    }
    // AWS finds keys through the first document only
    if faults(url, found_discovery).is_some() {
        published.keys.clear();
        published.is_whole = false;
    }
    published.differences.truncate(MOST);
    published
}

/// What keeps AWS from using the discovery document.
fn faults(url: &IssuerUrl, found: &[u8]) -> Option<String> {
    let place = url.discovery();
    let Ok(found) = serde_json::from_slice::<Value>(found) else {
        return Some(format!("{place} is no JSON"));
    };
    let wanted = discovery(url);
    for name in ["issuer", "jwks_uri"] {
        if found[name] != wanted[name] {
            return Some(format!("{place} has another {name}: {}", brief(&found[name])));
        }
    }
    let name = "id_token_signing_alg_values_supported";
    let has_ours = found[name]
        .as_array()
        .is_some_and(|all| all.iter().any(|one| one == "ES256"));
    (!has_ours).then(|| format!("{place} does not list ES256"))
}

fn compare_keys(keys: &[&IssuerKey], found: &[Value], published: &mut Published) {
    for key in keys {
        let wanted = public_key(key);
        let is_it = |jwk: &&Value| jwk["kid"] == wanted["kid"];
        let same = |jwk: &Value| ["kty", "crv", "x", "y"].iter().all(|name| jwk[*name] == wanted[*name]);
        match found.iter().filter(is_it).collect::<Vec<_>>().as_slice() {
            [] => published.differences.push(format!("key {} is not published", key.id)),
            [one] if same(one) => published.keys.push(key.id.clone()),
            [_] => published
                .differences
                .push(format!("key {} is published with other values", key.id)),
            _ => published.differences.push(format!("key {} is published twice", key.id)),
        }
    }
    for jwk in found {
        let is_known = keys.iter().any(|key| jwk["kid"] == key.id.as_str());
        if !is_known {
            let id = brief(&jwk["kid"]);
            published
                .differences
                .push(format!("key {id} is published, and is not in the store"));
        }
    }
}

/// What somebody else wrote, short and harmless.
fn brief(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    shown(&text.chars().take(60).collect::<String>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::server::issuer::documents::{key_set, text};
    use crate::server::issuer::sample;

    fn compared(change: impl FnOnce(&mut Value, &mut Value)) -> (Published, [IssuerKey; 2]) {
        let settings = sample::settings(1);
        let keys = [1, 2].map(|number| sample::key(&settings, number));
        let (mut first, mut second) = (discovery(&settings.url), key_set(keys.iter()));
        change(&mut first, &mut second);
        let wanted: Vec<&IssuerKey> = keys.iter().collect();
        let published = compare(
            &settings.url,
            &wanted,
            text(&first).as_bytes(),
            text(&second).as_bytes(),
        );
        (published, keys)
    }

    #[test]
    fn documents_of_ours_have_no_difference() {
        let (published, keys) = compared(|_, _| {});
        assert!(published.is_whole);
        assert_eq!(published.keys, keys.map(|key| key.id));
        assert_eq!(published.differences, Vec::<String>::new());
    }

    #[test]
    fn key_that_is_missing_or_changed_is_not_published() {
        let (published, keys) = compared(|_, set| {
            let gone = set["keys"].as_array_mut().unwrap().remove(1);
            set["keys"][0]["x"] = gone["x"].clone();
        });
        assert_eq!((published.keys, published.is_whole), (vec![], true));
        let wanted = [
            format!("key {} is published with other values", keys[0].id),
            format!("key {} is not published", keys[1].id),
        ];
        assert_eq!(published.differences, wanted);
    }

    #[test]
    fn attack_14_key_that_is_not_ours_is_told() {
        let (published, keys) = compared(|_, set| {
            let evil = json!({ "kty": "EC", "crv": "P-256", "x": "a", "y": "b", "kid": "evil\u{1b}[2J" });
            set["keys"].as_array_mut().unwrap().push(evil);
        });
        assert_eq!(published.keys.len(), keys.len());
        assert_eq!(published.differences.len(), 1);
        assert!(published.differences[0].starts_with("key evil"), "{published:?}");
        assert!(!published.differences[0].contains('\u{1b}'));
    }

    #[test]
    fn key_named_twice_is_not_published() {
        let (published, _) = compared(|_, set| {
            let again = set["keys"][0].clone();
            set["keys"].as_array_mut().unwrap().push(again);
        });
        assert_eq!(published.keys.len(), 1);
    }

    #[test]
    fn keys_count_only_where_aws_finds_them() {
        for (name, value, words) in [
            ("issuer", json!("https://jit.acme.example/"), "another issuer"),
            ("jwks_uri", json!("https://evil.example/jwks.json"), "another jwks_uri"),
            ("id_token_signing_alg_values_supported", json!(["RS256"]), "ES256"),
        ] {
            let (published, _) = compared(|first, _| first[name] = value);
            assert_eq!((&published.keys, published.is_whole), (&vec![], false));
            assert!(published.differences[0].contains(words), "{published:?}");
        }
    }

    #[test]
    fn what_is_no_document_is_told_as_such() {
        let settings = sample::settings(1);
        for body in [&b""[..], b"<html>", b"[]", b"{\"keys\":{}}", &[0xff; 9]] {
            let published = compare(&settings.url, &[], body, body);
            assert_eq!(
                (published.keys.len(), published.differences.len(), published.is_whole),
                (0, 2, false),
                "{published:?}"
            );
        }
    }
}
