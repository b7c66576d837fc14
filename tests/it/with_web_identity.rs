//! The road web-identity against ministack: a backend without any AWS key, a request, calls of S3, and the kill switch.
//!
//! What the stand-in does with a token: it holds issuer, `aud` and `sub` against the trust, and believes the signature
//! (`with_relying_party` does not). It reads neither the tag nor the source identity in it, and takes no session policy
//! from this call. So a tag on the role stands for the session's own where one is needed, and what the session policy
//! does is shown on the other road. Proved with a call that is allowed before; who one is, AWS always says.

use jit::config::IssuerUrl;
use jit::domain::{KillSwitch, Road};
use jit::server::provider::aws::bootstrap::{Plan, Wanted, kill_policy, kill_trust, plans, role_trust};
use serde_json::{Value, json};

use crate::aws_access::{access, in_seconds};
use crate::harness::{AwsKeys, AwsProxy, Backend, BackendPlan, Fault, MiniStack, Run, SealedBox};
use crate::with_relying_party::keyless_backend;

const LIST: [&str; 2] = ["s3api", "list-buckets"];
/// The role of `dev-admin`. The stand-in forgets the path of roles when it judges calls of IAM, so it has none.
const ROLE: &str = "jit-by-token";

/// A backend without an AWS key in front of `account`, where nothing is set up yet.
struct Account {
    number: &'static str,
    backend: Backend,
    plan: Plan,
}

impl Account {
    fn new(number: &'static str, endpoint: &str) -> Self {
        let target = format!("role = \"{ROLE}\", kill = \"deny-policy\"");
        let account = format!("id = \"{number}\"\nkill_role = \"jit/jit-kill-switch\"");
        let plan = BackendPlan::with_aws(endpoint)
            .policy("security/catalogue.toml", "id = \"222222222222\"", &account)
            .policy("catalogue.toml", "role = \"jit/jit-dev-admin\"", &target);
        let backend = keyless_backend(plan);
        let mut binding = access(in_seconds(60)).binding;
        binding.account = number.to_owned();
        binding.road = Road::WebIdentity;
        binding.role_arn = format!("arn:aws:iam::{number}:role/{ROLE}");
        binding.kill = Some(KillSwitch {
            role_arn: format!("arn:aws:iam::{number}:role/jit/jit-kill-switch"),
        });
        let wanted = Wanted {
            issuer: IssuerUrl::of_loopback(backend.url()),
            ..Wanted::default()
        };
        let plan = plans([("dev-admin", &binding)], &wanted)
            .into_values()
            .next()
            .unwrap()
            .unwrap();
        Self { number, backend, plan }
    }

    /// IAM, as an administrator of the account.
    fn iam(&self, args: &[&str]) -> Run {
        let keys = AwsKeys::from_credential_process(&json!({
            "AccessKeyId": self.number, "SecretAccessKey": "test", "SessionToken": "",
        }));
        let line = [&["iam"], args].concat();
        SealedBox::new().aws_with(&MiniStack::shared().url, &keys, &line)
    }

    fn make_role(&self, name: &str, trust: &Value, may: &Value) {
        let (trust, may) = (trust.to_string(), may.to_string());
        let made = ["create-role", "--role-name", name, "--assume-role-policy-document"];
        drop(self.iam(&[&made[..], &[&trust]].concat()).exits(0));
        let can = ["put-role-policy", "--role-name", name, "--policy-name", "may"];
        drop(self.iam(&[&can[..], &["--policy-document", &may]].concat()).exits(0));
    }

    fn let_in(&self, trust: &Value) {
        let text = trust.to_string();
        let args = ["update-assume-role-policy", "--role-name", ROLE, "--policy-document"];
        drop(self.iam(&[&args[..], &[&text]].concat()).exits(0));
    }

    /// The target's role and the kill switch's, as `jit aws bootstrap` has them but for what the stand-in never sees.
    fn set_up(&self) {
        let everything =
            json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
        self.make_role(ROLE, &without_what_the_token_tags(self.trust()), &everything);
        self.make_role("jit-kill-switch", &kill_trust(&self.plan), &self.kill_policy());
    }

    fn trust(&self) -> Value {
        role_trust(&self.plan, &self.plan.roles[0])
    }

    /// The stand-in gives no boundary of the role that is written on to who judges.
    fn kill_policy(&self) -> Value {
        let mut policy = kill_policy(&self.plan);
        drop(
            policy["Statement"][0]
                .as_object_mut()
                .unwrap()
                .remove("Condition")
                .unwrap(),
        );
        policy
    }

    /// The policy `jit-kill`, if there is one.
    fn jit_kill(&self) -> Option<Value> {
        let args = ["get-role-policy", "--role-name", ROLE, "--policy-name", "jit-kill"];
        let run = self.iam(&[&args[..], &["--output", "json"]].concat());
        (run.status == Some(0)).then(|| run.json()["PolicyDocument"].clone())
    }

