//! From a live grant on a permission set to credentials of it: the token, the portal, the wait while Identity Center
//! makes the role.
//! Owns what a "no" of the portal means, and when. Refuses to sign in, and to fetch for another's grant.

use std::time::Duration;

use super::call::Caller;
use super::center::Center;
use super::errors::{failed, signed_out};
use super::portal::{NoCredentials, RoleCredentials};
use super::refresh::Refused;
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
    /// Fetches a credential of the grant of one's own that `is_meant` says and that ends last; `target` is what was asked for.
    pub(in super::super) fn fetched_there(
        &self,
        backend: &Backend,
        target: &TargetName,
        is_meant: &dyn Fn(&RequestView, &GrantView) -> bool,
        told: Told<'_>,
    ) -> Result<Minted> {
        let picked = self.picked()?;
        let open = backend.requests(true, None)?.requests;
        // it may have ended between the two calls
        let live = live(&open, &picked.session.person, is_meant).ok_or_else(|| no_live_grant(target))?;
        let live = checked(backend, live)?;
        let ends = |live: &Live<'_>| live.grant.ends_at.filter(|end| backend.now() < end.whole_second());
        // whatever the portal would still give: a session that is begun now would go on for as long as any
        if ends(&live).is_none() {
            return Err(no_live_grant(&live.target));
        }
        let center = Center::of_assignment(&live.assignment)?;
        let caller = Caller::new(&self.env, backend, &center, &picked.account)?;
        let made = self.credentials(&caller, &live, told)?;
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
        let odd = |_| failed("the credential of Identity Center is none".to_owned()).hint("try again");
        self.checked(backend, &credential).map_err(odd)
    }

    /// Asks the portal until it gives or its "no" is final: with one token after the other, for it may have several users.
    fn credentials(&self, caller: &Caller<'_>, live: &Live<'_>, told: Told<'_>) -> Result<RoleCredentials> {
        let (mut refused, mut is_told) = (Refused::default(), false);
        let mut next = self.token(caller, &refused)?;
        loop {
            let found = match next {
                Some(found) => found,
                None => {
                    if !refused.knows_any() {
                        return Err(signed_out(&live.target));
                    }
                    self.not_yet(caller.backend, live)?;
                    if !is_told {
                        told(&format!(
                            "{} is being provisioned by Identity Center: trying for up to 2 min",
                            live.target
                        ));
                        is_told = true;
                    }
                    caller.backend.pause(PAUSE)?;
                    refused.again().ok_or_else(|| signed_out(&live.target))?
                }
            };
            match caller.role_credentials(&live.assignment, &found.token.access)? {
                Ok(made) => return Ok(made),
                Err(NoCredentials::SignedOut) => refused.unknown(found),
                Err(NoCredentials::NoAccess) => refused.without_access(found),
            }
            next = match self.token(caller, &refused) {
                // what cannot be refreshed now is no reason not to wait with one that is known
                Err(error) if error.exit != Exit::Interrupted && refused.knows_any() => None,
                token => token?,
            };
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
    is_meant: &dyn Fn(&RequestView, &GrantView) -> bool,
) -> Option<(&'a RequestView, &'a GrantView)> {
    let own = open.iter().filter(|request| request.beneficiary.id == person);
    let grants = own.filter_map(|request| Some((request, request.grant.as_ref()?)));
    let live = grants.filter(|(request, grant)| grant.state == "active" && is_meant(request, grant));
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
