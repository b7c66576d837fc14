//! Setting locks and lifting them.
//! Owns what is meant by what somebody typed. One's own lock needs no policy; nothing here needs a provider.

use super::locked::{About, called, lift_view, named, of_person, seen, under, view};
use super::{Key, devices, directory, people, presence, step_up};
use crate::domain::accounts::is_account_id;
use crate::domain::lock::{self, lift};
use crate::domain::{Lift, Lock, PersonId, Reason, Refusal, Scope, TargetName};
use crate::policy::{Decision, Family, Question, Who, decide};
use crate::server::backend::{Backend, Caller};
use crate::server::failure::{Failure, repeated, settled};
use crate::server::service::accounts::account_of;
use crate::server::store::Under;
use crate::wire::problem::Code;
use crate::wire::{LiftLock, Lifted, LockList, Locked, NewLock, Problem};

/// For so long the first half of lifting the lock on everything counts, in seconds.
const HALF_COUNTS_S: u32 = 3_600;

/// Locks that stand and that `caller` may see, oldest first.
///
/// # Errors
/// What the store says.
pub async fn list(backend: &Backend, caller: &Caller) -> Result<LockList, Failure> {
    let locks = seen(backend, caller).await?;
    Ok(LockList { locks })
}

/// Sets a lock. What stands under it begins to end at once; a lock that stands already is left as it is.
///
/// # Errors
/// Nobody and nothing of that name; refusals of policy. Nothing is changed then.
pub async fn lock(backend: &Backend, caller: &Caller, new: &NewLock, key: Option<&Key>) -> Result<Locked, Failure> {
    let reason = Reason::parse(new.reason.trim())?;
    let me = &caller.person.id;
    settled!(async {
        let scope = meant(backend, caller, &new.on).await?;
        let mut policy = None;
        if scope != Scope::Person(me.clone()) {
            policy = Some(may(backend, caller, &scope, Doing::Lock).await?);
        }
        let bound_to = bound(backend, &scope);
        let known = backend.store.lock(&scope).await?;
        let set = lock::NewLock {
            scope: &scope,
            bound_to: bound_to.as_ref(),
            by: me,
            reason: &reason,
        };
        let mut change = lock::set(backend.now(), known.as_ref(), set);
        if let Some((bundle_hash, inputs)) = policy {
            change = change.decided_by(&bundle_hash).with_detail("policy", inputs);
        }
        // counted before: what ends at once is said too
        let open = backend
            .store
            .open_under(&scope, bound_to.as_ref(), backend.now())
            .await?;
        let change = change.once(key.map(|k| k.used(me, &scope.to_string(), backend.now())));
        backend.commit(&change).await?;
        let known = known.filter(Lock::stands);
        let begun = known.as_ref().and_then(|lock| lock.lifting.as_ref());
        let mut told = told(backend, &scope, open).await?;
        told.set = known.is_none();
        if let Scope::Person(who) = &scope {
            let given = new.on.strip_prefix("person:").unwrap_or(&new.on);
            told.namesakes = people::namesakes(backend, who, given).await?;
        }
        told.taken_back = match begun {
            Some(lift) => Some(lift_view(backend, lift).await),
            None => None,
        };
        Ok(told)
    })
}

