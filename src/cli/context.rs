//! What every verb is given: flags, environment, terminal, clock.
//! Refuses to open anything before a verb needs it.

use std::sync::Arc;

use super::Globals;
use super::browser_page::BrowserPage;
use crate::client::{Backend, Client, Picked};
use crate::clock::Clock;
use crate::config::Environment;
use crate::domain::text::TargetName;
use crate::domain::time::Timestamp;
use crate::error::Result;
use crate::ui::{TimeWords, Ui};

/// The context of one command.
pub struct Ctx {
    /// The terminal.
    pub ui: Ui,
    /// The environment.
    pub env: Environment,
    /// The clock.
    pub clock: Arc<Clock>,
    /// The exit code where nothing failed: 0, or that of a command that was run.
    pub ended_with: u8,
    globals: Globals,
}

/// A client that is signed in, its account and its backend.
pub(super) struct Desk {
    pub(super) client: Client,
    pub(super) picked: Picked,
    pub(super) backend: Backend,
    zone: Option<String>,
}

impl Ctx {
    /// The context for these flags.
    pub fn new(globals: Globals, env: Environment) -> Self {
        let no_colour = env.has_no_colour();
        Self {
            ui: Ui::new(
                globals.format(),
                globals.quiet,
                globals.no_input,
                globals.colour(),
                no_colour,
            ),
            env,
            clock: Clock::real(),
            ended_with: 0,
            globals,
        }
    }

    /// The client that the flags mean.
    ///
    /// # Errors
    /// Exit 2 and 3, as `Client::open` has them.
    pub fn client(&self) -> Result<Client> {
        let (server, identity) = (self.globals.server.as_deref(), self.globals.identity.as_deref());
        Client::open(&self.env, server, identity, Arc::clone(&self.clock))
    }

    /// Whether a flag says which account is meant.
    pub(super) fn names_an_account(&self) -> bool {
        self.globals.identity.is_some() || self.globals.server.is_some()
    }

    /// The time zone that a variable names.
    fn zone(&self) -> Option<String> {
        self.env.text("TZ")
    }

    /// Times as people read them, seen at `now`.
    pub(super) fn words_at(&self, now: Timestamp) -> TimeWords {
        TimeWords::local(now, self.zone())
    }

    /// The client, signed in.
    pub(super) fn desk(&self) -> Result<Desk> {
        let client = self.client()?;
        let (picked, backend) = client.signed_in()?;
        if let Some(me) = &picked.new {
            let until = self.words_at(self.clock.now()).at(me.session_ends_at);
            self.ui.note(&format!(
                "Signed in as {} (workload) until {until}.",
                me.person.called()
            ));
        }
        client.sweep(&picked.account);
        if self.ui.can_ask() {
            let page = BrowserPage::new(self, false, "jit login --fresh --no-browser");
            backend.on_second_factor(page.on_the_way(picked.session.session.clone()));
        }
        Ok(Desk {
            client,
            picked,
            backend,
            zone: self.zone(),
        })
    }
}

impl Desk {
    /// The target that `typed` means, where it calls an account by its name.
    pub(super) fn meant(&self, typed: TargetName) -> Result<TargetName> {
        self.client.meant_at(&self.backend, &self.picked, typed)
    }

    /// Times as people read them, by the backend's clock.
    pub(super) fn words(&self) -> TimeWords {
        self.client.keep_clock(&self.picked, &self.backend);
        TimeWords::local(self.backend.now(), self.zone.clone())
    }
}
