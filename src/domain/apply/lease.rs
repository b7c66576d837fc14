//! Leases: what becomes of a membership when a grant begins to hold it, is given it, and lets go.
//! Owns overlap and only-ours. Refuses what needs no membership: such a grant is nobody else's business.

use serde_json::json;

use super::ending::{begin_end, failed};
use super::grant_step::{ended, grant_change, step};
use crate::domain::case::Case;
use crate::domain::change::{Actor, Change, Effect, Row};
use crate::domain::grant::{EndCause, Grant, GrantState};
use crate::domain::id::GrantId;
use crate::domain::membership::{Membership, MembershipState};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;

/// What is said of a grant that leaves something behind which is not ours to take.
pub const REMAINS: &str = "access remains: it was there before jit gave it";

/// The membership of `case` with a lease of its grant, where access is one: written with the grant's activation, before
/// the provider is called.
pub(super) fn hold(now: Timestamp, case: &Case, grant: &GrantId) -> Result<Option<Row>, Refusal> {
    let body = &case.request()?.body;
    let (Some(name), Some(user)) = (body.membership(), &body.user) else {
        return Ok(None);
    };
    let standing = case.membership.clone().unwrap_or_else(|| Membership {
        name,
        binding: body.binding.clone(),
        user: user.clone(),
        state: MembershipState::Absent,
        pre_existing: false,
        leases: Vec::new(),
        busy_until: None,
        since: now,
        version: 0,
    });
    let state = match standing.state {
        // who was there before may have gone: it is looked at before anything is given
        MembershipState::Foreign => MembershipState::Absent,
        other @ (MembershipState::Absent
        | MembershipState::Giving
        | MembershipState::There
        | MembershipState::Taking) => other,
    };
    let mut next = standing.at(now, state).without(grant);
    next.leases.push(grant.clone());
    Ok(Some(Row::Membership(Box::new(next))))
}

/// The provider is about to be asked to give. What is found before anything was given is not ours: that is durable before
/// the call, so that an answer that is lost does not make our own look like somebody else's. And so is that a call is under
/// way: whoever is to take it away waits until that can no longer give it again.
pub(super) fn giving(now: Timestamp, case: &Case, found: Option<bool>, until: Timestamp) -> Result<Change, Refusal> {
    let (grant, Some(standing)) = (case.grant()?, &case.membership) else {
        return Ok(Change::default());
    };
    if grant.state != GrantState::Granting || standing.is_busy(now) {
        return Ok(Change::default());
    }
    let is_new = standing.state == MembershipState::Absent;
    let state = if is_new {
        MembershipState::Giving
    } else {
        standing.state
    };
    let next = Membership {
        pre_existing: found.filter(|_| is_new).unwrap_or(standing.pre_existing),
        busy_until: Some(until),
        ..standing.at(now, state)
    };
    Ok(membership_change(now, case, "membership.giving", next))
}

/// The call has come back, and nothing is under way any more.
pub(super) fn paused(now: Timestamp, case: &Case) -> Result<Change, Refusal> {
    let next = came_back(now, case);
    Ok(next.map_or_else(Change::default, |next| {
        membership_change(now, case, "membership.paused", next)
    }))
}

/// `change`, which follows from what a call to give came to, with that the call is over: whatever became of the grant
/// meanwhile, taking the membership away need not wait for it.
pub(super) fn answered(now: Timestamp, case: &Case, change: Change) -> Result<Change, Refusal> {
    let is_said = change.rows.iter().any(|row| matches!(row, Row::Membership(_)));
    match came_back(now, case).filter(|_| !is_said) {
        None => Ok(change),
        Some(_) if change.event.is_none() => paused(now, case),
        Some(next) => Ok(change.with_row(Some(Row::Membership(Box::new(next))))),
    }
}

fn came_back(now: Timestamp, case: &Case) -> Option<Membership> {
    let standing = case.membership.as_ref()?;
    let is_under_way = standing.busy_until.is_some();
    is_under_way.then(|| standing.at(now, standing.state).idle())
}

/// The membership as a check has seen it.
pub(super) fn seen(now: Timestamp, case: &Case) -> Option<Row> {
    let standing = case.membership.as_ref()?;
    let is_news = standing.state == MembershipState::Giving || standing.busy_until.is_some();
    is_news.then(|| Row::Membership(Box::new(standing.at(now, MembershipState::There).idle())))
}

