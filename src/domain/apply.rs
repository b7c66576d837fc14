//! The lifecycle: what follows from an event.
//! Owns the state machine and its invariants. Refuses whatever a state does not allow.

use serde_json::{Value, json};

use super::case::Case;
use super::change::{Actor, Change, Effect, Row};
use super::decision::{Decision, Verdict};
use super::event::{Event, Filing, Vote};
use super::filing::{Standing, standing};
use super::grant::{EndCause, Grant, GrantState};
use super::id::{DeviceId, GrantId, PersonId};
use super::refusal::Refusal;
use super::request::{Request, RequestState};
use super::time::Timestamp;

/// What follows from `event` on `case` at `now`.
///
/// # Errors
/// The [`Refusal`] that the case's state, or an invariant, demands.
pub fn apply(now: Timestamp, case: &Case, event: &Event) -> Result<Change, Refusal> {
    match event {
        Event::File(filing) => file(now, case, filing),
        Event::Decide(vote) => decide(now, case, vote),
        Event::Cancel { by } => cancel(now, case, by),
        Event::Expire => expire(now, case),
        Event::Activate => activate(now, case),
        Event::Withhold { cause, detail } => withhold(now, case, *cause, detail),
        Event::Verified => verified(now, case),
        Event::NotGiven { detail } => not_given(now, case, detail),
        Event::Drop { by } => give_back(now, case, by),
        Event::Revoke { by, reason } => revoke(now, case, by, reason.as_str()),
        Event::End => end(now, case),
        Event::Taken => taken(now, case),
        Event::Mint { by, device, until } => mint(now, case, by, device, *until),
        Event::Minted {
            access_key_id,
            device,
            until,
        } => minted(now, case, access_key_id, device, *until),
    }
}

fn person(id: &PersonId) -> Actor {
    Actor::Person(id.clone())
}

