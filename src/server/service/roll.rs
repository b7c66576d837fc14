//! Who is in the groups that directories feed, for people to see.
//! Owns how many are named. Refuses to be decided by: whose vote counts is asked of the person, not of this.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::directory::DEPTH;
use crate::domain::{DirectoryGroup, DirectoryUser};
use crate::policy::{Catalogue, Feed, FeedBy};
use crate::server::backend::Backend;
use crate::server::failure::Failure;
use crate::server::settings::DirectorySettings;
use crate::server::store::By;

/// People of one group that are named.
const MOST: usize = 100;

/// Somebody in a group: (issuer, subject), and how they are shown.
type Named = ((String, String), String);

/// People by group.
#[derive(Clone, Debug, Default)]
pub struct Roll(BTreeMap<String, Vec<Named>>);

impl Roll {
    /// Those of every group of `catalogue` that a directory feeds.
    ///
    /// # Errors
    /// What the store says.
    pub async fn read(backend: &Backend, catalogue: &Catalogue) -> Result<Self, Failure> {
        let mut roll = Self::default();
        for (group, feed) in catalogue.feeds() {
            let mut directories = backend.settings.directories.iter();
            let directory = directories.find(|directory| directory.name == feed.source);
            if let Some(directory) = directory
                && let Some(fed) = fed(backend, directory, feed).await?
            {
                roll.0.insert(group.to_owned(), below(backend, directory, fed).await?);
            }
        }
        Ok(roll)
    }

    /// Who is in `group`.
    pub fn of(&self, group: &str) -> &[Named] {
        self.0.get(group).map_or(&[], Vec::as_slice)
    }
}

/// The group that `feed` means, where it is the directory's own.
async fn fed(backend: &Backend, directory: &DirectorySettings, feed: &Feed) -> Result<Option<DirectoryGroup>, Failure> {
    let by = match &feed.of {
        FeedBy::Name(name) if directory.owns(name) => By::Name(name),
        FeedBy::ExternalId(id) if directory.owns(id) => By::ExternalId(id),
        FeedBy::Name(_) | FeedBy::ExternalId(_) => return Ok(None),
    };
    let group = backend.store.directory_group(&directory.name, by).await?;
    let is_it = |group: &DirectoryGroup| match &feed.of {
        FeedBy::Name(name) => group.name == *name,
        FeedBy::ExternalId(_) => true,
    };
    Ok(group.filter(is_it))
}

/// Everybody in `group`, through other groups too.
async fn below(backend: &Backend, directory: &DirectorySettings, group: DirectoryGroup) -> Result<Vec<Named>, Failure> {
    let (mut people, mut seen) = (BTreeSet::new(), BTreeSet::from([group.id.clone()]));
    let mut level = vec![group.id];
    for _ in 0..DEPTH {
        let mut next = Vec::new();
        for id in level {
            for member in backend.store.directory_members(&id).await? {
                if people.len() >= MOST {
                    return Ok(people.into_iter().collect());
                }
                if member.is_group {
                    if seen.insert(member.id.clone()) {
                        next.push(member.id);
                    }
                    continue;
                }
                let user = backend
                    .store
                    .directory_user(&directory.name, By::Id(&member.id))
                    .await?;
                people.extend(user.and_then(|user| named(directory, user)));
            }
        }
        level = next;
    }
    Ok(people.into_iter().collect())
}

fn named(directory: &DirectorySettings, user: DirectoryUser) -> Option<Named> {
    let subject = user.external_id.filter(|_| user.active)?;
    Some(((directory.issuer.clone(), subject), user.user_name))
}
