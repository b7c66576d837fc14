//! From domain values to what Cedar sees: the principal, the resource, their parents, the context.
//! Refuses to look anything up: what is not in the question is not in the slice.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::catalogue::Target;
use super::question::{Ask, Question, SessionFacts, Subject, Tally, Who};
use crate::domain::{PersonId, Request, Timestamp, Verdict, Workload};

/// What Cedar sees where nobody ever gave a second factor: ten years.
pub(super) const NEVER_S: u32 = 10 * 365 * 86_400;
/// The status of every ticket: no source is asked.
const NOT_LOOKED_UP: &str = "unknown";

/// Everything that an answer is made from, but the bundle.
pub(super) fn inputs(question: &Question<'_>) -> Value {
    let (who, now) = (question.who(), question.now());
    let mut entities = vec![principal(who)];
    let (resource, context) = match question {
        Question::Request { ask, session, .. }
        | Question::RequestFor { ask, session, .. }
        | Question::AutoApprove { ask, session, .. } => {
            entities.extend(target(ask.target));
            (uid("Target", ask.target.name.as_str()), asked(ask, Some(session), now))
        }
        Question::Receive { ask, .. } => {
            entities.extend(target(ask.target));
            (uid("Target", ask.target.name.as_str()), asked(ask, None, now))
        }
        Question::Decide {
            request,
            target: on,
            decided_by,
            stage,
            session,
            ..
        } => {
            entities.extend(target(on));
            file(request, on, decided_by, &mut entities);
            (
                uid("Request", request.id().as_str()),
                vote(request, on, *stage, session, now),
            )
        }
        Question::Activate {
            request,
            target: on,
            tally,
            ..
        } => {
            entities.extend(target(on));
            file(request, on, &[], &mut entities);
            (
                uid("Request", request.id().as_str()),
                json!({ "tally": tallied(tally), "clock": clock(now) }),
            )
        }
        Question::Revoke {
            request,
            target: on,
            session,
            ..
        } => {
            entities.extend(target(on));
            file(request, on, &[], &mut entities);
            let context = json!({ "session": signed_in(session), "clock": clock(now) });
            (uid("Request", request.id().as_str()), context)
        }
        Question::Lock { on, session, .. } | Question::Unlock { on, session, .. } => {
            let resource = locked(on, &mut entities);
            (resource, json!({ "session": signed_in(session), "clock": clock(now) }))
        }
        Question::View {
            request, target: on, ..
        } => {
            entities.extend(target(on));
            file(request, on, &[], &mut entities);
            (uid("Request", request.id().as_str()), json!({ "clock": clock(now) }))
        }
    };
    let principal = entities[0]["uid"].clone();
    let mut inputs = json!({
        "principal": principal,
        "action": uid("Action", question.action()),
        "resource": resource,
        "context": context,
        "entities": entities,
    });
    // Cedar sees the names alone; where they came from is for whoever looks at the evidence
    if let Some(origins) = who.groups.origins() {
        inputs["groups"] = origins;
    }
    inputs
}

impl<'a> Question<'a> {
    /// The action's name in the schema. Jobs have some of their own; one of people's, asked about a job, is an error and
    /// so a refusal.
    pub fn action(&self) -> &'static str {
        let is_job = self.who().person.workload.is_some();
        match self {
            Self::Request { .. } if is_job => "workloadRequest",
            Self::Receive { .. } if is_job => "workloadReceive",
            Self::AutoApprove { .. } if is_job => "workloadAutoApprove",
            Self::Activate { .. } if is_job => "workloadActivate",
            Self::Request { .. } => "request",
            Self::RequestFor { .. } => "requestFor",
            Self::Receive { .. } => "receive",
            Self::AutoApprove { .. } => "autoApprove",
            Self::Decide { verdict, .. } => match verdict {
                Verdict::Approve => "approve",
                Verdict::Deny => "deny",
            },
            Self::Activate { .. } => "activate",
            Self::Revoke { .. } => "revoke",
            Self::Lock { .. } => "lock",
            Self::Unlock { .. } => "unlock",
            Self::View { .. } => "view",
        }
    }

    fn who(&self) -> &Who<'a> {
        match self {
            Self::Request { who, .. }
            | Self::RequestFor { who, .. }
            | Self::Receive { who, .. }
            | Self::AutoApprove { who, .. }
            | Self::Decide { who, .. }
            | Self::Activate { who, .. }
            | Self::Revoke { who, .. }
            | Self::Lock { who, .. }
            | Self::Unlock { who, .. }
            | Self::View { who, .. } => who,
        }
    }

    fn now(&self) -> Timestamp {
        match self {
            Self::Request { now, .. }
            | Self::RequestFor { now, .. }
            | Self::Receive { now, .. }
            | Self::AutoApprove { now, .. }
            | Self::Decide { now, .. }
            | Self::Activate { now, .. }
            | Self::Revoke { now, .. }
            | Self::Lock { now, .. }
            | Self::Unlock { now, .. }
            | Self::View { now, .. } => *now,
        }
    }
}

