//! The whole lifecycle as two tables: what each event does in each state.
//! `told`: an event without a row. `-`: nothing, and the effect behind it is settled. `later`: the effect is left again. `no:` refused.
//! `x +y`: the row becomes x, and the worker shall do y.

use crate::domain::apply;
use crate::domain::case::Case;
use crate::domain::change::Change;
use crate::domain::decision::Verdict;
use crate::domain::event::{Event, Vote};
use crate::domain::grant::{EndCause, Grant, GrantState, Kill, KillState};
use crate::domain::id::GrantId;
use crate::domain::refusal::Refusal;
use crate::domain::request::{Request, RequestState};
use crate::domain::samples::{at, device, filing, person, secs, vote};
use crate::domain::target::KillSwitch;
use crate::domain::text::Reason;
use crate::domain::time::Timestamp;

const REQUESTS: &str = "\
event         | pending                  | approved                    | denied                      | cancelled                   | expired
approve       | approved scheduled +activate | no: request.already_decided | no: request.already_decided | no: request.already_decided | no: request.already_decided
approve late  | no: request.already_decided | no: request.already_decided | no: request.already_decided | no: request.already_decided | no: request.already_decided
approve own   | no: policy.own_request | no: policy.own_request | no: policy.own_request | no: policy.own_request | no: policy.own_request
deny          | denied | no: request.already_decided | no: request.already_decided | no: request.already_decided | no: request.already_decided
cancel        | cancelled | no: request.already_decided | no: request.already_decided | no: request.already_decided | no: request.already_decided
cancel by another | no: access.forbidden | no: access.forbidden | no: access.forbidden | no: access.forbidden | no: access.forbidden
expire        | expired | - | - | - | -
expire early  | later +expire | - | - | - | -
";

const GRANTS: &str = "\
event          | scheduled | granting | active | revoking | ended | failed
activate       | granting +end +give +warn | - | - | - | - | -
activate early | later +activate | - | - | - | - | -
activate late  | ended(expired) | - | - | - | - | -
withhold       | ended(refused) | - | - | - | - | -
verified       | - | active | - | - | - | -
verified late  | - | revoking(expired) +take | - | - | - | -
not given      | - | failed(failed) | - | - | - | -
drop           | ended(dropped) | revoking(dropped) +take | revoking(dropped) +take | - | no: grant.not_live | no: grant.not_live
drop by another | no: access.forbidden | no: access.forbidden | no: access.forbidden | no: access.forbidden | no: access.forbidden | no: access.forbidden
revoke         | ended(revoked) | revoking(revoked) +take | revoking(revoked) +take | - | no: grant.not_live | no: grant.not_live
lock           | ended(locked) | revoking(locked) +take | revoking(locked) +take | - | - | -
recall         | ended(revoked) | revoking(revoked) +take | revoking(revoked) +take | - | - | -
warn           | - | - | told | - | - | -
warn early     | - | - | later +warn | - | - | -
warn at the end | - | - | - | - | - | -
end            | - | revoking(expired) +take | revoking(expired) +take | - | - | -
end early      | - | later +end | later +end | later +end | - | -
taken          | - | - | - | ended(dropped) | - | -
killed         | - | - | - | - | - | -
outlived       | - | - | - | - | - | -
lifted         | - | - | - | - | - | -
mint           | no: grant.not_live | no: grant.not_live | active | no: grant.not_live | no: grant.not_live | no: grant.not_live
mint at the end | no: grant.not_live | no: grant.not_live | no: grant.not_live | no: grant.not_live | no: grant.not_live | no: grant.not_live
mint by another | no: access.forbidden | no: access.forbidden | no: access.forbidden | no: access.forbidden | no: access.forbidden | no: access.forbidden
";

/// The columns are how far its sessions are shut out, on a target with a kill switch; the grant is being revoked.
const KILLS: &str = "\
event          | killing | killed | lifting | lifted
killed         | revoking killed +take +unkill | - | - | -
outlived       | revoking lifting +take +unkill | revoking lifting +unkill | - | -
outlived early | later +unkill | later +unkill | - | -
lifted         | - | - | revoking lifted | -
revoke         | - | - | - | -
taken          | - | ended killed | ended lifting | ended lifted
";

