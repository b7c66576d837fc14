//! Approving, denying, withdrawing.

use serde_json::{Value, json};

use super::view::Viewer;
use super::{Key, devices, directory, locked, people, presence, resolve, step_up, workload};
use crate::domain::lock::deciding;
use crate::domain::{Case, Change, Comment, Digest, Event, PersonId, Refusal, Verdict, Vote, apply};
use crate::policy::{self, Question};
use crate::server::backend::{Backend, Caller};
use crate::server::failure::{Failure, repeated, settled};
use crate::wire::problem::Code;
use crate::wire::{NewDecision, RequestView};

/// Decides on the request that `given` names.
///
/// # Errors
/// Refusals of the domain and of policy; nothing is stored then.
pub async fn decide(
    backend: &Backend,
    caller: &Caller,
    given: &str,
    new: &NewDecision,
    key: Option<&Key>,
) -> Result<RequestView, Failure> {
    let (verdict, comment, digest) = parse(new)?;
    settled!(async {
        let mut case = resolve::request(backend, caller, given).await?;
        let (id, me) = (case.request()?.id().clone(), &caller.person.id);
        case.locks.extend(locked::of_person(backend, me).await?);
        let request = case.request()?;
        let scopes = deciding(&request.body, &request.frozen.same_access, me);
        locked::pass(backend, me, &case, &request.body.target, &scopes).await?;
        let change = voted(backend, caller, &case, verdict, comment.clone(), digest.clone()).await?;
        // last: nobody signs in again for what is refused all the same; and whoever is there may say no
        if verdict == Verdict::Approve {
            presence::must_be_there(backend, caller)?;
        }
        let change = change.once(key.map(|k| k.used(&caller.person.id, id.as_str(), backend.now())));
        backend.commit(&change).await?;
        Viewer::new(backend, &caller.person).by_id(&id).await
    })
}

fn parse(new: &NewDecision) -> Result<(Verdict, Option<Comment>, Digest), Failure> {
    let verdict = match new.verdict.as_str() {
        "approve" => Verdict::Approve,
        "deny" => Verdict::Deny,
        other => {
            return Err(Failure::new(
                Code::UsageBody,
                format!("`{}` is neither approve nor deny", repeated(other)),
            ));
        }
    };
    let comment = new
        .comment
        .as_deref()
        .map(|text| Comment::parse(text.trim()))
        .transpose()?;
    if verdict == Verdict::Deny && comment.is_none() {
        return Err(Refusal::TextEmpty { what: "reason" }.into());
    }
    Ok((verdict, comment, Digest::given(&new.digest)))
}

async fn voted(
    backend: &Backend,
    caller: &Caller,
    case: &Case,
    verdict: Verdict,
    comment: Option<Comment>,
    digest: Digest,
) -> Result<Change, Failure> {
    let device_people = directory::people_of_device(backend, caller).await?;
    let decides_from = devices::decides_from(backend, caller).await?;
    let asked = stages(backend, caller, case, verdict)?;
    let bundle = backend.bundle();
    let asks = case.request()?.body.workload.as_deref();
    let behind = workload::behind(backend, bundle.catalogue(), asks).await?;
    let vote = Vote {
        by: caller.person.id.clone(),
        verdict,
        comment,
        digest,
        device: caller.session.device.clone(),
        device_people,
        behind,
        decides_from,
        same_human: directory::same_human(backend, &bundle, &caller.person).await?,
        stages: asked.allowed.clone(),
        grant: backend.random.grant_id(),
    };
    match apply(backend.now(), case, &Event::Decide(Box::new(vote))) {
        Ok(change) => Ok(change
            .decided_by(&asked.bundle_hash)
            .with_detail("policy", asked.inputs)),
        Err(refusal @ Refusal::NotApprover { .. }) => Err(asked.refusal.unwrap_or_else(|| refusal.into())),
        Err(refusal @ Refusal::AlreadyDecided { .. }) => Err(late(backend, case, &refusal).await?),
        Err(refusal) => Err(refusal.into()),
    }
}

/// What policy says of each open stage.
struct Asked {
    allowed: Vec<usize>,
    refusal: Option<Failure>,
    inputs: Value,
    bundle_hash: String,
}

fn stages(backend: &Backend, caller: &Caller, case: &Case, verdict: Verdict) -> Result<Asked, Failure> {
    let bundle = backend.bundle();
    let request = case.request()?;
    let mut asked = Asked {
        allowed: Vec::new(),
        refusal: None,
        inputs: json!([]),
        bundle_hash: bundle.hash().as_str().to_owned(),
    };
    let Some(target) = bundle.catalogue().asked(request) else {
        return Err(Refusal::Changed {
            request: request.id().clone(),
        }
        .into());
    };
    let groups = caller.groups(&bundle).before(directory::votes_before(backend, request));
    let who = caller.who(&groups);
    let decided_by: Vec<PersonId> = case.decisions.iter().map(|d| d.by.clone()).collect();
    let mut inputs = Vec::new();
    for stage in request.frozen.workflow.open_stages(&case.decisions) {
        let question = Question::Decide {
            who,
            request,
            target: &target,
            decided_by: &decided_by,
            verdict,
            stage,
            session: caller.facts(),
            now: backend.now(),
        };
        let answer = policy::decide(&bundle, &question);
        if answer.allowed {
            asked.allowed.push(stage);
            inputs.push(answer.inputs);
        } else {
            let refusal = step_up::refused(backend, caller, &bundle, &question, &answer);
            // of several stages the one that can be helped is told
            if !asked.refusal.as_ref().is_some_and(step_up::is_wanted) {
                asked.refusal = Some(refusal);
            }
        }
    }
    asked.inputs = Value::Array(inputs);
    Ok(asked)
}

/// "Already decided", with by whom.
async fn late(backend: &Backend, case: &Case, refusal: &Refusal) -> Result<Failure, Failure> {
    let mut failure = Failure::from(refusal.clone());
    if let Some(last) = case.decisions.last()
        && let Some(person) = backend.store.person(&last.by).await?
    {
        failure.problem.title = format!("{} by {}", failure.problem.title, people::in_words(backend, &person));
    }
    Ok(failure)
}

/// Withdraws the request that `given` names.
///
/// # Errors
/// Refusals of the domain; nothing is stored then.
pub async fn cancel(
    backend: &Backend,
    caller: &Caller,
    given: &str,
    key: Option<&Key>,
) -> Result<RequestView, Failure> {
    settled!(async {
        let case = resolve::request(backend, caller, given).await?;
        let id = case.request()?.id().clone();
        let by: PersonId = caller.person.id.clone();
        let change = apply(backend.now(), &case, &Event::Cancel { by })?;
        let change = change.once(key.map(|k| k.used(&caller.person.id, id.as_str(), backend.now())));
        backend.commit(&change).await?;
        Viewer::new(backend, &caller.person).by_id(&id).await
    })
}
