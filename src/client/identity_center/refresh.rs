//! A token that works: from the shared cache, refreshed where it is about to end.
//! Owns the lock under which one process refreshes for all (a refresh token works once), and what becomes of a token that
//! the portal refuses. Refuses to ask a person.

use std::time::Duration;

use super::call::Caller;
use super::files::{Found, TokenFolder};
use super::names;
use super::oidc::NoToken;
use super::token::Token;
use crate::client::account::Client;
use crate::domain::time::Timestamp;
use crate::error::{Error, Exit, Result};

/// Longest wait for whoever refreshes already.
const LOCK_LIMIT: Duration = Duration::from_secs(3);

/// Tokens that the portal said "no" to in this command.
#[derive(Default)]
pub(super) struct Refused {
    /// It does not know them, or no longer: the next one of the same file may do.
    unknown: Vec<Found>,
    /// It gives them no such access: another user's, perhaps.
    without_access: Vec<Found>,
}

impl Refused {
    /// It does not know `found`.
    pub(super) fn unknown(&mut self, found: Found) {
        self.unknown.push(found);
    }

    /// It gives `found` no such access.
    pub(super) fn without_access(&mut self, found: Found) {
        self.without_access.push(found);
    }

    /// The best of those that it knows, and gives no such access now. They may be asked with again.
    pub(super) fn again(&mut self) -> Option<Found> {
        let all = std::mem::take(&mut self.without_access);
        all.into_iter().next()
    }

    /// Whether any is known to the portal.
    pub(super) fn knows_any(&self) -> bool {
        !self.without_access.is_empty()
    }

    /// Whether `found` works, as far as anybody knows.
    fn lets_work(&self, found: &Found, now: Timestamp) -> bool {
        let mut all = self.unknown.iter().chain(&self.without_access);
        found.token.is_alive(now) && all.all(|refused| !refused.token.is_same(&found.token))
    }

    /// Whether asking for the next one of the same file is worth a call: once it is, and of the same user never.
    fn lets_refresh(&self, found: &Found, now: Timestamp) -> bool {
        let before = self.unknown.iter().filter(|refused| refused.file == found.file);
        let mut without = self.without_access.iter();
        found.token.refreshes_with(now).is_some()
            && before.count() < 2
            && without.all(|refused| !refused.token.is_same(&found.token))
    }

    /// Whether `found` is to be taken as it is.
    fn is_settled(&self, found: &Found, now: Timestamp) -> bool {
        let is_worth_a_call = found.token.is_near_end(now) && self.lets_refresh(found, now);
        self.lets_work(found, now) && !is_worth_a_call
    }
}

impl Client {
    /// The cache of tokens.
    pub(super) fn tokens(&self) -> Result<TokenFolder> {
        let folder = self.folders.aws_tokens.clone();
        folder
            .map(TokenFolder::at)
            .ok_or_else(|| Error::configuration("no home folder: HOME is not set").hint("set HOME"))
    }

    /// The tokens of the caller's instance that may give credentials still, the best first.
    fn candidates(&self, caller: &Caller<'_>, now: Timestamp, refused: &Refused) -> Result<Vec<Found>> {
        let standing = self.standing(caller.account);
        let mut found = self.tokens()?.find(caller.center, now, &standing);
        found.retain(|found| refused.lets_work(found, now) || refused.lets_refresh(found, now));
        Ok(found)
    }

    /// The best token of the caller's instance that is not `refused`, refreshed where it is near its end; none where
    /// somebody has to sign in.
    ///
    /// # Errors
    /// What keeps the only ones from being refreshed.
    pub(super) fn token(&self, caller: &Caller<'_>, refused: &Refused) -> Result<Option<Found>> {
        let now = self.clock.now();
        match self.candidates(caller, now, refused)?.into_iter().next() {
            None => Ok(None),
            Some(found) if refused.is_settled(&found, now) => Ok(Some(found)),
            Some(_) => self.refreshed_token(caller, refused),
        }
    }

    /// Under the lock: what somebody else refreshed meanwhile, else a token that is asked for now.
    fn refreshed_token(&self, caller: &Caller<'_>, refused: &Refused) -> Result<Option<Found>> {
        let name = names::file(caller.center.start_url());
        let name = format!("identity-center-{}.lock", name.trim_end_matches(".json"));
        // a read-only home has no lock: then nobody can keep what was refreshed, either
        let held = self.state.lock_within(&name, caller.backend.within(LOCK_LIMIT))?;
        let now = self.clock.now();
        let mut failed = None;
        for found in self.candidates(caller, now, refused)? {
            if refused.is_settled(&found, now) {
                return Ok(Some(found));
            }
            let works = refused.lets_work(&found, now);
            let error = match found.token.refreshes_with(now) {
                None => continue,
                Some(_) if held.is_none() => Some(busy()),
                Some((client, refresh)) => match caller.refreshed(now, client, refresh) {
                    Ok(Ok(token)) => return Ok(Some(self.kept(&self.tokens()?, &found, token))),
                    Ok(Err(NoToken::Over | NoToken::Denied)) => {
                        // the AWS CLI knows no lock of ours: it may have spent the refresh token a moment ago
                        let all = self.candidates(caller, now, refused)?;
                        let next = all.into_iter().find(|other| other.file == found.file);
                        let next = next.filter(|next| !next.token.is_same(&found.token));
                        if let Some(next) = next.filter(|next| refused.lets_work(next, now)) {
                            return Ok(Some(next));
                        }
                        None
                    }
                    Ok(Err(NoToken::Pending | NoToken::SlowDown)) => Some(busy()),
                    Err(error) if error.exit == Exit::Interrupted => return Err(error),
                    Err(error) => Some(error),
                },
            };
            // what works still is good to its end
            if works {
                return Ok(Some(found));
            }
            failed = failed.or(error);
        }
        failed.map_or(Ok(None), Err)
    }

    /// Writes both tokens anew where they were found. What cannot be kept works all the same.
    fn kept(&self, tokens: &TokenFolder, found: &Found, token: Token) -> Found {
        let mut next = found.clone();
        next.token.access = token.access;
        next.token.expires_at = token.expires_at;
        next.token.refresh = token.refresh.or(next.token.refresh);
        if let Err(error) = tokens.write(&next.file, &next.token) {
            tracing::warn!(%error, "the token of Identity Center was not kept");
        }
        next
    }
}

fn busy() -> Error {
    let message = "another process refreshes the token of Identity Center";
    Error::new(Exit::Provider, "identity_center.busy", message).hint("try again")
}
