//! Locks in words and as a table.

use super::table::Table;
use super::words::TimeWords;
use crate::wire::{LockView, RequestView};

/// The table of locks that stand.
pub fn lock_table(locks: &[LockView], words: &TimeWords) -> Table {
    let mut table = Table::new(&["LOCKED", "since", "by", "ending", "why"]);
    for lock in locks {
        let ending = lock.ending.filter(|left| *left > 0);
        table.row([
            std::iter::once(lock.what())
                .chain(lock.same_access.iter().cloned())
                .collect::<Vec<_>>()
                .join(", "),
            format!("{} ({})", words.at(lock.since), words.ago(lock.since)),
            lock.by.called(),
            ending.map_or_else(|| "-".to_owned(), |left| left.to_string()),
            format!("{}{}", lock.reason, lifting(lock)),
        ]);
    }
    table
}

/// `Everything is locked since 14:31 by carol: keys leaked`.
pub fn lock_line(lock: &LockView, words: &TimeWords) -> String {
    let (since, by) = (words.at(lock.since), lock.by.called());
    let what = match (lock.scope.as_str(), lock.what()) {
        ("all", _) => "Everything".to_owned(),
        // what is no plain name is never the first word of a line of ours
        (_, quoted) if quoted.starts_with('"') => format!("Person {quoted}"),
        (_, what) => what,
    };
    format!(
        "{what} is locked since {since} by {by}: {}{}",
        lock.reason,
        lifting(lock)
    )
}

/// Those of `locks` that stand in the way of `request`.
pub fn locks_on<'a>(locks: &'a [LockView], request: &RequestView) -> Vec<&'a LockView> {
    let people = [&request.requester.id, &request.beneficiary.id];
    let bears = |lock: &&LockView| match lock.scope.as_str() {
        "all" => true,
        "target" => lock.name == request.target || lock.same_access.contains(&request.target),
        _ => people.iter().any(|id| lock.id == format!("person:{id}")),
    };
    locks.iter().filter(bears).collect()
}

/// Who began to lift it, where it takes two.
fn lifting(lock: &LockView) -> String {
    let first = lock.lifting.as_ref();
    first.map_or_else(String::new, |first| {
        format!(" ({} lifts it, a second person has to)", first.by.called())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn line(name: &str, of: Option<&str>) -> String {
        let person = serde_json::json!({"id": "usr_000000000000", "name": name, "of": of});
        let lock = serde_json::json!({
            "id": "person:usr_000000000000", "scope": "person", "name": name, "person": person, "by": person,
            "reason": "stolen", "since": "2026-11-21T14:31:00Z",
        });
        let words = TimeWords::utc(Timestamp::parse("2026-11-21T15:00:00Z").unwrap());
        lock_line(&serde_json::from_value(lock).unwrap(), &words)
    }

    #[test]
    fn attack_16_person_called_everything_is_not_everything() {
        assert_eq!(line("ana", None), "ana is locked since 14:31 by ana: stolen");
        assert_eq!(
            line("ana", Some("acme")),
            "ana (acme) is locked since 14:31 by ana (acme): stolen"
        );
        for name in ["Everything", "all", "Everything is locked since 02:00 by jit: run x"] {
            let said = line(name, None);
            assert!(
                said.starts_with(&format!("Person \"{name}\" is locked since 14:31")),
                "{said}"
            );
        }
    }
}
