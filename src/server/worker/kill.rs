//! Shutting sessions out: one writer a role, and a policy that is computed from the store each time.
//! Owns who writes, and when what was written counts. Refuses to trust anything that was written before.

use std::time::Duration;

use super::outcome::{advance_grant, retry, settle};
use crate::domain::{Case, Change, Event, GrantId, KillState, Timestamp};
use crate::server::backend::Backend;
use crate::server::failure::Failure;
use crate::server::provider::ProviderError;
use crate::server::store::{Claimed, StoreError};

/// The right to write lapses after this: longer than entering and writing can take, shorter than a claim.
const HELD_MS: i64 = 30_000;
/// What moved while one wrote is written too, so often at most; then it is left to its own effects.
const ROUNDS: u32 = 4;
/// How often one looks whether another has done it.
const LOOK: Duration = Duration::from_millis(50);
/// How often one looks before making room for other work.
const LOOKS: u32 = 20;

/// What became of a write: whom it shuts out beside who was named, or why it has to be tried again.
type Written = Result<Option<Timestamp>, ProviderError>;

/// Takes the next step with the sessions of `grant`: shuts them out, or lets go of them.
pub(super) async fn take(backend: &Backend, work: &Claimed, grant: &GrantId) -> Result<(), Failure> {
    let Some(case) = backend.store.case_of_grant(grant).await? else {
        return settle(backend, work).await;
    };
    let Some(kill) = case.grant()?.kill.clone() else {
        return settle(backend, work).await;
    };
    let is_over = backend.now() >= kill.until;
    match kill.state {
        KillState::Killing if !is_over => match write(backend, work, &case).await? {
            Ok(issued_before) => advance_grant(backend, work, grant, &Event::Killed { issued_before }).await,
            Err(error) => retry(backend, work, &case, &error.to_string()).await,
        },
        KillState::Killing | KillState::Killed => advance_grant(backend, work, grant, &Event::Outlived).await,
        KillState::Lifting => match write(backend, work, &case).await? {
            Ok(_) => advance_grant(backend, work, grant, &Event::Lifted).await,
            Err(error) => retry(backend, work, &case, &error.to_string()).await,
        },
        KillState::Lifted => backend.commit(&Change::default().completing(work.id)).await,
    }
}

/// Has the role's policy written from what the store wants now, or from something newer; by whomever.
async fn write(backend: &Backend, work: &Claimed, case: &Case) -> Result<Written, Failure> {
    let role = case.request()?.body.binding.arn();
    // unique, and the same when this effect is taken up again: what a killed worker held is not waited for
    let owner = format!("effect-{}", work.id.0);
    let wanted = backend.store.switch(role).await?.version;
    for _ in 0..LOOKS {
        let switch = backend.store.switch(role).await?;
        if switch.written >= wanted {
            return Ok(Ok(switch.denied_before));
        }
        match hold(backend, role, &owner).await {
            Ok(()) => return write_held(backend, case, &owner).await,
            Err(StoreError::Conflict) => tokio::time::sleep(LOOK).await,
            Err(error) => return Err(error.into()),
        }
    }
    let busy = "another write of its kill switch is under way".to_owned();
    Ok(Err(ProviderError::Throttled(busy)))
}

async fn hold(backend: &Backend, role: &str, owner: &str) -> Result<(), StoreError> {
    let now = backend.now();
    let until = Timestamp::from_millis(now.millis() + HELD_MS);
    backend.store.hold_switch(role, owner, now, until).await
}

/// Writes until nothing moved meanwhile. Where the answer is lost, the right is kept: what is under way may still arrive,
/// and nobody else writes before that.
async fn write_held(backend: &Backend, case: &Case, owner: &str) -> Result<Written, Failure> {
    let Some(binding) = case.request()?.body.binding.role() else {
        return Ok(Err(ProviderError::Refused("no role has these sessions".to_owned())));
    };
    let (role, store) = (&binding.role_arn, &backend.store);
    let mut denied_before = None;
    for _ in 0..ROUNDS {
        // its own deadline may be near after a slow round
        hold(backend, role, owner).await?;
        // the version first: what comes in between is in the set, and moves the version
        let version = store.switch(role).await?.version;
        let sessions = store.killed(role).await?;
        denied_before = match backend.aws.shut_out(backend.now(), binding, &sessions).await {
            Ok(denied_before) => denied_before,
            Err(error @ ProviderError::Unreachable(_)) => return Ok(Err(error)),
            Err(error) => {
                store.leave_switch(role, owner).await?;
                return Ok(Err(error));
            }
        };
        if let Some(before) = denied_before {
            let (role, sessions, before) = (role.as_str(), sessions.len(), before.to_string());
            tracing::error!(
                role,
                sessions,
                before,
                "the kill switch is full: every session of the role issued before is shut out"
            );
        }
        store.note_written(role, owner, version, denied_before).await?;
        if store.switch(role).await?.version == version {
            break;
        }
    }
    store.leave_switch(role, owner).await?;
    Ok(Ok(denied_before))
}
