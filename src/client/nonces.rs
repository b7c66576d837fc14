//! The last nonce of each backend: whoever calls again within its minute is not asked for it first.
//! Owns a plain file: a nonce is no secret, and anybody is given one. Refuses to fail or to hold up a command.

use super::state::StateFolder;
use crate::error::Result;

/// `ORIGIN NONCE` a line, the newest first.
const FILE: &str = "nonces";
/// More backends than anybody has.
const MOST: usize = 8;

/// The nonce of one backend, as the state folder keeps it.
pub(super) struct KeptNonce {
    folder: StateFolder,
    origin: String,
}

impl KeptNonce {
    pub(super) fn new(folder: StateFolder, origin: &str) -> Self {
        let origin = origin.to_owned();
        Self { folder, origin }
    }

    /// The last one. It may have ended: then the backend gives the next.
    pub(super) fn read(&self) -> Option<String> {
        let bytes = self.folder.read(FILE).ok().flatten()?;
        let text = String::from_utf8(bytes).ok()?;
        let own = text.lines().filter_map(line).find(|(origin, _)| *origin == self.origin);
        own.map(|(_, nonce)| nonce.to_owned())
    }

    /// Keeps `nonce`, unless somebody writes here right now: theirs is as good.
    pub(super) fn keep(&self, nonce: &str) {
        if let Err(error) = self.write(nonce) {
            tracing::debug!(%error, "the nonce was not kept");
        }
    }

    fn write(&self, nonce: &str) -> Result<()> {
        let new = format!("{} {nonce}", self.origin);
        let Some(held) = self.folder.try_lock()?.filter(|_| line(&new).is_some()) else {
            return Ok(());
        };
        let old = self.folder.read(FILE)?.unwrap_or_default();
        let old = String::from_utf8_lossy(&old);
        let others = old
            .lines()
            .filter(|old| line(old).is_some_and(|(origin, _)| origin != self.origin));
        let all: Vec<&str> = std::iter::once(new.as_str()).chain(others).take(MOST).collect();
        self.folder
            .write_unflushed(FILE, (all.join("\n") + "\n").as_bytes(), &held)
    }
}

/// What we wrote; anything else is none.
fn line(text: &str) -> Option<(&str, &str)> {
    let (origin, nonce) = text.split_once(' ')?;
    let is_plain = !nonce.is_empty() && nonce.bytes().all(|b| b.is_ascii_graphic());
    is_plain.then_some((origin, nonce))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonce_of_each_backend_is_kept_alone() {
        let temp = tempfile::tempdir().unwrap();
        let folder = StateFolder::at(temp.path().join("state"));
        let at = |origin: &str| KeptNonce::new(folder.clone(), origin);
        assert_eq!(at("https://a").read(), None);
        at("https://a").keep("one");
        at("https://b").keep("two");
        at("https://a").keep("three");
        assert_eq!(at("https://a").read().as_deref(), Some("three"));
        assert_eq!(at("https://b").read().as_deref(), Some("two"));
        for other in 0..MOST {
            at(&format!("https://{other}")).keep("x");
        }
        assert_eq!(at("https://b").read(), None);
    }

    #[test]
    fn nonce_is_left_where_somebody_writes() {
        let temp = tempfile::tempdir().unwrap();
        let folder = StateFolder::at(temp.path().join("state"));
        let kept = KeptNonce::new(folder.clone(), "https://a");
        let held = folder.lock().unwrap();
        kept.keep("one");
        assert_eq!(kept.read(), None);
        drop(held);
        kept.keep("two");
        assert_eq!(kept.read().as_deref(), Some("two"));
    }

    #[test]
    fn attack_16_nonce_that_is_none_is_not_kept() {
        let temp = tempfile::tempdir().unwrap();
        let folder = StateFolder::at(temp.path().join("state"));
        let kept = KeptNonce::new(folder.clone(), "https://a");
        for odd in ["", "a b", "a\nhttps://b x", "\u{1b}[2J", "é"] {
            kept.keep(odd);
            assert_eq!(kept.read(), None, "{odd:?}");
        }
        // nor is what somebody else put there
        folder
            .write(FILE, b"https://a\n\xff\n", &folder.lock().unwrap())
            .unwrap();
        assert_eq!(kept.read(), None);
        kept.keep("one");
        assert_eq!(kept.read().as_deref(), Some("one"));
    }
}
