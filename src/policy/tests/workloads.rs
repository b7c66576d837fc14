//! Jobs: what is enrolled of them, that nothing permitted to people is permitted to them, and that the baseline holds.

use serde_json::json;

use super::{
    PERMIT_ALL, Scene, altered, assert_allowed, assert_refused, because, files, loaded, permissive_bundle, person,
    said, session, small_bundle,
};
use crate::domain::{Known, Person, StartedBy, Timestamp, Verdict, Workload, WorkloadKind};
use crate::policy::{Ask, Bundle, Decision, Groups, Question, Who, decide, replay};

pub(super) const DEPLOY: &str = r#"[workload.deploy]
issuer = "https://token.actions.githubusercontent.com"
kind = "github"

[workload.deploy.claims]
repository_id = "74"
repository_owner_id = "65"
job_workflow_ref = "acme/payments/.github/workflows/deploy.yml@refs/heads/main"
environment = "production"
event_name = ["push", "workflow_dispatch"]

[human.alice]
identities = ["local:alice"]
accounts = ["https://token.actions.githubusercontent.com 583231"]

[human.bob]
identities = ["local:bob", "https://idp.example bea"]
accounts = ["https://token.actions.githubusercontent.com 583232"]
"#;

pub(super) const IN: &str = "security/50-workloads.toml";

pub(super) fn job() -> Person {
    let claims = json!({ "repository_id": "74" });
    let workload = Workload {
        name: "deploy".into(),
        issuer: "https://token.actions.githubusercontent.com".into(),
        claims: claims.as_object().unwrap().clone(),
        started_by: StartedBy::Account("583231".into()),
    };
    Person {
        issuer: workload.issuer.clone(),
        subject: workload.subject(None),
        workload: Some(Box::new(workload)),
        ..person("deploy")
    }
}

/// What `bundle` answers to a job that asks for `target`.
fn asks(bundle: &Bundle, scene: &Scene<'_>, action: &str) -> Decision {
    let (job, groups) = (job(), Groups::from(vec!["deploy".to_owned()]));
    let mut request = scene.request();
    (request.body.requester, request.body.beneficiary) = (job.id.clone(), job.id.clone());
    request.body.workload = job.workload.clone();
    let who = Who {
        person: &job,
        groups: &groups,
        active: true,
    };
    let target = scene.target();
    let ask = Ask {
        target,
        duration: request.body.duration,
        reason: scene.reason,
        ticket: None,
        only: &[],
        start: None,
    };
    let (session, now, request) = (session(), Timestamp::from_millis(1_791_000_000_500), &request);
    let question = match action {
        "request" => Question::Request { who, ask, session, now },
        "requestFor" => Question::RequestFor { who, ask, session, now },
        "receive" => Question::Receive { who, ask, now },
        "autoApprove" => Question::AutoApprove { who, ask, session, now },
        "activate" => Question::Activate {
            who,
            request,
            target,
            tally: &scene.tally,
            now,
        },
        "revoke" => Question::Revoke {
            who,
            request,
            target,
            session,
            now,
        },
        "approve" => Question::Decide {
            who,
            request,
            target,
            decided_by: &[],
            verdict: Verdict::Approve,
            stage: 0,
            session,
            now,
        },
        other => panic!("no action `{other}`"),
    };
    decide(bundle, &question)
}

