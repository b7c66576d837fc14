//! A command that gets new credentials for as long as its grant lives: `jit` stays beside it and is asked.
//! Owns the order: endpoint, command, watching, the end of both.

use std::sync::Arc;

use super::command::ChildCommand;
use super::endpoint::Endpoint;
use super::watch::{Ended, Watch};
use crate::client::account::Client;
use crate::domain::text::TargetName;
use crate::error::Result;
use crate::random::Random;

impl Client {
    /// Runs `command` beside an endpoint that has credentials of `target` for it alone, until it ends.
    ///
    /// # Errors
    /// Exit 10 where nothing is live, 126 and 127 where it cannot be run.
    pub fn run_beside(self, command: ChildCommand, target: &TargetName) -> Result<Ended> {
        let keys = self.live_keys(target)?;
        let hidden = self.hidden_defaults()?;
        let (clock, client, asked) = (Arc::clone(&self.clock), self, target.clone());
        let endpoint = Endpoint::start(&Random::default(), clock, move || client.live_keys(&asked))?;
        let watch = Watch::begin()?;
        let child = command
            .asking(&endpoint, &keys.account)
            .with_variables(hidden.variables())
            .spawn()?;
        let ended = watch.until_the_end_of(&child);
        // nobody is answered from here on, whoever the command left behind
        drop(endpoint);
        drop(hidden);
        ended
    }
}
