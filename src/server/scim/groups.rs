//! Groups, as a directory writes and reads them.
//! Owns which groups a directory may write: its own alone. Refuses a group in itself, and members that are not there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::answer::Matching;
use super::error::{ScimError, ScimType};
use super::filter::means;
use super::list::{Asked, PAGE, Page};
use super::resource::{self, Resource, etag};
use super::turns::beside;
use super::users::{Write, out_of_groups};
use super::{Kind, attributes, patch};
use crate::domain::directory::{group_changed, members_changed};
use crate::domain::{DirectoryGroup, DirectoryMember, MembersChange};
use crate::server::backend::Backend;
use crate::server::failure::repeated;
use crate::server::settings::DirectorySettings;
use crate::server::store::By;

/// Groups that are looked at to see whether one is in itself.
const MOST_ABOVE: usize = 10_000;

/// A group with its members.
pub struct Whole {
    /// The group.
    pub group: DirectoryGroup,
    /// Who is directly in it.
    pub members: Vec<DirectoryMember>,
}

impl Whole {
    /// As a directory sees it.
    pub fn resource(&self, backend: &Backend) -> Resource {
        resource::of_group(&backend.settings.origin, &self.group, &self.members)
    }
}

/// What a write says of a group.
struct Said {
    name: String,
    external_id: Option<String>,
    members: Vec<String>,
}

impl Said {
    fn of(resource: &Resource) -> Result<Self, ScimError> {
        let wrong = |what: &str| ScimError::Wrong(ScimType::InvalidValue, what.to_owned());
        let name = resource::text(resource, "displayName").filter(|name| !name.trim().is_empty());
        let members = resource.get("members").and_then(Value::as_array);
        let id = |member: &Value| {
            let id = member.get("value").and_then(Value::as_str);
            id.map(str::to_owned).ok_or_else(|| wrong("a member has no value"))
        };
        Ok(Self {
            name: name.ok_or_else(|| wrong("displayName is missing"))?,
            external_id: resource::text(resource, "externalId"),
            members: members.into_iter().flatten().map(id).collect::<Result<_, _>>()?,
        })
    }

    /// Whether the directory may write a group that is called so.
    fn is_own(&self, directory: &DirectorySettings) -> Result<(), ScimError> {
        let has_own_id = self.external_id.as_ref().is_some_and(|id| directory.owns(id));
        match has_own_id || directory.owns(&self.name) {
            true => Ok(()),
            false => Err(not_own(&self.name)),
        }
    }
}

fn not_own(name: &str) -> ScimError {
    ScimError::Forbidden(format!("this token may not write group {}", repeated(name)))
}

/// Adds a group.
///
/// # Errors
/// [`ScimError`].
pub async fn create(backend: &Backend, directory: &DirectorySettings, body: &Value) -> Result<Whole, ScimError> {
    let said = Said::of(&attributes::read_all(Kind::Group, body)?)?;
    said.is_own(directory)?;
    let id = backend.random.key();
    super::answer::settled!(async {
        let now = backend.now();
        unique(backend, directory, &said, None).await?;
        let wanted = wanted(backend, directory, &id, &said.members, &[]).await?;
        let members = members_changed(now, &id, &[], &wanted);
        let group = DirectoryGroup {
            source: directory.name.clone(),
            id: id.clone(),
            external_id: said.external_id.clone(),
            name: said.name.clone(),
            created_at: now,
            changed_at: now,
            named_at: now,
            deleted_at: None,
            version: 1,
        };
        let change = group_changed(now, true, group.clone(), members.clone(), Vec::new());
        backend.commit(&change).await?;
        Ok(Whole {
            group,
            members: members.added,
        })
    })
}

/// A group, with its members where they are asked for.
///
/// # Errors
/// [`ScimError::NotFound`].
pub async fn look(
    backend: &Backend,
    directory: &DirectorySettings,
    id: &str,
    has_members: bool,
) -> Result<Whole, ScimError> {
    let group = backend.store.directory_group(&directory.name, By::Id(id)).await?;
    let group = group.ok_or(ScimError::NotFound)?;
    let members = match has_members {
        true => backend.store.directory_members(id).await?,
        false => Vec::new(),
    };
    Ok(Whole { group, members })
}

/// Changes a group.
///
/// # Errors
/// [`ScimError`].
pub async fn change(
    backend: &Backend,
    directory: &DirectorySettings,
    id: &str,
    write: Write<'_>,
    matching: &Matching,
) -> Result<Whole, ScimError> {
    let _turn = backend.turns.take(&directory.name, Kind::Group).await?;
    super::answer::settled!(async {
        let now = backend.now();
        let before = look(backend, directory, id, true).await?;
        held(directory, &before.group)?;
        matching.check(&etag(before.group.version))?;
        let (before, said) = match write {
            Write::Replace(body) => {
                let said = attributes::read_all(Kind::Group, body).and_then(|resource| Said::of(&resource));
                (before, said)
            }
            Write::Patch(body) => {
                let (origin, body) = (backend.settings.origin.clone(), body.clone());
                // a group may be large
                beside(move || {
                    let resource = resource::of_group(&origin, &before.group, &before.members);
                    let patched = patch::applied(Kind::Group, resource, &body);
                    (before, patched.and_then(|resource| Said::of(&resource)))
                })
                .await?
            }
        };
        let said = said?;
        said.is_own(directory)?;
        let wanted = wanted(backend, directory, id, &said.members, &before.members).await?;
        let members = members_changed(now, id, &before.members, &wanted);
        let is_renamed = said.name != before.group.name || said.external_id != before.group.external_id;
        if !is_renamed && members.added.is_empty() && members.removed.is_empty() {
            return Ok(before);
        }
        unique(backend, directory, &said, Some(id)).await?;
        let group = DirectoryGroup {
            name: said.name,
            external_id: said.external_id,
            changed_at: now,
            named_at: if is_renamed { now } else { before.group.named_at },
            version: before.group.version + 1,
            ..before.group
        };
        let change = group_changed(now, false, group.clone(), members, Vec::new());
        backend.commit(&change).await?;
        let members = backend.store.directory_members(id).await?;
        Ok(Whole { group, members })
    })
}

