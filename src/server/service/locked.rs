//! What a lock that stands says to whoever meets it, and who may see which.
//! Owns its words. Refuses to decide what it stands in the way of: the domain does.

use super::{people, step_up};
use crate::domain::{Case, Lift, Lock, Person, PersonId, Refusal, Scope, TargetName};
use crate::policy::{Ask, Bundle, Groups, Question, Subject, Target, decide};
use crate::server::backend::{Backend, Caller};
use crate::server::failure::Failure;
use crate::server::service::directory;
use crate::server::service::targets::REASON_TO_COME;
use crate::server::store::Under;
use crate::wire::problem::Code;
use crate::wire::{LiftView, LockView, PersonView, Problem};

/// Locks that are looked at for a list.
const MOST: u32 = 200;

/// Nothing, unless a lock in `case`, which is of `target`, stands on one of `scopes`. Asked before policy, so that everybody
/// hears of the lock.
///
/// # Errors
/// [`Code::Locked`].
pub async fn pass(
    backend: &Backend,
    me: &PersonId,
    case: &Case,
    target: &TargetName,
    scopes: &[Scope],
) -> Result<(), Failure> {
    let Some(lock) = case.lock_on(scopes) else {
        return Ok(());
    };
    let mut failure = named(backend, me, lock.refusal()).await;
    if matches!(lock.scope, Scope::Target(_)) && !lock.scope.is_on(target) {
        failure.problem.title.push_str(", and this is the same access");
    }
    Err(failure)
}

/// The lock that stands on `person`, if one does.
///
/// # Errors
/// What the store says.
pub async fn of_person(backend: &Backend, person: &PersonId) -> Result<Option<Lock>, Failure> {
    let scope = Scope::Person(person.clone());
    Ok(backend.store.locks_on(&[scope]).await?.into_iter().next())
}

/// `refusal` as `me` is told of it: one about a lock says whose it is, why and since when.
pub async fn named(backend: &Backend, me: &PersonId, refusal: Refusal) -> Failure {
    let Refusal::Locked {
        scope,
        by,
        reason,
        since,
    } = &refusal
    else {
        return refusal.into();
    };
    let what = match scope {
        Scope::All => "everything is".to_owned(),
        Scope::Person(who) if who == me => "you are".to_owned(),
        Scope::Person(who) => format!("{} is", name(backend, who).await),
        Scope::Target(target) => format!("{target} is"),
        Scope::Bound(to) => format!("{to} is"),
    };
    let is_own = *scope == Scope::Person(by.clone()) && by == me;
    let known = backend.store.person(by).await.ok().flatten();
    let again = known
        .as_ref()
        .map_or_else(|| by.to_string(), |by| people::typed(by).to_owned());
    let by = name(backend, by).await;
    let mut problem = Problem::new(Code::Locked, format!("{what} locked"));
    problem.detail = Some(format!("{reason} ({by}, {})", since.whole_second()));
    let hint = match is_own {
        true => format!("you set it; somebody else lifts it: jit unlock {again}"),
        false => format!("{by} set it; who may lock may lift it"),
    };
    problem.hint(hint).into()
}

/// What a lock is on, as people call it.
pub async fn called(backend: &Backend, scope: &Scope) -> String {
    match scope {
        Scope::All => "everything".to_owned(),
        Scope::Person(who) => name(backend, who).await,
        Scope::Target(target) => target.to_string(),
        Scope::Bound(to) => to.clone(),
    }
}

async fn name(backend: &Backend, id: &PersonId) -> String {
    person(backend, id).await.called()
}

/// Locks that stand and that `caller` may see: on everything, on themselves, on what they may ask for or lock.
///
/// # Errors
/// What the store says.
pub async fn seen(backend: &Backend, caller: &Caller) -> Result<Vec<LockView>, Failure> {
    let mut views = Vec::new();
    // first what bears on the caller, however many others there are
    let own = [Scope::All, Scope::Person(caller.person.id.clone())];
    let mut locks = backend.store.locks_on(&own).await?;
    let others = backend.store.standing_locks(MOST).await?;
    locks.extend(others.into_iter().filter(|lock| !own.contains(&lock.scope)));
    locks.sort_by_key(|lock| lock.since);
    for lock in locks {
        let is_own = lock.scope == Scope::Person(caller.person.id.clone());
        let counts = is_own || may(backend, caller, &lock.scope).await?;
        if counts || concerns(backend, caller, &lock) {
            let mut view = view(backend, &lock, counts).await?;
            if !counts {
                let bundle = backend.bundle();
                let may_ask = |name: &String| {
                    bundle
                        .catalogue()
                        .find(name)
                        .is_some_and(|on| asks(backend, caller, on))
                };
                view.same_access.retain(may_ask);
            }
            views.push(view);
        }
    }
    Ok(views)
}

/// Whether it is on everything, or on what `caller` may ask for.
fn concerns(backend: &Backend, caller: &Caller, lock: &Lock) -> bool {
    match lock.scope {
        Scope::All => return true,
        Scope::Person(_) => return false,
        Scope::Target(_) | Scope::Bound(_) => {}
    }
    let bundle = backend.bundle();
    let is_on = |target: &&Target| {
        lock.is_on(&Scope::Target(target.name.clone())) || lock.is_on(&Scope::bound(&target.binding))
    };
    let mut under = bundle.catalogue().targets().iter().filter(is_on);
    if under.any(|target| asks(backend, caller, target)) {
        return true;
    }
    match &lock.scope {
        Scope::Target(name) => on(&bundle, name).is_some_and(|target| asks(backend, caller, target)),
        Scope::All | Scope::Person(_) | Scope::Bound(_) => false,
    }
}

