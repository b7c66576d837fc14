//! Taking away what nobody here gave, on the road that every taking goes: intent first, until it is gone.
//! Owns the call, and that it is still wanted. Refuses to begin: reconciling finds it, and the intent is durable by then.

use super::membership::CALL_MS;
use super::outcome::{again, queued, settle, wait};
use crate::domain::{Change, Membership, Timestamp, drift};
use crate::server::backend::Backend;
use crate::server::failure::{Failure, settled};
use crate::server::provider::ProviderError;
use crate::server::store::Claimed;

/// What was to be taken away so long ago, and could not be, is found anew first: somebody may have given it since.
const STALE_MS: i64 = 24 * 3_600_000;

/// Takes the next step with the membership `name`.
pub(super) async fn take(backend: &Backend, work: &Claimed, name: &str) -> Result<(), Failure> {
    let Some((standing, until)) = settled!(begin(backend, work, name))? else {
        return Ok(());
    };
    let provider = backend.provider(&standing.binding);
    match provider.oust(backend.now(), &standing.binding, &standing.user).await {
        Ok(()) => settled!(async {
            let known = backend.store.membership(name).await?;
            let over = known.and_then(|known| drift::ousted(backend.now(), &known));
            backend.commit(&over.unwrap_or_default().completing(work.id)).await
        }),
        Err(error) => {
            settled!(async {
                let known = backend.store.membership(name).await?;
                match known.and_then(|known| drift::paused(backend.now(), &known, until)) {
                    Some(change) => backend.commit(&change).await,
                    None => Ok(()),
                }
            })?;
            match error {
                ProviderError::Waiting(why) => queued(backend, work, &why).await,
                error => again(backend, work, None, name, &error.to_string()).await,
            }
        }
    }
}

/// Notes that it is about to be called; nothing where there is nothing to do, or not now.
async fn begin(backend: &Backend, work: &Claimed, name: &str) -> Result<Option<(Membership, Timestamp)>, Failure> {
    let Some(standing) = backend.store.membership(name).await? else {
        settle(backend, work).await?;
        return Ok(None);
    };
    let now = backend.now();
    if standing.is_busy(now) {
        wait(backend, work, "another call about it is under way").await?;
        return Ok(None);
    }
    let is_wanted = backend.bundle().catalogue().removes_drift(&standing.binding);
    let is_stale = now.millis() - standing.since.millis() > STALE_MS;
    if (!is_wanted || is_stale)
        && let Some(kept) = drift::kept(now, &standing)
    {
        backend.commit(&kept.completing(work.id)).await?;
        return Ok(None);
    }
    let until = Timestamp::from_millis(now.millis() + CALL_MS);
    match drift::calling(now, &standing, until) {
        Some(change) => {
            backend.commit(&change).await?;
            Ok(Some((standing, until)))
        }
        // a grant that came to hold it and let go has had it taken
        None => {
            backend.commit(&Change::default().completing(work.id)).await?;
            Ok(None)
        }
    }
}
