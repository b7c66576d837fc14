//! What becomes of a request: filed, decided, cancelled, expired.
//! Owns no-self, bound and the end of waiting. Refuses to know who is in which group.

use serde_json::json;

use super::grant::{end, new_grant};
use super::grant_step::too_early;
use super::person;
use crate::domain::case::Case;
use crate::domain::change::{Actor, Change, Effect, Row};
use crate::domain::decision::{Decision, Verdict};
use crate::domain::event::{Filing, Vote};
use crate::domain::filing::{Standing, standing};
use crate::domain::grant::Grant;
use crate::domain::id::PersonId;
use crate::domain::refusal::Refusal;
use crate::domain::request::{Request, RequestState};
use crate::domain::time::Timestamp;
use crate::domain::workload::Behind;

pub(super) fn file(now: Timestamp, case: &Case, filing: &Filing) -> Result<Change, Refusal> {
    match standing(now, case, &filing.body, filing.frozen.cap)? {
        Standing::New => {}
        // what is there already serves: nothing is filed twice
        Standing::Joins(_) | Standing::Covered(_) => return Ok(Change::default()),
    }
    let state = if filing.automatic {
        RequestState::Approved
    } else {
        RequestState::Pending
    };
    let request = Request {
        body: filing.body.clone(),
        digest: filing.body.digest(),
        frozen: filing.frozen.clone(),
        state,
        automatic: filing.automatic,
        filed_at: now,
        filed_from: filing.device.clone(),
        expires_at: expires_at(now, filing),
        closed_at: filing.automatic.then_some(now),
        version: 1,
    };
    let by = person(&filing.body.requester);
    if filing.automatic {
        let grant = new_grant(now, &request, filing.grant.clone());
        let (due, effect) = (
            grant.starts_at,
            Effect::Activate {
                grant: grant.id.clone(),
            },
        );
        let mut rows = vec![Row::Request(Box::new(request.clone())), Row::Grant(grant)];
        rows.extend(extended(case, filing));
        return Ok(Change::new(
            now,
            "request.filed",
            by,
            Some(&request),
            rows,
            json!({ "automatic": true }),
        )
        .with_effect(due, effect));
    }
    let effect = Effect::Expire {
        request: request.id().clone(),
    };
    let due = request.expires_at;
    let mut rows = vec![Row::Request(Box::new(request.clone()))];
    rows.extend(extended(case, filing));
    Ok(Change::new(
        now,
        "request.filed",
        by,
        Some(&request),
        rows,
        json!({ "automatic": false }),
    )
    .with_effect(due, effect))
}

/// What is extended, a version on and the same otherwise. Whoever ends it in the same instant knows nothing of the
/// extension: one of both commits comes second, and looks again.
fn extended(case: &Case, filing: &Filing) -> Option<Row> {
    let extends = filing.body.extends.as_ref()?;
    let mut grants = case.beside.iter().filter_map(|held| held.grant.as_ref());
    let grant = grants.find(|grant| grant.id == extends.grant)?;
    Some(Row::Grant(Grant {
        version: grant.version + 1,
        ..grant.clone()
    }))
}

/// When nobody needs to decide any more. An extension that could add nothing is over before that.
fn expires_at(now: Timestamp, filing: &Filing) -> Timestamp {
    let waits_until = now.plus(filing.frozen.workflow.expires_after);
    match filing.body.extends {
        Some(_) => waits_until.min(filing.body.ends(now)),
        None => waits_until,
    }
}

/// The pending request, or the refusal that says what became of it.
fn pending(now: Timestamp, case: &Case) -> Result<&Request, Refusal> {
    let request = case.request()?;
    let state = match request.state {
        RequestState::Pending if now >= request.expires_at => RequestState::Expired,
        RequestState::Pending => return Ok(request),
        other => other,
    };
    Err(Refusal::AlreadyDecided {
        request: request.id().clone(),
        state,
    })
}