    /// Has every session of the role carry the tag that the token of `request` carries.
    fn tag(&self, request: &str) {
        let tag = format!("Key=jit:request,Value={request}");
        drop(self.iam(&["tag-role", "--role-name", ROLE, "--tags", &tag]).exits(0));
    }
}

fn without_what_the_token_tags(mut trust: Value) -> Value {
    let like = trust["Statement"][0]["Condition"]["StringLike"]
        .as_object_mut()
        .unwrap();
    drop(like.remove("aws:RequestTag/jit:request").unwrap());
    drop(like.remove("sts:SourceIdentity").unwrap());
    trust
}

/// The id of a new request by `machine`, which is granted, and a copy of its credential, which works.
fn copied(machine: &SealedBox) -> (String, AwsKeys) {
    drop(
        machine
            .jit(&["request", "dev-admin", "--reason", "night shift"])
            .exits(0),
    );
    let asked = machine.jit(&["status", "--history", "-o", "json"]).exits(0).json();
    let keys = AwsKeys::from_credential_process(&machine.jit(&["credential-process", "dev-admin"]).exits(0).json());
    drop(list_with(&keys).exits(0));
    (asked["requests"][0]["id"].as_str().unwrap().to_owned(), keys)
}

fn list_with(keys: &AwsKeys) -> Run {
    SealedBox::new().aws_with(&MiniStack::shared().url, keys, &LIST)
}

#[track_caller]
fn is_denied(keys: &AwsKeys) {
    let run = list_with(keys);
    assert!(run.status != Some(0) && run.stderr.contains("AccessDenied"), "{run}");
}

#[test]
fn revoked_session_by_token_is_denied_by_its_tag() {
    let account = Account::new("111111111114", &MiniStack::shared().url);
    account.set_up();
    let (alice, bob) = (account.backend.machine_of("alice"), account.backend.machine_of("bob"));
    let ((first, gone), (second, stays)) = (copied(&alice), copied(&bob));
    let identity = ["sts", "get-caller-identity", "--query", "Arn", "--output", "text"];
    let who = SealedBox::new()
        .aws_with(&MiniStack::shared().url, &gone, &identity)
        .exits(0);
    assert!(who.stdout.contains(&format!(":assumed-role/{ROLE}/alice@")), "{who}");
    let dropped = alice.jit(&["drop", "dev-admin"]).exits(0);
    assert_eq!(dropped.stderr, "Gave dev-admin back. Its sessions are shut out now.\n");
    let written = account
        .jit_kill()
        .expect("the kill role, entered with a token, wrote it");
    let ids = &written["Statement"][0]["Condition"]["StringEquals"]["aws:PrincipalTag/jit:request"];
    assert_eq!(*ids, json!([first]));
    // the stand-in reads no tag in a token: the role lends its own
    drop(list_with(&gone).exits(0));
    account.tag(&first);
    is_denied(&gone);
    account.tag(&second);
    drop(list_with(&stays).exits(0));
}

#[test]
fn full_kill_switch_denies_sessions_by_token_by_time() {
    let proxy = AwsProxy::before(&MiniStack::shared().url);
    let account = Account::new("111111111115", &proxy.url);
    account.set_up();
    let alice = account.backend.machine_of("alice");
    let (_, gone) = copied(&alice);
    // whatever else is inline leaves no room for a single id
    for _ in 0..3 {
        proxy.then("PutRolePolicy", Fault::Full);
    }
    drop(alice.jit(&["drop", "dev-admin"]).exits(0));
    account.backend.log_line("the kill switch is full");
    is_denied(&gone);
    assert_eq!(proxy.calls_of("AssumeRole"), 0, "this backend has no AWS key");
    assert!(proxy.calls_of("AssumeRoleWithWebIdentity") >= 2);
}

#[test]
fn token_opens_no_role_that_pins_another() {
    let account = Account::new("111111111116", &MiniStack::shared().url);
    account.set_up();
    let alice = account.backend.machine_of("alice");
    let asked = ["request", "dev-admin", "--reason", "night shift"];
    let pinned = without_what_the_token_tags(account.trust());
    let key = |claim: &str| format!("{}:{claim}", account.plan.issuer_name().unwrap());
    let (mut other_role, mut other_audience) = (pinned.clone(), pinned.clone());
    let subject = format!("jit:aws/aws/{}/jit/another:usr_*", account.number);
    other_role["Statement"][0]["Condition"]["StringLike"][key("sub")] = json!(subject);
    other_audience["Statement"][0]["Condition"]["StringEquals"][key("aud")] = json!("sts.amazonaws.com.cn");
    // the last one is what AWS itself would take: the stand-in does not see what it demands of tag and source identity
    for trust in [other_role, other_audience, account.trust()] {
        account.let_in(&trust);
        let refused = alice.jit(&asked);
        assert!(
            refused.status != Some(0)
                && refused
                    .stderr
                    .contains("Not authorized to perform sts:AssumeRoleWithWebIdentity"),
            "{refused}"
        );
    }
    account.let_in(&pinned);
    drop(copied(&alice));
}
