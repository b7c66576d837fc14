//! Signing in to Identity Center: with the browser, else with a code. The token goes where AWS tools find it.
//! Owns the order. Refuses to print: what a person has to see or do is handed to whoever called.

use super::call::Caller;
use super::center::Center;
use super::files::Standing;
use super::names;
use super::pkce::ByBrowser;
use super::step::{Means, Step};
use super::token::Token;
use crate::client::Backend;
use crate::client::account::{Client, Picked};
use crate::domain::time::Timestamp;
use crate::error::Result;

/// Somebody signed in.
#[derive(Clone, Debug)]
pub struct SignedInThere {
    /// The token works before this instant.
    pub expires_at: Timestamp,
}

impl Client {
    /// Signs in to `center`, whoever is signed in there already.
    ///
    /// # Errors
    /// Exit 4 where nobody approved it, 9 where Identity Center fails, 130 at the interrupt key.
    pub fn sign_in_to(
        &self,
        backend: &Backend,
        picked: &Picked,
        center: &Center,
        means: &Means,
        say: &mut dyn FnMut(&Step<'_>) -> Result<()>,
    ) -> Result<SignedInThere> {
        backend.watch_interrupt()?;
        let caller = Caller::new(&self.env, backend, center, &picked.account)?;
        let token = match means {
            Means::Code => caller.by_code(&self.clock, say)?,
            Means::Browser(browser) => match caller.by_browser(&self.clock, browser.as_deref(), say)? {
                ByBrowser::SignedIn(token) => *token,
                ByBrowser::NoBrowser(why) => {
                    say(&Step::NoBrowser(&why))?;
                    caller.by_code(&self.clock, say)?
                }
            },
        };
        self.keep_token(picked, center, &token)
    }

    fn keep_token(&self, picked: &Picked, center: &Center, token: &Token) -> Result<SignedInThere> {
        // a configuration that cannot be read names nothing
        let config = std::fs::read_to_string(&self.folders.aws_config).unwrap_or_default();
        let mut name = names::of(center, &config);
        let tokens = self.tokens()?;
        // another identity's stays, and what the AWS CLI works with: each may be of another user there
        let (now, standing) = (self.clock.now(), self.standing(&picked.account));
        let stays = |old: &Token| match standing(old) {
            Some(Standing::Own) => false,
            Some(Standing::Unknown) => old.is_alive(now),
            None => true,
        };
        if tokens.read(&name.file).is_some_and(|old| stays(&old)) {
            name = names::apart(center, &picked.account.folder());
        }
        tokens.write(&name.file, token)?;
        self.note_written(&picked.account, &name.file, token)?;
        Ok(SignedInThere {
            expires_at: token.expires_at,
        })
    }
}
