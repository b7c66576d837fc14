//! Asking for somebody else: who that is.
//! Refuses to tell names to whoever may not ask for others: policy is asked before this.

use super::people;
use crate::domain::{Person, PersonId, PersonName, TargetName};
use crate::server::backend::{Backend, Caller};
use crate::server::edge::limits::MOST_OPEN_REQUESTS;
use crate::server::failure::{Failure, repeated};
use crate::wire::Problem;
use crate::wire::problem::Code;

/// The person whom `name` means to `me`.
///
/// # Errors
/// [`Code::PersonNotFound`]; no names that are near: a list of people is nobody's to read here. [`Code::RequestAmbiguous`]
/// where several are shown by it.
pub async fn named(backend: &Backend, me: &Person, name: &PersonName) -> Result<Person, Failure> {
    let mut known = people::meant(backend, &me.issuer, name.as_str()).await?;
    known.retain(|known| known.workload.is_none());
    let given = repeated(name.as_str());
    match known.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(
            Problem::new(Code::PersonNotFound, format!("nobody here is named {given}"))
                .hint("people are known once they were given a code, or signed in")
                .into(),
        ),
        several => {
            let title = format!("several people here are named {given}");
            let mut problem = Problem::new(Code::RequestAmbiguous, title);
            problem.detail = Some(people::listed(backend, several));
            Err(problem.hint("name one by their id").into())
        }
    }
}

/// Whose live grant on `target` the caller means: their own, else that of the one they asked for.
///
/// # Errors
/// [`Code::RequestAmbiguous`] where they asked for several.
pub async fn holder(backend: &Backend, caller: &Caller, target: &TargetName) -> Result<Person, Failure> {
    let (now, me) = (backend.now(), &caller.person);
    let own = backend.store.open_grants(&me.id).await?;
    if own.iter().any(|grant| grant.target == *target && grant.is_live(now)) {
        return Ok(me.clone());
    }
    let mut holders: Vec<PersonId> = Vec::new();
    let open = backend
        .store
        .requests_of(&me.id, true, None, 10 * MOST_OPEN_REQUESTS)
        .await?;
    for request in open.iter().filter(|request| request.body.target == *target) {
        let grant = backend.store.grant_of(request.id()).await?;
        if grant.is_some_and(|grant| grant.is_live(now)) && !holders.contains(&request.body.beneficiary) {
            holders.push(request.body.beneficiary.clone());
        }
    }
    match holders.as_slice() {
        // nobody: what there is to extend is said where it is looked for
        [] => Ok(me.clone()),
        [one] => {
            let person = backend.store.person(one).await?;
            person.ok_or_else(|| Failure::broken(format!("no person {one}")))
        }
        several => {
            let title = format!("you asked for {} people who hold {target}", several.len());
            let problem = Problem::new(Code::RequestAmbiguous, title);
            Err(problem.hint("say for whom, with --on-behalf-of").into())
        }
    }
}
