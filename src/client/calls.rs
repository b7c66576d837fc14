//! The interface, a function a call.
//! Owns paths and queries. Refuses to put text into a path unencoded.

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::SecretString;
use serde_json::json;

use super::backend::Backend;
use crate::domain::id::GrantId;
use crate::domain::text::TargetName;
use crate::error::Result;
use crate::wire::{
    AddedUser, DeviceSignIn, DryRun, EndGrant, EndedGrant, Filed, GrantList, LiftLock, Lifted, LockList, Locked, Me,
    MintedCredential, NewDecision, NewDeviceSignIn, NewLock, NewRequest, NewSession, NewUser, NewWorkloadSession,
    OpenedSession, Renewal, RequestList, RequestView, SessionList, SessionView, SignInMethods, TargetList, paths,
};

/// Everything but what RFC 3986, section 2.3 calls unreserved.
pub(super) const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

fn with(template: &str, id: &str) -> String {
    paths::with_id(template, &encoded(id))
}

impl Backend {
    pub(super) fn sign_in_methods(&self) -> Result<SignInMethods> {
        self.get(paths::SIGN_IN_METHODS.to_owned())
    }

    pub(super) fn open_session(&self, new: &NewSession) -> Result<OpenedSession> {
        self.post(paths::SESSIONS.to_owned(), new)
    }

    pub(super) fn open_workload_session(&self, new: &NewWorkloadSession) -> Result<OpenedSession> {
        self.post(paths::WORKLOAD_SESSIONS.to_owned(), new)
    }

    pub(super) fn ask_to_be_signed_in(&self, new: &NewDeviceSignIn) -> Result<DeviceSignIn> {
        self.post(paths::DEVICE_SIGN_INS.to_owned(), new)
    }

    pub(super) fn renew_session(&self, renewal: &Renewal) -> Result<Me> {
        self.post(paths::RENEWAL.to_owned(), renewal)
    }

    /// Ends the session.
    ///
    /// # Errors
    /// What the backend says, or that there is none.
    pub fn end_session(&self) -> Result<()> {
        self.delete(paths::SESSIONS.to_owned())
    }

    pub(super) fn end_session_of(&self, token: &SecretString) -> Result<()> {
        self.delete_as(paths::SESSIONS.to_owned(), token)
    }

    /// Ends every session of whoever is signed in.
    ///
    /// # Errors
    /// What the backend says, or that there is none.
    pub fn end_every_session(&self) -> Result<()> {
        self.delete(format!("{}?everywhere=true", paths::SESSIONS))
    }

    /// A one-time code for the local person `name`.
    ///
    /// # Errors
    /// What the backend says, or that there is none.
    pub fn add_user(&self, name: &str) -> Result<AddedUser> {
        let new = NewUser { name: name.to_owned() };
        self.post(paths::ADMIN_USERS.to_owned(), &new)
    }

    /// Sessions that are not over, of everybody or of `person`.
    ///
    /// # Errors
    /// What the backend says, or that there is none.
    pub fn sessions(&self, person: Option<&str>) -> Result<SessionList> {
        let query = person
            .map(|name| format!("?person={}", encoded(name)))
            .unwrap_or_default();
        self.get(format!("{}{query}", paths::ADMIN_SESSIONS))
    }

    /// Ends somebody's session.
    ///
    /// # Errors
    /// What the backend says, or that there is none.
    pub fn revoke_session(&self, id: &str) -> Result<SessionView> {
        self.take_away(with(paths::ADMIN_SESSION, id))
    }

    /// Who one is.
    ///
    /// # Errors
    /// What the backend says, or that there is none.
    pub fn me(&self) -> Result<Me> {
        self.get(paths::ME.to_owned())
    }

    /// What one may ask for, all of it or what fits `query`.
    ///
    /// # Errors
    /// What the backend says, or that there is none.
    pub fn targets(&self, query: Option<&str>) -> Result<TargetList> {
        let query = query.map(|words| format!("?q={}", encoded(words))).unwrap_or_default();
        self.get(format!("{}{query}", paths::TARGETS))
    }

    /// Files a request.
    ///
    /// # Errors
    /// What the backend says, or that there is none.
    pub fn file(&self, new: &NewRequest) -> Result<Filed> {
        self.post(paths::REQUESTS.to_owned(), new)
    }