/// Lifts a lock, or is the first of the two who lift the one on everything.
///
/// # Errors
/// No lock stands there; one's own; refusals of policy. Nothing is changed then.
pub async fn unlock(backend: &Backend, caller: &Caller, how: &LiftLock, key: Option<&Key>) -> Result<Lifted, Failure> {
    let me = &caller.person.id;
    settled!(async {
        let scope = meant(backend, caller, &how.on).await?;
        let known = backend.store.lock(&scope).await?;
        let is_own = scope == Scope::Person(me.clone());
        let policy = match is_own {
            true => None,
            false => Some(may(backend, caller, &scope, Doing::Unlock).await?),
        };
        devices::may_say_yes(backend, caller).await?;
        let mut device_people = directory::people_of_device(backend, caller).await?;
        device_people.extend(directory::same_human(backend, &backend.bundle(), &caller.person).await?);
        let void = first_is_void(backend, caller, known.as_ref()).await?;
        let lifted = lift(backend.now(), known.as_ref(), me, &device_people, void);
        let mut change = match lifted {
            Ok(change) => change,
            Err(Refusal::NotLocked) => return Err(not_locked(backend, &scope).await?),
            Err(refusal) => return Err(named(backend, me, refusal).await),
        };
        presence::must_be_there(backend, caller)?;
        if let Some((bundle_hash, inputs)) = policy {
            change = change.decided_by(&bundle_hash).with_detail("policy", inputs);
        }
        let change = change.once(key.map(|k| k.used(me, &scope.to_string(), backend.now())));
        backend.commit(&change).await?;
        after_lift(backend, &scope).await
    })
}

/// What became of lifting `scope`.
///
/// # Errors
/// What the store says.
pub async fn after_lift(backend: &Backend, scope: &Scope) -> Result<Lifted, Failure> {
    let lock = known(backend, scope).await?;
    let lifted = !lock.stands();
    Ok(Lifted {
        lifted,
        lock: view(backend, &lock, true).await?,
        still_locked: match lifted {
            true => beside(backend, scope).await?,
            false => Vec::new(),
        },
    })
}

/// Targets that are the same access as `scope`, or have its account, and are locked.
async fn beside(backend: &Backend, scope: &Scope) -> Result<Vec<String>, Failure> {
    let Scope::Target(target) = scope else {
        return Ok(Vec::new());
    };
    let scopes: Vec<Scope> = Scope::of_target(target).chain(bound(backend, scope)).collect();
    let standing = backend.store.locks_on(&scopes).await?;
    let names = standing.iter().filter_map(|lock| match &lock.scope {
        Scope::Target(name) if name != target => Some(name.to_string()),
        Scope::All | Scope::Person(_) | Scope::Target(_) | Scope::Bound(_) => None,
    });
    Ok(names.collect())
}

/// What became of setting `scope`.
///
/// # Errors
/// What the store says.
pub async fn after_lock(backend: &Backend, scope: &Scope) -> Result<Locked, Failure> {
    let open = under(backend, &known(backend, scope).await?).await?;
    told(backend, scope, open).await
}

/// The lock on `scope` as it was set now, with what was `open` under it.
async fn told(backend: &Backend, scope: &Scope, open: Under) -> Result<Locked, Failure> {
    Ok(Locked {
        lock: view(backend, &known(backend, scope).await?, true).await?,
        set: true,
        grants: open.grants,
        remaining: open.remaining,
        taken_back: None,
        namesakes: Vec::new(),
        last_credential_at: open.last_credential_at.filter(|last| *last > backend.now()),
    })
}

async fn known(backend: &Backend, scope: &Scope) -> Result<Lock, Failure> {
    let lock = backend.store.lock(scope).await?;
    lock.ok_or_else(|| Failure::broken(format!("no lock on {scope}")))
}

/// What the target that is meant is bound to now: whatever else is bound alike is locked with it.
fn bound(backend: &Backend, scope: &Scope) -> Option<Scope> {
    let name = match scope {
        Scope::Target(name) => name,
        Scope::All | Scope::Person(_) | Scope::Bound(_) => return None,
    };
    let bundle = backend.bundle();
    if let Some(target) = bundle.catalogue().target(name) {
        return Some(Scope::bound(&target.binding));
    }
    // of one account of many; all of them are reached by what each request is the same access as
    let family = bundle.catalogue().family(name.family()?.as_str())?;
    Some(Scope::bound_in(name.account()?, &family.in_general().binding))
}

