//! The road assume-role against ministack, which enforces session policies: what AWS itself must refuse.

use jit::server::provider::{Credential, Minter, Presence, Provider, ProviderError, RoleAccess};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::aws_access::{access, in_seconds, narrowed, now, provider};
use crate::harness::{AwsKeys, LIMIT, MiniStack, Run, SealedBox, wait_until};

const LIST: [&str; 2] = ["s3api", "list-buckets"];
/// A write on a policy of ours. (On roles the stand-in forgets the path, and it names no provider to who judges: there
/// the evaluator alone is asked.)
const WIDEN: [&str; 6] = [
    "iam",
    "create-policy-version",
    "--policy-arn",
    "arn:aws:iam::111111111111:policy/jit/boundary",
    "--policy-document",
    "{}",
];

fn assume(name: &str) -> [&str; 6] {
    [
        "sts",
        "assume-role",
        "--role-session-name",
        "onward",
        "--role-arn",
        name,
    ]
}

async fn minted(access: &RoleAccess) -> Credential {
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

fn is_denied(run: &Run) -> bool {
    run.status != Some(0) && run.stderr.contains("AccessDenied")
}

#[tokio::test]
async fn attack_01_ministack_ends_a_session_by_itself() {
    // Long enough for one call of the CLI on a busy machine, short enough to wait for.
    let access = access(in_seconds(8));
    let credential = minted(&access).await;
    assert_eq!(credential.expires_at, access.ends_at.whole_second());
    let first = aws(&credential, &LIST);
    assert!(first.status == Some(0) || now() >= credential.expires_at, "{first}");
    let refused_at = wait_until("the end of the session", LIMIT, || {
        let called_at = now();
        is_denied(&aws(&credential, &LIST)).then_some(called_at)
    });
    assert!(first.status == Some(0) && refused_at.plus(jit::domain::Duration::from_secs(5).unwrap()) >= access.ends_at);
    assert!(is_denied(&aws(&credential, &["iam", "list-roles"])));
    assert!(is_denied(&aws(
        &credential,
        &assume("arn:aws:iam::222222222222:role/jit/jit-dev-admin")
    )));
}

#[tokio::test]
async fn attack_01_ministack_refuses_the_ways_out_of_a_live_session() {
    let credential = minted(&access(in_seconds(3600))).await;
    drop(aws(&credential, &LIST).exits(0));
    let chained = aws(&credential, &assume("arn:aws:iam::222222222222:role/jit/jit-dev-admin"));
    assert!(is_denied(&chained), "{chained}");
    let widened = aws(&credential, &WIDEN);
    assert!(is_denied(&widened), "{widened}");
}

#[tokio::test]
async fn chain_lets_a_session_assume_further_roles() {
    let mut chained = access(in_seconds(3600));
    chained.binding.chain = true;
    let credential = minted(&chained).await;
    drop(aws(&credential, &assume("arn:aws:iam::222222222222:role/jit/jit-dev-admin")).exits(0));
    assert!(is_denied(&aws(&credential, &WIDEN)));
}

#[tokio::test]
async fn narrowed_session_does_only_what_it_was_narrowed_to() {
    let credential = minted(&narrowed(in_seconds(3600), &["s3:ListAllMyBuckets"])).await;
    drop(aws(&credential, &LIST).exits(0));
    assert!(is_denied(&aws(&credential, &["iam", "list-roles"])));
}

#[tokio::test]
async fn session_names_role_and_person() {
    let credential = minted(&access(in_seconds(3600))).await;
    let identity = aws(&credential, &["sts", "get-caller-identity", "--output", "json"])
        .exits(0)
        .json();
    assert_eq!(
        identity["Arn"],
        "arn:aws:sts::111111111111:assumed-role/jit-prod-admin/alice@0123456789ab"
    );
}

#[tokio::test]
async fn verify_sees_the_role_and_misses_another() {
    let provider = provider(&MiniStack::shared().url);
    let there = access(in_seconds(3600));
    assert_eq!(provider.verify(now(), &there.clone().into()).await, Ok(Presence::There));
    let mut missing = there.clone();
    missing.binding.role_arn = "arn:aws:iam::111111111111:role/jit/nobody".into();
    let refused = provider.verify(now(), &missing.into()).await;
    assert!(
        matches!(&refused, Err(ProviderError::Refused(text)) if text.contains("role/jit/nobody")),
        "{refused:?}"
    );
}