/// Whether `caller` may ask for `target`.
fn asks(backend: &Backend, caller: &Caller, target: &Target) -> bool {
    let bundle = backend.bundle();
    let groups = caller.groups(&bundle);
    let ask = Ask {
        target,
        duration: target.default_duration,
        reason: REASON_TO_COME,
        ticket: None,
        only: &[],
        start: None,
    };
    let question = Question::Request {
        who: caller.who(&groups),
        ask,
        session: step_up::at_best(backend, caller),
        now: backend.now(),
    };
    decide(&bundle, &question).allowed
}

/// Whether `caller` may lock `scope`.
async fn may(backend: &Backend, caller: &Caller, scope: &Scope) -> Result<bool, Failure> {
    let bundle = backend.bundle();
    let about = About::find(backend, &bundle, scope).await?;
    let groups = caller.groups(&bundle);
    let question = Question::Lock {
        who: caller.who(&groups),
        on: about.subject(&bundle),
        session: step_up::at_best(backend, caller),
        now: backend.now(),
    };
    Ok(decide(&bundle, &question).allowed)
}

/// `lock` as it is shown; with `counts` also how much of what it ends is not over yet.
///
/// # Errors
/// What the store says.
pub async fn view(backend: &Backend, lock: &Lock, counts: bool) -> Result<LockView, Failure> {
    let on = match &lock.scope {
        Scope::Person(who) => Some(person(backend, who).await),
        Scope::All | Scope::Target(_) | Scope::Bound(_) => None,
    };
    let (scope, of) = match &lock.scope {
        Scope::All => ("all", "all".to_owned()),
        Scope::Person(who) => (
            "person",
            on.as_ref().map_or_else(|| who.to_string(), |on| on.name.clone()),
        ),
        Scope::Target(target) => ("target", target.to_string()),
        Scope::Bound(to) => ("target", to.clone()),
    };
    let ending = match counts {
        true => Some(under(backend, lock).await?.grants),
        false => None,
    };
    let lifting = match &lock.lifting {
        Some(lift) => Some(lift_view(backend, lift).await),
        None => None,
    };
    let bundle = backend.bundle();
    let alike = |target: &&Target| lock.bound_to == Some(Scope::bound(&target.binding)) && target.name.as_str() != of;
    let same_access = bundle.catalogue().targets().iter().filter(alike);
    let same_access = same_access.map(|target| target.name.to_string()).collect();
    Ok(LockView {
        id: lock.scope.to_string(),
        scope: scope.to_owned(),
        name: of,
        person: on,
        by: person(backend, &lock.by).await,
        reason: lock.reason.to_string(),
        since: lock.since,
        lifting,
        same_access,
        ending,
    })
}

/// The target of that name; of one account of many, what holds for all of them.
fn on<'a>(bundle: &'a Bundle, name: &TargetName) -> Option<&'a Target> {
    let in_many = || {
        let family = name.family().unwrap_or_else(|| name.clone());
        let family = bundle.catalogue().family(family.as_str())?;
        Some(family.in_general())
    };
    bundle.catalogue().target(name).or_else(in_many)
}

/// Who lifts, or began to.
pub async fn lift_view(backend: &Backend, lift: &Lift) -> LiftView {
    LiftView {
        by: person(backend, &lift.by).await,
        at: lift.at,
    }
}

async fn person(backend: &Backend, id: &PersonId) -> PersonView {
    // whoever it is, the lock is told of
    let known = people::by_id(backend, id).await;
    known.unwrap_or_else(|_| people::unknown(id))
}

/// What is open under `lock`.
///
/// # Errors
/// What the store says.
pub async fn under(backend: &Backend, lock: &Lock) -> Result<Under, Failure> {
    let bound_to = lock.bound_to.as_ref();
    Ok(backend.store.open_under(&lock.scope, bound_to, backend.now()).await?)
}

/// What a lock is on, as policy is asked about it.
pub enum About {
    /// Everything; also a target that the catalogue does not have any more.
    All,
    /// Somebody, with their groups, and whether they are there.
    Person(Person, Groups, bool),
    /// A target of the catalogue.
    Target(TargetName),
}

impl About {
    /// What `scope` is, now.
    ///
    /// # Errors
    /// What the store says.
    pub async fn find(backend: &Backend, bundle: &Bundle, scope: &Scope) -> Result<Self, Failure> {
        match scope {
            Scope::All => Ok(Self::All),
            Scope::Person(who) => {
                let person = backend.store.person(who).await?;
                let person = person.ok_or_else(|| Failure::broken(format!("no person {who}")))?;
                let (groups, active) = directory::groups(backend, bundle, &person).await?;
                Ok(Self::Person(person, groups, active))
            }
            Scope::Target(name) => Ok(Self::Target(name.clone())),
            Scope::Bound(_) => Ok(Self::All),
        }
    }

    /// The same for a question.
    pub fn subject<'a>(&'a self, bundle: &'a Bundle) -> Subject<'a> {
        match self {
            Self::All => Subject::Everything,
            Self::Person(person, groups, active) => Subject::Person {
                person,
                groups,
                active: *active,
            },
            Self::Target(name) => on(bundle, name).map_or(Subject::Everything, Subject::Target),
        }
    }
}
