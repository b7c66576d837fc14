//! People, as a directory writes and reads them.
//! Owns what a write makes of somebody, and whom it ends here. Refuses two of one name or of one subject.

use axum::body::Bytes;
use serde_json::{Map, Value};

use super::error::{ScimError, ScimType};
use super::filter::means;
use super::list::{Asked, PAGE, Page};
use super::resource::{self, Resource, etag};
use super::turns::beside;
use super::{Kind, attributes, patch};
use crate::domain::directory::{self, Bound, losers};
use crate::domain::{DirectoryUser, MembersChange, Row, Timestamp};
use crate::server::backend::Backend;
use crate::server::scim::answer::Matching;
use crate::server::settings::DirectorySettings;
use crate::server::store::By;

/// What a write says of somebody.
struct Said {
    user_name: String,
    external_id: Option<String>,
    active: Option<bool>,
    details: Map<String, Value>,
}

impl Said {
    fn of(resource: &Resource) -> Result<Self, ScimError> {
        let user_name = resource::text(resource, "userName").filter(|name| !name.trim().is_empty());
        let missing = || ScimError::Wrong(ScimType::InvalidValue, "userName is missing".to_owned());
        Ok(Self {
            user_name: user_name.ok_or_else(missing)?,
            external_id: resource::text(resource, "externalId"),
            active: resource.get("active").and_then(Value::as_bool),
            details: resource::details(resource),
        })
    }

    fn is_of(&self, user: &DirectoryUser) -> bool {
        self.user_name == user.user_name
            && self.external_id == user.external_id
            && self.active.is_none_or(|active| active == user.active)
            && self.details == user.details
    }
}

/// Adds somebody.
///
/// # Errors
/// [`ScimError`].
pub async fn create(
    backend: &Backend,
    directory: &DirectorySettings,
    body: &Value,
) -> Result<DirectoryUser, ScimError> {
    let said = Said::of(&attributes::read_all(Kind::User, body)?)?;
    let id = backend.random.key();
    super::answer::settled!(async {
        let now = backend.now();
        unique(backend, directory, &said, None).await?;
        let is_back = has_left(backend, directory, said.external_id.as_deref()).await?;
        let user = DirectoryUser {
            source: directory.name.clone(),
            id: id.clone(),
            external_id: said.external_id.clone(),
            user_name: said.user_name.clone(),
            active: said.active.unwrap_or(true),
            details: said.details.clone(),
            created_at: now,
            changed_at: now,
            joined_at: now,
            returned_at: is_back.then_some(now),
            deleted_at: None,
            version: 1,
        };
        store(backend, directory, now, None, &user, Vec::new()).await?;
        Ok(user)
    })
}

/// Somebody.
///
/// # Errors
/// [`ScimError::NotFound`].
pub async fn look(backend: &Backend, directory: &DirectorySettings, id: &str) -> Result<DirectoryUser, ScimError> {
    let user = backend.store.directory_user(&directory.name, By::Id(id)).await?;
    user.ok_or(ScimError::NotFound)
}