/// Filed at 0; pending for an hour; starts at 60 s; ends at an hour and 60 s.
pub(super) const START_MS: i64 = 60_000;
pub(super) const END_MS: i64 = 3_660_000;

fn request(state: RequestState) -> Request {
    let filing = filing(7);
    Request {
        digest: filing.body.digest(),
        body: filing.body,
        frozen: filing.frozen,
        state,
        automatic: false,
        filed_at: at(0),
        filed_from: device(1),
        expires_at: at(3_600_000),
        closed_at: (state != RequestState::Pending).then_some(at(1)),
        version: 1,
    }
}

/// A pending request that passes `stage`.
pub(super) fn pending(stage: crate::domain::workflow::Stage) -> Case {
    let mut request = request(RequestState::Pending);
    request.frozen.workflow.stages = vec![stage];
    Case {
        request: Some(request),
        ..Case::default()
    }
}

pub(super) fn case(state: GrantState) -> Case {
    let open = Case {
        request: Some(request(RequestState::Pending)),
        ..Case::default()
    };
    let yes = vote(2, &request(RequestState::Pending).digest, 7);
    let change = apply(at(0), &open, &Event::Decide(Box::new(yes))).unwrap();
    let begun = (state != GrantState::Scheduled).then_some(at(START_MS));
    let over = matches!(state, GrantState::Revoking | GrantState::Ended | GrantState::Failed);
    let grant = Grant {
        state,
        starts_at: at(START_MS),
        activate_by: at(START_MS).plus(secs(300)),
        activated_at: begun,
        anchor_at: begun,
        ends_at: begun.map(|begun| begun.plus(secs(3600))),
        cause: over.then_some(EndCause::Dropped),
        ..change.grant().unwrap().clone()
    };
    let decision = change.rows.iter().find_map(|row| match row {
        crate::domain::change::Row::Decision(decision) => Some(decision.clone()),
        _ => None,
    });
    Case {
        request: change.request().cloned(),
        decisions: decision.into_iter().collect(),
        grant: Some(grant),
        ..Case::default()
    }
}

pub(super) fn cell(outcome: Result<Change, Refusal>) -> String {
    let change = match outcome {
        Ok(change) if change == Change::default() => return "-".into(),
        Ok(change) => change,
        Err(refusal) => return format!("no: {}", refusal.code()),
    };
    let mut words: Vec<String> = change.request().map(|r| r.state.to_string()).into_iter().collect();
    words.extend(change.grant().map(|g| match (&g.kill, g.cause) {
        (Some(kill), _) => format!("{} {}", g.state, kill.state.as_str()),
        (None, Some(cause)) => format!("{}({})", g.state, cause.as_str()),
        (None, None) => g.state.to_string(),
    }));
    if words.is_empty() {
        words.push(if change.event.is_some() { "told" } else { "later" }.into());
    }
    words.extend(change.effects.iter().map(|(_, effect)| format!("+{}", effect.kind())));
    words.join(" ")
}

/// Compares line by line; white space is for the reader.
pub(super) fn holds(table: &str, events: &[(&str, Timestamp, Event)], cases: &[(String, Case)]) {
    let plain = |line: &str| line.split('|').map(str::trim).collect::<Vec<_>>().join(" | ");
    let heads: Vec<&str> = cases.iter().map(|(state, _)| state.as_str()).collect();
    let mut lines = vec![format!("event | {}", heads.join(" | "))];
    for (name, now, event) in events {
        let cells: Vec<String> = cases.iter().map(|(_, case)| cell(apply(*now, case, event))).collect();
        lines.push(format!("{name} | {}", cells.join(" | ")));
    }
    let expected: Vec<String> = table.lines().map(plain).collect();
    assert_eq!(lines, expected, "\n{}\n", lines.join("\n"));
}

