//! Requests and grants in words: what is asked, what is missing, what an approver must see.
//! The approver's text comes from the canonical body whose digest the decision carries. Refuses loose fields there.

use super::words::{TimeWords, short_id, span};
use crate::domain::request::Body;
use crate::domain::time::{Duration, Timestamp};
use crate::domain::workload::{StartedBy, Workload};
use crate::wire::{Before, ExtendsView, PersonView, RequestView, StageView};

/// `Admin in payments-prod 1111-1111-1111`, the account's name once where the title has it.
pub fn account_line(title: &str, account_name: &str, account: &str) -> String {
    if title.contains(account_name) {
        format!("{title} {}", grouped(account))
    } else {
        format!("{title} in {account_name} {}", grouped(account))
    }
}

/// Twelve digits in groups of four; anything else as it is.
fn grouped(account: &str) -> String {
    if account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) {
        format!("{}-{}-{}", &account[..4], &account[4..8], &account[8..])
    } else {
        account.to_owned()
    }
}

/// `, only s3:Get*` where it is narrowed.
pub fn narrowed(only: &[String]) -> String {
    if only.is_empty() {
        String::new()
    } else {
        format!(", only {}", only.join(", "))
    }
}

/// `1h`, or `1h more` where it extends something.
pub fn length(request: &RequestView) -> String {
    lasting(request.duration_s, request.extends.as_ref())
}

/// `, from 22 Nov 09:00` where it is asked for later.
pub fn from(start: Option<Timestamp>, words: &TimeWords) -> String {
    start.map_or_else(String::new, |start| format!(", from {}", words.at(start)))
}

pub(super) fn lasting(duration_s: u32, extends: Option<&ExtendsView>) -> String {
    match extends {
        Some(_) => format!("{} more", span(duration_s)),
        None => span(duration_s),
    }
}

/// `, for alice` where somebody else asked.
pub fn for_whom(request: &RequestView) -> String {
    apart(&request.requester, &request.beneficiary)
}

pub(super) fn apart(requester: &PersonView, beneficiary: &PersonView) -> String {
    if requester.id == beneficiary.id {
        String::new()
    } else {
        format!(", for {}", beneficiary.called())
    }
}

/// `deploy (job of alice)`, or the name alone where a person asks.
pub fn asker(request: &RequestView) -> String {
    let name = request.requester.called();
    match &request.workload {
        None => name,
        Some(workload) => match &workload.started_by {
            Some(who) => format!("{name} (job of {who})"),
            None => format!("{name} (workload)"),
        },
    }
}

/// Which workload the body names, for who decides: the account as its token said it, and who that is here.
fn job(workload: &Workload, view: &RequestView) -> String {
    let who = view
        .workload
        .as_ref()
        .and_then(|workload| workload.started_by.as_deref());
    let started = match (&workload.started_by, who) {
        (StartedBy::Nobody, _) => "started by nobody".to_owned(),
        (StartedBy::Unknown, _) => "nobody knows who started it".to_owned(),
        (StartedBy::Account(id), Some(who)) if who != format!("account {id}") => {
            format!("started by {who} (account {id})")
        }
        (StartedBy::Account(id), _) => format!("started by account {id}, nobody here"),
    };
    format!("  job     workload {} of {}, {started}", workload.name, workload.issuer)
}

/// What is missing: `1 of: bob, carol (payments)`, stage by stage.
pub fn needs(stages: &[StageView]) -> String {
    let missing = |stage: &StageView| {
        let who = match stage.approvers.as_slice() {
            [] => "nobody who can be found".to_owned(),
            few if few.len() <= 6 => few.join(", "),
            many => format!("{} and {} more", many[..5].join(", "), many.len() - 5),
        };
        format!("{} of: {who} ({})", stage.missing, stage.name)
    };
    let open: Vec<String> = stages.iter().filter(|s| s.missing > 0).map(missing).collect();
    if open.is_empty() {
        "nobody".to_owned()
    } else {
        open.join(", then ")
    }
}

/// How long a session that is begun in the grant's last second goes on after its end, where the system gives sessions
/// that the end does not bind.
pub fn outlives(request: &RequestView) -> Option<Duration> {
    let body: Body = serde_json::from_str(&request.body).ok()?;
    body.binding.assignment().map(|assignment| assignment.session)
}

/// `A session begun in its last second goes on until 16:44.`, while it can be begun.
pub fn last_session(request: &RequestView, words: &TimeWords) -> Option<String> {
    let (session, end) = (outlives(request)?, request.grant.as_ref()?.ends_at?);
    let until = words.at(end.plus(session));
    Some(format!("A session begun in its last second goes on until {until}."))
}

/// The same before there is a grant.
pub fn goes_on_for(session_s: u32) -> String {
    let session = span(session_s);
    format!("a session begun in its last second goes on for {session} after the end")
}

/// The line about the ticket, where there is one.
pub fn ticket(key: Option<&str>) -> Option<String> {
    key.map(|key| format!("  ticket  {key} (not looked up)"))
}