fn file(now: Timestamp, case: &Case, filing: &Filing) -> Result<Change, Refusal> {
    match standing(now, case, &filing.body, filing.frozen.cap)? {
        Standing::New => {}
        Standing::Joins(request) => {
            return Err(Refusal::Differs {
                request,
                duration: filing.body.duration,
            });
        }
        Standing::Covered(_) => return Ok(Change::default()),
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
        expires_at: now.plus(filing.frozen.workflow.expires_after),
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
        let rows = vec![Row::Request(Box::new(request.clone())), Row::Grant(grant)];
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
    let rows = vec![Row::Request(Box::new(request.clone()))];
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

fn new_grant(now: Timestamp, request: &Request, id: GrantId) -> Grant {
    let starts_at = request.body.start.map_or(now, |start| start.max(now));
    Grant {
        id,
        request: request.id().clone(),
        beneficiary: request.body.beneficiary.clone(),
        target: request.body.target.clone(),
        only: request.body.only.clone(),
        state: GrantState::Scheduled,
        created_at: now,
        starts_at,
        activate_by: starts_at.plus(request.frozen.workflow.activate_within),
        activated_at: None,
        anchor_at: None,
        ends_at: None,
        last_credential_at: None,
        ended_at: None,
        cause: None,
        detail: None,
        ended_by: None,
        version: 1,
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

fn decide(now: Timestamp, case: &Case, vote: &Vote) -> Result<Change, Refusal> {
    let request = case.request()?;
    // no-self comes before everything else: it holds whatever the state is
    let asks = [&request.body.requester, &request.body.beneficiary];
    if asks.contains(&&vote.by) {
        return Err(Refusal::OwnRequest);
    }
    if vote.device_people.iter().any(|p| asks.contains(&p)) {
        return Err(Refusal::OwnDevice);
    }
    let request = pending(now, case)?;
    if !request.is_intact() || vote.digest != request.digest {
        return Err(Refusal::Changed {
            request: request.id().clone(),
        });
    }
    if case.decisions.iter().any(|d| d.by == vote.by) {
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

fn cancel(now: Timestamp, case: &Case, by: &PersonId) -> Result<Change, Refusal> {
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

fn expire(now: Timestamp, case: &Case) -> Result<Change, Refusal> {
    let request = case.request()?;
    if request.state != RequestState::Pending || now < request.expires_at {
        return Ok(Change::default());
    }
    let next = close(now, request, RequestState::Expired);
    let rows = vec![Row::Request(Box::new(next.clone()))];
    Ok(Change::new(
        now,
        "request.expired",
        Actor::Backend,
        Some(&next),
        rows,
        json!({}),
    ))
}

/// A change of the grant alone.
fn grant_change(now: Timestamp, case: &Case, kind: &str, actor: Actor, next: Grant, details: Value) -> Change {
    Change::new(now, kind, actor, case.request.as_ref(), vec![Row::Grant(next)], details)
}

fn step(grant: &Grant, state: GrantState) -> Grant {
    Grant {
        state,
        version: grant.version + 1,
        ..grant.clone()
    }
}

fn activate(now: Timestamp, case: &Case) -> Result<Change, Refusal> {
    let (request, grant) = (case.request()?, case.grant()?);
    if grant.state != GrantState::Scheduled {
        return Ok(Change::default());
    }
    if !request.is_intact() {
        return withhold(
            now,
            case,
            EndCause::Changed,
            "the stored request is not what was approved",
        );
    }
    if now > grant.activate_by {
        return withhold(now, case, EndCause::Expired, "it was not activated in time");
    }
    let begins = now.whole_second();
    let anchor = case.anchor(now).unwrap_or(begins);
    let ends_at = begins.plus(request.body.duration).min(anchor.plus(request.frozen.cap));
    if ends_at <= now {
        return withhold(now, case, EndCause::Expired, "the target's longest duration is used up");
    }
    let next = Grant {
        activated_at: Some(begins),
        anchor_at: Some(anchor),
        ends_at: Some(ends_at),
        ..step(grant, GrantState::Granting)
    };
    let id = grant.id.clone();
    Ok(
        grant_change(now, case, "grant.granting", Actor::Backend, next, json!({}))
            .with_effect(ends_at, Effect::End { grant: id.clone() })
            .with_effect(now, Effect::Give { grant: id }),
    )
}

fn withhold(now: Timestamp, case: &Case, cause: EndCause, detail: &str) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    if grant.state != GrantState::Scheduled {
        return Ok(Change::default());
    }
    let next = Grant {
        ended_at: Some(now),
        cause: Some(cause),
        detail: Some(detail.to_owned()),
        ..step(grant, GrantState::Ended)
    };
    Ok(grant_change(
        now,
        case,
        "grant.ended",
        Actor::Backend,
        next,
        json!({ "cause": cause }),
    ))
}

fn verified(now: Timestamp, case: &Case) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    if grant.state != GrantState::Granting {
        return Ok(Change::default());
    }
    Ok(grant_change(
        now,
        case,
        "grant.active",
        Actor::Backend,
        step(grant, GrantState::Active),
        json!({}),
    ))
}

fn not_given(now: Timestamp, case: &Case, detail: &str) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    if grant.state != GrantState::Granting {
        return Ok(Change::default());
    }
    let next = Grant {
        ended_at: Some(now),
        cause: Some(EndCause::Failed),
        detail: Some(detail.to_owned()),
        ..step(grant, GrantState::Failed)
    };
    Ok(grant_change(now, case, "grant.failed", Actor::Backend, next, json!({})))
}

/// Begins to take access away, or ends at once what was never called for.
fn begin_end(
    now: Timestamp,
    case: &Case,
    by: Option<&PersonId>,
    cause: EndCause,
    detail: Option<&str>,
) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    let actor = by.map_or(Actor::Backend, person);
    let ending = |state| Grant {
        cause: Some(cause),
        detail: detail.map(str::to_owned),
        ended_by: by.cloned(),
        ..step(grant, state)
    };
    match grant.state {
        GrantState::Scheduled => {
            let next = Grant {
                ended_at: Some(now),
                ..ending(GrantState::Ended)
            };
            Ok(grant_change(
                now,
                case,
                "grant.ended",
                actor,
                next,
                json!({ "cause": cause }),
            ))
        }
        GrantState::Granting | GrantState::Active => {
            let take = Effect::Take {
                grant: grant.id.clone(),
            };
            Ok(grant_change(
                now,
                case,
                "grant.revoking",
                actor,
                ending(GrantState::Revoking),
                json!({ "cause": cause }),
            )
            .with_effect(now, take))
        }
        GrantState::Revoking => Ok(Change::default()),
        GrantState::Ended | GrantState::Failed => Err(Refusal::GrantNotLive { state: grant.state }),
    }
}

fn give_back(now: Timestamp, case: &Case, by: &PersonId) -> Result<Change, Refusal> {
    let (request, grant) = (case.request()?, case.grant()?);
    if *by != grant.beneficiary && *by != request.body.requester {
        return Err(Refusal::NotYours);
    }
    begin_end(now, case, Some(by), EndCause::Dropped, None)
}

fn revoke(now: Timestamp, case: &Case, by: &PersonId, reason: &str) -> Result<Change, Refusal> {
    begin_end(now, case, Some(by), EndCause::Revoked, Some(reason))
}

fn end(now: Timestamp, case: &Case) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    if !grant.state.is_open() || grant.ends_at.is_none_or(|end| now < end) {
        return Ok(Change::default());
    }
    begin_end(now, case, None, EndCause::Expired, None)
}

fn taken(now: Timestamp, case: &Case) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    if grant.state != GrantState::Revoking {
        return Ok(Change::default());
    }
    let next = Grant {
        ended_at: Some(now),
        ..step(grant, GrantState::Ended)
    };
    Ok(grant_change(
        now,
        case,
        "grant.ended",
        Actor::Backend,
        next,
        json!({ "cause": grant.cause }),
    ))
}

fn mint(now: Timestamp, case: &Case, by: &PersonId, device: &DeviceId, until: Timestamp) -> Result<Change, Refusal> {
    let (request, grant) = (case.request()?, case.grant()?);
    if *by != grant.beneficiary {
        return Err(Refusal::NotBeneficiary);
    }
    if !request.is_intact() {
        return Err(Refusal::Changed {
            request: request.id().clone(),
        });
    }
    if !grant.is_live(now) {
        return Err(Refusal::GrantNotLive { state: grant.state });
    }
    let next = Grant {
        last_credential_at: Some(grant.last_credential_at.map_or(until, |last| last.max(until))),
        version: grant.version + 1,
        ..grant.clone()
    };
    let details = json!({ "device": device, "until": until });
    Ok(grant_change(now, case, "credential.minting", person(by), next, details))
}

fn minted(
    now: Timestamp,
    case: &Case,
    access_key_id: &str,
    device: &DeviceId,
    until: Timestamp,
) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    let details = json!({ "access_key_id": access_key_id, "device": device, "until": until });
    let request = case.request.as_ref();
    Ok(Change::new(
        now,
        "credential.minted",
        person(&grant.beneficiary),
        request,
        vec![],
        details,
    ))
}
