//! What becomes of an effect: settled by the commit of what came of it, or put back.
//! Owns how soon it is tried again, and how often that is told. Refuses to give up.

use serde_json::json;

use crate::domain::{
    Actor, Case, Change, Event, GrantId, Person, PersonId, Postpone, Request, RequestId, Timestamp, apply,
};
use crate::server::backend::Backend;
use crate::server::failure::{Failure, settled};
use crate::server::provider::Access;
use crate::server::service::mint::access;
use crate::server::store::Claimed;

/// First pause after an attempt that failed; doubled each time.
const FIRST_PAUSE_MS: i64 = 500;
/// Attempts at taking away after which somebody is told.
const ALERT_AFTER: u32 = 3;
/// How soon one looks again at what another is doing.
const LOOK_MS: i64 = 1_000;
/// Longest pause.
const LONGEST_PAUSE_MS: i64 = 60_000;

/// Applies `event` to the case of `request`.
pub(super) async fn advance(
    backend: &Backend,
    work: &Claimed,
    request: &RequestId,
    event: &Event,
) -> Result<(), Failure> {
    settled!(async {
        let Some(case) = backend.store.case(request).await? else {
            return settle(backend, work).await;
        };
        commit(backend, work, &case, event).await
    })
}

/// Applies `event` to the case of `grant`.
pub(super) async fn advance_grant(
    backend: &Backend,
    work: &Claimed,
    grant: &GrantId,
    event: &Event,
) -> Result<(), Failure> {
    settled!(async {
        let Some(case) = backend.store.case_of_grant(grant).await? else {
            return settle(backend, work).await;
        };
        commit(backend, work, &case, event).await
    })
}

/// Applies `event` and settles the effect in the same commit.
async fn commit(backend: &Backend, work: &Claimed, case: &Case, event: &Event) -> Result<(), Failure> {
    let change = apply(backend.now(), case, event)?;
    backend.commit(&change.completing(work.id)).await
}

/// Settles an effect that has nothing left to act on.
pub(super) async fn settle(backend: &Backend, work: &Claimed) -> Result<(), Failure> {
    tracing::error!(effect = work.effect.kind(), "an effect names a row that is not there");
    backend.commit(&Change::default().completing(work.id)).await
}

/// Puts the effect back with its error. Should even that fail, the claim lapses and it is taken up again.
pub(super) async fn postpone(backend: &Backend, work: &Claimed, error: &str) {
    let until = Timestamp::from_millis(backend.now().millis() + pause_ms(backend, work.attempts));
    let postponed = Postpone {
        effect: work.id,
        until,
        error: error.to_owned(),
        is_attempt: true,
    };
    if let Err(failure) = backend
        .commit(&Change {
            postpones: Some(postponed),
            ..Change::default()
        })
        .await
    {
        tracing::error!(
            cause = failure.cause,
            "an effect could not be put back; its claim lapses"
        );
    }
}

/// Doubled with every attempt, with up to a quarter of jitter so that many do not come back at once.
fn pause_ms(backend: &Backend, attempts: u32) -> i64 {
    let pause = FIRST_PAUSE_MS
        .saturating_mul(1 << attempts.min(16))
        .min(LONGEST_PAUSE_MS);
    let [byte] = backend.random.bytes::<1>();
    pause + pause / 4 * i64::from(byte) / 255
}

/// How soon it is asked again for the turn of a call that did not come.
const TURN_MS: i64 = 5_000;

/// Puts back what waits for its turn: nobody was asked, so that is no attempt.
pub(super) async fn queued(backend: &Backend, work: &Claimed, why: &str) -> Result<(), Failure> {
    wait_for(backend, work, why, TURN_MS).await
}

/// Puts it back for a moment: nothing was tried.
pub(super) async fn wait(backend: &Backend, work: &Claimed, why: &str) -> Result<(), Failure> {
    wait_for(backend, work, why, LOOK_MS).await
}

async fn wait_for(backend: &Backend, work: &Claimed, why: &str, pause_ms: i64) -> Result<(), Failure> {
    let postpones = Some(Postpone {
        effect: work.id,
        until: Timestamp::from_millis(backend.now().millis() + pause_ms),
        error: why.to_owned(),
        is_attempt: false,
    });
    backend
        .commit(&Change {
            postpones,
            ..Change::default()
        })
        .await
}

