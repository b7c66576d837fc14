//! A backend at which jobs of our own mock of GitHub sign in, and what security has written for them.

use jit::config::{TokenAlgorithm, WorkloadIssuer};
use jit::domain::WorkloadKind;
use serde_json::{Value, json};

use super::caller::{Answer, Caller};
use super::stage::{Stage, eventually, put};
use crate::harness::{Device, MockGitHub};

/// What a job may do: ask for everything, as a person of engineering may.
pub const PERMITS: &str = r#"@id("deploy.ask")
permit (
  principal in Jit::Workload::"deploy",
  action in [
    Jit::Action::"workloadRequest", Jit::Action::"workloadReceive", Jit::Action::"workloadActivate"
  ],
  resource
);

@id("deploy.dev")
permit (principal in Jit::Workload::"deploy", action == Jit::Action::"workloadAutoApprove", resource)
when { resource.environment == "dev" };
"#;

/// What has to be said by a token of `deploy` at `issuer`, where alice and bob start jobs.
pub fn enrolled(issuer: &str) -> String {
    let alice = human(issuer, &["alice"], &["583231"]);
    format!(
        "{}{alice}{}",
        enrolled_alone(issuer),
        human(issuer, &["bob"], &["583232"])
    )
}

/// Somebody who is the local `people`, and starts jobs at `issuer` by `accounts`.
pub fn human(issuer: &str, people: &[&str], accounts: &[&str]) -> String {
    let identities: Vec<String> = people.iter().map(|name| format!("local:{name}")).collect();
    let accounts: Vec<String> = accounts.iter().map(|id| format!("{issuer} {id}")).collect();
    format!(
        "\n[human.{}]\nidentities = {identities:?}\naccounts = {accounts:?}\n",
        people[0]
    )
}

/// The same, where nobody is known to start jobs.
pub fn enrolled_alone(issuer: &str) -> String {
    format!(
        r#"[workload.deploy]
issuer = "{issuer}"
kind = "github"

[workload.deploy.claims]
repository_id = "700000001"
repository_owner_id = "4567"
job_workflow_ref = "acme/payments/.github/workflows/deploy.yml@refs/heads/main"
ref = "refs/heads/main"
environment = "production"
event_name = ["push", "workflow_dispatch"]
"#
    )
}

/// The mock as the backend's file has it.
pub fn at(name: &str, issuer: &str, kind: WorkloadKind) -> WorkloadIssuer {
    WorkloadIssuer {
        name: name.to_owned(),
        issuer: issuer.to_owned(),
        kind,
        audience: None,
        algorithms: vec![TokenAlgorithm::Rs256],
        started_by: None,
    }
}

/// A backend with one enrolled workload.
pub struct House {
    pub stage: Stage,
    pub github: MockGitHub,
}

impl House {
    pub async fn open() -> Self {
        Self::open_with(|issuer| vec![at("github", issuer, WorkloadKind::Github)]).await
    }

    /// With other issuers than the mock, or the mock as another.
    pub async fn open_with(issuers: impl FnOnce(&str) -> Vec<WorkloadIssuer>) -> Self {
        let github = MockGitHub::start();
        let stage = Stage::open_with(|settings| settings.workload_issuers = issuers(&github.issuer)).await;
        let house = Self { stage, github };
        house
            .write("security/50-workloads.toml", &enrolled(&house.github.issuer))
            .await;
        house.write("50-workloads.cedar", PERMITS).await;
        house
    }

    /// Puts a file into the policy and waits until it is in force.
    pub async fn write(&self, file: &str, text: &str) {
        let before = self.stage.backend.bundle().hash().clone();
        put(&self.stage.folder().join("policy").join(file), text);
        eventually("the policy", || async { *self.stage.backend.bundle().hash() != before }).await;
    }

    /// A token for this backend, of a push to main by alice, with `claims` on top.
    pub async fn token(&self, claims: &Value) -> String {
        self.made(claims, "").await
    }

    /// The same, made in the way `how`.
    pub async fn made(&self, claims: &Value, how: &str) -> String {
        let origin = format!("http://{}", self.stage.address);
        self.github.token(&origin, claims, how).await
    }

    /// What the backend says to `token`, brought from `device`.
    pub async fn brings_from(&self, device: Device, token: &str) -> (Caller, Answer) {
        let caller = self.stage.nobody_on(device);
        let body = json!({ "token": token, "key_storage": "file" });
        let answer = caller.post("/v1/workload-sessions", &body).await;
        (caller, answer)
    }

    /// The same from a device of its own.
    pub async fn brings(&self, token: &str) -> Answer {
        self.brings_from(Device::new(), token).await.1
    }

    /// A job that is signed in, by a token with `claims` on top.
    pub async fn job(&self, claims: &Value) -> Caller {
        let token = self.token(claims).await;
        let (caller, answer) = self.brings_from(Device::new(), &token).await;
        let answer = answer.is(201);
        Caller {
            token: answer.body["token"].as_str().map(str::to_owned),
            ..caller
        }
    }

    /// What is said to a token with `claims` on top.
    pub async fn refused(&self, claims: &Value) -> Answer {
        let token = self.token(claims).await;
        self.brings(&token).await.is(401).refuses("session.token_invalid")
    }
}