fn uid(kind: &str, id: &str) -> Value {
    json!({ "type": format!("Jit::{kind}"), "id": id })
}

fn groups(names: &[String]) -> Vec<Value> {
    names.iter().map(|name| uid("Group", name)).collect()
}

/// Whoever acts, with what they are in.
fn principal(who: &Who<'_>) -> Value {
    match &who.person.workload {
        None => user(who),
        Some(workload) => {
            let parents: Vec<Value> = who.groups.names().iter().map(|name| uid("Workload", name)).collect();
            job(&who.person.id, workload, &parents)
        }
    }
}

fn job(id: &PersonId, workload: &Workload, parents: &[Value]) -> Value {
    json!({
        "uid": uid("Job", id.as_str()),
        "attrs": {
            "issuer": workload.issuer,
            "subject": workload.name,
            "active": true,
            "starter": workload.started_by.as_str(),
        },
        "parents": parents,
    })
}

fn user(who: &Who<'_>) -> Value {
    json!({
        "uid": uid("User", who.person.id.as_str()),
        "attrs": { "issuer": who.person.issuer, "subject": who.person.subject, "active": who.active },
        "parents": groups(who.groups.names()),
    })
}

/// What a lock is on, with what policy may see of it.
fn locked(on: &Subject<'_>, entities: &mut Vec<Value>) -> Value {
    match on {
        Subject::Everything => {
            let everything = uid("Everything", "all");
            entities.push(json!({ "uid": &everything, "attrs": {}, "parents": [] }));
            everything
        }
        Subject::Person { person, groups, active } => {
            let one = uid("User", person.id.as_str());
            let is_known = entities.iter().any(|entity| entity["uid"] == one);
            if !is_known {
                entities.push(user(&Who {
                    person,
                    groups,
                    active: *active,
                }));
            }
            one
        }
        Subject::Target(on) => {
            entities.extend(target(on));
            uid("Target", on.name.as_str())
        }
    }
}

/// The target and its account.
fn target(target: &Target) -> [Value; 2] {
    let binding = &target.binding;
    let account = uid("Account", &target.known_as);
    let family = target.name.family().map(|family| uid("Target", family.as_str()));
    let mut parents = vec![account.clone()];
    parents.extend(family);
    let (ous, tags) = match &target.facts {
        Some(facts) => (facts.ous.as_slice(), facts.tags.clone()),
        None => (&[][..], BTreeMap::new()),
    };
    let seen = json!({
        "uid": uid("Target", target.name.as_str()),
        "attrs": {
            "provider": "aws",
            "role": binding.arn(),
            "environment": target.environment,
            "risk": target.risk,
            "maxDuration": seconds(target.max_duration.secs()),
            "chain": binding.chain(),
            "owners": groups(&target.owners),
            "approvers": groups(&target.approvers),
        },
        "parents": parents,
        "tags": tags,
    });
    let account = json!({
        "uid": account,
        "attrs": {
            "id": binding.account(),
            "partition": binding.partition().as_str(),
            "environment": target.environment,
        },
        "parents": ous.iter().map(|id| uid("Ou", id)).collect::<Vec<_>>(),
    });
    [seen, account]
}