/// Whoever began to lift it does not count who is locked by now, who may not lift it any more, or who did so long ago.
async fn first_is_void(backend: &Backend, caller: &Caller, lock: Option<&Lock>) -> Result<bool, Failure> {
    let Some((lock, first)) = lock.and_then(|lock| Some((lock, lock.lifting.as_ref()?))) else {
        return Ok(false);
    };
    let is_old = backend.now().since(first.at) > HALF_COUNTS_S;
    Ok(is_old || of_person(backend, &first.by).await?.is_some() || !may_still(backend, caller, lock, first).await?)
}

/// Whether policy lets whoever began to lift `lock` do so now. How they were signed in was asked then; where policy looks
/// at that too, it sees the session of `caller`, who finishes it.
async fn may_still(backend: &Backend, caller: &Caller, lock: &Lock, first: &Lift) -> Result<bool, Failure> {
    let Some(person) = backend.store.person(&first.by).await? else {
        return Ok(false);
    };
    let bundle = backend.bundle();
    let about = About::find(backend, &bundle, &lock.scope).await?;
    let (groups, active) = directory::groups(backend, &bundle, &person).await?;
    let question = Question::Unlock {
        who: Who {
            person: &person,
            groups: &groups,
            active,
        },
        on: about.subject(&bundle),
        session: caller.facts(),
        now: backend.now(),
    };
    Ok(decide(&bundle, &question).allowed)
}

/// No lock stands on `scope` itself: one on a target that is the same access is named.
async fn not_locked(backend: &Backend, scope: &Scope) -> Result<Failure, Failure> {
    let mut failure = Failure::from(Refusal::NotLocked);
    failure.problem.title = format!("no lock stands on {}", called(backend, scope).await);
    let nearest = beside(backend, scope).await?;
    if nearest.is_empty() {
        return Ok(failure);
    }
    let mut problem = failure
        .problem
        .hint("the lock stands on another target that is the same access");
    problem.nearest = nearest;
    Ok(problem.into())
}

#[derive(Clone, Copy)]
enum Doing {
    Lock,
    Unlock,
}

/// The bundle that lets `caller` do it, with what it was asked. Who is locked themselves locks and lifts nothing.
async fn may(
    backend: &Backend,
    caller: &Caller,
    scope: &Scope,
    doing: Doing,
) -> Result<(String, serde_json::Value), Failure> {
    if let Some(lock) = of_person(backend, &caller.person.id).await? {
        return Err(named(backend, &caller.person.id, lock.refusal()).await);
    }
    let bundle = backend.bundle();
    let about = About::find(backend, &bundle, scope).await?;
    let groups = caller.groups(&bundle);
    let (who, on) = (caller.who(&groups), about.subject(&bundle));
    let (session, now) = (caller.facts(), backend.now());
    let question = match doing {
        Doing::Lock => Question::Lock { who, on, session, now },
        Doing::Unlock => Question::Unlock { who, on, session, now },
    };
    let answer = decide(&bundle, &question);
    match answer.allowed {
        true => Ok((bundle.hash().to_string(), answer.inputs)),
        false => Err(step_up::refused(backend, caller, &bundle, &question, &answer)),
    }
}

/// What `given` names: `all`, a target, a person by name or id. `person:` and `target:` say which.
async fn meant(backend: &Backend, caller: &Caller, given: &str) -> Result<Scope, Failure> {
    if given == "all" {
        return Ok(Scope::All);
    }
    let (person, target) = match given.split_once(':') {
        Some(("person", name)) => (person(backend, caller, name).await?, None),
        Some(("target", name)) => (None, target(backend, name).await?),
        Some(_) | None => (person(backend, caller, given).await?, target(backend, given).await?),
    };
    match (person, target) {
        (Some(person), None) => Ok(Scope::Person(person)),
        (None, Some(target)) => Ok(Scope::Target(target)),
        (Some(_), Some(_)) => {
            let title = format!("a person and a target are named {}", repeated(given));
            let problem = Problem::new(Code::LockAmbiguous, title);
            Err(problem.hint("write person:NAME or target:NAME").into())
        }
        (None, None) => Err(nobody(backend, caller, given).await?),
    }
}