#[test]
fn request_follows_its_table() {
    let digest = request(RequestState::Pending).digest;
    let decide = |by, verdict| {
        let vote = Vote {
            verdict,
            ..vote(by, &digest, 7)
        };
        Event::Decide(Box::new(vote))
    };
    let (soon, late) = (at(3_599_999), at(3_600_000));
    let events = [
        ("approve", soon, decide(2, Verdict::Approve)),
        ("approve late", late, decide(2, Verdict::Approve)),
        ("approve own", soon, decide(1, Verdict::Approve)),
        ("deny", soon, decide(2, Verdict::Deny)),
        ("cancel", soon, Event::Cancel { by: person(1) }),
        ("cancel by another", soon, Event::Cancel { by: person(2) }),
        ("expire", late, Event::Expire),
        ("expire early", soon, Event::Expire),
    ];
    use RequestState::{Approved, Cancelled, Denied, Expired, Pending};
    let states = [Pending, Approved, Denied, Cancelled, Expired];
    let cases = states.map(|state| {
        let case = Case {
            request: Some(request(state)),
            ..Case::default()
        };
        (state.to_string(), case)
    });
    holds(REQUESTS, &events, &cases);
}

#[test]
fn grant_follows_its_table() {
    let (before, during, end) = (at(START_MS - 1), at(START_MS), at(END_MS));
    let drop = |n| Event::Drop { by: person(n) };
    let mint = |n| Event::Mint {
        by: person(n),
        device: device(n),
        until: end,
    };
    let revoke = Event::Revoke {
        by: person(3),
        reason: Reason::parse("enough").unwrap(),
    };
    let withhold = Event::Withhold {
        cause: EndCause::Refused,
        detail: "no".into(),
    };
    let events = [
        ("activate", during, Event::Activate),
        ("activate early", before, Event::Activate),
        ("activate late", at(START_MS + 300_001), Event::Activate),
        ("withhold", during, withhold),
        ("verified", at(END_MS - 1), Event::Verified { before: during }),
        ("verified late", end, Event::Verified { before: during }),
        ("not given", during, Event::NotGiven { detail: "no".into() }),
        ("drop", during, drop(1)),
        ("drop by another", during, drop(2)),
        ("revoke", during, revoke),
        ("lock", during, stop()),
        ("recall", during, Event::Recall),
        ("warn", at(END_MS - 600_000), Event::Warn),
        ("warn early", at(END_MS - 600_001), Event::Warn),
        ("warn at the end", end, Event::Warn),
        ("end", end, Event::End),
        ("end early", at(END_MS - 1), Event::End),
        ("taken", end, Event::Taken),
        ("killed", during, Event::Killed { issued_before: None }),
        ("outlived", end, Event::Outlived),
        ("lifted", end, Event::Lifted),
        ("mint", at(END_MS - 1), mint(1)),
        ("mint at the end", end, mint(1)),
        ("mint by another", during, mint(2)),
    ];
    use GrantState::{Active, Ended, Failed, Granting, Revoking, Scheduled};
    let states = [Scheduled, Granting, Active, Revoking, Ended, Failed];
    let cases = states.map(|state| (state.to_string(), case(state)));
    holds(GRANTS, &events, &cases);
}

/// What is extended in time is not warned about; the extension is.
#[test]
fn warning_moves_with_an_extension_and_falls_away_with_an_early_end() {
    let warned_at = at(END_MS - 600_000);
    let mut extended = case(GrantState::Active);
    let longer = Grant {
        id: GrantId::from_bits(8),
        ends_at: Some(at(END_MS + 600_000)),
        ..extended.grant.clone().unwrap()
    };
    let held = |grant: &Grant| crate::domain::Held {
        request: extended.request.clone().unwrap(),
        grant: Some(grant.clone()),
    };
    let beside = vec![held(&longer)];
    let mut longest = extended.clone();
    longest.beside = vec![held(extended.grant.as_ref().unwrap())];
    longest.grant = Some(longer);
    extended.beside = beside;
    assert_eq!(cell(apply(warned_at, &extended, &Event::Warn)), "-");
    assert_eq!(cell(apply(warned_at, &longest, &Event::Warn)), "later +warn");
    assert_eq!(cell(apply(at(END_MS), &longest, &Event::Warn)), "told");
    let mut short = case(GrantState::Scheduled);
    short.request.as_mut().unwrap().body.duration = secs(600);
    let request = short.request.as_mut().unwrap();
    request.digest = request.body.digest();
    short.decisions[0].digest = request.digest.clone();
    assert_eq!(
        cell(apply(at(START_MS), &short, &Event::Activate)),
        "granting +end +give"
    );
}

fn stop() -> Event {
    Event::Lock {
        by: person(3),
        reason: Reason::parse("enough").unwrap(),
    }
}