/// Takes a group away, out of every other group too.
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
        let before = look(backend, directory, id, true).await?;
        held(directory, &before.group)?;
        matching.check(&etag(before.group.version))?;
        let members = MembersChange {
            group: id.to_owned(),
            added: Vec::new(),
            removed: before.members.into_iter().map(|member| member.id).collect(),
        };
        let group = DirectoryGroup {
            deleted_at: Some(now),
            changed_at: now,
            version: before.group.version + 1,
            ..before.group
        };
        let others = out_of_groups(backend, now, id).await?;
        backend
            .commit(&group_changed(now, false, group, members, others))
            .await?;
        Ok(())
    })
}

/// Whether what is stored is the directory's own still: its list may have become shorter.
fn held(directory: &DirectorySettings, group: &DirectoryGroup) -> Result<(), ScimError> {
    let has_own_id = group.external_id.as_ref().is_some_and(|id| directory.owns(id));
    match has_own_id || directory.owns(&group.name) {
        true => Ok(()),
        false => Err(not_own(&group.name)),
    }
}

/// Who is meant to be in the group `id`, and which of them are groups.
async fn wanted(
    backend: &Backend,
    directory: &DirectorySettings,
    id: &str,
    members: &[String],
    present: &[DirectoryMember],
) -> Result<BTreeMap<String, bool>, ScimError> {
    let known: BTreeMap<&str, bool> = present.iter().map(|one| (one.id.as_str(), one.is_group)).collect();
    let wrong = |what: &str, member: &str| ScimError::wrong(ScimType::InvalidValue, what, member);
    let mut wanted = BTreeMap::new();
    let mut above = None::<BTreeSet<String>>;
    for member in members {
        if let Some(is_group) = known.get(member.as_str()) {
            wanted.insert(member.clone(), *is_group);
            continue;
        }
        let (source, by) = (&directory.name, By::Id(member));
        let is_person = backend.store.directory_user(source, by).await?.is_some();
        if !is_person {
            if backend.store.directory_group(source, by).await?.is_none() {
                return Err(wrong("nobody and no group has this id", member));
            }
            if above.is_none() {
                above = Some(itself_and_above(backend, id).await?);
            }
            if above.as_ref().is_some_and(|above| above.contains(member)) {
                return Err(wrong("a group would be in itself", member));
            }
        }
        wanted.insert(member.clone(), !is_person);
    }
    Ok(wanted)
}

async fn itself_and_above(backend: &Backend, id: &str) -> Result<BTreeSet<String>, ScimError> {
    let mut found = BTreeSet::from([id.to_owned()]);
    let mut below = vec![id.to_owned()];
    while let Some(one) = below.pop() {
        for (group, _) in backend.store.directory_groups_of(&one).await? {
            if found.len() < MOST_ABOVE && found.insert(group.id.clone()) {
                below.push(group.id);
            }
        }
    }
    Ok(found)
}

async fn unique(
    backend: &Backend,
    directory: &DirectorySettings,
    said: &Said,
    id: Option<&str>,
) -> Result<(), ScimError> {
    let own = said.external_id.as_deref().map(By::ExternalId);
    for (what, by) in [("displayName", Some(By::Name(&said.name))), ("externalId", own)] {
        let Some(by) = by else { continue };
        let other = backend.store.directory_group(&directory.name, by).await?;
        if other.is_some_and(|other| Some(other.id.as_str()) != id) {
            let what = format!("another group has this {what}");
            return Err(ScimError::Wrong(ScimType::Uniqueness, what));
        }
    }
    Ok(())
}

/// A page of groups.
///
/// # Errors
/// `invalidFilter`; what the store says.
pub async fn list(backend: &Backend, directory: &DirectorySettings, asked: &Asked) -> Result<Value, ScimError> {
    let mut page = Page::new(asked);
    if let Some(by) = asked.unique(Kind::Group) {
        if let Some(group) = backend.store.directory_group(&directory.name, by).await? {
            take(backend, asked, &mut page, group).await?;
        }
        return Ok(page.answer());
    }
    let mut after = None::<String>;
    loop {
        let groups = backend
            .store
            .directory_groups(&directory.name, after.as_deref(), PAGE)
            .await?;
        let Some(last) = groups.last() else {
            return Ok(page.answer());
        };
        after = Some(last.id.clone());
        for group in groups {
            take(backend, asked, &mut page, group).await?;
        }
    }
}

/// Members are read where the filter speaks of them, or the answer has them.
async fn take(backend: &Backend, asked: &Asked, page: &mut Page<'_>, group: DirectoryGroup) -> Result<(), ScimError> {
    let mut whole = Whole {
        group,
        members: Vec::new(),
    };
    if asked.looks_at_members() {
        whole.members = backend.store.directory_members(&whole.group.id).await?;
    }
    let is_meant = match &asked.filter {
        Some(filter) => means(filter, Kind::Group, &whole.resource(backend))?,
        None => true,
    };
    if is_meant && page.count() {
        if asked.selection.has("members") {
            whole.members = backend.store.directory_members(&whole.group.id).await?;
        }
        page.add(asked.selection.of(whole.resource(backend)));
    }
    Ok(())
}