/// What a write does.
#[derive(Clone, Copy)]
pub enum Write<'a> {
    /// What is sent stands in the place of all that was.
    Replace(&'a Value),
    /// Some of it changes, as a body that is read when it is its turn.
    Patch(&'a Bytes),
}

/// Changes somebody.
///
/// # Errors
/// [`ScimError`].
pub async fn change(
    backend: &Backend,
    directory: &DirectorySettings,
    id: &str,
    write: Write<'_>,
    matching: &Matching,
) -> Result<DirectoryUser, ScimError> {
    let _turn = backend.turns.take(&directory.name, Kind::User).await?;
    super::answer::settled!(async {
        let now = backend.now();
        let before = look(backend, directory, id).await?;
        matching.check(&etag(before.version))?;
        let resource = match write {
            Write::Replace(body) => attributes::read_all(Kind::User, body)?,
            Write::Patch(body) => {
                let resource = resource::of_user(&backend.settings.origin, &before);
                let body = body.clone();
                beside(move || patch::applied(Kind::User, resource, &body)).await??
            }
        };
        let said = Said::of(&resource)?;
        if said.is_of(&before) {
            return Ok(before);
        }
        unique(backend, directory, &said, Some(id)).await?;
        let is_other = said.external_id != before.external_id;
        // what is left out says nothing: nobody comes back by that
        let active = said.active.unwrap_or(before.active);
        let is_back = is_other && has_left(backend, directory, said.external_id.as_deref()).await?;
        let user = DirectoryUser {
            user_name: said.user_name,
            external_id: said.external_id,
            active,
            details: said.details,
            changed_at: now,
            joined_at: if is_other { now } else { before.joined_at },
            returned_at: if is_back || (active && !before.active) {
                Some(now)
            } else {
                before.returned_at
            },
            version: before.version + 1,
            ..before.clone()
        };
        let left = before.left_behind(&user, backend.random.key());
        let others = left.map(|user| Row::DirectoryUser(Box::new(user)));
        store(
            backend,
            directory,
            now,
            Some(&before),
            &user,
            others.into_iter().collect(),
        )
        .await?;
        Ok(user)
    })
}

/// Takes somebody out, of every group too.
///
/// # Errors
/// [`ScimError`].
pub async fn delete(
    backend: &Backend,
    directory: &DirectorySettings,
    id: &str,
    matching: &Matching,
) -> Result<(), ScimError> {
    super::answer::settled!(async {
        let now = backend.now();
        let before = look(backend, directory, id).await?;
        matching.check(&etag(before.version))?;
        let user = DirectoryUser {
            deleted_at: Some(now),
            changed_at: now,
            version: before.version + 1,
            ..before.clone()
        };
        let others = out_of_groups(backend, now, id).await?;
        store(backend, directory, now, Some(&before), &user, others).await
    })
}

/// Whether somebody of this subject was here and has left: they are back then, and old sessions stay over.
async fn has_left(backend: &Backend, directory: &DirectorySettings, subject: Option<&str>) -> Result<bool, ScimError> {
    let Some(subject) = subject else { return Ok(false) };
    let earlier = backend.store.directory_user_known(&directory.name, subject).await?;
    Ok(earlier.is_some())
}

/// The rows by which `id` is in no group any more.
///
/// # Errors
/// What the store says.
pub async fn out_of_groups(backend: &Backend, now: Timestamp, id: &str) -> Result<Vec<Row>, ScimError> {
    let mut rows = Vec::new();
    for (mut group, _) in backend.store.directory_groups_of(id).await? {
        let left = MembersChange {
            group: group.id.clone(),
            added: Vec::new(),
            removed: vec![id.to_owned()],
        };
        group.changed_at = now;
        group.version += 1;
        rows.push(Row::DirectoryGroup(Box::new(group)));
        rows.push(Row::DirectoryMembers(Box::new(left)));
    }
    Ok(rows)
}

async fn unique(
    backend: &Backend,
    directory: &DirectorySettings,
    said: &Said,
    id: Option<&str>,
) -> Result<(), ScimError> {
    let name = By::Name(&said.user_name);
    let subject = said.external_id.as_deref().map(By::ExternalId);
    for (what, by) in [("userName", Some(name)), ("externalId", subject)] {
        let Some(by) = by else { continue };
        let other = backend.store.directory_user(&directory.name, by).await?;
        if other.is_some_and(|other| Some(other.id.as_str()) != id) {
            let what = format!("somebody else has this {what}");
            return Err(ScimError::Wrong(ScimType::Uniqueness, what));
        }
    }
    Ok(())
}

/// Commits `next`; whoever loses by it what they have here loses it in the same commit.
async fn store(
    backend: &Backend,
    directory: &DirectorySettings,
    now: Timestamp,
    before: Option<&DirectoryUser>,
    next: &DirectoryUser,
    others: Vec<Row>,
) -> Result<(), ScimError> {
    let mut bound = Vec::new();
    for subject in losers(before, next) {
        let known = backend.store.person_by_subject(&directory.issuer, subject).await?;
        // a directory speaks of people alone
        if let Some(person) = known.filter(|person| person.workload.is_none()) {
            let sessions = backend.store.live_sessions(Some(&person.id), now, u32::MAX).await?;
            bound.push(Bound {
                person: person.id,
                sessions,
            });
        }
    }
    let change = directory::user_changed(now, before, next.clone(), &bound, others);
    backend.commit(&change).await?;
    Ok(())
}

/// A page of people.
///
/// # Errors
/// `invalidFilter`; what the store says.
pub async fn list(backend: &Backend, directory: &DirectorySettings, asked: &Asked) -> Result<Value, ScimError> {
    let mut page = Page::new(asked);
    let mut take = |user: &DirectoryUser| -> Result<(), ScimError> {
        let resource = resource::of_user(&backend.settings.origin, user);
        let is_meant = match &asked.filter {
            Some(filter) => means(filter, Kind::User, &resource)?,
            None => true,
        };
        if is_meant && page.count() {
            page.add(asked.selection.of(resource));
        }
        Ok(())
    };
    if let Some(by) = asked.unique(Kind::User) {
        if let Some(user) = backend.store.directory_user(&directory.name, by).await? {
            take(&user)?;
        }
        return Ok(page.answer());
    }
    let mut after = None::<String>;
    loop {
        let users = backend
            .store
            .directory_users(&directory.name, after.as_deref(), PAGE)
            .await?;
        let Some(last) = users.last() else {
            return Ok(page.answer());
        };
        after = Some(last.id.clone());
        for user in &users {
            take(user)?;
        }
    }
}