fn killable(state: GrantState, last_credential_at: Option<Timestamp>) -> Case {
    let mut case = case(state);
    case.request.as_mut().unwrap().body.binding.role_mut().unwrap().kill = Some(KillSwitch {
        role_arn: "arn:aws:iam::111122223333:role/jit/jit-kill-switch".into(),
    });
    case.grant.as_mut().unwrap().last_credential_at = last_credential_at;
    case
}

#[test]
fn kill_switch_follows_its_table() {
    let until = at(END_MS);
    let revoke = Event::Revoke {
        by: person(3),
        reason: Reason::parse("enough").unwrap(),
    };
    let events = [
        ("killed", at(START_MS), Event::Killed { issued_before: None }),
        ("outlived", until, Event::Outlived),
        ("outlived early", at(END_MS - 1), Event::Outlived),
        ("lifted", until, Event::Lifted),
        ("revoke", until, revoke),
        ("taken", until, Event::Taken),
    ];
    use KillState::{Killed, Killing, Lifted, Lifting};
    let cases = [Killing, Killed, Lifting, Lifted].map(|state| {
        let mut case = killable(GrantState::Revoking, Some(until));
        case.grant.as_mut().unwrap().kill = Some(Kill {
            role_arn: "arn:aws:iam::111122223333:role/admin".into(),
            since: at(START_MS),
            until,
            state,
        });
        (state.as_str().to_owned(), case)
    });
    holds(KILLS, &events, &cases);
}

#[test]
fn only_an_early_end_with_a_live_credential_is_killed() {
    let (during, end) = (at(START_MS + 1), at(END_MS));
    let drop = Event::Drop { by: person(1) };
    for (last_credential_at, now, event, expected) in [
        (Some(end), during, &drop, "revoking killing +kill"),
        (Some(during), during, &drop, "revoking(dropped) +take"),
        (None, during, &drop, "revoking(dropped) +take"),
        (Some(end.plus(secs(60))), end, &Event::End, "revoking(expired) +take"),
    ] {
        let case = killable(GrantState::Active, last_credential_at);
        assert_eq!(cell(apply(now, &case, event)), expected);
    }
    let mut without = killable(GrantState::Active, Some(end));
    without.request.as_mut().unwrap().body.binding.role_mut().unwrap().kill = None;
    assert_eq!(cell(apply(during, &without, &drop)), "revoking(dropped) +take");
}

#[test]
fn mint_refuses_rows_that_differ_from_what_was_approved() {
    let mint = Event::Mint {
        by: person(1),
        device: device(1),
        until: at(END_MS),
    };
    let now = at(START_MS);
    let mut other_role = case(GrantState::Active);
    other_role
        .request
        .as_mut()
        .unwrap()
        .body
        .binding
        .role_mut()
        .unwrap()
        .role_arn += "-other";
    let mut other_yes = case(GrantState::Active);
    other_yes.decisions[0].digest = crate::domain::Digest::of(b"something else");
    let mut wider = case(GrantState::Active);
    wider.grant.as_mut().unwrap().only = vec![crate::domain::Narrowing::parse("s3:Get*").unwrap()];
    for case in [other_role, other_yes, wider] {
        assert_eq!(cell(apply(now, &case, &mint)), "no: request.changed");
    }
    assert_eq!(cell(apply(now, &case(GrantState::Active), &mint)), "active");
}

#[test]
fn activation_needs_the_approvals_that_were_asked_for() {
    let mut unasked = case(GrantState::Scheduled);
    unasked.decisions.clear();
    let outcome = apply(at(START_MS), &unasked, &Event::Activate);
    assert_eq!(cell(outcome), "ended(changed)");
}

#[test]
fn decision_waits_for_the_stage_before() {
    let mut stored = request(RequestState::Pending);
    stored.frozen.workflow.stages[0].name = "team".into();
    let second = crate::domain::samples::stage("security", 1, &["team"]);
    stored.frozen.workflow.stages.push(second);
    let yes = Vote {
        stages: vec![1],
        grant: GrantId::from_bits(7),
        ..vote(2, &stored.digest, 7)
    };
    let case = Case {
        request: Some(stored),
        ..Case::default()
    };
    let outcome = apply(at(0), &case, &Event::Decide(Box::new(yes)));
    assert_eq!(cell(outcome), "no: policy.refused");
}
