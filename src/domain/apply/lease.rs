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
        busy_by: None,
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
    let pre_existing = match found {
        Some(true) if is_new => true,
        // also where it was another's and is gone: what comes now is ours
        Some(false) => false,
        Some(true) | None => standing.pre_existing,
    };
    let next = Membership {
        pre_existing,
        ..standing.at(now, state).called(&grant.id, until)
    };
    let noted = announced(case, grant, &next)?;
    Ok(membership_change(now, case, "membership.giving", next).with_row(noted))
}

/// The grant with the last credential that it can come to: from the moment that it may be there a session may be begun,
/// whether we come to hear of it or not. Nothing where that is noted.
fn announced(case: &Case, grant: &Grant, next: &Membership) -> Result<Option<Row>, Refusal> {
    let body = &case.request()?.body;
    let last = grant.ends_at.map(|end| end.plus(body.binding.session()));
    let is_said = next.pre_existing || body.through_group || last.is_none() || last == grant.last_credential_at;
    if is_said {
        return Ok(None);
    }
    Ok(Some(Row::Grant(Grant {
        last_credential_at: last,
        version: grant.version + 1,
        ..grant.clone()
    })))
}

/// A call to give has come back, and is not under way any more. Another's is none of its business.
pub(super) fn paused(
    now: Timestamp,
    case: &Case,
    until: Timestamp,
    before: Option<Timestamp>,
) -> Result<Change, Refusal> {
    let back = came_back(now, case)?.filter(|next| next.state != MembershipState::Taking);
    let is_this = |standing: &Membership| standing.busy_until == Some(until);
    match (back.filter(|_| case.membership.as_ref().is_some_and(is_this)), before) {
        (Some(next), _) => Ok(membership_change(now, case, "membership.paused", next)),
        (None, Some(before)) => Ok(late(now, case, before)?.unwrap_or_default()),
        (None, None) => Ok(Change::default()),
    }
}

/// `change`, which follows from what a call to give came to, with that the call is over: whatever became of the grant
/// meanwhile, taking the membership away need not wait for it. `given` is before when it gave, where it did.
pub(super) fn answered(
    now: Timestamp,
    case: &Case,
    change: Change,
    given: Option<Timestamp>,
) -> Result<Change, Refusal> {
    if let Some(before) = given
        && let Some(late) = late(now, case, before)?
    {
        return Ok(late);
    }
    let is_said = change.rows.iter().any(|row| matches!(row, Row::Membership(_)));
    match came_back(now, case)?.filter(|_| !is_said) {
        None => Ok(change),
        Some(next) if change.event.is_none() => Ok(membership_change(now, case, "membership.paused", next)),
        Some(next) => Ok(change.with_row(Some(Row::Membership(Box::new(next))))),
    }
}

/// The membership without the call of the case's grant to give it, where that is under way.
fn came_back(now: Timestamp, case: &Case) -> Result<Option<Membership>, Refusal> {
    let (grant, Some(standing)) = (case.grant()?, &case.membership) else {
        return Ok(None);
    };
    let is_back = standing.is_called_by(&grant.id) && standing.state != MembershipState::Taking;
    Ok(is_back.then(|| standing.at(now, standing.state).idle()))
}

/// Given for a grant that is over, when nobody counted with it any more: a machine slept through the end of its call. It is
/// ours and may be there, so it is taken away; or it is left to who holds it by now, and given to them anew. What was given
/// before it was taken away, and is only said now, is none of that: what is there since is somebody else's.
fn late(now: Timestamp, case: &Case, before: Timestamp) -> Result<Option<Change>, Refusal> {
    let (grant, Some(standing)) = (case.grant()?, &case.membership) else {
        return Ok(None);
    };
    let is_over = match grant.state {
        GrantState::Revoking | GrantState::Ended | GrantState::Failed => true,
        GrantState::Scheduled | GrantState::Granting | GrantState::Active => false,
    };
    let is_unforeseen = match standing.state {
        MembershipState::Absent | MembershipState::Taking => !standing.pre_existing,
        MembershipState::Giving | MembershipState::There | MembershipState::Foreign => false,
    };
    if !is_over || !is_unforeseen || before < standing.since {
        return Ok(None);
    }
    let next = standing.at(now, MembershipState::Giving);
    let mut change = membership_change(now, case, "membership.late", next);
    let give = |lease: &GrantId| (now, Effect::Give { grant: lease.clone() });
    change.effects.extend(standing.leases.iter().map(give));
    if standing.leases.is_empty() {
        change.effects.push((now, let_go_of(grant)));
    }
    Ok(Some(change))
}

