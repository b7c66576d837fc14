//! Memberships: giving and taking what several grants may hold.
//! Owns looking before giving, and saying so before calling. Refuses to call while another grant's call is under way.

use super::outcome::{access_of, advance_grant, queued, retry, settle, wait};
use crate::domain::{Case, Change, Event, GrantId, GrantState, Membership, MembershipState, Timestamp, apply};
use crate::server::backend::Backend;
use crate::server::failure::{Failure, settled};
use crate::server::provider::{Presence, ProviderError};
use crate::server::store::Claimed;

/// A call to give or take is answered, given up or without effect after this: the provider's patience and its last call.
pub(super) const CALL_MS: i64 = 55_000;

/// What may be done now for a grant that is to be given.
enum Next {
    /// The provider may be asked, as was announced: it acts on that before this instant.
    Give(Box<Case>, Timestamp),
    /// Nothing: it is over, or whoever takes the membership away for another grant leaves this to be done afterwards.
    Nothing,
    /// Another grant's call to give the same is under way.
    Wait,
    /// The provider did not say whether it is there.
    Unknown(Box<Case>, ProviderError),
}

/// Gives the membership of `grant`, unless it is there, and checks that it is.
pub(super) async fn give(backend: &Backend, work: &Claimed, grant: &GrantId) -> Result<(), Failure> {
    match settled!(look(backend, grant))? {
        Next::Nothing => backend.commit(&Change::default().completing(work.id)).await,
        Next::Wait => wait(backend, work, "it is being given for another grant").await,
        Next::Unknown(case, error) => unanswered(backend, work, &case, error).await,
        Next::Give(case, until) => {
            let access = access_of(backend, &case).await?;
            let provider = backend.provider(&access.binding);
            let is_another = case.membership.as_ref().is_some_and(|standing| standing.pre_existing);
            let given = match is_another {
                true => Ok(()),
                false => provider.grant(backend.now(), &access).await,
            };
            // whoever gave it has done so by now, however long it takes to say so
            let before = backend.now();
            let seen = match given {
                Ok(()) => provider.verify(backend.now(), &access).await,
                Err(error) => Err(error),
            };
            match seen {
                Ok(Presence::There) => verified(backend, work, grant, before).await,
                Ok(Presence::Absent) => {
                    let error = ProviderError::Unreachable("the check found nothing yet".to_owned());
                    came_back(backend, work, &case, (until, before), error).await
                }
                Err(error) => came_back(backend, work, &case, (until, before), error).await,
            }
        }
    }
}

/// It is there. Where that comes so late that another has settled the effect, it is said all the same: who is over by now
/// must not be left with it.
async fn verified(backend: &Backend, work: &Claimed, grant: &GrantId, before: Timestamp) -> Result<(), Failure> {
    let verified = Event::Verified { before };
    match advance_grant(backend, work, grant, &verified).await {
        Err(failure) if failure.is_conflict => settled!(say(backend, grant, &verified)),
        said => said,
    }
}

/// Says something of a membership, and settles nothing by that.
async fn say(backend: &Backend, grant: &GrantId, event: &Event) -> Result<(), Failure> {
    match backend.store.case_of_grant(grant).await? {
        Some(case) => backend.commit(&apply(backend.now(), &case, event)?).await,
        None => Ok(()),
    }
}

/// The call that was announced with `until` is over, and gave `before` then if at all.
async fn came_back(
    backend: &Backend,
    work: &Claimed,
    case: &Case,
    (until, before): (Timestamp, Timestamp),
    error: ProviderError,
) -> Result<(), Failure> {
    if error.is_transient() {
        let before = Some(before).filter(|_| matches!(error, ProviderError::Unreachable(_)));
        // where that is not heard of it is taken for under way until it cannot be any more
        settled!(say(backend, &case.grant()?.id, &Event::Paused { until, before }))?;
    }
    unanswered(backend, work, case, error).await
}