/// The provider refused to give. Where something may be there all the same, or is another's, it ends as every grant does.
pub(super) fn not_given(now: Timestamp, case: &Case, detail: &str) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    match &case.membership {
        Some(standing) if standing.state != MembershipState::Absent => {
            begin_end(now, case, None, EndCause::Failed, Some(detail))
        }
        Some(standing) => {
            let next = standing.at(now, standing.state).without(&grant.id);
            Ok(failed(now, case, detail)?.with_row(Some(Row::Membership(Box::new(next)))))
        }
        None => failed(now, case, detail),
    }
}

/// The grant lets go. Where another grant holds the membership, or it was there before us, or nothing was given yet, that
/// is its end. Otherwise it is noted that the provider is about to be called; nobody gets a lease that is relied on until
/// it has answered. Nothing while another call may be under way: what that does comes first.
pub(super) fn taking(now: Timestamp, case: &Case, until: Timestamp) -> Result<Change, Refusal> {
    let (grant, Some(standing)) = (case.grant()?, &case.membership) else {
        return Ok(Change::default());
    };
    if grant.state != GrantState::Revoking || standing.is_busy(now) {
        return Ok(Change::default());
    }
    if standing.state == MembershipState::Taking {
        return Ok(calling(now, case, standing, until));
    }
    let remains = (standing.pre_existing && standing.state.may_be_there()).then_some(REMAINS);
    if standing.is_held_beside(&grant.id) {
        return let_go(now, case, standing, standing.state, remains);
    }
    if standing.pre_existing {
        let state = match remains {
            Some(_) => MembershipState::Foreign,
            None => MembershipState::Absent,
        };
        return let_go(now, case, standing, state, remains);
    }
    if standing.state == MembershipState::Absent {
        return let_go(now, case, standing, MembershipState::Absent, None);
    }
    Ok(calling(now, case, standing, until))
}

/// A call to take it away is under way.
fn calling(now: Timestamp, case: &Case, standing: &Membership, until: Timestamp) -> Change {
    let next = Membership {
        busy_until: Some(until),
        ..standing.at(now, MembershipState::Taking)
    };
    membership_change(now, case, "membership.taking", next)
}

/// The provider has taken it away. Who came to hold it meanwhile is given it anew.
pub(super) fn taken(now: Timestamp, case: &Case, standing: &Membership) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    if standing.state != MembershipState::Taking {
        return Ok(Change::default());
    }
    let mut change = let_go(now, case, &standing.clone().idle(), MembershipState::Absent, None)?;
    let others = standing.leases.iter().filter(|lease| **lease != grant.id);
    change
        .effects
        .extend(others.map(|other| (now, Effect::Give { grant: other.clone() })));
    Ok(change)
}

/// The grant's end, and the membership without its lease.
fn let_go(
    now: Timestamp,
    case: &Case,
    standing: &Membership,
    state: MembershipState,
    detail: Option<&str>,
) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    let next = standing.at(now, state).without(&grant.id);
    let session = case.request()?.body.binding.session();
    // a session that was begun just before goes on by itself
    let last = standing.state.may_be_there().then(|| now.plus(session));
    let over = Grant {
        detail: detail.map(str::to_owned).or_else(|| grant.detail.clone()),
        last_credential_at: match (grant.last_credential_at, last) {
            (Some(noted), Some(last)) => Some(noted.min(last)),
            (noted, _) => noted,
        },
        ..ended(now, grant)
    };
    let details = json!({ "cause": grant.cause, "held_by": next.leases });
    let change = grant_change(now, case, "grant.ended", Actor::Backend, over, details);
    Ok(change.with_row(Some(Row::Membership(Box::new(next)))))
}

fn membership_change(now: Timestamp, case: &Case, kind: &str, next: Membership) -> Change {
    let details = json!({ "membership": next.name, "pre_existing": next.pre_existing });
    let row = Row::Membership(Box::new(next));
    Change::new(now, kind, Actor::Backend, case.request.as_ref(), vec![row], details)
}

/// The grant as active: where access is a membership, its sessions are begun elsewhere and outlive its end.
pub(super) fn active(case: &Case, grant: &Grant) -> Result<Grant, Refusal> {
    let next = step(grant, GrantState::Active);
    let body = &case.request()?.body;
    if case.membership.as_ref().is_some_and(|standing| standing.pre_existing) {
        // it goes on after the end, and sessions of it are begun then: no last one can be named
        return Ok(next);
    }
    let last = grant.ends_at.filter(|_| body.user.is_some());
    Ok(Grant {
        last_credential_at: last
            .map(|end| end.plus(body.binding.session()))
            .or(grant.last_credential_at),
        ..next
    })
}