/// The effect that takes it away once more.
fn let_go_of(grant: &Grant) -> Effect {
    Effect::LetGo {
        grant: grant.id.clone(),
    }
}

/// The membership as a check has seen it.
pub(super) fn seen(now: Timestamp, case: &Case) -> Result<Option<Row>, Refusal> {
    let (grant, Some(standing)) = (case.grant()?, &case.membership) else {
        return Ok(None);
    };
    let is_back = standing.is_called_by(&grant.id);
    if standing.state == MembershipState::There && !is_back {
        return Ok(None);
    }
    let next = standing.at(now, MembershipState::There);
    let next = if is_back { next.idle() } else { next };
    Ok(Some(Row::Membership(Box::new(next))))
}

/// The provider refused to give. Where something may be there all the same, or is another's, it ends as every grant does.
pub(super) fn not_given(now: Timestamp, case: &Case, detail: &str) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    match &case.membership {
        Some(standing) if standing.state != MembershipState::Absent => {
            begin_end(now, case, None, EndCause::Failed, Some(detail))
        }
        Some(standing) => {
            let next = standing.at(now, left(standing, grant)).without(&grant.id);
            Ok(failed(now, case, detail)?.with_row(Some(Row::Membership(Box::new(next)))))
        }
        None => failed(now, case, detail),
    }
}

/// The grant lets go. Where another grant holds the membership, or it was there before us, or nothing was given yet, that
/// is its end. Otherwise it is noted that the provider is about to be called; nobody gets a lease that is relied on until
/// it has answered, and nobody else takes it away. Nothing while another call may be under way: what that does comes first;
/// and nothing where it is noted already: each attempt is the same.
pub(super) fn taking(now: Timestamp, case: &Case, until: Timestamp) -> Result<Change, Refusal> {
    let (grant, Some(standing)) = (case.grant()?, &case.membership) else {
        return Ok(Change::default());
    };
    if standing.is_in_the_way(now, &grant.id) || standing.is_taken_for(&grant.id) {
        return Ok(Change::default());
    }
    match grant.state {
        GrantState::Revoking => {}
        GrantState::Ended | GrantState::Failed if is_left_over(standing) => {
            return calling(now, case, standing, until);
        }
        GrantState::Ended | GrantState::Failed | GrantState::Scheduled | GrantState::Granting | GrantState::Active => {
            return Ok(Change::default());
        }
    }
    if standing.state == MembershipState::Taking {
        return calling(now, case, standing, until);
    }
    let is_nothing_ours = standing.pre_existing || standing.state == MembershipState::Absent;
    if is_nothing_ours || standing.is_held_beside(&grant.id) {
        return let_go(now, case, standing, left(standing, grant));
    }
    calling(now, case, standing, until)
}

/// How it stands once `grant` lets go of it and nobody is called. What was there before us stays somebody else's once
/// nobody holds it: also where a grant came to hold it and nobody has looked at it since.
fn left(standing: &Membership, grant: &Grant) -> MembershipState {
    match standing.pre_existing && !standing.is_held_beside(&grant.id) {
        true => MembershipState::Foreign,
        false => standing.state,
    }
}

