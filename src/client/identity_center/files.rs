//! The cache of tokens that AWS tools share: `~/.aws/sso/cache`. They write in place and without a lock.
//! Owns finding the token of one instance, and writing by rename. Refuses files of others, and to take half a file for
//! none at once.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;
use serde_json::{Map, Value};

use super::center::Center;
use super::names;
use super::token::Token;
use crate::domain::time::Timestamp;
use crate::error::{Error, Exit, Result};

/// No token's file is larger, in bytes.
const LARGEST: u64 = 64 * 1024;
/// More files than anybody has.
const MOST: usize = 1_000;
/// How often a file that somebody is writing is read again, and the time in between.
const AGAIN: usize = 5;
const PAUSE: Duration = Duration::from_millis(40);

/// The cache.
#[derive(Clone, Debug)]
pub(super) struct TokenFolder(PathBuf);

/// A token, and in which file it lies.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) file: String,
    pub(super) token: Token,
}

/// Whose a token is, as far as we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Written by us for whoever asks.
    Own,
    /// Written by another client.
    Unknown,
}

/// What a file holds.
enum Held {
    Token(Box<Token>),
    /// JSON that breaks off: somebody is writing it.
    Torn,
    Other,
}

impl TokenFolder {
    pub(super) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// The tokens of `center` that `standing` lets pass, the best first: those that work or can be refreshed, of these those
    /// that are one's own, of these those that work, and the longest. A torn file is read again before it is taken for none.
    pub(super) fn find(
        &self,
        center: &Center,
        now: Timestamp,
        standing: &dyn Fn(&Token) -> Option<Standing>,
    ) -> Vec<Found> {
        let mut found = self.look(center, now, standing);
        for _ in 0..AGAIN {
            let works = found.all.first().is_some_and(|best| best.token.is_alive(now));
            if works || !found.has_torn {
                break;
            }
            std::thread::park_timeout(PAUSE);
            found = self.look(center, now, standing);
        }
        found.all
    }

    /// The token in one file, whichever instance it is of.
    pub(super) fn read(&self, file: &str) -> Option<Token> {
        match held(&self.0.join(file)) {
            Held::Token(token) => Some(*token),
            Held::Torn | Held::Other => None,
        }
    }

    fn look(&self, center: &Center, now: Timestamp, standing: &dyn Fn(&Token) -> Option<Standing>) -> Looked {
        let mut looked = Looked::default();
        let mut ranked = Vec::new();
        let Ok(entries) = fs::read_dir(&self.0) else {
            return looked;
        };
        for entry in entries.flatten().take(MOST) {
            let Some(file) = entry.file_name().into_string().ok().filter(|name| names::is_one(name)) else {
                continue;
            };
            match held(&entry.path()) {
                Held::Token(token) if center.is_at(&token.start_url, &token.region) => {
                    let Some(standing) = standing(&token) else { continue };
                    let (works, refreshes) = (token.is_alive(now), token.refreshes_with(now).is_some());
                    let is_own = standing == Standing::Own;
                    let rank = (works || refreshes, is_own, works, refreshes && !works, token.expires_at);
                    ranked.push((rank, Found { file, token: *token }));
                }
                Held::Torn => looked.has_torn = true,
                Held::Token(_) | Held::Other => {}
            }
        }
        ranked.sort_by(|(one, _), (other, _)| other.cmp(one));
        looked.all = ranked.into_iter().map(|(_, found)| found).collect();
        looked
    }

    /// Puts a token in place: new name, flush, rename; for nobody else to read.
    pub(super) fn write(&self, file: &str, token: &Token) -> Result<()> {
        let path = self.0.join(file);
        let new = self.0.join(format!(".{file}.{}.new", std::process::id()));
        let written = DirBuilder::new()
            .mode(0o700)
            .recursive(true)
            .create(&self.0)
            .and_then(|()| gone(&new))
            .and_then(|()| careful().write(true).create_new(true).mode(0o600).open(&new))
            .and_then(|mut file| file.write_all(&token.json()).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&new, &path))
            .and_then(|()| File::open(&self.0)?.sync_all());
        written.map_err(|error| {
            // the first error is the one to tell
            let _ = fs::remove_file(&new);
            let message = format!("{}: {error}", path.display());
            Error::new(Exit::Configuration, "identity_center.not_kept", message)
                .hint("make that folder one that you can write")
        })
    }

    /// Takes a token away, there or not.
    pub(super) fn remove(&self, file: &str) -> io::Result<()> {
        gone(&self.0.join(file))
    }
}

#[derive(Default)]
struct Looked {
    all: Vec<Found>,
    has_torn: bool,
}

