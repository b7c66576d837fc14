//! Canonical JSON (RFC 8785) and its SHA-256.
//! Owns the bytes that approvers agree to. Refuses floats: our bodies have integers only.

use std::fmt;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// A SHA-256 in lower-case hex.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// Of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hex = String::with_capacity(64);
        for byte in Sha256::digest(bytes) {
            // writing to a String cannot fail
            let _ = write!(hex, "{byte:02x}");
        }
        Self(hex)
    }

    /// A digest that somebody sent. It is only ever compared: anything that is no digest equals none.
    pub fn given(text: &str) -> Self {
        Self(text.chars().take(64).collect())
    }

    /// 64 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `value` as RFC 8785 has it: members sorted by the UTF-16 code units of their names (section 3.2.3),
/// no white space, shortest escapes. `serde_json` writes strings and integers as the RFC demands.
pub fn canonical(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
            out.push(b'{');
            for (i, name) in names.into_iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(&Value::String(name.clone()), out);
                out.push(b':');
                write(&members[name], out);
            }
            out.push(b'}');
        }
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.extend_from_slice(value.to_string().as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_json_sorts_and_escapes_as_rfc_8785() {
        let value: Value =
            serde_json::from_str(r#"{"b":[1,true,null],"\u20ac":"\u20ac\u000f\n\"\\","a":{"d":0,"c":-5}}"#).unwrap();
        let text = String::from_utf8(canonical(&value)).unwrap();
        assert_eq!(
            text,
            "{\"a\":{\"c\":-5,\"d\":0},\"b\":[1,true,null],\"€\":\"€\\u000f\\n\\\"\\\\\"}"
        );
    }

    #[test]
    fn canonical_json_sorts_by_utf16_units_not_bytes() {
        // RFC 8785, 3.2.3: U+1F600 (surrogates D83D DE00) sorts before U+FB33
        let value: Value = serde_json::from_str(r#"{"\ufb33":1,"\ud83d\ude00":2}"#).unwrap();
        assert_eq!(
            String::from_utf8(canonical(&value)).unwrap(),
            "{\"\u{1f600}\":2,\"\u{fb33}\":1}"
        );
    }

    #[test]
    fn digest_is_sha_256() {
        assert_eq!(
            Digest::of(b"abc").as_str(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