#[test]
fn catalogue_enrols_and_links() {
    let bundle = loaded(&[(IN, DEPLOY)]);
    let catalogue = bundle.catalogue();
    let github = "https://token.actions.githubusercontent.com";
    let names = |issuer, kind| {
        catalogue
            .enrolled_at(issuer, kind)
            .map(|one| one.name.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(github, WorkloadKind::Github), ["deploy"]);
    assert!(names(github, WorkloadKind::Generic).is_empty() && names("https://x", WorkloadKind::Github).is_empty());
    let human = |id: &str| {
        let workload = Workload {
            started_by: StartedBy::Account(id.into()),
            ..*job().workload.unwrap()
        };
        catalogue.human_behind(&workload).map(|human| human.len())
    };
    assert_eq!(
        (human("583231"), human("583232"), human("alice")),
        (Some(1), Some(2), None)
    );
    // what matched was less than what is enrolled now
    assert!(!catalogue.is_enrolled(&job().workload.unwrap()));
    let groups = |who: &Person| catalogue.groups_of_person(who, &Known::default()).names().to_vec();
    assert!(groups(&job()).is_empty());
    assert_eq!(groups(&person("bob")), ["engineering", "payments"]);
}

#[test]
fn attack_24_what_would_enrol_strangers_is_refused_with_its_place() {
    for (from, to, what, hint) in [
        (
            "repository_id =",
            "repositry_id =",
            "6:1: nothing is enrolled by `repositry_id` at GitHub",
            "did you mean `repository_id`?",
        ),
        (
            "repository_id = \"74\"\n",
            "",
            "1:11: workload `deploy` says no repository_id",
            "deleted and made again",
        ),
        (
            "repository_owner_id = \"65\"\n",
            "",
            "workload `deploy` says no repository_owner_id",
            "",
        ),
        (
            "environment = \"production\"\n",
            "",
            "workload `deploy` says no ref",
            "or environment",
        ),
        (
            "event_name = [\"push\", \"workflow_dispatch\"]\n",
            "",
            "workload `deploy` says no event_name",
            "pull requests",
        ),
        (
            "\"workflow_dispatch\"]",
            "\"pull_request_target\"]",
            "`pull_request_target` lets code in",
            "list some of push",
        ),
        (
            "\"workflow_dispatch\"]",
            "\"workflow_run\"]",
            "`workflow_run` lets code in",
            "",
        ),
        (
            "\"workflow_dispatch\"]",
            "\"issue_comment\"]",
            "`issue_comment` lets code in",
            "",
        ),
        (
            "\"workflow_dispatch\"]",
            "\"pull_request\"]",
            "`pull_request` lets code in",
            "",
        ),
        ("environment =", "sub =", "nothing is enrolled by `sub` at GitHub", ""),
        (
            "environment =",
            "repository =",
            "nothing is enrolled by `repository` at GitHub",
            "",
        ),
        (
            "environment =",
            "actor =",
            "nothing is enrolled by `actor` at GitHub",
            "",
        ),
        (
            "\"74\"",
            "7.4",
            "`repository_id` is nothing that a claim can be",
            "a text",
        ),
        ("\"74\"", "[]", "`repository_id` is nothing that a claim can be", ""),
        (
            "kind = \"github\"",
            "kind = \"git\"",
            "3:8: there is no kind `git`",
            "did you mean `github`?",
        ),
        ("issuer =", "isuer =", "unknown field `isuer`", "did you mean `issuer`?"),
        ("issuer = \"https", "issuer = \"http", "is no issuer", ""),
        (
            "[workload.deploy",
            "[workload.Deploy",
            "`Deploy` is no name of a workload",
            "",
        ),
        ("[\"local:alice\"]", "[\"alice\"]", "`alice` is no member", "local:NAME"),
        ("[\"local:alice\"]", "[]", "12:8: `alice` has no identity", ""),
        (
            "[\"local:alice\"]",
            "[\"local:bob\"]",
            "`bob` is named as two humans",
            "",
        ),
        (
            "com 583231\"",
            "com 583232\"",
            "account `583232` is named as of two humans",
            "",
        ),
        (
            "\"https://token.actions.githubusercontent.com 583231\"",
            "\"github 583231\"",
            "14:13: `github 583231` is no account",
            "write it as `ISSUER ID`",
        ),
        (
            "com 583231\"",
            "com\"",
            "`https://token.actions.githubusercontent.com` is no account",
            "",
        ),
        (
            "com 583231\"",
            "com 583231 583233\"",
            "583231 583233` is no account",
            "",
        ),
    ] {
        assert!(DEPLOY.contains(from), "{from}");
        let findings = Bundle::load(&files(&[(IN, &DEPLOY.replace(from, to))])).expect_err(to);
        let found = said(&findings).join("\n");
        assert!(found.contains(what) && found.contains(hint), "{to}: {found}");
        assert!(found.starts_with(IN), "{found}");
    }
}

#[test]
fn workloads_are_securitys_to_enrol() {
    let found = said(&Bundle::load(&files(&[("team.toml", DEPLOY)])).unwrap_err()).join("\n");
    assert!(found.contains("workload `deploy` stands outside security/"), "{found}");
    assert!(
        found.contains("stands outside security/") && found.contains("human `alice`"),
        "{found}"
    );
    // and a policy about one that there is not is refused
    let typo =
        r#"@id("x") permit (principal in Jit::Workload::"deply", action == Jit::Action::"workloadRequest", resource);"#;
    let found = said(&Bundle::load(&files(&[(IN, DEPLOY), ("x.cedar", typo)])).unwrap_err()).join("\n");
    assert!(
        found.contains("there is no workload `deply`") && found.contains("did you mean `deploy`?"),
        "{found}"
    );
}

#[test]
fn what_is_permitted_to_people_is_permitted_to_no_job() {
    let all_of_people = r#"@id("team.people") permit (principal, action in [
        Jit::Action::"request", Jit::Action::"requestFor", Jit::Action::"receive", Jit::Action::"autoApprove", Jit::Action::"activate"
    ], resource);"#;
    let people = loaded(&[(IN, DEPLOY), ("90-team.cedar", all_of_people)]);
    let all_of_jobs = r#"@id("team.jobs") permit (principal, action in [
        Jit::Action::"workloadRequest", Jit::Action::"workloadReceive", Jit::Action::"workloadAutoApprove", Jit::Action::"workloadActivate"
    ], resource);"#;
    let jobs = loaded(&[(IN, DEPLOY), ("90-team.cedar", all_of_jobs)]);
    for action in ["request", "receive", "autoApprove", "activate"] {
        let mut scene = Scene::new(&people, "mallory", "dev-admin");
        (scene.automatic, scene.beneficiary) = (true, "mallory");
        assert_allowed(&scene.ask(action));
        let refused = asks(&people, &scene, action);
        assert!(
            !refused.allowed && because(&refused).is_empty() && refused.errors.is_empty(),
            "{refused:#?}"
        );
        assert_allowed(&asks(&jobs, &scene, action));
        scene.bundle = &jobs;
        let refused = scene.ask(action);
        assert!(!refused.allowed && because(&refused).is_empty(), "{refused:#?}");
    }
}

