//! Who runs the backend, how long people stay signed in, and how long unused: `admins`, `[session]`.
//! Owns how somebody is named. Refuses a session that outlives a working day.

use serde::Deserialize;
use toml::Spanned;

use super::Source;
use crate::domain::time::Duration;
use crate::error::Result;

/// The longest that a session may live, in seconds.
const LONGEST_SESSION_S: u32 = 12 * 3600;
/// The least that it must: whoever signs in has to get something done.
const SHORTEST_SESSION_S: u32 = 5 * 60;
/// Who is admin where the file names nobody.
const FIRST: &str = "admin";

/// Somebody who runs the backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Who vouches: `local`, or an issuer's address.
    pub issuer: String,
    /// That one's name for them.
    pub subject: String,
}

impl Admin {
    /// The person of this backend that is called `name`.
    pub fn local(name: &str) -> Self {
        Self {
            issuer: "local".to_owned(),
            subject: name.to_owned(),
        }
    }
}

#[derive(Default, Deserialize)]
pub(super) struct Session {
    life: Option<Spanned<String>>,
    idle: Option<Spanned<String>>,
}

impl Source<'_> {
    /// Who runs the backend; where nobody is named, the first one, who is local.
    pub(super) fn admins(&self, written: Option<&Spanned<Vec<Spanned<String>>>>) -> Result<Vec<Admin>> {
        let Some(written) = written else {
            return Ok(vec![Admin::local(FIRST)]);
        };
        if written.get_ref().is_empty() {
            return Err(self
                .wrong(&written.span(), "admins names nobody")
                .hint(format!("leave it out for local:{FIRST}")));
        }
        written.get_ref().iter().map(|admin| self.admin(admin)).collect()
    }

    fn admin(&self, written: &Spanned<String>) -> Result<Admin> {
        let text = written.get_ref();
        let named = match text.split_once(' ') {
            Some((issuer, subject)) if ["https://", "http://127.0.0.1:"].iter().any(|s| issuer.starts_with(s)) => {
                Some((issuer, subject))
            }
            Some(_) | None => text.split_once(':').filter(|(source, _)| *source == "local"),
        };
        let named = named.filter(|(_, subject)| !subject.is_empty() && subject.trim() == *subject);
        let (issuer, subject) = named.ok_or_else(|| {
            self.wrong(&written.span(), &format!("`{text}` is no admin"))
                .hint("write it as local:NAME, or as `ISSUER SUBJECT`: jit whoami shows both")
        })?;
        Ok(Admin {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
        })
    }

    pub(super) fn session_life(&self, written: &Session) -> Result<Option<Duration>> {
        self.session_time(written.life.as_ref(), "life", "8h")
    }

    pub(super) fn session_idle(&self, written: &Session) -> Result<Option<Duration>> {
        self.session_time(written.idle.as_ref(), "idle", "2h")
    }

    fn session_time(&self, written: Option<&Spanned<String>>, key: &str, such_as: &str) -> Result<Option<Duration>> {
        let Some(written) = written else {
            return Ok(None);
        };
        let text = written.get_ref();
        let wrong = |what: &str| {
            self.wrong(&written.span(), &format!("{key} {what}: {text}"))
                .hint(format!(
                    "five minutes at least, 12 hours at most: {key} = \"{such_as}\""
                ))
        };
        let time = Duration::parse(text).map_err(|_| wrong("is no length of time"))?;
        match time.secs() {
            SHORTEST_SESSION_S..=LONGEST_SESSION_S => Ok(Some(time)),
            0..SHORTEST_SESSION_S => Err(wrong("is too short")),
            _ => Err(wrong("is too long")),
        }
    }
}
