//! What an admin does: hands out codes, looks at sessions, ends them.
//! Owns who is an admin: the backend's file says it, nobody else. Refuses whoever is not named there.

use super::sign_in::{LOCAL, issue_code_by};
use super::{devices, known_device, locked, people, presence, step_up};
use crate::domain::sign_in::revoke_session;
use crate::domain::{Actor, Device, Person, PersonName, Session, SignInMethod};
use crate::server::backend::{Backend, Caller};
use crate::server::failure::{Failure, repeated, settled};
use crate::wire::problem::Code;
use crate::wire::{AddedUser, NewUser, Problem, SessionList, SessionView};

/// Whoever hands out a code showed a second factor this lately, where they can, in seconds.
const FRESH_S: u32 = 3_600;
/// Sessions that are told of at once.
const MOST_TOLD: usize = 1_000;
/// The beginning of an id that is enough, in characters after its kind.
const SHORTEST: usize = 4;

/// Whether `person` runs the backend. A workload never does, whatever its issuer calls it.
pub fn is_admin(backend: &Backend, person: &Person) -> bool {
    let mut admins = backend.settings.admins.iter();
    person.workload.is_none() && admins.any(|admin| admin.issuer == person.issuer && admin.subject == person.subject)
}

/// Refuses who does not run the backend, who signed in by a way that somebody is talked into, and who is locked: a lock on
/// everything stops no admin.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::Locked`]; what the store says.
pub async fn admins_only(backend: &Backend, caller: &Caller) -> Result<(), Failure> {
    let me = &caller.person.id;
    if !is_admin(backend, &caller.person) {
        return Err(Failure::new(Code::Forbidden, "that is for who runs the backend"));
    }
    match caller.session.method {
        SignInMethod::Local | SignInMethod::LoopbackPkce => {}
        method @ (SignInMethod::Remote | SignInMethod::Device | SignInMethod::Workload) => {
            let title = format!("a session by {} runs no backend", method.as_str());
            let problem = Problem::new(Code::Forbidden, title);
            return Err(problem.hint("sign in with a browser beside this terminal").into());
        }
    }
    match locked::of_person(backend, me).await? {
        Some(lock) => Err(locked::named(backend, me, lock.refusal()).await),
        None => Ok(()),
    }
}

/// A code for the local person of this name, who is made if need be.
///
/// # Errors
/// A name that is none; [`Code::PolicyNewDevice`], [`Code::SessionStepUp`], [`Code::SessionIdle`]; what the store says.
pub async fn add_user(backend: &Backend, caller: &Caller, new: &NewUser) -> Result<AddedUser, Failure> {
    let name = PersonName::parse(&new.name)?;
    device_is_known(backend, caller).await?;
    step_up::must_be_fresh(backend, caller, FRESH_S).await?;
    presence::must_be_there(backend, caller)?;
    let by = Actor::Person(caller.person.id.clone());
    let issued = issue_code_by(backend, name.as_str(), by, "user.added").await?;
    Ok(AddedUser {
        person: people::by_id(backend, &issued.person).await?,
        code: issued.code,
        expires_at: issued.expires_at,
        is_new: issued.is_new,
        decides_after_s: match backend.settings.new_devices_decide {
            true => 0,
            false => crate::domain::person::NEW_DEVICE_S,
        },
    })
}

/// Refuses a device of a local admin that a code enrolled within a day: whoever hands out codes could have themselves made
/// any admin, for good. The very first device of all admins waits for nobody: only the backend could have handed out its code.
async fn device_is_known(backend: &Backend, caller: &Caller) -> Result<(), Failure> {
    let Some(from) = devices::decides_from(backend, caller).await? else {
        return Ok(());
    };
    if backend.now() >= from || is_first_of_all(backend, caller).await? {
        return Ok(());
    }
    let title = format!("this device is new and hands out codes from {from} on");
    let problem = Problem::new(Code::PolicyNewDevice, title);
    Err(problem
        .hint("use a device that you had before, or another admin's")
        .into())
}

/// Whether no admin had a device before the caller's.
async fn is_first_of_all(backend: &Backend, caller: &Caller) -> Result<bool, Failure> {
    let mut all: Vec<Device> = Vec::new();
    for admin in &backend.settings.admins {
        if let Some(person) = backend.store.person_by_subject(&admin.issuer, &admin.subject).await? {
            all.extend(backend.store.devices_of(&person.id).await?);
        }
    }
    let (me, session) = (&caller.person.id, &caller.session);
    let (own, others): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|device| device.person == *me && device.id == session.device);
    let own = own.first().map(|device| device.enrolled_at);
    Ok(own.is_some_and(|own| others.iter().all(|other| own < other.enrolled_at)))
}

