//! What is live, waiting and ending, as tables.
//! Owns which request stands under which heading. Refuses to hide the last credential behind the end of access.

use super::describe::{account_line, asker, for_whom, from, last_session, length, narrowed, needs, outlives, ticket};
use super::remaining::remains;
use super::table::Table;
use super::terminal::State;
use super::words::{TimeWords, short_id, span};
use crate::wire::{GrantView, RequestView};

#[cfg(test)]
mod tests;

/// Under which heading an open request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// Its grant is active.
    Live,
    /// It waits for decisions.
    Waiting,
    /// Approved; access is being given.
    Coming,
    /// Access is being taken away.
    Ending,
    /// None of these: it is over.
    Over,
}

impl Open {
    /// Where `request` stands.
    pub fn of(request: &RequestView) -> Self {
        match (request.state.as_str(), request.grant.as_ref().map(|g| g.state.as_str())) {
            ("pending", _) => Self::Waiting,
            (_, Some("active")) => Self::Live,
            (_, Some("scheduled" | "granting")) => Self::Coming,
            (_, Some("revoking")) => Self::Ending,
            _ => Self::Over,
        }
    }
}

/// The tables of `jit status`, each with the state that its heading marks, for the person whose id is `me`.
pub fn status_sections(requests: &[RequestView], words: &TimeWords, me: &str) -> Vec<(State, Table)> {
    let of = |open: Open| requests.iter().filter(move |r| Open::of(r) == open);
    let granted = |open: Open| longest(of(open).filter_map(|r| Some((r, r.grant.as_ref()?))).collect());
    let what = |request| what(request) + &by_whom(request, me);
    let mut live = Table::new(&["LIVE", "until", "left", "last credential", "why"]);
    for (request, grant) in granted(Open::Live) {
        let until = |show: fn(&TimeWords, _) -> String| grant.ends_at.map_or_else(String::new, |end| show(words, end));
        live.row([
            what(request),
            until(TimeWords::at),
            until(TimeWords::left),
            last_credential(&grant, words),
            why(request),
        ]);
    }
    let mut waiting = Table::new(&["WAITING", "request", "since", "needs"]);
    for request in of(Open::Waiting) {
        waiting.row([
            what(request),
            short_id(&request.id),
            format!("{} ({})", words.at(request.filed_at), words.ago(request.filed_at)),
            format!("{}{}", needs(&request.stages), from(request.start, words)),
        ]);
    }
    let mut coming = Table::new(&["GIVING", "request", "state"]);
    for request in of(Open::Coming) {
        let state = request
            .grant
            .as_ref()
            .map_or_else(String::new, |g| attempts(g, &coming_how(request, g, words), words));
        coming.row([what(request), short_id(&request.id), state]);
    }
    let mut ending = Table::new(&["ENDING", "last credential", "state"]);
    for (request, grant) in granted(Open::Ending) {
        let state = attempts(&grant, being_ended(&grant), words);
        ending.row([what(request), last_credential(&grant, words), state]);
    }
    let mut over = Table::new(&["ENDED", "at", "last credential", "why"]);
    for (request, grant) in granted(Open::Over) {
        let Some(last) = outliving(&grant, words) else { continue };
        over.row([what(request), ended(&grant, words), last, why(request)]);
    }
    let all = [
        (State::Live, live),
        (State::Waiting, waiting),
        (State::Waiting, coming),
        (State::Refused, ending),
        (State::Refused, over),
    ];
    all.into_iter().filter(|(_, table)| table.has_rows()).collect()
}

/// `18:16 (47m left)` where a credential works although access is over; that it remains, where it was there before.
fn outliving(grant: &GrantView, words: &TimeWords) -> Option<String> {
    grant.ended_at?;
    if let Some(remains) = remains(grant) {
        return Some(remains.to_owned());
    }
    let last = grant.last_credential_at.filter(|last| words.is_to_come(*last))?;
    Some(format!("{} ({} left)", words.at(last), words.left(last)))
}

/// `17:29 (dropped)`.
fn ended(grant: &GrantView, words: &TimeWords) -> String {
    let at = grant.ended_at.map_or_else(String::new, |at| words.at(at));
    at + &because(grant)
}

