//! What directories know of people: whether somebody is still there, their groups and since when, and which identities
//! are one human.
//! Owns whom a directory may speak of: the people of its issuer, and the groups that are its own. Refuses mail and names.

use crate::domain::directory::{Ascent, DEPTH};
use crate::domain::{HeldGroup, Known, Person, PersonId, Request, Timestamp};
use crate::policy::{Bundle, Groups};
use crate::server::backend::{Backend, Caller};
use crate::server::failure::Failure;
use crate::server::settings::{DirectorySettings, RISKY};

/// What the directory of `person`'s issuer knows of them. Whom it does not know is there, and in none of its groups; so is
/// every workload.
///
/// # Errors
/// What the store says.
pub async fn known(backend: &Backend, person: &Person) -> Result<Known, Failure> {
    // a workload's issuer may be people's too: what a directory says there is said of people
    if person.workload.is_some() {
        return Ok(Known::default());
    }
    let mut directories = backend.settings.directories.iter();
    let Some(directory) = directories.find(|directory| directory.issuer == person.issuer) else {
        return Ok(Known::default());
    };
    let user = backend
        .store
        .directory_user_known(&directory.name, &person.subject)
        .await?;
    let Some(user) = user else {
        return Ok(Known::default());
    };
    let held = match user.is_there() {
        true => held(backend, directory, &user.id, user.counts_since()).await?,
        false => Vec::new(),
    };
    Ok(Known {
        active: user.is_there(),
        returned_at: user.returned_at,
        held,
    })
}

/// The groups above `member`, which has counted since `since`.
async fn held(
    backend: &Backend,
    directory: &DirectorySettings,
    member: &str,
    since: Timestamp,
) -> Result<Vec<HeldGroup>, Failure> {
    let mut ascent = Ascent::default();
    let mut below = vec![(member.to_owned(), since)];
    for _ in 0..DEPTH {
        let mut next = Vec::new();
        for (id, since) in below {
            let mut above = backend.store.directory_groups_of(&id).await?;
            above.retain(|(group, _)| group.source == directory.name);
            next.extend(ascent.step(since, &above));
        }
        below = next;
    }
    // what is not the directory's own says nothing, whoever wrote it when
    let own = ascent.groups().map(|(group, since)| HeldGroup {
        source: group.source,
        external_id: group.external_id.filter(|id| directory.owns(id)),
        name: Some(group.name).filter(|name| directory.owns(name)),
        since,
    });
    Ok(own
        .filter(|held| held.external_id.is_some() || held.name.is_some())
        .collect())
}

/// The groups of `person`, and whether they are there.
///
/// # Errors
/// What the store says.
pub async fn groups(backend: &Backend, bundle: &Bundle, person: &Person) -> Result<(Groups, bool), Failure> {
    let known = known(backend, person).await?;
    Ok((bundle.catalogue().groups_of_person(person, &known), known.active))
}

/// Whoever else here is the same human as `person`.
///
/// # Errors
/// What the store says.
pub async fn same_human(backend: &Backend, bundle: &Bundle, person: &Person) -> Result<Vec<PersonId>, Failure> {
    let mut same = Vec::new();
    for (issuer, subject) in bundle.catalogue().same_human(&person.issuer, &person.subject) {
        let other = backend.store.person_by_subject(&issuer, &subject).await?;
        same.extend(other.filter(|other| other.workload.is_none()).map(|other| other.id));
    }
    Ok(same)
}

/// Everybody for whom the caller's device is enrolled, and whoever else each of them is. Where one machine plays all parts,
/// nobody.
///
/// # Errors
/// What the store says.
pub async fn people_of_device(backend: &Backend, caller: &Caller) -> Result<Vec<PersonId>, Failure> {
    if backend.settings.shared_devices_decide {
        return Ok(Vec::new());
    }
    let bundle = backend.bundle();
    let mut people = backend.store.people_of_device(&caller.session.device).await?;
    for id in people.clone() {
        if let Some(person) = backend.store.person(&id).await? {
            people.extend(same_human(backend, &bundle, &person).await?);
        }
    }
    Ok(people)
}

/// Before when a membership must have begun for a vote on `request` to count.
pub fn votes_before(backend: &Backend, request: &Request) -> Timestamp {
    let age_s = match request.frozen.risk >= RISKY {
        true => backend.settings.membership_age_s,
        false => 0,
    };
    Timestamp::from_millis(request.filed_at.millis() - i64::from(age_s) * 1000)
}
