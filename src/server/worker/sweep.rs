//! What a lock ends: every grant that was there when it was set, without asking policy.
//! Owns finding them, page by page; each is ended by an effect of its own, so that one which cannot be holds up no other.

use super::outcome::{advance_grant, settle};
use crate::domain::{Change, Effect, Event, GrantId, Scope, Timestamp};
use crate::server::backend::Backend;
use crate::server::failure::Failure;
use crate::server::store::Claimed;

/// Grants whose effects are left in one commit.
const PAGE: u32 = 500;

/// Leaves an effect for each grant under the lock on `scope`. Killed in between, it begins anew: an effect too many finds
/// its work done.
pub(super) async fn take(backend: &Backend, work: &Claimed, scope: &Scope) -> Result<(), Failure> {
    let Some(lock) = backend.store.lock(scope).await? else {
        return settle(backend, work).await;
    };
    // lifted meanwhile: what was asked for since then is not meant
    let until = match lock.stands() {
        true => Timestamp::from_millis(i64::MAX),
        false => lock.since,
    };
    for under in std::iter::once(scope).chain(&lock.bound_to) {
        end_under(backend, scope, under, until).await?;
    }
    backend.commit(&Change::default().completing(work.id)).await
}

/// Leaves an effect for each grant under `under`, by the lock on `scope`.
async fn end_under(backend: &Backend, scope: &Scope, under: &Scope, until: Timestamp) -> Result<(), Failure> {
    let mut after = None::<GrantId>;
    loop {
        let page = backend.store.grants_under(under, until, after.as_ref(), PAGE).await?;
        let Some(last) = page.last().cloned() else {
            return Ok(());
        };
        let now = backend.now();
        let stop = |grant: GrantId| Effect::Stop {
            grant,
            scope: scope.clone(),
        };
        let effects = page.into_iter().map(|grant| (now, stop(grant))).collect();
        let change = Change {
            effects,
            ..Change::default()
        };
        backend.commit(&change).await?;
        after = Some(last);
    }
}

/// Begins to end one of them, in the words of the lock, which may have been lifted meanwhile.
pub(super) async fn stop(backend: &Backend, work: &Claimed, grant: &GrantId, scope: &Scope) -> Result<(), Failure> {
    let Some(lock) = backend.store.lock(scope).await? else {
        return settle(backend, work).await;
    };
    let (by, reason) = (lock.by, lock.reason);
    advance_grant(backend, work, grant, &Event::Lock { by, reason }).await
}