/// One row for each access: of several grants on a target the one that ends last, with the last credential of all.
fn longest<'a>(live: Vec<(&'a RequestView, &'a GrantView)>) -> Vec<(&'a RequestView, GrantView)> {
    let mut rows: Vec<(&RequestView, GrantView)> = Vec::new();
    for (request, grant) in live {
        let is_same = |row: &&mut (&RequestView, GrantView)| {
            row.1.target == grant.target && row.1.beneficiary.id == grant.beneficiary.id && row.1.only == grant.only
        };
        let Some(row) = rows.iter_mut().find(is_same) else {
            rows.push((request, grant.clone()));
            continue;
        };
        let last = row.1.last_credential_at.max(grant.last_credential_at);
        let pre_existing = row.1.pre_existing || grant.pre_existing;
        let through_group = row.1.through_group || grant.through_group;
        // of what is over the one that began last: its cause is why nothing is left. What one word took ends in no order of
        // its own, and an extension began with what it extends; within one second what was asked for last
        let is_later = match (grant.ended_at, row.1.ended_at) {
            (Some(_), Some(_)) => (grant.activated_at, request.filed_at) > (row.1.activated_at, row.0.filed_at),
            (one, other) => (one, grant.ends_at) > (other, row.1.ends_at),
        };
        if is_later {
            *row = (request, grant.clone());
        }
        row.1.last_credential_at = last;
        (row.1.pre_existing, row.1.through_group) = (pre_existing, through_group);
    }
    rows
}

/// What is asked for or held.
fn what(request: &RequestView) -> String {
    format!("{}{}", request.target, narrowed(&request.only))
}

/// `, for alice`, or `, by bob` to alice herself.
fn by_whom(request: &RequestView, me: &str) -> String {
    if request.requester.id != me && request.beneficiary.id == me {
        return format!(", by {}", request.requester.called());
    }
    for_whom(request)
}

/// `14:44 (renews)`, or `none yet`.
fn last_credential(grant: &GrantView, words: &TimeWords) -> String {
    if let Some(remains) = remains(grant) {
        return remains.to_owned();
    }
    match grant.last_credential_at {
        // what dies after the end is renewed no more
        Some(at) if grant.renews && grant.ends_at.is_none_or(|end| at <= end) => format!("{} (renews)", words.at(at)),
        Some(at) => words.at(at),
        None if grant.ended_at.is_some() => "none".to_owned(),
        None => "none yet".to_owned(),
    }
}

/// Whether it is being given, or waits for its start.
fn coming_how(request: &RequestView, grant: &GrantView, words: &TimeWords) -> String {
    match request.start.filter(|start| words.is_to_come(*start)) {
        Some(start) if grant.state == "scheduled" => {
            let (from, left) = (words.at(start), words.left(start));
            format!("approved, starts {from} (in {left}) for {}", span(request.duration_s))
        }
        Some(_) | None if outlives(request).is_some() => "provisioning in Identity Center".to_owned(),
        Some(_) | None => "giving access".to_owned(),
    }
}

/// What is being done at the end.
fn being_ended(grant: &GrantView) -> &'static str {
    match grant.sessions.as_deref() {
        Some("killing") => "shutting its sessions out",
        _ => "taking away",
    }
}

/// `taking away: attempt 3, next in 20s (throttled)`.
fn attempts(grant: &GrantView, what: &str, words: &TimeWords) -> String {
    let mut text = what.to_owned();
    if grant.attempts > 0 {
        text.push_str(&format!(": attempt {}", grant.attempts));
    }
    // one that is due is under way
    if let Some(next) = grant.next_attempt_at.filter(|next| words.is_to_come(*next)) {
        text.push_str(&format!(", next in {}", words.left(next)));
    }
    if let Some(error) = &grant.last_error {
        text.push_str(&format!(" ({error})"));
    }
    text
}

/// The ticket, where there is one, and the reason.
fn why(request: &RequestView) -> String {
    match &request.ticket {
        Some(ticket) => format!("[{ticket}] {}", request.reason),
        None => request.reason.clone(),
    }
}

/// The table of `jit inbox`.
pub fn inbox_table(requests: &[RequestView], words: &TimeWords) -> Table {
    let mut table = Table::new(&[]);
    for request in requests {
        table.row([
            short_id(&request.id),
            asker(request),
            what(request) + &for_whom(request),
            format!("{}{}", length(request), from(request.start, words)),
            words.ago(request.filed_at),
            why(request),
        ]);
    }
    table
}

/// The table of `jit status --history`, newest first, for the person whose id is `me`.
pub fn history_table(requests: &[RequestView], words: &TimeWords, me: &str) -> Table {
    let mut table = Table::new(&["REQUEST", "target", "filed", "for", "outcome", "why"]);
    for request in requests {
        table.row([
            short_id(&request.id),
            what(request) + &by_whom(request, me),
            words.at(request.filed_at),
            length(request),
            outcome(request, words) + &and_outlives(request, words),
            why(request),
        ]);
    }
    table
}