pub(super) fn decide(now: Timestamp, case: &Case, vote: &Vote) -> Result<Change, Refusal> {
    let request = case.request()?;
    // no-self comes before everything else: it holds whatever the state is
    let asks = |person: &PersonId| {
        let (body, started_by) = (&request.body, &request.frozen.started_by);
        [&body.requester, &body.beneficiary].contains(&person) || started_by.contains(person) || vote.behind.is(person)
    };
    if asks(&vote.by) || vote.same_human.iter().any(asks) {
        return Err(Refusal::OwnRequest);
    }
    if vote.device_people.iter().any(asks) {
        return Err(Refusal::OwnDevice);
    }
    if vote.verdict == Verdict::Approve && vote.behind == Behind::Unknown && request.frozen.started_by.is_empty() {
        return Err(Refusal::StarterUnknown);
    }
    if let Some(from) = vote
        .decides_from
        .filter(|from| vote.verdict == Verdict::Approve && now < *from)
    {
        return Err(Refusal::DeviceNew { from });
    }
    let request = pending(now, case)?;
    if case.lost().is_some() {
        return Err(Refusal::ExtendedOver {
            request: request.id().clone(),
        });
    }
    if !case.is_bound() || vote.digest != request.digest {
        return Err(Refusal::Changed {
            request: request.id().clone(),
        });
    }
    if case
        .decisions
        .iter()
        .any(|d| d.by == vote.by || vote.same_human.contains(&d.by))
    {
        return Err(Refusal::VotedAlready {
            request: request.id().clone(),
        });
    }
    let open = request.frozen.workflow.open_stages(&case.decisions);
    let stage = *open
        .iter()
        .find(|stage| vote.stages.contains(stage))
        .ok_or_else(|| Refusal::NotApprover {
            request: request.id().clone(),
        })?;
    let decision = Decision {
        request: request.id().clone(),
        by: vote.by.clone(),
        verdict: vote.verdict,
        stage,
        comment: vote.comment.clone(),
        digest: vote.digest.clone(),
        device: vote.device.clone(),
        at: now,
    };
    Ok(decided(now, case, request, decision, vote))
}

fn decided(now: Timestamp, case: &Case, request: &Request, decision: Decision, vote: &Vote) -> Change {
    let mut decisions = case.decisions.clone();
    decisions.push(decision.clone());
    let state = match vote.verdict {
        Verdict::Deny => RequestState::Denied,
        Verdict::Approve if request.frozen.workflow.is_satisfied(&decisions) => RequestState::Approved,
        Verdict::Approve => RequestState::Pending,
    };
    let closed_at = (state != RequestState::Pending).then_some(now);
    let next = Request {
        state,
        closed_at,
        version: request.version + 1,
        ..request.clone()
    };
    let mut rows = vec![Row::Decision(decision), Row::Request(Box::new(next.clone()))];
    let mut effects = Vec::new();
    if state == RequestState::Approved {
        let grant = new_grant(now, &next, vote.grant.clone());
        effects.push((
            grant.starts_at,
            Effect::Activate {
                grant: grant.id.clone(),
            },
        ));
        rows.push(Row::Grant(grant));
    }
    let details = json!({ "verdict": vote.verdict, "state": state });
    let mut change = Change::new(now, "request.decided", person(&vote.by), Some(&next), rows, details);
    change.effects = effects;
    change
}

fn close(now: Timestamp, request: &Request, state: RequestState) -> Request {
    Request {
        state,
        closed_at: Some(now),
        version: request.version + 1,
        ..request.clone()
    }
}

pub(super) fn cancel(now: Timestamp, case: &Case, by: &PersonId) -> Result<Change, Refusal> {
    let request = case.request()?;
    if *by != request.body.requester && *by != request.body.beneficiary {
        return Err(Refusal::NotYours);
    }
    let next = close(now, pending(now, case)?, RequestState::Cancelled);
    let rows = vec![Row::Request(Box::new(next.clone()))];
    Ok(Change::new(
        now,
        "request.cancelled",
        person(by),
        Some(&next),
        rows,
        json!({}),
    ))
}

pub(super) fn expire(now: Timestamp, case: &Case) -> Result<Change, Refusal> {
    let request = case.request()?;
    if request.state != RequestState::Pending {
        // approved while what it extends was given back
        return match case.lost() {
            Some(_) if case.grant.is_some() => end(now, case),
            Some(_) | None => Ok(Change::default()),
        };
    }
    let is_early = now < request.expires_at;
    if is_early && case.lost().is_none() {
        let request = request.id().clone();
        return Ok(too_early(case.request()?.expires_at, Effect::Expire { request }));
    }
    // what it extends was given back or taken: it is withdrawn with it
    let (state, kind) = if is_early {
        (RequestState::Cancelled, "request.cancelled")
    } else {
        (RequestState::Expired, "request.expired")
    };
    let next = close(now, request, state);
    let rows = vec![Row::Request(Box::new(next.clone()))];
    Ok(Change::new(now, kind, Actor::Backend, Some(&next), rows, json!({})))
}