async fn person(backend: &Backend, caller: &Caller, name: &str) -> Result<Option<PersonId>, Failure> {
    let known = people::meant(backend, &caller.person.issuer, name).await?;
    match known.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.id.clone())),
        several => {
            let answer = may_stop_everything(backend, caller);
            if !answer.allowed {
                return Err(Failure::policy(&answer));
            }
            let title = format!("several people are named {}", repeated(name));
            let mut problem = Problem::new(Code::LockAmbiguous, title);
            problem.detail = Some(people::listed(backend, several));
            Err(problem.hint("name one by their id").into())
        }
    }
}

/// What policy says to `caller`, were everything to be locked: who may not do that is told no names.
fn may_stop_everything(backend: &Backend, caller: &Caller) -> Decision {
    let bundle = backend.bundle();
    let groups = caller.groups(&bundle);
    let question = Question::Lock {
        who: caller.who(&groups),
        on: crate::policy::Subject::Everything,
        session: caller.facts(),
        now: backend.now(),
    };
    decide(&bundle, &question)
}

/// A target of the catalogue, by name or alias; or one that has left it and is locked still.
async fn target(backend: &Backend, name: &str) -> Result<Option<TargetName>, Failure> {
    let bundle = backend.bundle();
    if let Some(target) = bundle.catalogue().find(name) {
        return Ok(Some(target.name.clone()));
    }
    if let Some(family) = bundle.catalogue().family(name) {
        return Ok(Some(family.name().clone()));
    }
    let Ok(name) = TargetName::parse(name) else {
        return Ok(None);
    };
    // one account of many is locked by its id, whether or not it can be looked at now
    let in_many = name
        .family()
        .and_then(|family| bundle.catalogue().family(family.as_str()).cloned());
    if let (Some(family), Some(account)) = (in_many, name.account()) {
        let id = match is_account_id(account) {
            true => account.to_owned(),
            false => account_of(backend, &bundle, &family, account).map_err(|failure| by_digits(failure, &family))?,
        };
        return Ok(Some(family.name().in_account(&id)));
    }
    let lock = backend.store.lock(&Scope::Target(name.clone())).await?;
    Ok(lock.map(|_| name))
}

/// Whatever the list of accounts does not say, nobody has to wait for it.
fn by_digits(failure: Failure, family: &Family) -> Failure {
    let name = family.name();
    failure
        .problem
        .hint(format!("name the account by its 12 digits, or {name} for all of them"))
        .into()
}

/// Nobody and nothing. Who may not lock everything hears the same as of a person that they may not lock.
async fn nobody(backend: &Backend, caller: &Caller, given: &str) -> Result<Failure, Failure> {
    let bundle = backend.bundle();
    let name = given.split_once(':').map_or(given, |(_, name)| name);
    let nearest: Vec<String> = bundle
        .catalogue()
        .nearest(name, 3)
        .into_iter()
        .map(str::to_owned)
        .collect();
    let answer = may_stop_everything(backend, caller);
    if !answer.allowed && nearest.is_empty() {
        return Ok(Failure::policy(&answer));
    }
    let title = format!("nobody and no target here is named {}", repeated(given));
    let mut problem = Problem::new(Code::PersonNotFound, title);
    let lower = name.to_lowercase();
    let in_lower_case = match answer.allowed {
        true => people::meant(backend, &caller.person.issuer, &lower).await?,
        false => Vec::new(),
    };
    if answer.allowed && lower == "all" {
        problem = problem.hint("everything is named all");
    } else if !in_lower_case.is_empty() {
        problem = problem.hint(format!("somebody is named {lower}"));
    } else if let Some(near) = nearest.first() {
        problem = problem.hint(format!("a target is named {near}"));
    }
    problem.nearest = nearest;
    Ok(problem.into())
}
