//! The kill switch against ministack, which enforces tags of sessions and inline policies of roles: what AWS itself must
//! refuse once a grant has ended early. Proved with a call that is allowed before; who one is, AWS always says.

use std::collections::BTreeSet;

use jit::domain::{KillSwitch, Killed, RequestId, Timestamp};
use jit::server::provider::{Credential, Killer, Minter, ProviderError, RoleAccess};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::aws_access::{access, in_seconds, now, provider};
use crate::harness::{AwsKeys, AwsProxy, Backend, BackendPlan, Fault, LIMIT, MiniStack, Run, SealedBox, wait_until};

const LIST: [&str; 2] = ["s3api", "list-buckets"];

/// An hour on role `name`, which has a kill switch, for request `n`. The stand-in forgets the path of roles when it
/// judges calls of IAM, so these have none.
pub fn killable(name: &str, n: u64) -> RoleAccess {
    let mut access = access(in_seconds(3600));
    access.request = RequestId::from_bits(n);
    access.binding.role_arn = format!("arn:aws:iam::111111111111:role/{name}");
    access.binding.kill = Some(KillSwitch {
        role_arn: "arn:aws:iam::111111111111:role/jit/jit-kill-switch".into(),
    });
    access
}

fn prepared(role: &str) -> &'static MiniStack {
    let aws = MiniStack::shared();
    aws.make_roles(&["111111111111:jit-kill-switch", &format!("111111111111:{role}")]);
    aws
}

pub async fn minted(access: &RoleAccess) -> Credential {
    provider(&MiniStack::shared().url).mint(now(), access).await.unwrap()
}

/// The real aws CLI with a copy of the credential.
fn aws(credential: &Credential, args: &[&str]) -> Run {
    let keys = AwsKeys::from_credential_process(&json!({
        "AccessKeyId": credential.access_key_id,
        "SecretAccessKey": credential.secret_access_key.expose_secret(),
        "SessionToken": credential.session_token.expose_secret(),
    }));
    SealedBox::new().aws_with(&MiniStack::shared().url, &keys, args)
}

#[track_caller]
pub fn is_denied(credential: &Credential) {
    let run = aws(credential, &LIST);
    assert!(run.status != Some(0) && run.stderr.contains("AccessDenied"), "{run}");
}

#[track_caller]
pub fn is_allowed(credential: &Credential) {
    drop(aws(credential, &LIST).exits(0));
}

fn killed(access: &RoleAccess, since: Timestamp) -> Killed {
    Killed {
        request: access.request.clone(),
        since,
    }
}

/// The policy `jit-kill` of `role` as an administrator of the account reads it; none where there is none.
fn policy_of(role: &str) -> Option<Value> {
    let keys = AwsKeys::from_credential_process(&json!({
        "AccessKeyId": "111111111111", "SecretAccessKey": "test", "SessionToken": "",
    }));
    let ask = [
        "iam",
        "get-role-policy",
        "--role-name",
        role,
        "--policy-name",
        "jit-kill",
        "--output",
        "json",
    ];
    let run = SealedBox::new().aws_with(&MiniStack::shared().url, &keys, &ask);
    (run.status == Some(0)).then(|| run.json()["PolicyDocument"].clone())
}

/// The requests that it names.
pub fn ids_in_policy(role: &str) -> BTreeSet<String> {
    let policy = policy_of(role).expect("a policy");
    let statements = policy["Statement"].as_array().unwrap();
    let ids = |statement: &Value| statement["Condition"]["StringEquals"]["aws:PrincipalTag/jit:request"].clone();
    let ids = statements.iter().map(ids).find(Value::is_array).expect("ids");
    serde_json::from_value(ids).unwrap()
}

async fn shut_out(access: &RoleAccess, sessions: &[Killed]) -> Result<Option<Timestamp>, ProviderError> {
    provider(&MiniStack::shared().url)
        .shut_out(now(), &access.binding, sessions)
        .await
}

#[tokio::test]
async fn killed_session_is_denied_and_the_one_beside_it_is_not() {
    let role = "jit-killable-one";
    prepared(role);
    let (first, second) = (killable(role, 1), killable(role, 2));
    let (gone, stays) = (minted(&first).await, minted(&second).await);
    is_allowed(&gone);
    assert_eq!(shut_out(&first, &[killed(&first, now())]).await, Ok(None));
    is_denied(&gone);
    is_allowed(&stays);
    // a session that is minted later for the same request is shut out too
    is_denied(&minted(&first).await);
    assert_eq!(shut_out(&first, &[]).await, Ok(None));
    assert_eq!(policy_of(role), None);
    is_allowed(&gone);
}

