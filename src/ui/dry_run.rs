//! What asking would come to, in words.

use super::describe::{account_line, apart, from, goes_on_for, lasting, narrowed, needs, ticket};
use super::words::{TimeWords, span};
use crate::domain::time::Timestamp;
use crate::wire::{DryRun, ExtendsView, Outcome, RequestView};

/// What filing would come to, line by line.
pub fn dry_run_lines(would: &DryRun, words: &TimeWords) -> Vec<String> {
    let mut lines = vec![format!(
        "{} ({})  {}{}{}{}",
        would.target,
        account_line(&would.title, &would.account_name, &would.account),
        lasting(would.duration_s, would.extends.as_ref()),
        from(would.start, words),
        narrowed(&would.only),
        apart(&would.requester, &would.beneficiary)
    )];
    match (would.outcome, &would.request) {
        (Outcome::Joined, Some(request)) => lines.push(joined(request, words)),
        (Outcome::Covered, Some(request)) => lines.push(covered(request, words)),
        (Outcome::Filed | Outcome::Joined | Outcome::Covered, _) => lines.extend(filed(would, words)),
    }
    lines
}

/// When the extension would end.
fn until(would: &DryRun, extends: &ExtendsView) -> Timestamp {
    Timestamp::from_millis(extends.ends_at.millis() + i64::from(would.duration_s) * 1000)
}

/// A role's session ends with the grant at the latest; a permission set's does not.
fn life_s(would: &DryRun) -> u32 {
    match would.identity_center {
        Some(_) => would.session_s,
        None => would.session_s.min(would.duration_s),
    }
}

fn joined(request: &RequestView, words: &TimeWords) -> String {
    format!("  joins   {}, filed {}", request.id, words.ago(request.filed_at))
}

fn covered(request: &RequestView, words: &TimeWords) -> String {
    let end = request.grant.as_ref().and_then(|grant| grant.ends_at);
    let until = end.map_or_else(String::new, |end| {
        format!(" until {} ({} left)", words.at(end), words.left(end))
    });
    format!(
        "  covered by {}: {} holds it{until}",
        request.id,
        request.beneficiary.called()
    )
}

fn filed(would: &DryRun, words: &TimeWords) -> Vec<String> {
    let what = if would.identity_center.is_some() {
        "set "
    } else {
        "role"
    };
    let mut lines = vec![format!("  {what}    {}", would.role_arn)];
    lines.extend(ticket(would.ticket.as_deref()));
    lines.push(format!("  policy  allows it ({})", would.policies.join(", ")));
    lines.push(if would.automatic {
        "  needs   nobody: policy approves it".to_owned()
    } else {
        format!(
            "  needs   {}, within {}",
            needs(&would.stages),
            span(would.expires_after_s)
        )
    });
    lines.push(match &would.extends {
        Some(extends) => format!(
            "  ends    {} instead of {}, {} after the first activation at most",
            words.at(until(would, extends)),
            words.at(extends.ends_at),
            span(would.cap_s)
        ),
        None => format!(
            "  ends    {} after it is given, {} at most; a credential lives {}",
            span(would.duration_s),
            span(would.cap_s),
            span(life_s(would))
        ),
    });
    if would.start.is_some() {
        lines.push("  note    policy decides again when it starts".to_owned());
    }
    if let Some(center) = &would.identity_center {
        lines.push(match &would.extends {
            Some(extends) => {
                let last = until(would, extends).millis() + i64::from(center.session_s) * 1000;
                let until = words.at(Timestamp::from_millis(last));
                format!("  note    a session begun in its last second goes on until {until}")
            }
            None => format!("  note    {}", goes_on_for(center.session_s)),
        });
    } else if would.chain {
        lines.push("  note    the end is not enforced beyond this session: it may assume further roles".to_owned());
    }
    lines
}
