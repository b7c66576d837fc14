//! How a grant begins to end, or ends at once.
//! Owns what is shut out, taken away and ended along with it. Refuses to end twice what is ending already.

use serde_json::json;

use super::grant_step::{grant_change, step};
use super::kill::kill_of;
use super::person;
use crate::domain::case::{Case, Held};
use crate::domain::change::{Actor, Change, Effect};
use crate::domain::grant::{EndCause, Grant, GrantState};
use crate::domain::id::PersonId;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;

/// Nothing was given, and nothing is there.
pub(super) fn failed(now: Timestamp, case: &Case, detail: &str) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    let next = Grant {
        ended_at: Some(now),
        cause: Some(EndCause::Failed),
        detail: Some(detail.to_owned()),
        ..step(grant, GrantState::Failed)
    };
    Ok(grant_change(now, case, "grant.failed", Actor::Backend, next, json!({})))
}

/// Begins to take access away, or ends at once what was never called for.
pub(super) fn begin_end(
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
            // past the end it is due since then: a clock that goes back does not put it off
            let due_at = grant.ends_at.map_or(now, |end| end.min(now));
            let id = grant.id.clone();
            let kill = kill_of(now, case, cause)?;
            // what is shut out first is taken away after that
            let effect = match (&kill, &case.membership) {
                (Some(_), _) => Effect::Kill { grant: id },
                (None, Some(_)) => Effect::LetGo { grant: id },
                (None, None) => Effect::Take { grant: id },
            };
            let next = Grant {
                kill,
                ..ending(GrantState::Revoking)
            };
            let mut change = grant_change(now, case, "grant.revoking", actor, next, json!({ "cause": cause }))
                .with_effect(due_at, effect);
            if cause != EndCause::Expired {
                change
                    .effects
                    .extend(case.extensions(grant).map(|held| (now, lapse(held))));
            }
            Ok(change)
        }
        GrantState::Revoking => Ok(Change::default()),
        GrantState::Ended | GrantState::Failed => Err(Refusal::GrantNotLive { state: grant.state }),
    }
}

/// What ends an extension together with what it extends.
fn lapse(held: &Held) -> Effect {
    match &held.grant {
        Some(grant) => Effect::End {
            grant: grant.id.clone(),
        },
        None => Effect::Expire {
            request: held.request.id().clone(),
        },
    }
}
