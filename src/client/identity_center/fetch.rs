//! From a live grant on a permission set to credentials of it: the token, the portal, the wait while Identity Center
//! makes the role.
//! Owns what a "no" of the portal means, and when. Refuses to sign in, and to fetch for another's grant.

use std::time::Duration;

use super::call::Caller;
use super::center::Center;
use super::errors::signed_out;
use super::files::Found;
use super::portal::{NoCredentials, RoleCredentials};
use crate::client::Backend;
use crate::client::account::Client;
use crate::client::credential::{Minted, no_live_grant};
use crate::client::http::foreign;
use crate::domain::assignment::Assignment;
use crate::domain::id::RequestId;
use crate::domain::request::Body;
use crate::domain::text::TargetName;
use crate::error::{Error, Exit, Result};
use crate::wire::{GrantView, MintedCredential, RequestView};

/// For so long after access was given "no access" may mean "not yet", in seconds.
const PROVISIONING_S: u32 = 120;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(700);
/// What is left of a deadline for the last try.
const LAST_TRY: Duration = Duration::from_millis(600);

/// Hears what takes a while.
pub type Told<'a> = &'a mut dyn FnMut(&str);

/// A live grant on a permission set.
struct Live<'a> {
    grant: &'a GrantView,
    request: &'a RequestView,
    target: TargetName,
    assignment: Assignment,
    body: Body,
}

impl Client {
    /// Fetches a credential of the grant of one's own that `is_meant` says and that ends last.
    pub(in super::super) fn fetched_there(
        &self,
        backend: &Backend,
        is_meant: &dyn Fn(&GrantView) -> bool,
        told: Told<'_>,
    ) -> Result<Minted> {
        let picked = self.picked()?;
        let open = backend.requests(true, None)?.requests;
        let live = live(&open, &picked.session.person, is_meant)
            .ok_or_else(|| foreign(backend.origin(), "it names no grant that credentials are of"))?;
        let live = checked(backend, live)?;
        let ends = |live: &Live<'_>| live.grant.ends_at.filter(|end| backend.now() < end.whole_second());
        // whatever the portal would still give: a session that is begun now would go on for as long as any
        if ends(&live).is_none() {
            return Err(no_live_grant(&live.target));
        }
        let center = Center::of_assignment(&live.assignment)?;
        let caller = Caller::new(&self.env, backend, &center, &picked.account)?;
        let found = self.token(&caller, &live.target)?;
        let made = self.credentials(&caller, &live, found, told)?;
        let Some(grant_ends_at) = ends(&live) else {
            return Err(no_live_grant(&live.target));
        };
        let credential = MintedCredential {
            grant: live.grant.id.clone(),
            target: live.target.to_string(),
            access_key_id: made.access_key_id,
            secret_access_key: made.secret_access_key,
            session_token: made.session_token,
            expires_at: made.expires_at,
            account: live.assignment.account.clone(),
            grant_ends_at,
            only: live.body.only.iter().map(ToString::to_string).collect(),
        };
        self.checked(backend, &credential)
    }

    /// Asks the portal until it gives or its "no" is final.
    fn credentials(
        &self,
        caller: &Caller<'_>,
        live: &Live<'_>,
        found: Found,
        told: Told<'_>,
    ) -> Result<RoleCredentials> {
        let (mut found, mut is_second, mut is_told) = (found, false, false);
        loop {
            match caller.role_credentials(&live.assignment, &found.token.access)? {
                Ok(made) => return Ok(made),
                Err(NoCredentials::SignedOut) if !is_second => {
                    found = self.token_after(caller, &found, &live.target)?;
                    is_second = true;
                }
                Err(NoCredentials::SignedOut) => return Err(signed_out(&live.target)),
                Err(NoCredentials::NoAccess) => {
                    self.not_yet(caller.backend, live)?;
                    if !is_told {
                        told(&format!(
                            "{} is being provisioned by Identity Center: trying for up to 2 min",
                            live.target
                        ));
                        is_told = true;
                    }
                    caller.backend.pause(PAUSE)?;
                }
            }
        }
    }

    /// Fine while "no access" may mean "not yet" and there is time for another try.
    fn not_yet(&self, backend: &Backend, live: &Live<'_>) -> Result<()> {
        let given = live.grant.given_at.max(live.grant.activated_at);
        let age_s = given.map_or(u32::MAX, |at| backend.now().since(at));
        if age_s >= PROVISIONING_S {
            let (set, account) = (&live.assignment.permission_set, &live.assignment.account);
            let message = format!("{set} in {account} is not assigned to who signed in");
            return Err(Error::new(Exit::Provider, "identity_center.not_assigned", message)
                .try_(format!("jit login --identity-center {}", live.target)));
        }
        let needed = PAUSE + LAST_TRY;
        if backend.within(needed) < needed {
            let id =
                RequestId::parse(&live.request.id).map_err(|_| foreign(backend.origin(), "its request has no id"))?;
            let message = format!("{} is being provisioned by Identity Center", live.target);
            return Err(Error::new(Exit::Gone, "identity_center.provisioning", message).try_(format!("jit wait {id}")));
        }
        Ok(())
    }
}

/// Of what is open, the live grant of `person` that is meant and ends last.
fn live<'a>(
    open: &'a [RequestView],
    person: &str,
    is_meant: &dyn Fn(&GrantView) -> bool,
) -> Option<(&'a RequestView, &'a GrantView)> {
    let own = open.iter().filter(|request| request.beneficiary.id == person);
    let grants = own.filter_map(|request| Some((request, request.grant.as_ref()?)));
    let live = grants.filter(|(_, grant)| grant.state == "active" && is_meant(grant));
    live.max_by_key(|(_, grant)| grant.ends_at)
}

/// What it was approved for, as the body says.
fn checked<'a>(backend: &Backend, (request, grant): (&'a RequestView, &'a GrantView)) -> Result<Live<'a>> {
    let odd = |what| foreign(backend.origin(), what);
    let target = TargetName::parse(&grant.target).map_err(|_| odd("its grant has no target"))?;
    let body: Body = serde_json::from_str(&request.body).map_err(|_| odd("its request cannot be read"))?;
    if body.target != target {
        return Err(odd("its grant is of another request"));
    }
    let Some(assignment) = body.binding.assignment().cloned() else {
        return Err(odd("its grant is on no permission set"));
    };
    Ok(Live {
        grant,
        request,
        target,
        assignment,
        body,
    })
}