    /// What filing a request would come to.
    ///
    /// # Errors
    /// What the backend says, or that there is none.
    pub fn dry_run(&self, new: &NewRequest) -> Result<DryRun> {
        self.post(paths::DRY_RUN.to_owned(), new)
    }

    /// Files a request, at most once with this key, whatever machine sends it.
    ///
    /// # Errors
    /// What the backend says, or that there is none.
    pub(super) fn file_once(&self, new: &NewRequest, key: String) -> Result<Filed> {
        self.post_once(paths::REQUESTS.to_owned(), new, key)
    }

    /// One request, by id, prefix, or name of a target with exactly one open.
    ///
    /// # Errors
    /// What the backend says, or that there is none.
    pub fn request(&self, id: &str) -> Result<RequestView> {
        self.get(with(paths::REQUEST, id))
    }

    /// The same once it differs from `known`; `None` where it does not within `wait`.
    ///
    /// # Errors
    /// What the backend says, or that there is none.
    pub fn request_changed(&self, id: &str, known: &str, wait: Duration) -> Result<Option<RequestView>> {
        let path = format!("{}?wait={}s", with(paths::REQUEST, id), wait.as_secs().max(1));
        self.get_changed(path, Some(known), wait)
    }

    /// One's requests, newest first: those that are open, or a page of all.
    ///
    /// # Errors
    /// What the backend says, or that there is none.
    pub fn requests(&self, open: bool, before: Option<&str>) -> Result<RequestList> {
        let query = match (open, before) {
            (true, _) => "?open=true".to_owned(),
            (false, Some(before)) => format!("?before={}", encoded(before)),
            (false, None) => String::new(),
        };
        self.get(format!("{}{query}", paths::REQUESTS))
    }

    /// What waits for one's decision.
    ///
    /// # Errors
    /// What the backend says, or that there is none.
    pub fn inbox(&self) -> Result<RequestList> {
        self.get(paths::INBOX.to_owned())
    }

    /// Locks that stand, as far as one may see them.
    ///
    /// # Errors
    /// What the backend says, or that there is none.
    pub fn locks(&self) -> Result<LockList> {
        self.get(paths::LOCKS.to_owned())
    }

    /// Sets a lock.
    ///
    /// # Errors
    /// What the backend says, or that there is none.
    pub fn lock(&self, new: &NewLock) -> Result<Locked> {
        self.post(paths::LOCKS.to_owned(), new)
    }

    /// Lifts a lock, or is the first of two who do.
    ///
    /// # Errors
    /// What the backend says, or that there is none.
    pub fn unlock(&self, how: &LiftLock) -> Result<Lifted> {
        self.post(paths::LIFT.to_owned(), how)
    }

    /// Decides on a request.
    ///
    /// # Errors
    /// What the backend says, or that there is none.
    pub fn decide(&self, id: &str, decision: &NewDecision) -> Result<RequestView> {
        self.post(with(paths::DECISIONS, id), decision)
    }

    /// Withdraws a request.
    ///
    /// # Errors
    /// What the backend says, or that there is none.
    pub fn cancel(&self, id: &str) -> Result<RequestView> {
        self.post(with(paths::CANCEL, id), &json!({}))
    }

    /// One's open grants on a target.
    ///
    /// # Errors
    /// What the backend says, or that there is none.
    pub fn grants(&self, target: &TargetName) -> Result<GrantList> {
        self.get(format!("{}?target={}", paths::GRANTS, encoded(target.as_str())))
    }

    /// Ends a grant; with a reason, all of its beneficiary's on its target.
    ///
    /// # Errors
    /// What the backend says, or that there is none.
    pub fn end(&self, grant: &str, how: &EndGrant) -> Result<EndedGrant> {
        self.post(with(paths::END, grant), how)
    }

    pub(super) fn mint(&self, grant: &GrantId) -> Result<MintedCredential> {
        self.post(with(paths::CREDENTIALS, grant.as_str()), &json!({}))
    }

    pub(super) fn mint_on(&self, target: &TargetName) -> Result<MintedCredential> {
        self.post(with(paths::CREDENTIALS, target.as_str()), &json!({}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_in_a_path_cannot_leave_its_place() {
        assert_eq!(with(paths::REQUEST, "../../x?y#z"), "/v1/requests/..%2F..%2Fx%3Fy%23z");
    }
}
