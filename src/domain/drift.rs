//! Memberships that nobody here gave: those that were there before us, and those that came since.
//! Owns which of them may be taken away. Refuses to find them: reconciling does.

use serde_json::json;

use super::change::{Actor, Change, Effect, Row};
use super::membership::{Membership, MembershipState};
use super::target::Binding;
use super::time::Timestamp;

/// What was there when `binding` was first looked at, `known` of each user where there is a row: it is theirs to keep. With
/// it goes a row of no user, which says that it was looked at.
pub fn before(now: Timestamp, binding: &Binding, users: &[(String, Option<Membership>)]) -> Change {
    let Some(assignment) = binding.assignment() else {
        return Change::default();
    };
    let foreign = |user: &str, known: Option<&Membership>| match known {
        Some(known) => Membership {
            pre_existing: true,
            ..known.at(now, MembershipState::Foreign).idle()
        },
        None => Membership {
            name: assignment.membership(user),
            binding: binding.clone(),
            user: user.to_owned(),
            state: MembershipState::Foreign,
            pre_existing: true,
            leases: Vec::new(),
            busy_until: None,
            busy_by: None,
            since: now,
            version: 1,
        },
    };
    let mut rows = vec![Row::Membership(Box::new(foreign("", None)))];
    rows.extend(
        users
            .iter()
            .map(|(user, known)| Row::Membership(Box::new(foreign(user, known.as_ref())))),
    );
    let names: Vec<&str> = users.iter().map(|(user, _)| user.as_str()).collect();
    let details = json!({ "arn": binding.arn(), "account": binding.account(), "users": names });
    Change::new(now, "drift.before", Actor::Backend, None, rows, details)
}

/// Who was there before has gone: who comes from now on came after us.
pub fn left(now: Timestamp, known: &Membership) -> Change {
    if known.state != MembershipState::Foreign {
        return Change::default();
    }
    let next = Membership {
        pre_existing: false,
        ..known.at(now, MembershipState::Absent).idle()
    };
    change(now, "drift.left", next)
}

/// Begins to take away what `user` has of `binding`: the intent is durable before anybody is called. Nothing where somebody
/// holds it, where it may be ours, or where it was there before us.
pub fn oust(now: Timestamp, binding: &Binding, user: &str, known: Option<&Membership>) -> Option<Change> {
    let name = binding.assignment()?.membership(user);
    let is_nobodys =
        |known: &Membership| known.state == MembershipState::Absent && known.leases.is_empty() && !known.pre_existing;
    let next = match known {
        Some(known) if is_nobodys(known) => Membership {
            pre_existing: false,
            busy_by: None,
            ..known.at(now, MembershipState::Taking)
        },
        Some(_) => return None,
        None => Membership {
            name: name.clone(),
            binding: binding.clone(),
            user: user.to_owned(),
            state: MembershipState::Taking,
            pre_existing: false,
            leases: Vec::new(),
            busy_until: None,
            busy_by: None,
            since: now,
            version: 1,
        },
    };
    Some(change(now, "drift.removing", next).with_effect(now, Effect::Oust { membership: name }))
}

/// A call to take it away is under way. Nothing where another may be, or where it is not to be taken any more: also where a
/// grant came to hold it and has it taken away itself.
pub fn calling(now: Timestamp, known: &Membership, until: Timestamp) -> Option<Change> {
    if !known.is_ousted() || known.is_busy(now) {
        return None;
    }
    let next = Membership {
        busy_until: Some(until),
        ..known.at(now, MembershipState::Taking)
    };
    Some(change(now, "membership.taking", next))
}

/// The call that was announced with `until` has come back without an answer that settles it. Another's is none of its
/// business.
pub fn paused(now: Timestamp, known: &Membership, until: Timestamp) -> Option<Change> {
    if !known.is_ousted() || known.busy_until != Some(until) {
        return None;
    }
    Some(change(now, "membership.paused", known.at(now, known.state).idle()))
}

/// It is gone. Who came to hold it meanwhile is given it.
pub fn ousted(now: Timestamp, known: &Membership) -> Option<Change> {
    known.is_ousted().then(|| over(now, "drift.removed", known))
}

/// It is not taken away after all: policy does not want that any more, or so long ago was it decided that somebody else may
/// have given it since. Who came to hold it looks for themselves. Nothing while a call about it may be under way.
pub fn kept(now: Timestamp, known: &Membership) -> Option<Change> {
    let is_idle = known.is_ousted() && !known.is_busy(now);
    is_idle.then(|| over(now, "drift.kept", known))
}

fn over(now: Timestamp, kind: &str, known: &Membership) -> Change {
    let mut change = change(now, kind, known.at(now, MembershipState::Absent).idle());
    let holders = known.leases.iter().cloned();
    change
        .effects
        .extend(holders.map(|grant| (now, Effect::Give { grant })));
    change
}

fn change(now: Timestamp, kind: &str, next: Membership) -> Change {
    let details = json!({
        "arn": next.binding.arn(),
        "account": next.binding.account(),
        "user": next.user,
    });
    Change::new(
        now,
        kind,
        Actor::Backend,
        None,
        vec![Row::Membership(Box::new(next))],
        details,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::samples::{assignment, at};

    #[test]
    fn what_was_there_before_is_ousted_in_no_state() {
        let binding = Binding::Assignment(assignment());
        let name = binding.assignment().unwrap().membership("u-1");
        for (pre_existing, is_taken) in [(false, true), (true, false)] {
            let known = Membership {
                name: name.clone(),
                binding: binding.clone(),
                user: "u-1".into(),
                state: MembershipState::Absent,
                pre_existing,
                leases: Vec::new(),
                busy_until: None,
                busy_by: None,
                since: at(1),
                version: 1,
            };
            let change = oust(at(2), &binding, "u-1", Some(&known));
            assert_eq!(change.is_some(), is_taken, "{pre_existing}");
        }
    }
}