#[test]
fn baseline_holds_for_jobs_against_a_team_that_permits_everything() {
    let bundle = permissive_bundle();
    let scene = |target| Scene::new(bundle, "alice", target);
    for action in ["request", "receive"] {
        assert_allowed(&asks(bundle, &scene("prod-admin"), action));
        let mut long = scene("prod-admin");
        long.duration_s = 4 * 3_600 + 1;
        assert_refused(&asks(bundle, &long, action), "base.duration-cap");
        let mut short = scene("prod-admin");
        short.reason = "run 1";
        assert_refused(&asks(bundle, &short, action), "base.reason");
    }
    assert_refused(
        &asks(bundle, &scene("prod-admin"), "autoApprove"),
        "floor.never-automatic",
    );
    let mut automatic = scene("prod-admin");
    automatic.automatic = true;
    assert_refused(
        &asks(bundle, &automatic, "activate"),
        "floor.never-activated-automatically",
    );
    let mut one = scene("prod-owner");
    one.tally.distinct_approvers = 1;
    assert_refused(&asks(bundle, &one, "activate"), "floor.two-people");
    let mut open = scene("prod-admin");
    open.tally.stages_open = 1;
    assert_refused(&asks(bundle, &open, "activate"), "floor.approvals-complete");
    // a job is given nothing that another one asked for
    let given = asks(bundle, &scene("prod-admin"), "activate");
    assert_allowed(&given);
    let mut other = given.inputs.clone();
    let entities = other["entities"].as_array_mut().unwrap();
    let request = entities
        .iter_mut()
        .find(|one| one["uid"]["type"] == "Jit::Request")
        .unwrap();
    request["attrs"]["job"]["id"] = json!("usr_000000000000");
    assert_refused(&replay(bundle, other), "floor.activate-for-job");
}

#[test]
fn attack_03_job_decides_and_takes_away_nothing() {
    let bundle = permissive_bundle();
    for action in ["approve", "revoke", "requestFor"] {
        let refused = asks(bundle, &Scene::new(bundle, "alice", "prod-admin"), action);
        assert!(!refused.allowed && !refused.errors.is_empty(), "{action}: {refused:#?}");
    }
}

#[test]
fn attack_03_who_started_a_job_does_not_decide_on_it() {
    let decision = Scene::new(permissive_bundle(), "bob", "prod-admin").ask("approve");
    assert_allowed(&decision);
    let entities = decision.inputs["entities"].as_array().unwrap();
    let at = entities
        .iter()
        .position(|one| one["uid"]["type"] == "Jit::Request")
        .unwrap();
    let bob = json!([{ "type": "Jit::User", "id": person("bob").id }]);
    let path = format!("/entities/{at}/attrs/startedBy");
    assert_refused(
        &replay(permissive_bundle(), altered(&decision.inputs, &path, bob)),
        "base.no-self",
    );
}

#[test]
fn answer_to_a_job_replays_exactly() {
    let bundle = loaded(&[(IN, DEPLOY), PERMIT_ALL]);
    for action in ["request", "receive", "autoApprove", "activate", "approve"] {
        let decision = asks(&bundle, &Scene::new(&bundle, "alice", "prod-admin"), action);
        let stored: serde_json::Value = serde_json::from_str(&decision.inputs.to_string()).unwrap();
        assert_eq!(replay(&bundle, stored), decision);
    }
    let refused = asks(
        small_bundle(),
        &Scene::new(small_bundle(), "alice", "dev-admin"),
        "request",
    );
    assert!(
        !refused.allowed && refused.errors.is_empty(),
        "no job is permitted anything at first: {refused:#?}"
    );
}