/// Sessions that are not over, newest first, at most [`MOST_TOLD`]: all, or those of who is called `person`.
///
/// # Errors
/// [`Code::PersonNotFound`]; what the store says.
pub async fn sessions(backend: &Backend, person: Option<&str>) -> Result<SessionList, Failure> {
    let now = backend.now();
    let (mut sessions, mut more) = (Vec::new(), 0_u32);
    for session in backend.store.live_sessions(None, now, u32::MAX).await? {
        if person.is_none() && sessions.len() == MOST_TOLD {
            more += 1;
            continue;
        }
        let Some(owner) = backend.store.person(&session.person).await? else {
            continue;
        };
        if !person.is_none_or(|given| is_called(&owner, given)) {
            continue;
        }
        match sessions.len() < MOST_TOLD {
            true => sessions.push(view(backend, &session, &owner).await?),
            false => more += 1,
        }
    }
    match person {
        Some(given) if sessions.is_empty() => {
            let title = format!("{} is signed in nowhere", repeated(given));
            Err(Failure::new(Code::PersonNotFound, title))
        }
        Some(_) | None => Ok(SessionList { sessions, more }),
    }
}

fn is_called(person: &Person, given: &str) -> bool {
    [person.name.as_str(), person.subject.as_str(), person.id.as_str()].contains(&given)
}

async fn view(backend: &Backend, session: &Session, owner: &Person) -> Result<SessionView, Failure> {
    Ok(SessionView {
        id: session.id.to_string(),
        person: people::view(backend, owner).await?,
        issuer: owner.issuer.clone(),
        method: session.method.as_str().to_owned(),
        device: session.device.to_string(),
        key_storage: session.key_storage.as_str().to_owned(),
        created_at: session.created_at,
        expires_at: session.expires_at,
    })
}

/// Ends the session that `given` names, whole or by its beginning. A device of a local person that would open the next by
/// itself is forgotten with it.
///
/// # Errors
/// [`Code::SessionNotFound`]; what the store says.
pub async fn revoke(backend: &Backend, caller: &Caller, given: &str) -> Result<SessionView, Failure> {
    settled!(async {
        let session = named(backend, given).await?;
        let owner = backend.store.person(&session.person).await?;
        let owner = owner.ok_or_else(|| Failure::broken("a session without a person"))?;
        let by = Actor::Person(caller.person.id.clone());
        let device = match owner.is_local() {
            true => backend.store.device(&session.device, &owner.id).await?,
            false => None,
        };
        let change = revoke_session(backend.now(), &session, device.as_ref(), by);
        backend.commit(&change).await?;
        view(backend, &session, &owner).await
    })
}

async fn named(backend: &Backend, given: &str) -> Result<Session, Failure> {
    let none = |what: &str| {
        let title = format!("{what} {}", repeated(given));
        Failure::new(Code::SessionNotFound, title)
    };
    let beginning = given.strip_prefix("ses_").unwrap_or(given);
    if beginning.len() < SHORTEST {
        return Err(none("no session"));
    }
    let all = backend.store.live_sessions(None, backend.now(), u32::MAX).await?;
    let is_it = |session: &Session| session.id.as_str().trim_start_matches("ses_").starts_with(beginning);
    let mut fits = all.into_iter().filter(is_it);
    match (fits.next(), fits.next()) {
        (Some(session), None) => Ok(session),
        (Some(_), Some(_)) => Err(none("several sessions begin with")),
        (None, _) => Err(none("no session")),
    }
}

/// A code for the first admin: the first local one of the backend's file, while they are signed in nowhere and no device of
/// theirs signs them in. None where there is nobody to wait for.
///
/// # Errors
/// What the store says.
pub async fn first_code(backend: &Backend) -> Result<Option<(String, String)>, Failure> {
    let mut admins = backend.settings.admins.iter().filter(|admin| admin.issuer == LOCAL);
    let Some(first) = admins.next() else {
        return Ok(None);
    };
    if let Some(known) = backend.store.person_by_subject(LOCAL, &first.subject).await?
        && known_device::comes_in(backend, &known).await?
    {
        return Ok(None);
    }
    let issued = issue_code_by(backend, &first.subject, Actor::Backend, "session.code_issued").await?;
    Ok(Some((first.subject.clone(), issued.code)))
}

#[cfg(test)]
mod tests;
