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
            std::iter::once(what(lock))
                .chain(lock.same_access.iter().map(String::as_str))
                .collect::<Vec<_>>()
                .join(", "),
            format!("{} ({})", words.at(lock.since), words.ago(lock.since)),
            lock.by.name.clone(),
            ending.map_or_else(|| "-".to_owned(), |left| left.to_string()),
            format!("{}{}", lock.reason, lifting(lock)),
        ]);
    }
    table
}

/// `Everything is locked since 14:31 by carol: keys leaked`.
pub fn lock_line(lock: &LockView, words: &TimeWords) -> String {
    let (since, by) = (words.at(lock.since), &lock.by.name);
    let what = match lock.scope.as_str() {
        "all" => "Everything",
        _ => &lock.name,
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

fn what(lock: &LockView) -> &str {
    match lock.scope.as_str() {
        "all" => "everything",
        _ => &lock.name,
    }
}

/// Who began to lift it, where it takes two.
fn lifting(lock: &LockView) -> String {
    let first = lock.lifting.as_ref();
    first.map_or_else(String::new, |first| {
        format!(" ({} lifts it, a second person has to)", first.by.name)
    })
}
