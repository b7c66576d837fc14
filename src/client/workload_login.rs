//! A job signs in by itself, with the token that says which job it is.
//! Owns when: where no session works and there is such a token. Refuses to do it twice at once: a token counts once.

use std::time::Duration;

use secrecy::ExposeSecret;

use super::account::{Client, Picked};
use super::device_keys::Kept;
use super::login::checked;
use super::workload_token::Source;
use crate::config::NetworkSettings;
use crate::error::{Error, Exit, Result};
use crate::wire::NewWorkloadSession;

/// Another process of the job signs in no longer than this.
const LONGEST: Duration = Duration::from_secs(30);
/// The lock of whoever signs in.
const LOCK: &str = "job-sign-in";

impl Client {
    /// The session of the job that this is, opened now; `why` where it is none.
    ///
    /// # Errors
    /// `why`; what keeps a job from signing in, with what to do.
    pub(super) fn sign_in_as_job(&self, why: Error) -> Result<Picked> {
        let Some(source) = Source::find(&self.env) else {
            return Err(match self.env.text("GITHUB_ACTIONS").as_deref() {
                Some("true") => why.hint("in a job, give it  permissions: id-token: write  and JIT_SERVER"),
                Some(_) | None => why,
            });
        };
        let server = self.server();
        let server = server.map_err(|error| error.hint("set JIT_SERVER to the backend's address"))?;
        self.check_server(&server)?;
        let lock = self.state.lock_within(LOCK, LONGEST)?;
        let _held = lock.ok_or_else(|| {
            let message = "another process signs in and does not end";
            Error::new(Exit::SignedOut, "workload.busy", message).hint("try again")
        })?;
        // perhaps it was another process of this job
        match self.picked() {
            Err(error) if error.exit == Exit::SignedOut => {}
            picked => return picked,
        }
        let network = NetworkSettings::find(&self.env);
        let token = source.token(&network, server.as_str())?;
        let Kept { key, storage, .. } = self.device_key(&server)?;
        let backend = self.on_device(server, key)?;
        let opened = backend.open_workload_session(&NewWorkloadSession {
            token: token.expose_secret().to_owned(),
            key_storage: storage.as_str().to_owned(),
        });
        let opened = opened.map_err(|error| source.explained(error))?;
        let session_token = checked(&backend, &opened)?;
        let choose = || self.local_account(&backend, &opened.me, self.identity());
        let account = self.keep(choose, &backend, &opened.me, storage, &session_token)?;
        let session = self.sessions.find(account.origin().as_str(), account.identity())?;
        Ok(Picked {
            session: session.ok_or_else(Error::signed_out)?,
            account,
            new: Some(opened.me),
        })
    }
}