/// Puts a provider call about a grant back, with evidence of the attempt where there is news in it.
pub(super) async fn retry(backend: &Backend, work: &Claimed, case: &Case, error: &str) -> Result<(), Failure> {
    let about = case.grant.as_ref().map(|grant| grant.id.to_string());
    again(backend, work, case.request.as_ref(), &about.unwrap_or_default(), error).await
}

/// The same about anything: a grant, or a membership by its name.
pub(super) async fn again(
    backend: &Backend,
    work: &Claimed,
    request: Option<&Request>,
    about: &str,
    error: &str,
) -> Result<(), Failure> {
    let now = backend.now();
    let until = Timestamp::from_millis(now.millis() + pause_ms(backend, work.attempts));
    let mut change = match is_told(work.attempts + 1) {
        true => attempted(now, work, request, about, error),
        false => Change::default(),
    };
    change.postpones = Some(Postpone {
        effect: work.id,
        until,
        error: error.to_owned(),
        is_attempt: true,
    });
    backend.commit(&change).await
}

/// Whether an attempt that failed is told: the first, the one after which somebody is to know, and ever more seldom. What
/// is stuck over a night buries neither the evidence nor who reads the log.
const fn is_told(attempts: u32) -> bool {
    attempts == 1 || attempts.is_multiple_of(ALERT_AFTER) && (attempts / ALERT_AFTER).is_power_of_two()
}

/// The attempt, in the log and for the evidence.
fn attempted(now: Timestamp, work: &Claimed, request: Option<&Request>, about: &str, error: &str) -> Change {
    let (effect, attempts) = (work.effect.kind(), work.attempts + 1);
    tracing::warn!(effect, attempts, error, "a provider call did not work out");
    let is_stuck = attempts >= ALERT_AFTER && work.effect.is_ending();
    if is_stuck {
        tracing::error!(
            about,
            attempts,
            error,
            "access cannot be taken away; it is tried again for ever"
        );
    }
    let kind = if is_stuck {
        "provider.stuck"
    } else {
        "provider.attempted"
    };
    let details = json!({ "effect": work.effect, "attempts": attempts, "error": error });
    Change::new(now, kind, Actor::Backend, request, Vec::new(), details)
}

/// The person of this id, who is there.
pub(super) async fn person(backend: &Backend, id: &PersonId) -> Result<Person, Failure> {
    backend
        .store
        .person(id)
        .await?
        .ok_or_else(|| Failure::broken(format!("no person {id}")))
}

/// Everything that a provider call needs, while the grant is in a state that calls for one.
pub(super) async fn access_of(backend: &Backend, case: &Case) -> Result<Access, Failure> {
    let beneficiary = person(backend, &case.request()?.body.beneficiary).await?;
    Ok(access(case, &beneficiary)?)
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_PAUSE_MS, is_told};
    use crate::server::provider::ProviderError;
    use crate::server::stage::Stage;

    #[test]
    fn hundred_failures_are_told_at_most_ten_times() {
        let told: Vec<u32> = (1..=100).filter(|attempts| is_told(*attempts)).collect();
        assert_eq!(told, [1, 3, 6, 12, 24, 48, 96]);
    }

    #[tokio::test]
    async fn end_that_is_stuck_fills_neither_evidence_nor_log() {
        let (stage, members) = Stage::of_members();
        let alice = stage.sign_in("alice").await;
        stage.file(&alice, "dev-admin").await.unwrap();
        stage.work().await;
        *members.errors.lock().unwrap() = vec![ProviderError::Throttled("slow down".into()); 100];
        let mut written = Vec::new();
        for attempts in 0..=100 {
            stage.at(3_600 + attempts * LONGEST_PAUSE_MS * 2 / 1_000);
            stage.work().await;
            written.push(stage.backend.store.evidence(0, 1_000).await.unwrap().len());
        }
        assert!(members.there.lock().unwrap().is_empty(), "and it ends");
        // grant.revoking, membership.taking, what is told of a hundred attempts, grant.ended
        assert_eq!(written[100] - written[0], 7, "{written:?}");
    }
}