/// What an approver decides on, line by line, from the body that the digest covers.
pub fn own_words(body: &Body, view: &RequestView, words: &TimeWords) -> Vec<String> {
    let binding = &body.binding;
    let kind = match binding.assignment() {
        Some(_) => "permission set",
        None => "role",
    };
    let role = binding.role_name();
    let (asks, until) = match &body.extends {
        Some(extends) => {
            let until = words.at(body.ends(extends.ends_at));
            ("asks to extend", format!("by {}, until {until}", body.duration))
        }
        None => ("asks for", format!("for {}", body.duration)),
    };
    let mut lines = vec![
        format!(
            "{} {asks} {} ({kind} {role} in {} {}) {until}",
            view.requester.called(),
            body.target,
            binding.account_name(),
            grouped(binding.account()),
        ),
        format!("  why     {}", body.reason),
    ];
    lines.extend(ticket(body.ticket.as_ref().map(|key| key.as_str())));
    lines.extend(body.workload.as_ref().map(|workload| job(workload, view)));
    if let Some(chosen) = binding.assignment().and_then(|of| of.chosen.as_ref()) {
        lines.push(format!("  among   {} ({})", chosen.accounts, chosen.by));
    }
    if view.beneficiary.id != view.requester.id {
        lines.push(format!("  for     {}", view.beneficiary.called()));
    }
    if !body.only.is_empty() {
        let only: Vec<&str> = body.only.iter().map(|n| n.as_str()).collect();
        lines.push(format!("  only    {}", only.join(", ")));
    }
    if let Some(extends) = &body.extends {
        let (id, end) = (short_id(extends.grant.as_str()), words.at(extends.ends_at));
        lines.push(format!("  now     {id} ends at {end}"));
    }
    if let Some(start) = body.start {
        lines.push(format!("  from    {}", words.at(start)));
    }
    lines.push(format!("  before  {}", before(&view.before, words)));
    if binding.assignment().is_some() {
        lines.push(format!("  note    {}", goes_on_for(binding.session().secs())));
    } else if binding.chain() {
        lines.push("  note    the end is not enforced beyond this session: it may assume further roles".to_owned());
    }
    if body.pre_existing {
        lines.push("  note    they have it already, not from jit: access remains after the end".to_owned());
    }
    if body.through_group {
        lines.push("  note    they have it through a group already: access remains after the end".to_owned());
    }
    if binding.kill().is_some() {
        lines.push("  note    ended early, its sessions are shut out at once".to_owned());
    }
    let open: Vec<&StageView> = view.stages.iter().filter(|s| s.open).collect();
    for stage in open {
        lines.push(format!("  policy  {} of {}", stage.missing, stage.groups.join(", ")));
    }
    lines
}

fn before(before: &Before, words: &TimeWords) -> String {
    let times = match before.grants {
        0 => return "not in 30 days".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        many => format!("{many} times"),
    };
    let last = before.last_at.map_or_else(String::new, |at| {
        let lasted = before
            .last_duration_s
            .map_or_else(String::new, |s| format!(" for {}", span(s)));
        format!(", last at {}{lasted}", words.at(at))
    });
    let early = match before.dropped_early {
        0 => String::new(),
        1 if before.grants == 1 => "; ended early".to_owned(),
        some if some == before.grants => "; ended early each time".to_owned(),
        1 => "; ended early once".to_owned(),
        some => format!("; ended early {some} times"),
    };
    format!("had it {times} in 30 days{last}{early}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(missing: u32, approvers: &[&str]) -> StageView {
        StageView {
            name: "payments".into(),
            groups: vec!["payments".into()],
            approvers: approvers.iter().map(|a| (*a).to_owned()).collect(),
            approvals: 1,
            missing,
            open: missing > 0,
        }
    }

    #[test]
    fn what_is_missing_names_who_can_give_it() {
        assert_eq!(needs(&[stage(1, &["bob", "carol"])]), "1 of: bob, carol (payments)");
        assert_eq!(needs(&[stage(0, &["bob"])]), "nobody");
        let many = ["a", "b", "c", "d", "e", "f", "g"];
        assert_eq!(needs(&[stage(2, &many)]), "2 of: a, b, c, d, e and 2 more (payments)");
    }

    #[test]
    fn account_is_grouped_where_it_is_one() {
        assert_eq!(
            account_line("Admin", "prod", "111111111111"),
            "Admin in prod 1111-1111-1111"
        );
        assert_eq!(account_line("Admin in prod", "prod", "x"), "Admin in prod x");
    }

    #[test]
    fn history_says_how_often_and_how_it_ended() {
        let words = TimeWords::utc(Timestamp::parse("2026-11-21T12:00:00Z").unwrap());
        let had = Before {
            grants: 2,
            last_at: Some(Timestamp::parse("2026-11-12T09:00:00Z").unwrap()),
            last_duration_s: Some(3_600),
            dropped_early: 2,
        };
        assert_eq!(
            before(&had, &words),
            "had it twice in 30 days, last at 12 Nov 09:00 for 1h; ended early each time"
        );
        for (grants, dropped_early, early) in [(1, 1, "; ended early"), (2, 1, "; ended early once"), (2, 0, "")] {
            let had = Before {
                grants,
                dropped_early,
                ..had.clone()
            };
            assert!(before(&had, &words).ends_with(&format!(" for 1h{early}")), "{had:?}");
        }
        assert_eq!(before(&Before::default(), &words), "not in 30 days");
    }
}
