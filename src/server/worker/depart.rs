//! What somebody had who left their directory: every grant of theirs, ended without asking policy.
//! Owns finding them, page by page; each is ended by an effect of its own, so that one which cannot be holds up no other.

use crate::domain::{Change, Effect, GrantId, PersonId, Scope, Timestamp};
use crate::server::backend::Backend;
use crate::server::failure::Failure;
use crate::server::service::directory;
use crate::server::store::Claimed;

/// Grants whose effects are left in one commit.
const PAGE: u32 = 500;

/// Leaves an effect for each grant of `person`. Killed in between, it begins anew: an effect too many finds its work done.
pub(super) async fn take(backend: &Backend, work: &Claimed, person: &PersonId) -> Result<(), Failure> {
    let until = until(backend, person).await?;
    let scope = Scope::Person(person.clone());
    let mut after = None::<GrantId>;
    loop {
        let page = backend.store.grants_under(&scope, until, after.as_ref(), PAGE).await?;
        let Some(last) = page.last().cloned() else {
            break;
        };
        let now = backend.now();
        let effects = page.into_iter().map(|grant| (now, Effect::Recall { grant })).collect();
        let change = Change {
            effects,
            ..Change::default()
        };
        backend.commit(&change).await?;
        after = Some(last);
    }
    backend.commit(&Change::default().completing(work.id)).await
}

/// Who came back meanwhile keeps what was given since then.
async fn until(backend: &Backend, person: &PersonId) -> Result<Timestamp, Failure> {
    let forever = Timestamp::from_millis(i64::MAX);
    let Some(person) = backend.store.person(person).await? else {
        return Ok(forever);
    };
    let known = directory::known(backend, &person).await?;
    Ok(known.returned_at.filter(|_| known.active).unwrap_or(forever))
}