/// The request, with the job that made it where one did.
fn file(request: &Request, target: &Target, decided_by: &[PersonId], entities: &mut Vec<Value>) {
    let mut seen = filed(request, target, decided_by);
    if let Some(workload) = &request.body.workload {
        let id = &request.body.requester;
        let job_uid = uid("Job", id.as_str());
        seen["attrs"]["job"] = job_uid.clone();
        if entities.iter().all(|entity| entity["uid"] != job_uid) {
            entities.push(job(id, workload, &[uid("Workload", &workload.name)]));
        }
    }
    entities.push(seen);
}

fn filed(request: &Request, target: &Target, decided_by: &[PersonId]) -> Value {
    let mut approvers: Vec<String> = request
        .frozen
        .workflow
        .stages
        .iter()
        .flat_map(|s| s.groups.clone())
        .collect();
    approvers.sort();
    approvers.dedup();
    let people = |ids: &[PersonId]| -> Vec<Value> { ids.iter().map(|id| uid("User", id.as_str())).collect() };
    let target = uid("Target", target.name.as_str());
    json!({
        "uid": uid("Request", request.id().as_str()),
        "attrs": {
            "requester": uid("User", request.body.requester.as_str()),
            "beneficiary": uid("User", request.body.beneficiary.as_str()),
            "target": &target,
            "duration": seconds(request.body.duration.secs()),
            "automatic": request.automatic,
            "approvers": groups(&approvers),
            "decidedBy": people(decided_by),
            "startedBy": people(&request.frozen.started_by),
            "state": request.state.as_str(),
        },
        "parents": [&target],
    })
}

fn asked(ask: &Ask<'_>, session: Option<&SessionFacts>, now: Timestamp) -> Value {
    let mut context = Map::new();
    context.insert("duration".to_owned(), json!(seconds(ask.duration.secs())));
    context.insert("only".to_owned(), json!(ask.only));
    context.insert("clock".to_owned(), clock(now));
    if !ask.reason.is_empty() {
        context.insert("reason".to_owned(), json!(ask.reason));
        context.insert("reasonLength".to_owned(), json!(ask.reason.trim().chars().count()));
    }
    if let Some(start) = ask.start {
        context.insert("start".to_owned(), json!(start.to_string()));
    }
    if let Some(ticket) = ask.ticket {
        context.insert("ticket".to_owned(), json!({ "key": ticket, "status": NOT_LOOKED_UP }));
    }
    if let Some(session) = session {
        context.insert("session".to_owned(), signed_in(session));
    }
    Value::Object(context)
}

/// Groups of a stage count as long as they are approvers of the target, as the worker counts them.
fn vote(request: &Request, target: &Target, stage: usize, session: &SessionFacts, now: Timestamp) -> Value {
    let stage = request.frozen.workflow.stages.get(stage);
    let named = stage.map_or(&[][..], |stage| &stage.groups);
    let counted: Vec<String> = named
        .iter()
        .filter(|group| target.approvers.contains(group))
        .cloned()
        .collect();
    json!({
        "stage": stage.map_or("", |stage| stage.name.as_str()),
        "stageGroups": groups(&counted),
        "session": signed_in(session),
        "clock": clock(now),
    })
}

fn tallied(tally: &Tally) -> Value {
    json!({
        "stagesOpen": tally.stages_open,
        "distinctApprovers": tally.distinct_approvers,
        "groups": groups(&tally.groups),
    })
}

fn signed_in(session: &SessionFacts) -> Value {
    json!({
        "method": session.method.as_str(),
        "mfaAge": seconds(session.mfa_age_s.unwrap_or(NEVER_S)),
        "ip": session.address.to_string(),
        "keyStorage": session.key_storage.as_str(),
    })
}

fn clock(now: Timestamp) -> Value {
    json!({ "now": now.to_string() })
}

/// A Cedar duration.
fn seconds(count: u32) -> String {
    format!("{count}s")
}
