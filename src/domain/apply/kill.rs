//! Shutting out the sessions of a grant that ended early, until the last of them is over by itself.
//! Owns when that is due. Refuses to say how: the provider's policy is computed from what is wanted, never from here.

use serde_json::json;

use super::grant_step::{grant_change, step, too_early};
use crate::domain::case::Case;
use crate::domain::change::{Actor, Change, Effect};
use crate::domain::grant::{EndCause, Grant, GrantState, Kill, KillState};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;

/// What is to be shut out when `case`'s grant ends for `cause`. Nothing at its own end, which the session policy
/// enforces to the second, and nothing where no credential works any more.
pub(super) fn kill_of(now: Timestamp, case: &Case, cause: EndCause) -> Result<Option<Kill>, Refusal> {
    let (binding, grant) = (&case.request()?.body.binding, case.grant()?);
    let is_early = match cause {
        EndCause::Dropped | EndCause::Revoked | EndCause::Locked => true,
        EndCause::Expired | EndCause::Refused | EndCause::Changed | EndCause::Failed | EndCause::Gone => false,
    };
    let until = grant.last_credential_at.filter(|last| is_early && *last > now);
    Ok(binding.kill().and(until).map(|until| Kill {
        role_arn: binding.arn().to_owned(),
        since: now,
        until,
        state: KillState::Killing,
    }))
}

/// The same grant with its sessions further on the way.
fn moved(grant: &Grant, kill: &Kill, state: KillState) -> Grant {
    Grant {
        kill: Some(Kill { state, ..kill.clone() }),
        ..step(grant, grant.state)
    }
}

/// What is left of the end once its sessions are out of the way.
fn then_take(change: Change, now: Timestamp, grant: &Grant) -> Change {
    if grant.state != GrantState::Revoking {
        return change;
    }
    change.with_effect(
        now,
        Effect::Take {
            grant: grant.id.clone(),
        },
    )
}

pub(super) fn killed(now: Timestamp, case: &Case, issued_before: Option<Timestamp>) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    let Some(kill) = grant.kill.as_ref().filter(|kill| kill.state == KillState::Killing) else {
        return Ok(Change::default());
    };
    let details = json!({ "role_arn": kill.role_arn, "until": kill.until, "issued_before": issued_before });
    let next = moved(grant, kill, KillState::Killed);
    let change = grant_change(now, case, "grant.killed", Actor::Backend, next, details);
    let unkill = Effect::Unkill {
        grant: grant.id.clone(),
    };
    Ok(then_take(change, now, grant).with_effect(kill.until, unkill))
}

/// Also where they could not be shut out in time: something may stand there all the same, and is taken out.
pub(super) fn outlived(now: Timestamp, case: &Case) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    let Some(kill) = grant.kill.as_ref().filter(|kill| kill.state.is_wanted()) else {
        return Ok(Change::default());
    };
    let unkill = Effect::Unkill {
        grant: grant.id.clone(),
    };
    if now < kill.until {
        return Ok(too_early(kill.until, unkill));
    }
    let details = json!({ "role_arn": kill.role_arn, "was": kill.state });
    let next = moved(grant, kill, KillState::Lifting);
    let change = grant_change(now, case, "grant.kill_lifting", Actor::Backend, next, details);
    let change = match kill.state {
        KillState::Killing => then_take(change, now, grant),
        KillState::Killed | KillState::Lifting | KillState::Lifted => change,
    };
    Ok(change.with_effect(now, unkill))
}

pub(super) fn lifted(now: Timestamp, case: &Case) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    let Some(kill) = grant.kill.as_ref().filter(|kill| kill.state == KillState::Lifting) else {
        return Ok(Change::default());
    };
    let details = json!({ "role_arn": kill.role_arn });
    let next = moved(grant, kill, KillState::Lifted);
    Ok(grant_change(
        now,
        case,
        "grant.kill_lifted",
        Actor::Backend,
        next,
        details,
    ))
}
