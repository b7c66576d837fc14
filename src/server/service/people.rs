//! How people are shown to others, and who is meant by a name that somebody typed.
//! Owns who is said to vouch for them. Refuses to choose between several of one name.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use tokio::sync::Mutex;

use crate::domain::called::{called, is_plain, readable};
use crate::domain::person::LOCAL;
use crate::domain::text::shown;
use crate::domain::{Person, PersonId, StartedBy};
use crate::policy::Member;
use crate::server::backend::Backend;
use crate::server::failure::Failure;
use crate::server::identity::relying_party::RelyingParty;
use crate::wire::PersonView;

/// People of one name that are looked at.
const MOST: u32 = 20;

/// `person` as others see them.
///
/// # Errors
/// What the store says.
pub async fn view(backend: &Backend, person: &Person) -> Result<PersonView, Failure> {
    let is_other = |one: &Person| one.id != person.id && one.issuer == person.issuer;
    // of this backend itself there is one of each name; what a job is, is said beside
    let is_alone = person.workload.is_some() || (person.is_local() && person.name == person.subject);
    let namesakes = match is_alone {
        true => false,
        false => backend
            .store
            .people_called(&person.name, MOST)
            .await?
            .iter()
            .any(is_other),
    };
    Ok(PersonView {
        id: person.id.to_string(),
        name: name(person),
        of: of(backend, person),
        namesakes,
    })
}

/// The person of this id as others see them; their id alone where nobody is known by it.
///
/// # Errors
/// What the store says.
pub async fn by_id(backend: &Backend, id: &PersonId) -> Result<PersonView, Failure> {
    match backend.store.person(id).await? {
        Some(person) => view(backend, &person).await,
        None => Ok(unknown(id)),
    }
}

/// Of whom nothing is known but their id.
pub fn unknown(id: &PersonId) -> PersonView {
    PersonView {
        id: id.to_string(),
        name: id.to_string(),
        of: None,
        namesakes: false,
    }
}

/// `person` in a sentence.
pub fn in_words(backend: &Backend, person: &Person) -> String {
    called(&name(person), of(backend, person).as_deref())
}

/// Whom `given` means to somebody of `issuer`: an id, or that issuer's own name for them; else everybody who is shown by it.
/// Nobody chooses their id, and nobody here their subject: no name that somebody takes hides who is meant by those.
///
/// # Errors
/// What the store says.
pub async fn meant(backend: &Backend, issuer: &str, given: &str) -> Result<Vec<Person>, Failure> {
    if let Ok(id) = PersonId::parse(given)
        && let Some(known) = backend.store.person(&id).await?
    {
        return Ok(vec![known]);
    }
    match backend.store.person_by_subject(issuer, given).await? {
        Some(known) => Ok(vec![known]),
        None => shown_by(backend, given).await,
    }
}

/// Others than `who` that are shown by `given`: who typed that may have meant them. Nobody where it is an id.
///
/// # Errors
/// What the store says.
pub async fn namesakes(backend: &Backend, who: &PersonId, given: &str) -> Result<Vec<PersonView>, Failure> {
    let mut views = Vec::new();
    if PersonId::parse(given).is_err() {
        for other in shown_by(backend, given).await?.iter().filter(|one| one.id != *who) {
            views.push(view(backend, other).await?);
        }
    }
    Ok(views)
}

/// `carol (partners) usr_…, carol (local) usr_…`.
pub fn listed(backend: &Backend, people: &[Person]) -> String {
    let named = people
        .iter()
        .map(|person| format!("{} {}{}", in_words(backend, person), person.id, kind(person)));
    named.collect::<Vec<_>>().join(", ")
}

/// What tells jobs of one name apart, and from people.
fn kind(person: &Person) -> String {
    match person.workload.as_deref().map(|workload| &workload.started_by) {
        None => String::new(),
        Some(StartedBy::Nobody) => " (workload)".to_owned(),
        Some(StartedBy::Unknown) => " (job of somebody unknown)".to_owned(),
        Some(StartedBy::Account(id)) => format!(" (job of account {})", shown(id)),
    }
}

/// What a command names `person` by: nothing that they chose themselves.
pub fn typed(person: &Person) -> &str {
    match person.is_local() && is_plain(&person.subject) {
        true => &person.subject,
        false => person.id.as_str(),
    }
}

/// People, jobs and machines. Whoever starts a job is somebody else to us, and it is shown by the same name.
async fn shown_by(backend: &Backend, given: &str) -> Result<Vec<Person>, Failure> {
    let mut known = backend.store.people_called(given, MOST).await?;
    known.retain(|person| person.name == given);
    Ok(known)
}

/// What members of groups are called; each is looked up once.
pub struct Names<'a> {
    backend: &'a Backend,
    known: Mutex<HashMap<Member, String>>,
}

impl<'a> Names<'a> {
    /// Nobody's yet.
    pub fn new(backend: &'a Backend) -> Self {
        Self {
            backend,
            known: Mutex::default(),
        }
    }

    /// `members` in words, by name; whoever never signed in by what stands beside.
    ///
    /// # Errors
    /// What the store says.
    pub async fn of(&self, members: impl Iterator<Item = (Member, String)>) -> Result<Vec<String>, Failure> {
        let mut known = self.known.lock().await;
        let mut names = BTreeSet::new();
        for (member, otherwise) in members {
            let name = match known.entry(member) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(new) => {
                    let (issuer, subject) = new.key();
                    let name = called_member(self.backend, issuer, subject, &otherwise).await?;
                    new.insert(name).clone()
                }
            };
            names.insert(name);
        }
        Ok(names.into_iter().collect())
    }
}

/// The member of a group whom their issuer calls `subject`, in a sentence: by name where they are known, else as `otherwise`.
async fn called_member(backend: &Backend, issuer: &str, subject: &str, otherwise: &str) -> Result<String, Failure> {
    let known = match issuer {
        LOCAL => None,
        _ => backend.store.person_by_subject(issuer, subject).await?,
    };
    Ok(match known {
        Some(person) => in_words(backend, &person),
        None => called(&shown(otherwise), vouches(backend, issuer).as_deref()),
    })
}

/// What they are called; their subject where nothing of that is seen.
fn name(person: &Person) -> String {
    let name = readable(&person.name).or_else(|| readable(&person.subject));
    name.unwrap_or_else(|| person.id.to_string())
}

/// Who is said to vouch for them. A workload is named as it is enrolled, and is said to be one.
fn of(backend: &Backend, person: &Person) -> Option<String> {
    match person.workload {
        Some(_) => None,
        None => vouches(backend, &person.issuer),
    }
}

/// What `issuer` is called here: nothing where it is the only one that people come from, or the only identity provider.
fn vouches(backend: &Backend, issuer: &str) -> Option<String> {
    let parties = backend.sign_ins.parties();
    let is_it = |party: &&RelyingParty| party.issuer() == issuer;
    match parties {
        [] if issuer == LOCAL => None,
        [only] if is_it(&only) => None,
        parties => {
            let known = parties.iter().find(is_it);
            Some(known.map_or_else(|| issuer.to_owned(), |party| party.name().to_owned()))
        }
    }
}
