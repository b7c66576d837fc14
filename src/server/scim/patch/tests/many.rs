//! Large groups: a call costs what it says, and nobody waits for it.

use std::time::{Duration, Instant};

use super::*;

/// A group of `count`, as it is stored.
fn crowd(count: usize) -> Value {
    let member = |n: usize| json!({ "value": format!("member-{n:08}"), "$ref": format!("u/{n}") });
    json!({ "id": "g", "displayName": "everybody", "members": (0..count).map(member).collect::<Vec<_>>() })
}

/// How many are in the group then, and how many values were looked at.
fn counted(group: &Value, operations: Vec<Value>) -> Result<(usize, usize), ScimError> {
    let mut resource = group.as_object().unwrap().clone();
    let mut work = Work::default();
    let body = json!({ "Operations": operations });
    apply_within(&mut work, Kind::Group, &mut resource, &body)?;
    let members = resource.get("members").and_then(Value::as_array);
    Ok((members.map_or(0, Vec::len), work.done()))
}

fn these(range: std::ops::Range<usize>) -> Value {
    range.map(|n| json!({ "value": format!("member-{n:08}") })).collect()
}

#[test]
fn attack_26_call_costs_what_it_says_whatever_is_there() {
    let group = crowd(100_000);
    let op = |op: &str, value: Value| vec![json!({ "op": op, "path": "members", "value": value })];
    let (began, joining) = (Instant::now(), op("add", these(90_000..130_000)));
    let (count, looks) = counted(&group, joining).unwrap();
    assert_eq!((count, looks), (130_000, 40_000));
    // each of these against each that is there is four thousand million comparisons, a minute of a processor
    let took = began.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
    let (count, looks) = counted(&group, op("replace", these(0..40_000))).unwrap();
    assert_eq!((count, looks), (40_000, 40_000));
    let (count, looks) = counted(&group, op("remove", these(60_000..100_000))).unwrap();
    assert_eq!((count, looks), (60_000, 40_000));
    // and so does each of a thousand operations, named by path or by value
    let by_path = |n: usize| json!({ "op": "remove", "path": format!("members[value eq \"member-{n:08}\"]") });
    assert_eq!(
        counted(&group, (0..1_000).map(by_path).collect()).unwrap(),
        (99_000, 1_000)
    );
    let one = |name: &'static str| move |n: usize| json!({ "op": name, "path": "members", "value": [{ "value": format!("member-{n:08}") }] });
    assert_eq!(
        counted(&group, (0..1_000).map(one("remove")).collect()).unwrap(),
        (99_000, 1_000)
    );
    let joining = (100_000..101_000).map(one("add"));
    assert_eq!(counted(&group, joining.collect()).unwrap(), (101_000, 1_000));
    let several =
        json!({ "op": "remove", "path": "members[value eq \"member-00000001\" or value eq \"member-00000002\"]" });
    assert_eq!(counted(&group, vec![several]).unwrap(), (99_998, 2));
}

#[test]
fn attack_26_call_that_looks_at_too_much_is_refused() {
    let group = crowd(50_000);
    let search = json!({ "op": "remove", "path": "members[value sw \"x\"]" });
    assert_eq!(counted(&group, vec![search.clone()]).unwrap(), (50_000, 50_000));
    let terms = vec!["value sw \"x\""; 30].join(" and ");
    let long = json!({ "op": "remove", "path": format!("members[{terms}]") });
    let part = json!({ "op": "replace", "path": "members.value", "value": "member-00000001" });
    for operations in [vec![search; 21], vec![long], vec![part; 21]] {
        match counted(&group, operations) {
            Err(ScimError::Failed(failure)) => assert_eq!(failure.problem.status, 413),
            other => panic!("{other:?}"),
        }
    }
    let endless = format!("members[value eq \"{}\"]", "x".repeat(LONGEST));
    let endless = json!({ "op": "remove", "path": endless });
    assert_eq!(refused(Kind::Group, &team(), endless), ScimType::InvalidPath);
}

#[test]
fn members_stay_once_each_however_they_are_changed() {
    assert_eq!(
        group(json!({ "op": "replace", "path": "members[value eq \"1\"]", "value": { "value": "2" } })),
        ["2"]
    );
    assert_eq!(
        group(json!({ "op": "replace", "path": "members[value eq \"1\"].value", "value": "3" })),
        ["3", "2"]
    );
    assert_eq!(
        group(json!({ "op": "replace", "path": "members.value", "value": "3" })),
        ["3"]
    );
    assert_eq!(
        group(json!({ "op": "remove", "path": "members.value" })),
        Vec::<String>::new()
    );
    assert_eq!(
        group(json!({ "op": "add", "path": "members[value eq \"3\"]", "value": { "value": "3" } })),
        ["1", "2", "3"]
    );
    let nobody = json!({ "op": "replace", "path": "members[value eq \"3\"].value", "value": "4" });
    assert_eq!(refused(Kind::Group, &team(), nobody), ScimType::NoTarget);
    let nameless = json!({ "op": "add", "path": "members", "value": [{ "$ref": "u/3" }] });
    assert_eq!(refused(Kind::Group, &team(), nameless), ScimType::InvalidValue);
    let together = json!([
        { "op": "remove", "path": "members", "value": [{ "value": "1" }] },
        { "op": "add", "path": "members", "value": [{ "value": "3" }, { "value": "1" }] },
        { "op": "remove", "path": "members[value eq \"2\"]" },
        { "op": "replace", "value": { "displayName": "payments" } },
    ]);
    let after = patched(Kind::Group, &team(), together).unwrap();
    assert_eq!(after["members"], json!([{ "value": "3" }, { "value": "1" }]));
}

#[test]
fn each_kind_has_one_attribute_of_several_values() {
    for kind in Kind::ALL {
        let several: Vec<_> = attributes::of(kind).filter(|one| one.several).collect();
        assert_eq!(several.len(), 1, "{several:?}");
        assert!(several[0].part("value").is_some());
    }
}
