//! What becomes of a grant, from its approval until nothing is left of it.
//! Owns ends, intent-first and revoke-free. Refuses to call anybody: effects say what the worker shall do.

use serde_json::json;

use super::ending::begin_end;
use super::grant_step::{ended, grant_change, step, too_early};
use super::lease;
use super::warning::warning;
use crate::domain::case::Case;
use crate::domain::change::{Actor, Change, Effect};
use crate::domain::grant::{EndCause, Grant, GrantState, Kill, KillState};
use crate::domain::id::{GrantId, PersonId};
use crate::domain::membership::MembershipState;
use crate::domain::refusal::Refusal;
use crate::domain::request::Request;
use crate::domain::time::Timestamp;

pub(super) fn new_grant(now: Timestamp, request: &Request, id: GrantId) -> Grant {
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
        kill: None,
        version: 1,
    }
}

/// Why an extension ends with what it extends.
const LOST: &str = "what it extends was ended early";
/// Why a grant ends with whoever has it.
const LEFT: &str = "no longer in the directory";

pub(super) fn activate(now: Timestamp, case: &Case) -> Result<Change, Refusal> {
    let (request, grant) = (case.request()?, case.grant()?);
    if grant.state != GrantState::Scheduled {
        return Ok(Change::default());
    }
    if now < grant.starts_at {
        return Ok(too_early(
            grant.starts_at,
            Effect::Activate {
                grant: grant.id.clone(),
            },
        ));
    }
    if !case.is_bound() || !case.is_approved() {
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
    if let Some(cause) = case.lost() {
        return withhold(now, case, cause, LOST);
    }
    // whatever a clock says that went back, an extension does not begin before what it extends
    let first = case.extended.as_ref().and_then(|grant| grant.activated_at);
    let second = now.whole_second();
    let begins = first.map_or(second, |first| first.max(second));
    let anchor = case.anchor(now).unwrap_or(begins);
    let asked_until = request.body.ends(begins);
    let ends_at = asked_until.min(anchor.plus(request.frozen.cap));
    if ends_at <= now {
        let why = if asked_until <= now {
            "its time was over before it was approved"
        } else {
            "the target's longest duration is used up"
        };
        return withhold(now, case, EndCause::Expired, why);
    }
    let next = Grant {
        activated_at: Some(begins),
        anchor_at: Some(anchor),
        ends_at: Some(ends_at),
        ..step(grant, GrantState::Granting)
    };
    let id = grant.id.clone();
    let warning = warning(begins, ends_at, &id);
    let mut change = grant_change(now, case, "grant.granting", Actor::Backend, next, json!({}))
        .with_row(lease::hold(now, case, &id)?)
        .with_effect(ends_at, Effect::End { grant: id.clone() })
        .with_effect(now, Effect::Give { grant: id });
    change.effects.extend(warning);
    Ok(change)
}

pub(super) fn withhold(now: Timestamp, case: &Case, cause: EndCause, detail: &str) -> Result<Change, Refusal> {
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

pub(super) fn verified(now: Timestamp, case: &Case) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    if grant.state != GrantState::Granting {
        return Ok(Change::default());
    }
    if grant.ends_at.is_none_or(|end| now >= end) {
        return begin_end(now, case, None, EndCause::Expired, None);
    }
    if let Some(cause) = case.lost() {
        return begin_end(now, case, None, cause, Some(LOST));
    }
    match case.membership.as_ref().map(|one| one.state) {
        // nobody relies on what is being taken away: whoever does that has it given anew
        Some(MembershipState::Taking) => return Ok(Change::default()),
        // somebody else took away what was only looked at: that is looked at again, and given
        Some(MembershipState::Absent | MembershipState::Foreign) => {
            let grant = grant.id.clone();
            return Ok(Change::default().with_effect(now, Effect::Give { grant }));
        }
        Some(MembershipState::Giving | MembershipState::There) | None => {}
    }
    let next = lease::active(case, grant)?;
    Ok(grant_change(now, case, "grant.active", Actor::Backend, next, json!({})).with_row(lease::seen(now, case)?))
}

pub(super) fn not_given(now: Timestamp, case: &Case, detail: &str) -> Result<Change, Refusal> {
    match case.grant()?.state {
        GrantState::Granting => lease::not_given(now, case, detail),
        GrantState::Scheduled | GrantState::Active | GrantState::Revoking | GrantState::Ended | GrantState::Failed => {
            Ok(Change::default())
        }
    }
}

pub(super) fn give_back(now: Timestamp, case: &Case, by: &PersonId) -> Result<Change, Refusal> {
    let (request, grant) = (case.request()?, case.grant()?);
    if *by != grant.beneficiary && *by != request.body.requester {
        return Err(Refusal::NotYours);
    }
    begin_end(now, case, Some(by), EndCause::Dropped, None)
}

pub(super) fn revoke(now: Timestamp, case: &Case, by: &PersonId, reason: &str) -> Result<Change, Refusal> {
    begin_end(now, case, Some(by), EndCause::Revoked, Some(reason))
}

/// Ends what somebody has who left their directory. What is over, or ending, is left alone.
pub(super) fn recalled(now: Timestamp, case: &Case) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    match grant.state {
        GrantState::Granting | GrantState::Active if grant.ends_at.is_some_and(|end| now >= end) => {
            begin_end(now, case, None, EndCause::Expired, None)
        }
        GrantState::Scheduled | GrantState::Granting | GrantState::Active => {
            begin_end(now, case, None, EndCause::Revoked, Some(LEFT))
        }
        GrantState::Revoking | GrantState::Ended | GrantState::Failed => Ok(Change::default()),
    }
}

pub(super) fn end(now: Timestamp, case: &Case) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    let Some(ends_at) = grant.ends_at.filter(|_| grant.state.is_open()) else {
        return Ok(Change::default());
    };
    if let Some(cause) = case.lost().filter(|_| now < ends_at) {
        return begin_end(now, case, None, cause, Some(LOST));
    }
    if now < ends_at {
        return Ok(too_early(
            ends_at,
            Effect::End {
                grant: grant.id.clone(),
            },
        ));
    }
    begin_end(now, case, None, EndCause::Expired, None)
}

pub(super) fn gone(now: Timestamp, case: &Case) -> Result<Change, Refusal> {
    match case.grant()?.state {
        GrantState::Active => {
            let detail = Some("somebody else took it away");
            let change = begin_end(now, case, None, EndCause::Gone, detail)?;
            Ok(change.with_row(lease::bereft(now, case)))
        }
        GrantState::Scheduled
        | GrantState::Granting
        | GrantState::Revoking
        | GrantState::Ended
        | GrantState::Failed => Ok(Change::default()),
    }
}

pub(super) fn taken(now: Timestamp, case: &Case) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    let is_killing = |kill: &Kill| kill.state == KillState::Killing;
    if grant.kill.as_ref().is_some_and(is_killing) {
        return Ok(Change::default());
    }
    if let Some(standing) = &case.membership {
        return lease::taken(now, case, standing);
    }
    if grant.state != GrantState::Revoking {
        return Ok(Change::default());
    }
    let details = json!({ "cause": grant.cause });
    Ok(grant_change(
        now,
        case,
        "grant.ended",
        Actor::Backend,
        ended(now, grant),
        details,
    ))
}
