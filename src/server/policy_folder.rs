//! The folder of the policy bundle: reading it, putting it in force, watching it.
//! Refuses to put in force what does not validate, and what others could have written: the old bundle stays, and
//! `/readyz` and the log say why.

mod files;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;

pub use self::files::read;
use crate::domain::person::LOCAL;
use crate::domain::{Actor, Change};
use crate::policy::Bundle;
use crate::server::StartError;
use crate::server::backend::{Backend, InForce};
use crate::server::failure::{Failure, repeated};
use crate::server::store::{Store, StoreError};
use crate::server::wake::stopped;

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// A folder that changes is looked at again after this.
const SETTLE: Duration = Duration::from_millis(100);
type Files = Vec<(String, Vec<u8>)>;

/// The bundle in `dir`, read as [`read`] does.
///
/// # Errors
/// What [`read`] says, and [`StartError::Policy`].
pub fn load(dir: &Path, is_guarded: bool) -> Result<Bundle, StartError> {
    let files = read(dir, is_guarded)?;
    Bundle::load(&files).map_err(|findings| StartError::Policy {
        path: dir.to_owned(),
        findings,
    })
}

/// Keeps `bundle` with the evidence, and writes that it comes into force; `before` is the hash that it replaces.
/// Done before it decides anything: whatever names a bundle can find it.
///
/// # Errors
/// What the store says.
pub async fn record(backend: &Backend, bundle: &Bundle, before: Option<&str>) -> Result<(), Failure> {
    let files: Vec<(&str, String)> = bundle
        .files()
        .iter()
        .map(|(path, bytes)| (path.as_str(), String::from_utf8_lossy(bytes).into_owned()))
        .collect();
    let hash = bundle.hash().as_str();
    backend
        .store
        .keep_bundle(hash, &json!(files).to_string(), backend.now())
        .await?;
    for (group, feed) in bundle.catalogue().feeds() {
        let mut directories = backend.settings.directories.iter();
        if !directories.any(|directory| directory.name == feed.source) {
            let source = feed.source.as_str();
            tracing::warn!(group, source, "no [[directory]] of that name: nobody is in this group");
        }
    }
    for issuer in strangers(backend, bundle) {
        tracing::warn!(
            issuer = repeated(issuer),
            "groups or humans are of an issuer at which nobody signs in"
        );
    }
    let details = json!({ "before": before });
    let event = Change::new(
        backend.now(),
        "policy.loaded",
        Actor::Backend,
        None,
        Vec::new(),
        details,
    );
    backend.commit(&event.decided_by(hash)).await
}

/// Issuers of members of groups and of humans at which nobody signs in: a slash too many, or none that the file sets up.
fn strangers<'a>(backend: &Backend, bundle: &'a Bundle) -> Vec<&'a str> {
    let issuers = bundle.catalogue().issuers().into_iter();
    let is_known = |issuer: &&str| *issuer == LOCAL || backend.sign_ins.party_at(issuer).is_some();
    issuers.filter(|issuer| !is_known(issuer)).collect()
}

/// What was seen of the folder. Whoever saves a file may be in the middle of it, and half a policy can be one that
/// allows more than the whole: only what two looks saw alike is put in force.
#[derive(Debug, Default)]
struct Looks {
    done: Files,
    last: Option<Files>,
}

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// What was seen to already.
    Known,
    /// Something else than the look before.
    Changing,
    /// The same as the look before: to be seen to.
    Settled,
}

impl Looks {
    fn see(&mut self, files: &Files) -> Look {
        if *files == self.done {
            self.last = None;
            Look::Known
        } else if self.last.as_ref() == Some(files) {
            self.done.clone_from(files);
            self.last = None;
            Look::Settled
        } else {
            self.last = Some(files.clone());
            Look::Changing
        }
    }
}

/// Looks at the folder until `stop` turns true; a valid bundle that differs is put in force at once.
pub async fn watch(backend: Arc<Backend>, mut stop: watch::Receiver<bool>) {
    let mut looks = tokio::time::interval(LOOK);
    // nothing seen: what was edited since the start is found with the first look, and after every error
    let mut seen = Looks::default();
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            () = stopped(&mut stop) => return,
        }
        let (dir, is_guarded) = (backend.settings.policy_dir.clone(), backend.settings.policy_is_guarded);
        let Ok(read) = tokio::task::spawn_blocking(move || read(&dir, is_guarded)).await else {
            continue;
        };
        match read {
            Ok(files) => match seen.see(&files) {
                Look::Known => {}
                Look::Changing => looks.reset_after(SETTLE),
                Look::Settled => reload(&backend, &files).await,
            },
            Err(error) => {
                refuse(&backend, error.in_full());
                seen = Looks::default();
            }
        }
    }
}

async fn reload(backend: &Backend, files: &Files) {
    let old = backend.bundle();
    match Bundle::load(files) {
        Ok(same) if same.hash() == old.hash() => backend.set_policy(InForce {
            bundle: old,
            error: None,
        }),
        Ok(bundle) => {
            let before = old.hash().as_str().to_owned();
            if let Err(failure) = record(backend, &bundle, Some(&before)).await {
                let cause = failure.cause.unwrap_or(failure.problem.title);
                return refuse(backend, format!("it could not be recorded: {cause}"));
            }
            tracing::info!(before, after = bundle.hash().as_str(), "policy was loaded");
            backend.set_policy(InForce {
                bundle: Arc::new(bundle),
                error: None,
            });
        }
        Err(findings) => {
            let words: Vec<String> = findings.iter().map(ToString::to_string).collect();
            refuse(backend, words.join("\n"));
        }
    }
}

/// The bundle that was in force last, if it was ever kept: with it a backend whose folder was broken meanwhile still
/// starts, and ends what has to end.
///
/// # Errors
/// What the store says.
pub async fn last_in_force(store: &dyn Store) -> Result<Option<Bundle>, StoreError> {
    let Some(kept) = store.bundle_in_force().await? else {
        return Ok(None);
    };
    let unreadable = || StoreError::Unreadable("a kept policy bundle".to_owned());
    let files: Vec<(String, String)> = serde_json::from_str(&kept).map_err(|_| unreadable())?;
    let files: Files = files
        .into_iter()
        .map(|(path, text)| (path, text.into_bytes()))
        .collect();
    Bundle::load(&files).map(Some).map_err(|_| unreadable())
}

/// Keeps the old bundle and says why.
fn refuse(backend: &Backend, error: String) {
    let in_force = backend.policy();
    if in_force.error.as_ref() != Some(&error) {
        tracing::error!(
            error,
            "the policy in the folder is not valid; the old one stays in force"
        );
        backend.set_policy(InForce {
            error: Some(error),
            ..in_force
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_file_is_not_put_in_force() {
        let of = |text: &str| vec![("a.cedar".to_owned(), text.as_bytes().to_vec())];
        let mut looks = Looks::default();
        let mut see = |text: &str| looks.see(&of(text));
        assert_eq!(
            [see("permit; forbid;"), see("permit; forbid;")],
            [Look::Changing, Look::Settled]
        );
        assert_eq!(see("permit; forbid;"), Look::Known);
        // an editor empties the file, writes it, and is seen in between
        assert_eq!(
            [see(""), see("permit;"), see("permit; forbid;")],
            [Look::Changing, Look::Changing, Look::Known]
        );
        assert_eq!(
            [see("permit;"), see("permit;"), see("permit;")],
            [Look::Changing, Look::Settled, Look::Known]
        );
    }
}
