//! A token that works: from the shared cache, refreshed where it is about to end.
//! Owns the lock under which one process refreshes for all: a refresh token works once. Refuses to ask a person.

use std::time::Duration;

use super::call::Caller;
use super::errors::signed_out;
use super::files::{Found, TokenFolder};
use super::names;
use super::oidc::NoToken;
use super::token::Token;
use crate::client::account::Client;
use crate::domain::text::TargetName;
use crate::domain::time::Timestamp;
use crate::error::{Error, Exit, Result};

/// Longest wait for whoever refreshes already.
const LOCK_LIMIT: Duration = Duration::from_secs(3);

impl Client {
    /// The cache of tokens.
    pub(super) fn tokens(&self) -> Result<TokenFolder> {
        let folder = self.folders.aws_tokens.clone();
        folder
            .map(TokenFolder::at)
            .ok_or_else(|| Error::configuration("no home folder: HOME is not set").hint("set HOME"))
    }

    fn found(&self, caller: &Caller<'_>, now: Timestamp) -> Result<Option<Found>> {
        let may_use = self.may_use(caller.account);
        Ok(self.tokens()?.find(caller.center, now, &may_use))
    }

    /// A token of the caller's instance, refreshed where it is near its end.
    ///
    /// # Errors
    /// Exit 4 where somebody has to sign in.
    pub(super) fn token(&self, caller: &Caller<'_>, target: &TargetName) -> Result<Found> {
        let now = self.clock.now();
        match self.found(caller, now)? {
            Some(found) if !found.token.is_near_end(now) => Ok(found),
            Some(found) if found.token.refreshes_with(now).is_some() => {
                let is_fine = |token: &Token| !token.is_near_end(now);
                let old = found.token.is_alive(now).then_some(&found);
                self.refresh(caller, &is_fine, old, target)
            }
            Some(found) if found.token.is_alive(now) => Ok(found),
            _ => Err(signed_out(target)),
        }
    }

    /// The next token where the portal knows `refused` no longer.
    ///
    /// # Errors
    /// Exit 4 where somebody has to sign in.
    pub(super) fn token_after(&self, caller: &Caller<'_>, refused: &Found, target: &TargetName) -> Result<Found> {
        let now = self.clock.now();
        let is_fine = |token: &Token| token.is_alive(now) && !token.is_same(&refused.token);
        self.refresh(caller, &is_fine, None, target)
    }

    /// Under the lock: what somebody else refreshed meanwhile, else a token that is asked for now. `old` works still.
    fn refresh(
        &self,
        caller: &Caller<'_>,
        is_fine: &dyn Fn(&Token) -> bool,
        old: Option<&Found>,
        target: &TargetName,
    ) -> Result<Found> {
        let name = names::file(caller.center.start_url());
        let name = format!("identity-center-{}.lock", name.trim_end_matches(".json"));
        // a read-only home has no lock: then nobody can keep what was refreshed, either
        let held = self.state.lock_within(&name, caller.backend.within(LOCK_LIMIT))?;
        let now = self.clock.now();
        let found = self.found(caller, now)?.ok_or_else(|| signed_out(target))?;
        if is_fine(&found.token) {
            return Ok(found);
        }
        if held.is_none() {
            return old.cloned().ok_or_else(busy);
        }
        let Some((client, refresh)) = found.token.refreshes_with(now) else {
            return old.cloned().ok_or_else(|| signed_out(target));
        };
        match caller.refreshed(now, client, refresh) {
            Ok(Ok(token)) => {
                let next = self.kept(&self.tokens()?, &found, token);
                drop(held);
                Ok(next)
            }
            Ok(Err(NoToken::Over | NoToken::Denied)) => {
                // the AWS CLI knows no lock of ours: it may have spent the refresh token a moment ago
                let other = self.found(caller, now)?.filter(|found| is_fine(&found.token));
                other.or_else(|| old.cloned()).ok_or_else(|| signed_out(target))
            }
            Ok(Err(NoToken::Pending | NoToken::SlowDown)) => old.cloned().ok_or_else(busy),
            Err(error) => old.cloned().ok_or(error),
        }
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
