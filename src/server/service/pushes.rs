//! Whether directories push still: when their tokens end, when they called last, and which of the store the file forgot.
//! Owns what who runs the backend is told of it, once each. Refuses to change what counts: what a directory said stays said.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::Timestamp;
use crate::server::backend::Backend;
use crate::server::settings::DirectorySettings;
use crate::server::store::StoreError;
use crate::server::wake::stopped;
use crate::wire::DirectoryReadiness;

/// How often they are looked at.
const LOOK: Duration = Duration::from_hours(1);
/// A directory whose last token ends within this is told of: another one is put in by hand, at both ends.
const SOON_MS: i64 = 14 * 86_400_000;

/// What was seen of directories since the start.
#[derive(Debug, Default)]
pub struct Pushes {
    calls: Mutex<BTreeMap<String, Timestamp>>,
    /// What was wrong at the last look, by directory.
    troubles: Mutex<BTreeMap<String, String>>,
}

impl Pushes {
    /// Notes that `directory` called.
    pub fn called(&self, directory: &str, now: Timestamp) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.insert(directory.to_owned(), now);
    }

    /// Puts what is wrong in the place of what was; gives what nobody was told of.
    fn note(&self, found: BTreeMap<String, String>) -> Vec<String> {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        let new = found
            .iter()
            .filter(|(name, trouble)| troubles.get(*name) != Some(trouble));
        let new = new.map(|(_, trouble)| trouble.clone()).collect();
        *troubles = found;
        new
    }
}

/// What is wrong with the tokens of `directory`.
fn of_tokens(directory: &DirectorySettings, now: Timestamp) -> Option<String> {
    let (name, ends) = (&directory.name, ends(directory)?);
    match ends.millis() - now.millis() {
        ..=0 => Some(format!(
            "directory {name}: its last token ended at {ends}; who leaves stays signed in"
        )),
        1..=SOON_MS => Some(format!(
            "directory {name}: its last token ends at {ends}; name the next one"
        )),
        _ => None,
    }
}

/// When its last token ends.
fn ends(directory: &DirectorySettings) -> Option<Timestamp> {
    directory.tokens.iter().map(|(_, until)| *until).max()
}

async fn troubles(backend: &Backend) -> Result<BTreeMap<String, String>, StoreError> {
    let (now, directories) = (backend.now(), &backend.settings.directories);
    let of_tokens = |one: &DirectorySettings| Some((one.name.clone(), of_tokens(one, now)?));
    let mut found: BTreeMap<_, _> = directories.iter().filter_map(of_tokens).collect();
    for name in backend.store.directory_sources().await? {
        if !directories.iter().any(|one| one.name == name) {
            let what = format!("directory {name} is not in the file any more; who had left may sign in again");
            found.insert(name, what);
        }
    }
    Ok(found)
}

/// Looks at all directories, and tells what nobody was told of so far: that is given too.
pub async fn look(backend: &Backend) -> Vec<String> {
    match troubles(backend).await {
        Ok(found) => {
            let new = backend.pushes.note(found);
            for trouble in &new {
                tracing::error!(trouble, "a directory needs somebody");
            }
            new
        }
        Err(error) => {
            tracing::warn!(%error, "directories cannot be looked at; it is tried again");
            Vec::new()
        }
    }
}

/// Looks each hour, until `stop` turns true.
pub async fn watch(backend: Arc<Backend>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stopped(&mut stop) => return,
        }
        look(&backend).await;
    }
}

/// How each stands: those of the file, and those that were found to be missing there.
pub fn readiness(backend: &Backend) -> Vec<DirectoryReadiness> {
    let (now, directories) = (backend.now(), &backend.settings.directories);
    let calls = backend.pushes.calls.lock().unwrap_or_else(PoisonError::into_inner);
    let troubles = backend.pushes.troubles.lock().unwrap_or_else(PoisonError::into_inner);
    let named = directories.iter().map(|one| DirectoryReadiness {
        name: one.name.clone(),
        token_ends: ends(one),
        called_at: calls.get(&one.name).copied(),
        trouble: of_tokens(one, now),
    });
    let missing = troubles
        .iter()
        .filter(|(name, _)| !directories.iter().any(|one| one.name == **name));
    let missing = missing.map(|(name, trouble)| DirectoryReadiness {
        name: name.clone(),
        token_ends: None,
        called_at: None,
        trouble: Some(trouble.clone()),
    });
    named.chain(missing).collect()
}
