//! Properties of the values that people and programs bring: no text makes a parser panic,
//! what is printed reads back, equal values have equal bytes.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::digest::canonical;
use super::id::{DeviceId, GrantId, PersonId, RequestId};
use super::samples::runs;
use super::text::{Comment, LONGEST_TEXT, Narrowing, Reason, TargetName, Ticket, is_unsafe_to_show, shown};
use super::time::{Duration, Timestamp};

const LONGEST_SECS: u32 = 366 * 86_400;

fn json_value() -> impl Strategy<Value = Value> {
    // RFC 8785 knows integers up to 2^53 (IEEE 754 doubles)
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-(1_i64 << 53)..=1 << 53).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6).prop_map(|members| {
                let members: Map<String, Value> = members.into_iter().collect();
                Value::from(members)
            }),
        ]
    })
}

/// `value` with the members of every object written in the opposite order.
fn reversed(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut parts: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{}:{}", json!(name), reversed(value)))
                .collect();
            parts.reverse();
            format!("{{ {} }}", parts.join(" , "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(reversed).collect::<Vec<_>>().join(" ,")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

/// Text that nearly is what some parser takes.
fn nearly() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[pPtTdDhHmMsS0-9]{0,14}",
        "[0-9]{1,25}[dhms]",
        "(req|grt|usr)_[0-9a-zA-Z]{10,14}",
        "[a-z0-9._-]{0,70}",
        "[a-z0-9]{1,8}:[A-Z][a-z*?]{0,8}(@(arn:)?.{0,20})?",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:]{0,8}[Z+-]?.{0,6}",
    ]
}

proptest! {
    #![proptest_config(runs(500))]

    #[test]
    fn duration_reads_what_it_prints(secs in 1..=LONGEST_SECS) {
        let duration = Duration::from_secs(secs).unwrap();
        prop_assert_eq!(Duration::parse(&duration.to_string()), Ok(duration));
    }

    #[test]
    fn duration_sums_its_parts(d in 0..9_u32, h in 0..99_u32, m in 0..99_u32, s in 1..99_u32) {
        let secs = d * 86_400 + h * 3_600 + m * 60 + s;
        prop_assert_eq!(Duration::parse(&format!("{d}d{h}h{m}m{s}s")).unwrap().secs(), secs);
        prop_assert_eq!(Duration::parse(&format!("P{d}DT{h}H{m}M{s}S")).unwrap().secs(), secs);
    }

    #[test]
    fn parsers_never_panic_and_keep_what_they_take(text in nearly()) {
        if let Ok(duration) = Duration::parse(&text) {
            prop_assert!((1..=LONGEST_SECS).contains(&duration.secs()), "{}", text);
        }
        let _ = Timestamp::parse(&text);
        macro_rules! keeps {
            ($($kind:ty),*) => {$(
                if let Ok(value) = <$kind>::parse(&text) {
                    prop_assert_eq!(value.as_str(), text.as_str());
                    let wire = serde_json::to_string(&value).unwrap();
                    prop_assert_eq!(serde_json::from_str::<$kind>(&wire).unwrap(), value);
                } else {
                    prop_assert!(serde_json::from_value::<$kind>(json!(text)).is_err());
                }
            )*};
        }
        keeps!(Reason, Comment, Ticket, TargetName, Narrowing, RequestId, GrantId, PersonId, DeviceId);
    }

    #[test]
    fn timestamp_reads_what_it_prints(ms in -60_000_000_000_000_i64..250_000_000_000_000) {
        let instant = Timestamp::from_millis(ms);
        let text = instant.to_string();
        prop_assert!(text.ends_with('Z'), "{}", text);
        prop_assert_eq!(Timestamp::parse(&text), Ok(instant));
    }

    #[test]
    fn timestamp_counts_whole_seconds(ms in any::<i64>(), secs in 1..=LONGEST_SECS) {
        let (instant, length) = (Timestamp::from_millis(ms / 2), Duration::from_secs(secs).unwrap());
        prop_assert_eq!(instant.plus(length).since(instant), secs);
        prop_assert_eq!(instant.since(instant.plus(length)), 0);
        let floor = instant.whole_second();
        prop_assert!(floor <= instant && instant.millis() - floor.millis() < 1000);
        prop_assert_eq!(floor.millis().rem_euclid(1000), 0);
        prop_assert!(Timestamp::from_millis(ms).plus(length).millis() >= ms);
    }

    #[test]
    fn target_name_is_exactly_its_pattern(text in "[a-z0-9._-]{0,70}") {
        let first = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        prop_assert_eq!(TargetName::parse(&text).is_ok(), first && text.len() <= 63);
    }

    #[test]
    fn reason_holds_nothing_unsafe(text in any::<String>(), bad in any::<char>()) {
        let sneaky = format!("why{bad}");
        prop_assert_eq!(Reason::parse(&sneaky).is_err(), is_unsafe_to_show(bad));
        prop_assert!(!shown(&text).chars().any(is_unsafe_to_show));
        prop_assert!(Reason::parse(&"é".repeat(LONGEST_TEXT)).is_ok());
    }

    #[test]
    fn ids_differ_where_their_bits_do(one in 0..1_u64 << 60, bit in 0..60_u32) {
        let id = RequestId::from_bits(one);
        prop_assert_eq!(RequestId::parse(id.as_str()), Ok(id.clone()));
        prop_assert_ne!(&id, &RequestId::from_bits(one ^ (1_u64 << bit)));
        prop_assert!(GrantId::parse(id.as_str()).is_err());
    }

    #[test]
    fn canonical_json_says_the_same_and_only_once(value in json_value()) {
        let bytes = canonical(&value);
        let back: Value = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(&back, &value);
        prop_assert_eq!(canonical(&back), bytes.clone());
        let shuffled: Value = serde_json::from_str(&reversed(&value)).unwrap();
        prop_assert_eq!(canonical(&shuffled), bytes);
    }
}