/// `, last credential 18:16 (47m left)` where access is over and that still works.
fn and_outlives(request: &RequestView, words: &TimeWords) -> String {
    if let Some(remains) = request.grant.as_ref().and_then(remains) {
        return format!(", {remains}");
    }
    let last = request.grant.as_ref().and_then(|grant| outliving(grant, words));
    last.map_or_else(String::new, |last| format!(", last credential {last}"))
}

/// What became of a request, in a few words.
fn outcome(request: &RequestView, words: &TimeWords) -> String {
    let Some(grant) = &request.grant else {
        return request.state.clone();
    };
    match grant.ended_at {
        Some(_) => format!("{} {}", grant.state, ended(grant, words)),
        None => format!("{}{}", grant.state, because(grant)),
    }
}

/// ` (dropped)`.
fn because(grant: &GrantView) -> String {
    let cause = grant.cause.as_ref();
    cause.map_or_else(String::new, |cause| format!(" ({cause})"))
}

/// One request, line by line.
pub fn request_details(request: &RequestView, words: &TimeWords) -> Vec<String> {
    let mut lines = vec![
        format!(
            "{}  {} ({})  {}{}{}{}",
            request.id,
            request.target,
            account_line(&request.title, &request.account_name, &request.account),
            length(request),
            from(request.start, words),
            narrowed(&request.only),
            for_whom(request)
        ),
        format!("  state   {}", outcome(request, words)),
        format!("  by      {} {}", asker(request), words.ago(request.filed_at)),
        format!("  why     {}", request.reason),
    ];
    lines.extend(ticket(request.ticket.as_deref()));
    for decision in &request.decisions {
        let comment = decision
            .comment
            .as_ref()
            .map_or_else(String::new, |c| format!(": \"{c}\""));
        let verdict = if decision.verdict == "deny" {
            "denied"
        } else {
            "approved"
        };
        lines.push(format!(
            "  {verdict} by {} at {}{comment}",
            decision.by.called(),
            words.at(decision.at)
        ));
    }
    if request.state == "pending" {
        lines.push(format!(
            "  needs   {}, until {}",
            needs(&request.stages),
            words.at(request.expires_at)
        ));
    }
    if let Some(grant) = &request.grant {
        lines.extend(grant_lines(grant, words));
        lines.extend(enforced(request, grant, words));
    }
    lines
}

/// What the end does not bind.
fn enforced(request: &RequestView, grant: &GrantView, words: &TimeWords) -> Option<String> {
    let is_over = matches!(grant.state.as_str(), "ended" | "failed");
    match outlives(request) {
        Some(_) if is_over => None,
        Some(_) => {
            let last = last_session(request, words)?;
            Some(format!(
                "  note    {}",
                last.trim_end_matches('.').replacen('A', "a", 1)
            ))
        }
        None if grant.end_is_enforced => None,
        None => Some("  note    the end is not enforced beyond this session".to_owned()),
    }
}

fn grant_lines(grant: &GrantView, words: &TimeWords) -> Vec<String> {
    let mut lines = vec![format!("  grant   {}", short_id(&grant.id))];
    match (grant.ends_at, grant.state.as_str()) {
        (None, _) => {}
        (Some(_), _) if grant.cause.as_deref() == Some("expired") => {}
        (Some(end), "revoking" | "ended" | "failed") => lines.push(format!("  was to end  {}", words.at(end))),
        (Some(end), _) => lines.push(format!("  ends    {} ({} left)", words.at(end), words.left(end))),
    }
    let last = outliving(grant, words).unwrap_or_else(|| last_credential(grant, words));
    lines.push(format!("  last credential  {last}"));
    if let Some(detail) = &grant.detail {
        lines.push(format!("  because {detail}"));
    }
    if let Some(error) = &grant.last_error {
        lines.push(format!("  trouble {error}"));
    }
    lines.extend(sessions(grant, words).map(|said| format!("  note    {said}")));
    lines
}

/// What a kill switch does to the sessions of `grant`, or has done.
fn sessions(grant: &GrantView, words: &TimeWords) -> Option<String> {
    let said = match (grant.sessions.as_deref(), grant.shut_out_before) {
        (_, Some(before)) => {
            format!(
                "credentials from before {} are shut out: the role's kill switch was full",
                words.at(before)
            )
        }
        (Some("killing"), None) => "its sessions are being shut out".to_owned(),
        (Some("killed"), None) => "its sessions are shut out".to_owned(),
        (Some(_), None) => "its sessions are over".to_owned(),
        (None, None) if grant.kill_switch => "ended early, its sessions are shut out at once".to_owned(),
        (None, None) => return None,
    };
    Some(said)
}
