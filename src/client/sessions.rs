//! Who is signed in where: a list without secrets, the last that signed in at its end.
//! Refuses to lose an entry: every change reads, changes and writes under the state lock.

use serde::{Deserialize, Serialize};

use super::state::{StateFolder, StateLock, damaged};
use crate::domain::person::KeyStorage;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};

const FILE: &str = "sessions.json";
const SCHEMA: &str = "jit/sessions/1";

/// A session on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEntry {
    /// The backend's origin.
    pub server: String,
    /// The local name of who signed in.
    pub identity: String,
    /// The person's id.
    pub person: String,
    /// The session's id.
    pub session: String,
    /// It works before this instant, by the backend's clock.
    pub ends_at: Timestamp,
    /// Where token and device key are kept.
    pub storage: KeyStorage,
    /// The backend's clock less ours, in milliseconds.
    pub clock_offset_ms: i64,
    /// Whether the backend itself vouches for them: this device may sign them in by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub local: bool,
}

#[derive(Serialize, Deserialize)]
struct Listed {
    schema: String,
    sessions: Vec<SessionEntry>,
}

/// All sessions of one state folder.
#[derive(Clone, Debug)]
pub(super) struct Sessions(StateFolder);

impl Sessions {
    pub(super) fn new(folder: StateFolder) -> Self {
        Self(folder)
    }

    /// All, the last that signed in at the end.
    pub(super) fn list(&self) -> Result<Vec<SessionEntry>> {
        let Some(bytes) = self.0.read(FILE)? else {
            return Ok(Vec::new());
        };
        let path = self.0.path().join(FILE);
        let listed: Listed = serde_json::from_slice(&bytes).map_err(|_| damaged(&path))?;
        if listed.schema != SCHEMA {
            let what = format!("{} is of another version of jit: {}", path.display(), listed.schema);
            return Err(Error::configuration(what).hint("install a newer jit, or sign in again after removing it"));
        }
        Ok(listed.sessions)
    }

    pub(super) fn find(&self, server: &str, identity: &str) -> Result<Option<SessionEntry>> {
        let is_meant = |s: &SessionEntry| s.server == server && s.identity == identity;
        Ok(self.list()?.into_iter().find(is_meant))
    }

    /// Puts `entry` at the end, in the place of an older one of the same person.
    pub(super) fn put(&self, entry: SessionEntry, held: &StateLock) -> Result<()> {
        let mut sessions = self.list()?;
        sessions.retain(|s| s.server != entry.server || s.identity != entry.identity);
        sessions.push(entry);
        self.write(sessions, held)
    }

    pub(super) fn remove(&self, server: &str, identity: &str, held: &StateLock) -> Result<()> {
        let mut sessions = self.list()?;
        sessions.retain(|s| s.server != server || s.identity != identity);
        self.write(sessions, held)
    }

    /// Notes the backend's clock; nothing is lost where the lock is busy.
    pub(super) fn note_clock(&self, server: &str, identity: &str, offset_ms: i64) -> Result<()> {
        let Some(held) = self.0.try_lock()? else {
            return Ok(());
        };
        let mut sessions = self.list()?;
        for entry in &mut sessions {
            if entry.server == server && entry.identity == identity {
                entry.clock_offset_ms = offset_ms;
            }
        }
        self.write(sessions, &held)
    }

    fn write(&self, sessions: Vec<SessionEntry>, held: &StateLock) -> Result<()> {
        let listed = Listed {
            schema: SCHEMA.to_owned(),
            sessions,
        };
        let bytes = serde_json::to_vec_pretty(&listed).map_err(|error| Error::unexpected(error.to_string()))?;
        self.0.write(FILE, &bytes, held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(identity: &str) -> SessionEntry {
        SessionEntry {
            server: "https://h".into(),
            identity: identity.into(),
            person: "usr_000000000000".into(),
            session: "ses_000000000000".into(),
            ends_at: Timestamp::from_millis(0),
            storage: KeyStorage::File,
            clock_offset_ms: 0,
            local: false,
        }
    }

    #[test]
    fn twenty_at_once_lose_no_session() {
        let temp = tempfile::tempdir().unwrap();
        let folder = StateFolder::at(temp.path().join("state"));
        std::thread::scope(|scope| {
            for i in 0..20 {
                let folder = folder.clone();
                scope.spawn(move || {
                    let held = folder.lock().unwrap();
                    Sessions::new(folder.clone())
                        .put(entry(&format!("p{i}")), &held)
                        .unwrap();
                });
            }
        });
        assert_eq!(Sessions::new(folder).list().unwrap().len(), 20);
    }

    #[test]
    fn last_to_sign_in_stands_at_the_end() {
        let temp = tempfile::tempdir().unwrap();
        let folder = StateFolder::at(temp.path().join("state"));
        let sessions = Sessions::new(folder.clone());
        let held = folder.lock().unwrap();
        for name in ["a", "b", "a"] {
            sessions.put(entry(name), &held).unwrap();
        }
        let names: Vec<_> = sessions.list().unwrap().into_iter().map(|s| s.identity).collect();
        assert_eq!(names, ["b", "a"]);
        sessions.remove("https://h", "b", &held).unwrap();
        assert_eq!(sessions.find("https://h", "b").unwrap(), None);
    }

    #[test]
    fn damaged_list_is_refused_with_the_mend() {
        let temp = tempfile::tempdir().unwrap();
        let folder = StateFolder::at(temp.path().join("state"));
        folder.write(FILE, b"{", &folder.lock().unwrap()).unwrap();
        let error = Sessions::new(folder).list().unwrap_err();
        assert_eq!(error.exit.code(), 3);
        assert!(error.hint.unwrap().starts_with("try: rm "));
    }
}