/// The membership once the list has shown that somebody else took away what was there before us. What comes from now on
/// came after us; what there is of ours is left to be taken away, in case the list was wrong.
pub(super) fn bereft(now: Timestamp, case: &Case) -> Option<Row> {
    let standing = case.membership.as_ref();
    let standing = standing.filter(|one| one.pre_existing && one.state == MembershipState::There)?;
    let next = Membership {
        pre_existing: false,
        ..standing.at(now, MembershipState::Absent).idle()
    };
    Some(Row::Membership(Box::new(next)))
}

/// What was given late, and nobody holds.
fn is_left_over(standing: &Membership) -> bool {
    standing.leases.is_empty() && standing.state.may_be_there() && !standing.pre_existing
}

/// A call to take it away is under way.
fn calling(now: Timestamp, case: &Case, standing: &Membership, until: Timestamp) -> Result<Change, Refusal> {
    let next = standing
        .at(now, MembershipState::Taking)
        .called(&case.grant()?.id, until);
    Ok(membership_change(now, case, "membership.taking", next))
}

/// The provider has taken it away. Who came to hold it meanwhile is given it anew. Where that was given again in between,
/// or another takes it away, it is not over.
pub(super) fn taken(now: Timestamp, case: &Case, standing: &Membership) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    let is_revoking = grant.state == GrantState::Revoking;
    match standing.state {
        MembershipState::Taking if standing.is_taken_for(&grant.id) => {}
        MembershipState::Absent | MembershipState::Foreign if is_revoking => {
            return let_go(now, case, standing, left(standing, grant));
        }
        MembershipState::Absent | MembershipState::Foreign => return Ok(Change::default()),
        MembershipState::Taking | MembershipState::Giving | MembershipState::There => {
            return Ok(came_back(now, case)?
                .map_or_else(Change::default, |next| {
                    membership_change(now, case, "membership.paused", next)
                })
                .with_effect(now, let_go_of(grant)));
        }
    }
    let over = standing.clone().idle();
    let mut change = if is_revoking {
        let_go(now, case, &over, MembershipState::Absent)?
    } else {
        let gone = membership_change(now, case, "membership.taken", over.at(now, MembershipState::Absent));
        gone.with_row(outlived(now, case)?)
    };
    let others = standing.leases.iter().filter(|lease| **lease != grant.id);
    change
        .effects
        .extend(others.map(|other| (now, Effect::Give { grant: other.clone() })));
    Ok(change)
}

/// The grant, which was over when it was given late: what was begun meanwhile goes on by itself.
fn outlived(now: Timestamp, case: &Case) -> Result<Option<Row>, Refusal> {
    let (grant, body) = (case.grant()?, &case.request()?.body);
    let last = grant.last_credential_at.max(Some(now.plus(body.binding.session())));
    let is_said = body.through_group || last == grant.last_credential_at;
    if is_said {
        return Ok(None);
    }
    Ok(Some(Row::Grant(Grant {
        last_credential_at: last,
        version: grant.version + 1,
        ..grant.clone()
    })))
}

/// The grant's end, and the membership without its lease.
fn let_go(now: Timestamp, case: &Case, standing: &Membership, state: MembershipState) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    let next = standing.at(now, state).without(&grant.id);
    let body = &case.request()?.body;
    // a session that was begun just before goes on by itself
    let last = now.plus(body.binding.session());
    let remains = (standing.pre_existing || body.through_group).then(|| REMAINS.to_owned());
    let over = Grant {
        last_credential_at: match (grant.last_credential_at, grant.cause) {
            // it goes on, and sessions of it are begun then
            _ if remains.is_some() => None,
            // whether it was heard of or not, and however late it was taken
            _ if standing.state.may_be_there() => Some(last),
            // what was there before us, until somebody else took it away: none could be named before
            (None, Some(EndCause::Gone)) => Some(last),
            (noted, _) => noted.map(|noted| noted.min(last)),
        },
        detail: remains.or_else(|| grant.detail.clone()),
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
    if body.through_group || case.membership.as_ref().is_some_and(|standing| standing.pre_existing) {
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
