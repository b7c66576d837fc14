//! Credentials of an active grant, to the device that asks.
//! Owns the order: evidence first, then the provider, then the access key id. Refuses to keep what was minted.

use secrecy::ExposeSecret;

use super::{locked, resolve};
use crate::domain::lock::receiving;
use crate::domain::{Case, Event, Grant, GrantId, Person, Refusal, RoleBinding, TargetName, Timestamp, apply};
use crate::policy::{Ask, Question, decide};
use crate::server::backend::{Backend, Caller};
use crate::server::failure::{Failure, settled};
use crate::server::provider::{Access, Credential, RoleAccess};
use crate::wire::problem::Code;
use crate::wire::{MintedCredential, Problem};

/// A provider's clock and ours may be so far apart.
const CLOCKS_APART_MS: i64 = 30_000;

/// So many sessions of one person on one role are shut out at a time: a policy that shuts out has room for some 500.
const MOST_KILLED: usize = 20;

/// Mints for the grant that `given` names.
///
/// # Errors
/// Only the beneficiary; only while it is live; only while the target resolves to what was approved;
/// and what the provider says.
pub async fn mint(backend: &Backend, caller: &Caller, given: &str) -> Result<MintedCredential, Failure> {
    let case = resolve::own_grant(backend, caller, given).await?;
    let grant = case.grant()?.id.clone();
    if case.grant()?.beneficiary != caller.person.id {
        return Err(Refusal::NotBeneficiary.into());
    }
    let device = &caller.session.device;
    backend
        .flights
        .join(&grant, device, flight(backend, caller, &grant))
        .await
}

/// No lock stands in the way of having what `case` is of.
async fn is_free(backend: &Backend, caller: &Caller, case: &Case) -> Result<(), Failure> {
    let request = case.request()?;
    let scopes = receiving(&request.body, &request.frozen.same_access);
    locked::pass(backend, &caller.person.id, case, &request.body.target, &scopes).await
}

async fn flight(backend: &Backend, caller: &Caller, id: &GrantId) -> Result<MintedCredential, Failure> {
    let device = caller.session.device.clone();
    let (access, target) = settled!(async {
        let case = load(backend, id).await?;
        is_free(backend, caller, &case).await?;
        may_have(backend, caller, &case)?;
        let access = access(&case, &caller.person)?;
        if access.binding.assignment().is_some() {
            return Err(elsewhere(&case.grant()?.target));
        }
        let access = access.on_role()?;
        is_let_in(backend, &access.binding).await?;
        leaves_room(backend, &case, &access.binding).await?;
        let now = backend.now();
        let until = backend.aws.works_until(now, &access);
        let event = Event::Mint {
            by: caller.person.id.clone(),
            device: device.clone(),
            until,
        };
        backend.commit(&apply(now, &case, &event)?).await?;
        Ok((access, case.grant()?.target.clone()))
    })?;
    let credential = backend.aws.mint(backend.now(), &access).await?;
    settled!(async {
        let case = load(backend, id).await?;
        let event = Event::Minted {
            access_key_id: credential.access_key_id.clone(),
            device: device.clone(),
            until: credential.expires_at,
        };
        backend.commit(&apply(backend.now(), &case, &event)?).await?;
        // taken back while the provider was answering: what was minted is on record, and goes to nobody
        is_free(backend, caller, &case).await?;
        let grant = case.grant()?;
        if grant.is_live(backend.now()) {
            Ok(())
        } else {
            Err(Refusal::GrantNotLive { state: grant.state }.into())
        }
    })?;
    Ok(answer(&access, &target, &credential))
}

/// Identity Center gives them to whoever has signed in there, and to nobody else: we hold none.
fn elsewhere(target: &TargetName) -> Failure {
    let title = format!("credentials of {target} come from Identity Center");
    Failure::new(Code::CredentialElsewhere, title)
}