/// Tried again, or given up: what may be there all the same is taken away then.
async fn unanswered(backend: &Backend, work: &Claimed, case: &Case, error: ProviderError) -> Result<(), Failure> {
    if let ProviderError::Waiting(why) = &error {
        return queued(backend, work, why).await;
    }
    if error.is_transient() {
        return retry(backend, work, case, &error.to_string()).await;
    }
    let detail = match error {
        ProviderError::Refused(detail) => detail,
        error @ (ProviderError::PolicyTooLarge(_)
        | ProviderError::Throttled(_)
        | ProviderError::Waiting(_)
        | ProviderError::Unreachable(_)
        | ProviderError::Clock { .. }) => error.to_string(),
    };
    advance_grant(backend, work, &case.grant()?.id, &Event::NotGiven { detail }).await
}

/// Makes sure that it is known whose the membership is before anything is given.
async fn look(backend: &Backend, grant: &GrantId) -> Result<Next, Failure> {
    let Some(case) = backend.store.case_of_grant(grant).await? else {
        return Ok(Next::Nothing);
    };
    let is_over = case.grant()?.ends_at.is_none_or(|end| backend.now() >= end);
    if case.grant()?.state != GrantState::Granting || is_over {
        return Ok(Next::Nothing);
    }
    let standing = standing(&case)?;
    if standing.is_busy(backend.now()) {
        return Ok(Next::Wait);
    }
    let found = match standing.state {
        MembershipState::Taking => return Ok(Next::Nothing),
        MembershipState::Giving | MembershipState::There if !standing.pre_existing => None,
        // also what was another's: where that was taken meanwhile, it is ours to give
        MembershipState::Giving | MembershipState::There | MembershipState::Absent | MembershipState::Foreign => {
            let access = access_of(backend, &case).await?;
            let provider = backend.provider(&access.binding);
            match provider.verify(backend.now(), &access).await {
                Ok(presence) => Some(presence == Presence::There),
                Err(error) => return Ok(Next::Unknown(Box::new(case), error)),
            }
        }
    };
    let now = backend.now();
    let until = Timestamp::from_millis(now.millis() + CALL_MS);
    backend
        .commit(&apply(now, &case, &Event::Giving { found, until })?)
        .await?;
    let case = backend.store.case_of_grant(grant).await?;
    Ok(case.map_or(Next::Nothing, |case| Next::Give(Box::new(case), until)))
}

/// The membership, which a grant has from its activation on.
fn standing(case: &Case) -> Result<&Membership, Failure> {
    let none = || Failure::broken("a grant holds no lease on its membership".to_owned());
    case.membership.as_ref().ok_or_else(none)
}

/// Lets go of the membership of `grant`; takes it away where nobody else holds it and it is ours.
pub(super) async fn take(backend: &Backend, work: &Claimed, grant: &GrantId) -> Result<(), Failure> {
    let to_call = settled!(async {
        let Some(case) = backend.store.case_of_grant(grant).await? else {
            settle(backend, work).await?;
            return Ok(None);
        };
        let (now, standing) = (backend.now(), standing(&case)?);
        if standing.is_in_the_way(now, grant) {
            wait(backend, work, "another call about it is under way").await?;
            return Ok(None);
        }
        let until = Timestamp::from_millis(now.millis() + CALL_MS);
        let change = apply(now, &case, &Event::Taking { until })?;
        let is_said = change.event.is_some();
        if change.grant().is_some() || !is_said && !standing.is_taken_for(grant) {
            backend.commit(&change.completing(work.id)).await?;
            return Ok(None);
        }
        if is_said {
            backend.commit(&change).await?;
        }
        Ok(Some(case))
    })?;
    let Some(case) = to_call else { return Ok(()) };
    let access = access_of(backend, &case).await?;
    match backend.provider(&access.binding).revoke(backend.now(), &access).await {
        Ok(()) => advance_grant(backend, work, grant, &Event::Taken).await,
        Err(ProviderError::Waiting(why)) => queued(backend, work, &why).await,
        Err(error) => retry(backend, work, &case, &error.to_string()).await,
    }
}
