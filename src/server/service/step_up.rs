//! A second factor that is too old: what would do, and what comes of showing it again.
//! Owns the challenge (RFC 9470). Refuses it where something else stands in the way, and where nobody could answer it.

use super::locked;
use super::sign_in::{LONGEST_VERIFIER, code_hash, me};
use crate::domain::sign_in::renew as renewed;
use crate::domain::{Refusal, Session, SessionId, SignInMethod};
use crate::policy::{Bundle, Decision, Question, SessionFacts, oldest_mfa};
use crate::server::backend::{Backend, Caller};
use crate::server::failure::{Failure, settled};
use crate::server::identity::on_its_way::Terminal;
use crate::server::identity::relying_party::{RelyingParty, challenge};
use crate::wire::problem::{Code, StepUp, status};
use crate::wire::{Me, Renewal};

/// What the caller has to show for `bundle` to allow `question`; `None` where that is not all that it takes.
pub fn wanted(backend: &Backend, caller: &Caller, bundle: &Bundle, question: &Question<'_>) -> Option<StepUp> {
    let party = party(backend, caller)?;
    Some(StepUp {
        max_age_s: oldest_mfa(bundle, question)?,
        acr_values: party.mfa_acr().to_vec(),
    })
}

/// Policy's "no" to `question`, or what would make it a yes.
pub fn refused(
    backend: &Backend,
    caller: &Caller,
    bundle: &Bundle,
    question: &Question<'_>,
    answer: &Decision,
) -> Failure {
    asked_for(Failure::policy(answer), wanted(backend, caller, bundle, question))
}

/// `failure`, with what would help where something would.
pub fn asked_for(mut failure: Failure, wanted: Option<StepUp>) -> Failure {
    if wanted.is_some() {
        Code::SessionStepUp.as_str().clone_into(&mut failure.problem.code);
        failure.problem.status = status(Code::SessionStepUp);
        failure.problem.step_up = wanted;
    }
    failure
}

/// `failure`, because of which whoever is there is to show who they are. What helps is told where they showed a second
/// factor before: there they can again.
pub fn shown_anew(backend: &Backend, caller: &Caller, mut failure: Failure) -> Failure {
    let party = party(backend, caller).filter(|_| caller.session.mfa_at.is_some());
    failure.problem.step_up = party.map(|party| StepUp {
        max_age_s: backend.settings.session_idle.secs(),
        acr_values: party.mfa_acr().to_vec(),
    });
    failure
}

/// Refuses a caller whose second factor is older than `max_age_s`, where they ever showed one or their provider says what one
/// is: who can show none, by its kind or their provider's, is not asked for it.
///
/// # Errors
/// [`Code::SessionStepUp`], with what would do; what the store says.
pub async fn must_be_fresh(backend: &Backend, caller: &Caller, max_age_s: u32) -> Result<(), Failure> {
    let Some(party) = party(backend, caller) else {
        return Ok(());
    };
    let age = caller.session.mfa_at.map(|at| caller.at.since(at));
    let is_fresh = age.is_some_and(|age| age <= max_age_s);
    let can_show = !party.mfa_acr().is_empty() || backend.store.has_shown_mfa(&caller.person.id).await?;
    if is_fresh || !can_show {
        return Ok(());
    }
    let failure = Failure::new(Code::SessionStepUp, "this needs a second factor that was shown lately");
    let wanted = StepUp {
        max_age_s,
        acr_values: party.mfa_acr().to_vec(),
    };
    Err(asked_for(failure, Some(wanted)))
}

/// Whether `failure` can be helped.
pub fn is_wanted(failure: &Failure) -> bool {
    failure.problem.step_up.is_some()
}

/// How the caller would be signed in if they showed a second factor now, where they can: lists say what may be done, and
/// not what may be done without being asked for one.
pub fn at_best(backend: &Backend, caller: &Caller) -> SessionFacts {
    let facts = caller.facts();
    match party(backend, caller) {
        Some(_) => SessionFacts {
            mfa_age_s: Some(0),
            ..facts
        },
        None => facts,
    }
}

/// Where the caller can show one.
fn party<'a>(backend: &'a Backend, caller: &Caller) -> Option<&'a RelyingParty> {
    let can_show = match caller.session.method {
        SignInMethod::LoopbackPkce | SignInMethod::Remote => true,
        // nobody is at that machine; nobody vouches for it
        SignInMethod::Device | SignInMethod::Local | SignInMethod::Workload => false,
    };
    let issuer = &caller.person.issuer;
    backend.sign_ins.party_at(issuer).filter(|_| can_show)
}

/// The session that `terminal`, on its device, wants to show a second factor for, and where its person does. The way is
/// that of the session: a code that can be talked out of somebody is worth nothing to a session that was opened without.
///
/// # Errors
/// What the store says.
pub async fn of_session<'a>(
    backend: &'a Backend,
    id: &SessionId,
    terminal: &Terminal,
) -> Result<Option<(Session, &'a RelyingParty)>, Failure> {
    let session = backend.store.session(id).await?;
    let is_theirs = |session: &Session| session.device == terminal.device && session.method == terminal.method();
    let session = session.filter(|session| is_theirs(session) && session.is_live(backend.now()));
    let Some(session) = session else {
        return Ok(None);
    };
    let person = backend.store.person(&session.person).await?;
    let party = person.and_then(|person| backend.sign_ins.party_at(&person.issuer));
    Ok(party.map(|party| (session, party)))
}

/// Takes in that the caller showed a second factor again, by the code that the browser brought to their terminal. Nobody
/// guesses it or the verifier, and calls count on the caller: strangers who try codes at their address hold nobody up.
///
/// # Errors
/// [`Code::SessionCodeInvalid`], the same words whatever is wrong.
pub async fn renew(backend: &Backend, caller: &Caller, new: &Renewal) -> Result<Me, Failure> {
    let verifier: String = new.verifier.chars().take(LONGEST_VERIFIER).collect();
    let brought = challenge(&verifier);
    let session = settled!(async {
        let now = backend.now();
        let code = backend.store.code_by_hash(&code_hash(&new.code)).await?;
        let session = backend.store.session(&caller.session.id).await?;
        let lock = locked::of_person(backend, &caller.person.id).await?;
        let change = match (&code, &session) {
            (Some(code), Some(session)) => renewed(now, code, &brought, session, lock.as_ref()),
            (None, _) | (_, None) => Err(Refusal::CodeInvalid),
        };
        match change {
            Ok(change) => backend.commit(&change).await?,
            Err(refusal) => return Err(locked::named(backend, &caller.person.id, refusal).await),
        }
        let session = backend.store.session(&caller.session.id).await?;
        session.ok_or_else(|| Failure::broken("the session is gone"))
    })?;
    let caller = Caller {
        session,
        ..caller.clone()
    };
    me(backend, &caller).await
}
