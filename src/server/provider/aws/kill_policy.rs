//! The policy that shuts sessions out: `jit-kill`, inline on the target's role.
//! Owns its statements and its size. Refuses clocks and calls: a pure function of who is to be shut out.

use serde_json::{Value, json};

use super::names::REQUEST_TAG;
use crate::domain::{Duration, Killed, Timestamp};

/// Its name. A policy of this name is ours: what somebody else writes into it is gone with the next write.
pub const POLICY_NAME: &str = "jit-kill";

/// IAM: longest sum of a role's inline policies, in characters, white space not counted.
pub const LONGEST: usize = 10_240;

/// AWS's clock and ours may be so far apart, in seconds; and AWS says when a session was issued.
const CLOCKS_APART_S: u32 = 30;

/// A policy, and what it does beyond what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KillPolicy {
    /// Compact JSON.
    pub text: String,
    /// It shuts out every session of the role that was issued before.
    pub issued_before: Option<Timestamp>,
}

/// Denies everything to `sessions`, oldest first, in `room` characters: each by its request's tag while they fit. Those
/// that do not fit are the oldest, and an instant stands for them, so that it lies as far back as can be.
pub fn kill_policy(sessions: &[Killed], room: usize) -> KillPolicy {
    let all = written(sessions, None);
    if all.len() <= room {
        return KillPolicy {
            text: all,
            issued_before: None,
        };
    }
    let listed = |session: &Killed| session.request.as_str().len() + "\"\",".len();
    let one = sessions.get(..1).unwrap_or_default();
    let mut used = written(one, sessions.first()).len() - one.iter().map(listed).sum::<usize>();
    let fit = sessions.iter().rev().take_while(|session| {
        used += listed(session);
        used < room
    });
    let (early, named) = sessions.split_at(sessions.len() - fit.count());
    KillPolicy {
        text: written(named, early.last()),
        issued_before: early.last().map(instant_after),
    }
}

fn written(named: &[Killed], last_unnamed: Option<&Killed>) -> String {
    let mut statements = Vec::new();
    if let Some(last) = last_unnamed {
        let before = json!({ "aws:TokenIssueTime": instant_after(last) });
        statements.push(deny("DateLessThan", &before));
    }
    let ids: Vec<&str> = named.iter().map(|session| session.request.as_str()).collect();
    if !ids.is_empty() || last_unnamed.is_none() {
        let tag = format!("aws:PrincipalTag/{REQUEST_TAG}");
        statements.push(deny("StringEquals", &json!({ tag: ids })));
    }
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

fn deny(operator: &str, condition: &Value) -> Value {
    json!({ "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": { operator: condition } })
}

/// An instant after every session of `killed` was issued, by AWS's clock.
fn instant_after(killed: &Killed) -> Timestamp {
    let margin = Duration::from_secs(CLOCKS_APART_S + 1);
    let since = killed.since.whole_second();
    margin.map_or(since, |margin| since.plus(margin))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::RequestId;

    fn sessions(count: u64) -> Vec<Killed> {
        let at = |n: u64| 1_795_262_400_000 + i64::try_from(n).unwrap() * 1_500;
        (1..=count)
            .map(|n| Killed {
                request: RequestId::from_bits(n),
                since: Timestamp::from_millis(at(n)),
            })
            .collect()
    }

    #[test]
    fn policy_denies_the_tagged_sessions_and_nobody_else() {
        let policy = kill_policy(&sessions(2), LONGEST);
        let ids: Vec<String> = sessions(2).iter().map(|s| s.request.to_string()).collect();
        let expected = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Deny", "Action": "*", "Resource": "*",
                "Condition": {"StringEquals": {"aws:PrincipalTag/jit:request": ids}},
            }],
        });
        assert_eq!(serde_json::from_str::<Value>(&policy.text).unwrap(), expected);
        assert_eq!(policy.issued_before, None);
    }

    #[test]
    fn room_of_a_role_takes_some_five_hundred_sessions() {
        assert_eq!(kill_policy(&sessions(500), LONGEST).issued_before, None);
        assert!(kill_policy(&sessions(540), LONGEST).issued_before.is_some());
    }

    #[test]
    fn oldest_are_shut_out_by_time_when_full() {
        let all = sessions(700);
        let policy = kill_policy(&all, LONGEST);
        let document: Value = serde_json::from_str(&policy.text).unwrap();
        let statements = document["Statement"].as_array().unwrap();
        let before = policy.issued_before.unwrap();
        assert_eq!(
            statements[0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"],
            before.to_string()
        );
        let named = statements[1]["Condition"]["StringEquals"]["aws:PrincipalTag/jit:request"]
            .as_array()
            .unwrap();
        let unnamed = &all[..700 - named.len()];
        assert_eq!(named[0], all[unnamed.len()].request.as_str());
        let last = unnamed.last().unwrap().since;
        assert!(before.since(last) >= 30 && before.since(last) <= 31, "{before} {last}");
    }

    #[test]
    fn no_room_at_all_leaves_the_instant() {
        let policy = kill_policy(&sessions(3), 0);
        assert!(
            policy.issued_before.is_some() && !policy.text.contains("PrincipalTag"),
            "{}",
            policy.text
        );
        assert!(policy.text.len() < 200);
    }

    proptest! {
        #[test]
        fn every_session_is_named_or_older_than_the_instant(count in 1..900_u64, room in 0..LONGEST) {
            let all = sessions(count);
            let policy = kill_policy(&all, room);
            prop_assert!(policy.text.len() <= room || !policy.text.contains("PrincipalTag"));
            for session in &all {
                let named = policy.text.contains(session.request.as_str());
                prop_assert!(named || policy.issued_before.is_some_and(|before| session.since < before));
            }
        }
    }
}