fn gone(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Stops at a link, and does not wait for the other end of a pipe.
fn careful() -> OpenOptions {
    let mut options = OpenOptions::new();
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    options.custom_flags(flags.bits().cast_signed());
    options
}

/// A file of ours that nobody else may write: a token that somebody planted would make us fetch as them.
fn held(path: &Path) -> Held {
    let Some(bytes) = bytes(path) else { return Held::Other };
    match serde_json::from_slice::<Map<String, Value>>(&bytes) {
        Ok(all) => Token::of(all).map_or(Held::Other, |token| Held::Token(Box::new(token))),
        Err(error) if error.is_eof() => Held::Torn,
        Err(_) => Held::Other,
    }
}

fn bytes(path: &Path) -> Option<Vec<u8>> {
    let file = careful().read(true).open(path).ok()?;
    let metadata = file.metadata().ok()?;
    let is_ours = metadata.is_file()
        && metadata.uid() == rustix::process::geteuid().as_raw()
        && metadata.mode() & 0o022 == 0
        && metadata.len() <= LARGEST;
    if !is_ours {
        tracing::warn!(file = %path.display(), "a token of Identity Center that others may write is not used");
        return None;
    }
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::super::center::tests::center;
    use super::super::token::tests::{WRITTEN, token};
    use super::*;

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-21T12:00:00Z").unwrap()
    }

    fn anybody(_: &Token) -> Option<Standing> {
        Some(Standing::Unknown)
    }

    fn folder() -> (tempfile::TempDir, TokenFolder) {
        let temp = tempfile::tempdir().unwrap();
        let folder = TokenFolder::at(temp.path().join("sso/cache"));
        (temp, folder)
    }

    fn put(folder: &TokenFolder, name: &str, text: &str) -> PathBuf {
        let path = folder.0.join(names::file(name));
        fs::create_dir_all(&folder.0).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        path
    }

    fn access(found: Vec<Found>) -> Option<String> {
        use secrecy::ExposeSecret;
        found
            .into_iter()
            .next()
            .map(|found| found.token.access.expose_secret().to_owned())
    }

    #[test]
    fn token_is_kept_for_nobody_else() {
        let (_temp, folder) = folder();
        let written = token(WRITTEN).unwrap();
        folder.write(&names::file("corp"), &written).unwrap();
        folder.write(&names::file("corp"), &written).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder.0), 0o700);
        assert_eq!(mode(&folder.0.join(names::file("corp"))), 0o600);
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
        assert_eq!(access(folder.find(&center(), now(), &anybody)).as_deref(), Some("aoa"));
    }

    #[test]
    fn token_that_works_longest_is_the_one() {
        let (_temp, folder) = folder();
        put(
            &folder,
            "dead",
            &WRITTEN.replace("2026-11-21T20", "2026-11-20T20").replace("aoa", "dead"),
        );
        assert_eq!(access(folder.find(&center(), now(), &anybody)).as_deref(), Some("dead"));
        put(&folder, "a", WRITTEN);
        put(
            &folder,
            "b",
            &WRITTEN.replace("T20:00", "T21:00").replace("aoa", "longest"),
        );
        assert_eq!(
            access(folder.find(&center(), now(), &anybody)).as_deref(),
            Some("longest")
        );
    }

    #[test]
    fn own_token_goes_before_one_that_works_longer() {
        use secrecy::ExposeSecret;
        let (_temp, folder) = folder();
        let dead = |token: &str| WRITTEN.replace("2026-11-21T20", "2026-11-20T20").replace("aoa", token);
        put(&folder, "a", WRITTEN);
        put(
            &folder,
            "b",
            &WRITTEN.replace("T20:00", "T21:00").replace("aoa", "longest"),
        );
        put(&folder, "c", &dead("refreshes"));
        put(&folder, "d", &dead("over").replace("aor", ""));
        let order = |own: &'static str| -> Vec<String> {
            let standing = move |token: &Token| match token.access.expose_secret() == own {
                true => Some(Standing::Own),
                false => Some(Standing::Unknown),
            };
            let found = folder.find(&center(), now(), &standing);
            let name = |found: Found| found.token.access.expose_secret().to_owned();
            found.into_iter().map(name).collect()
        };
        assert_eq!(order("aoa"), ["aoa", "longest", "refreshes", "over"]);
        assert_eq!(order("refreshes"), ["refreshes", "longest", "aoa", "over"]);
        // what nothing can be done with is worth nothing, whosever it is
        assert_eq!(order("over"), ["longest", "aoa", "refreshes", "over"]);
        assert!(folder.find(&center(), now(), &|_| None).is_empty());
    }

    #[test]
    fn attack_17_token_of_another_instance_is_never_found() {
        let (_temp, folder) = folder();
        put(&folder, "other", &WRITTEN.replace("d-1111111111", "d-2222222222"));
        put(&folder, "region", &WRITTEN.replace("eu-central-1", "eu-west-1"));
        // whatever its name says
        put(
            &folder,
            center().start_url(),
            &WRITTEN.replace("d-1111111111", "d-2222222222"),
        );
        assert!(folder.find(&center(), now(), &anybody).is_empty());
    }

    #[test]
    fn attack_25_token_that_others_may_write_is_not_used() {
        let (temp, folder) = folder();
        let path = put(&folder, "corp", WRITTEN);
        fs::set_permissions(&path, PermissionsExt::from_mode(0o620)).unwrap();
        assert!(folder.find(&center(), now(), &anybody).is_empty());
        fs::remove_file(&path).unwrap();
        let elsewhere = temp.path().join("elsewhere");
        fs::write(&elsewhere, WRITTEN).unwrap();
        symlink(&elsewhere, &path).unwrap();
        assert!(folder.find(&center(), now(), &anybody).is_empty());
        // and a link is replaced, not followed
        let mine = token(&WRITTEN.replace("aoa", "mine")).unwrap();
        folder.write(&names::file("corp"), &mine).unwrap();
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), WRITTEN);
        assert_eq!(access(folder.find(&center(), now(), &anybody)).as_deref(), Some("mine"));
    }

    #[test]
    fn torn_file_is_read_again() {
        let (_temp, folder) = folder();
        let path = put(&folder, "corp", &WRITTEN[..WRITTEN.len() / 2]);
        let writing = std::thread::spawn(move || {
            std::thread::park_timeout(PAUSE);
            fs::write(path, WRITTEN).unwrap();
        });
        assert_eq!(access(folder.find(&center(), now(), &anybody)).as_deref(), Some("aoa"));
        writing.join().unwrap();
        put(&folder, "corp", "");
        assert!(folder.find(&center(), now(), &anybody).is_empty());
    }
}