#[tokio::test]
async fn full_kill_switch_shuts_out_by_time_and_lets_later_sessions_in() {
    let role = "jit-killable-many";
    prepared(role);
    let bystander = minted(&killable(role, 5_000)).await;
    let long_ago = Timestamp::from_millis(now().millis() - 120_000);
    let mut many: Vec<Killed> = (1..600).map(|n| killed(&killable(role, n), long_ago)).collect();
    let access = killable(role, 6_000);
    // the sessions of two minutes ago: whoever was issued since then is not among them
    let before = shut_out(&access, &many).await.unwrap().expect("it is full");
    assert!(before < now());
    is_allowed(&bystander);
    // and those of a moment ago: this one is
    many.iter_mut().for_each(|killed| killed.since = now());
    let before = shut_out(&access, &many).await.unwrap().expect("it is full");
    assert!(before > now());
    is_denied(&bystander);
    let policy = policy_of(role).unwrap();
    assert!(policy.to_string().len() <= 10_240);
    let of_time = &policy["Statement"][0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"];
    assert_eq!(*of_time, before.to_string());
}

#[tokio::test]
async fn kill_switch_out_of_reach_says_where_to_look() {
    let mut access = killable("jit-killable-one", 1);
    access.binding.kill = Some(KillSwitch {
        role_arn: "arn:aws:iam::111111111111:role/jit/nobody".into(),
    });
    MiniStack::shared();
    let there = provider(&MiniStack::shared().url);
    let refused = there.can_shut_out(now(), &access.binding).await;
    assert!(
        matches!(&refused, Err(ProviderError::Refused(text)) if text.contains("role/jit/nobody") && text.contains("kill_role")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn role_that_is_gone_shuts_everybody_out() {
    prepared("jit-killable-one");
    let access = killable("jit-never-made", 1);
    assert_eq!(shut_out(&access, &[killed(&access, now())]).await, Ok(None));
    assert_eq!(shut_out(&access, &[]).await, Ok(None));
}

/// A backend whose `dev-admin` is `role` of the stand-in behind `endpoint`, with a kill switch.
fn backend_on(endpoint: &str, role: &str) -> Backend {
    let (account, provider) = ("id = \"222222222222\"", "role = \"jit/jit-dev-admin\"");
    let kill_role = "id = \"111111111113\"\nkill_role = \"jit/jit-kill-switch\"";
    MiniStack::shared().make_roles(&["111111111113:jit-kill-switch", &format!("111111111113:{role}")]);
    BackendPlan::with_aws(endpoint)
        .policy("security/catalogue.toml", account, kill_role)
        .policy(
            "catalogue.toml",
            provider,
            &format!("role = \"{role}\", kill = \"deny-policy\""),
        )
        .start()
}

/// A copy of the credential that `machine` has for `dev-admin`, which works.
fn copied(machine: &SealedBox) -> AwsKeys {
    drop(
        machine
            .jit(&["request", "dev-admin", "--reason", "night shift"])
            .exits(0),
    );
    let printed = machine.jit(&["credential-process", "dev-admin"]).exits(0).json();
    let keys = AwsKeys::from_credential_process(&printed);
    drop(list_with(&keys).exits(0));
    keys
}

fn list_with(keys: &AwsKeys) -> Run {
    SealedBox::new().aws_with(&MiniStack::shared().url, keys, &LIST)
}

#[test]
fn dropped_grant_shuts_its_copies_out_and_says_so() {
    let backend = backend_on(&MiniStack::shared().url, "jit-killable-box");
    let (alice, bob) = (backend.machine_of("alice"), backend.machine_of("bob"));
    let (gone, stays) = (copied(&alice), copied(&bob));
    let dropped = alice.jit(&["drop", "dev-admin"]).exits(0);
    assert_eq!(dropped.stderr, "Gave dev-admin back. Its sessions are shut out now.\n");
    let denied = list_with(&gone);
    assert!(denied.stderr.contains("AccessDenied"), "{denied}");
    drop(list_with(&stays).exits(0));
    let status = alice.jit(&["status", "--history"]).exits(0);
    assert!(status.stdout.contains("ended"), "{status}");
    let targets = alice.jit(&["targets"]).exits(0);
    assert!(targets.stdout.contains("with kill switch"), "{targets}");
    // whoever gave back may ask again, and gets a session of another request
    drop(list_with(&copied(&alice)).exits(0));
}

#[test]
fn bad_days_of_iam_are_waited_out() {
    let proxy = AwsProxy::before(&MiniStack::shared().url);
    let backend = backend_on(&proxy.url, "jit-killable-faults");
    let alice = backend.machine_of("alice");
    let gone = copied(&alice);
    for fault in [Fault::Throttled, Fault::Failed, Fault::Cut, Fault::CutAfter] {
        proxy.then("PutRolePolicy", fault);
    }
    drop(alice.jit(&["drop", "dev-admin"]).exits(0));
    wait_until("the kill switch", LIMIT, || {
        let history = alice.jit(&["status", "--history", "-o", "json"]).exits(0).json();
        let grant = history["requests"][0]["grant"].clone();
        (grant["sessions"] == "killed" && grant["state"] == "ended").then_some(())
    });
    let denied = list_with(&gone);
    assert!(denied.stderr.contains("AccessDenied"), "{denied}");
    assert_eq!(proxy.calls_of("PutRolePolicy"), 5);
}

#[test]
fn role_that_is_full_falls_back_to_time_and_says_so() {
    let proxy = AwsProxy::before(&MiniStack::shared().url);
    let backend = backend_on(&proxy.url, "jit-killable-full");
    let (alice, bob) = (backend.machine_of("alice"), backend.machine_of("bob"));
    let (gone, beside) = (copied(&alice), copied(&bob));
    // whatever else is inline leaves no room for a single id
    for _ in 0..3 {
        proxy.then("PutRolePolicy", Fault::Full);
    }
    drop(alice.jit(&["drop", "dev-admin"]).exits(0));
    backend.log_line("the kill switch is full");
    for keys in [&gone, &beside] {
        let denied = list_with(keys);
        assert!(denied.stderr.contains("AccessDenied"), "{denied}");
    }
    let told = bob.jit(&["status", "dev-admin"]).exits(0);
    assert!(told.stdout.contains("the role's kill switch was full"), "{told}");
}
