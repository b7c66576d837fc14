//! The "yes" of a person whom an identity provider vouched for: that the terminal which asks is theirs.
//! Owns what is stored of a sign-in, and when. Refuses a "yes" to what this browser was not asked.

use serde_json::json;

use super::browser::{Stopped, over, sign_in_hash};
use super::directory;
use super::sign_in::{code_hash, left};
use crate::domain::sign_in::prove;
use crate::domain::{Bound, Duration, Person, SignInCode};
use crate::server::backend::Backend;
use crate::server::failure::{Failure, settled};
use crate::server::identity::on_its_way::is_same;
use crate::server::identity::proved::Proved;
use crate::server::identity::sign_ins::Ended;
use crate::wire::problem::Code;

/// A terminal takes its code at once.
const CODE_LIFE_S: u32 = 120;
/// A person carries it there.
const CARRIED_LIFE_S: u32 = 300;

/// Who came back with the sign-in of `state`, and is asked whether the terminal is theirs, as the browser keeps it in `cookies`.
///
/// # Errors
/// [`Stopped::NotBegun`].
pub fn asked(backend: &Backend, cookies: &str, state: &str) -> Result<Proved, Stopped> {
    let proved = backend.sign_ins.cookies.open_proved(cookies, state, backend.now());
    proved.ok_or(Stopped::NotBegun)
}

/// Takes the "yes" to the sign-in of `state`, which the page that asked sends with `answer`: what follows. A browser that says
/// it twice is told the same.
///
/// # Errors
/// [`Stopped::NotBegun`]: nobody asked that. Every other failure is for the terminal.
pub async fn confirm(backend: &Backend, cookies: &str, state: &str, answer: &str) -> Result<Ended, Stopped> {
    let proved = asked(backend, cookies, state)?;
    // a machine has a question of its own
    if proved.terminal.user_code.is_some() || !is_same(&proved.answer, answer) {
        return Err(Stopped::NotBegun);
    }
    let once = backend.sign_ins.confirmed(&proved.state, backend.now(), proved.until);
    let confirmed = once.get_or_try_init(|| confirmed(backend, &proved)).await?;
    Ok(confirmed.clone())
}

async fn confirmed(backend: &Backend, proved: &Proved) -> Result<Ended, Stopped> {
    let known = backend.store.code_of_sign_in(&sign_in_hash(&proved.state)).await;
    if known.map_err(|error| Stopped::of(error.into()))?.is_some() {
        return Err(Stopped::NotBegun);
    }
    // some of them are typed
    let secret = backend.random.code();
    let life_s = match proved.terminal.port {
        Some(_) => CODE_LIFE_S,
        None => CARRIED_LIFE_S,
    };
    let noted = note(backend, proved, code_hash(&secret), life_s).await;
    Ok(over(
        &proved.terminal,
        noted.map(|()| secret).map_err(|why| format!("{}: {why}", proved.with)),
    ))
}

/// Stores who somebody is, and the code of `code_hash` by which the terminal says so within `life_s`.
///
/// # Errors
/// In words for the person.
pub(super) async fn note(backend: &Backend, proved: &Proved, code_hash: String, life_s: u32) -> Result<(), String> {
    let method = proved.terminal.method();
    let life = Duration::from_secs(life_s).map_err(|_| "no such duration".to_owned())?;
    let stored: Result<(), Failure> = settled!(async {
        let now = backend.now();
        let known = backend.store.person_by_subject(&proved.issuer, &proved.subject).await?;
        // an issuer may sign both in, and people may choose what they are known by there
        if known.as_ref().is_some_and(|known| known.workload.is_some()) {
            return Err(Failure::new(Code::Forbidden, "a workload signs in with its own token"));
        }
        let is_new = known.is_none();
        let person = known.unwrap_or_else(|| Person {
            id: backend.random.person_id(),
            issuer: proved.issuer.clone(),
            subject: proved.subject.clone(),
            name: proved.name.clone(),
            since: now,
            workload: None,
        });
        if !directory::known(backend, &person).await?.active {
            return Err(left());
        }
        let bound = Bound {
            sign_in: sign_in_hash(&proved.state),
            device: proved.terminal.device.clone(),
            challenge: proved.terminal.challenge.clone(),
            method,
            mfa_at: proved.mfa_at,
            renews: proved.renews.clone(),
        };
        let code = SignInCode {
            code_hash: code_hash.clone(),
            person: person.id.clone(),
            expires_at: now.plus(life),
            spent_at: None,
            bound: Some(Box::new(bound)),
            tries: 0,
            version: 1,
        };
        let details = json!({
            "with": proved.with,
            "auth_time": proved.auth_time,
            "amr": proved.amr,
            "acr": proved.acr,
        });
        backend.commit(&prove(now, &person, is_new, &code, details)).await
    });
    stored.map_err(|failure| {
        match &failure.cause {
            Some(cause) => tracing::error!(cause, "a sign-in was not stored"),
            None => tracing::warn!(with = proved.with, why = failure.problem.title, "a sign-in was refused"),
        }
        failure.problem.title
    })
}