/// A kill switch that is full shuts out what is issued before some instant: until both clocks have passed it, what is
/// minted would be dead on arrival.
async fn is_let_in(backend: &Backend, binding: &RoleBinding) -> Result<(), Failure> {
    if binding.kill.is_none() {
        return Ok(());
    }
    let denied_before = backend.store.switch(&binding.role_arn).await?.denied_before;
    let opens_at = denied_before.map(|before| Timestamp::from_millis(before.millis() + CLOCKS_APART_MS));
    match opens_at.filter(|at| backend.now() < *at) {
        Some(at) => Err(Failure::too_much(
            "the kill switch of this role is full and shuts new sessions out",
            at.since(backend.now()).max(1),
        )),
        None => Ok(()),
    }
}

/// Each session that is shut out takes room in the policy of its role, which is everybody's. Whoever has given back that
/// many in a short while waits for their next credential, never for an end.
async fn leaves_room(backend: &Backend, case: &Case, binding: &RoleBinding) -> Result<(), Failure> {
    let (grant, now) = (case.grant()?, backend.now());
    // what lives already has its room
    if binding.kill.is_none() || grant.last_credential_at.is_some_and(|last| last > now) {
        return Ok(());
    }
    let Some((killed, first_over)) = backend.store.killed_of(&binding.role_arn, &grant.beneficiary).await? else {
        return Ok(());
    };
    let works = |other: &&Grant| other.kill.is_none() && other.last_credential_at.is_some_and(|last| last > now);
    // each of those can be ended in the next instant
    if killed as usize + case.grants_beside().filter(works).count() < MOST_KILLED {
        return Ok(());
    }
    let title = format!("{killed} sessions that you ended early are shut out of this role still");
    Err(Failure::too_much(&title, first_over.since(now).max(1)))
}

async fn load(backend: &Backend, id: &GrantId) -> Result<Case, Failure> {
    backend
        .store
        .case_of_grant(id)
        .await?
        .ok_or_else(|| Failure::no_grant(id.as_str()))
}

/// Whether the target is what was approved, and the beneficiary may still receive it.
fn may_have(backend: &Backend, caller: &Caller, case: &Case) -> Result<(), Failure> {
    let request = case.request()?;
    let bundle = backend.bundle();
    let body = &request.body;
    let catalogue = bundle.catalogue();
    let target = catalogue.asked(request).filter(|_| catalogue.still_resolves(request));
    let Some(target) = target else {
        let title = format!("{} resolves otherwise than what was approved", body.target);
        return Err(Problem::new(Code::RequestChanged, title)
            .hint("give it back and ask again")
            .into());
    };
    let groups = caller.groups(&bundle);
    let who = caller.who(&groups);
    let ask = Ask {
        target: &target,
        duration: body.duration,
        reason: body.reason.as_str(),
        ticket: body.ticket.as_ref(),
        only: &body.only,
        start: None,
    };
    let answer = decide(
        &bundle,
        &Question::Receive {
            who,
            ask,
            now: backend.now(),
        },
    );
    if answer.allowed {
        Ok(())
    } else {
        Err(Failure::policy(&answer))
    }
}

/// What the provider needs to know of the grant in `case`.
///
/// # Errors
/// [`Refusal::GrantNotLive`] while its end is not fixed.
pub fn access(case: &Case, beneficiary: &Person) -> Result<Access, Refusal> {
    let (request, grant) = (case.request()?, case.grant()?);
    let ends_at: Timestamp = grant.ends_at.ok_or(Refusal::GrantNotLive { state: grant.state })?;
    Ok(Access {
        request: request.id().clone(),
        grant: grant.id.clone(),
        person: beneficiary.id.clone(),
        person_name: beneficiary.name.clone(),
        binding: request.body.binding.clone(),
        user: request.body.user.clone(),
        only: request.body.only.clone(),
        ends_at,
    })
}

fn answer(access: &RoleAccess, target: &TargetName, credential: &Credential) -> MintedCredential {
    MintedCredential {
        grant: access.grant.to_string(),
        target: target.to_string(),
        access_key_id: credential.access_key_id.clone(),
        secret_access_key: credential.secret_access_key.expose_secret().to_owned(),
        session_token: credential.session_token.expose_secret().to_owned(),
        expires_at: credential.expires_at,
        account: access.binding.account.clone(),
        grant_ends_at: access.ends_at,
        only: access.only.iter().map(ToString::to_string).collect(),
    }
}
