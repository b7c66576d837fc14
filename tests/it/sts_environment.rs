//! What the provider takes from its environment. Each test runs itself again in a sealed box: the environment of a
//! process is set before it starts.

use jit::config::{Environment, NetworkSettings};
use jit::domain::Road;
use jit::network::Network;
use jit::server::provider::Minter;
use jit::server::provider::aws::{AwsProvider, AwsSettings};

use crate::aws_access::{access, in_seconds, keyless, now, signer};
use crate::harness::{SealedBox, StsRecorder};

/// Set in the box: this is the inner run, against the mock at this address.
const INNER: &str = "JIT_TEST_STS";

/// Runs `test` of this binary in a box, with what it needs to call `sts`.
#[track_caller]
fn in_a_box(test: &str, sts: &StsRecorder, env: &[(&str, &str)]) {
    let mut machine = SealedBox::new()
        .with_env(INNER, &sts.url)
        .with_env("AWS_EC2_METADATA_DISABLED", "true");
    for (key, value) in env {
        machine.set_env(key, *value);
    }
    let run = machine
        .command(std::env::current_exe().unwrap(), &["--exact", test])
        .run();
    assert!(run.exits(0).stdout.contains("1 passed"));
}

#[tokio::test]
async fn endpoint_of_the_environment_does_not_count() {
    if std::env::var_os(INNER).is_none() {
        let sts = StsRecorder::start();
        // AWS's own endpoints are https: the call to them ends at a proxy that is not there.
        let env = [
            ("AWS_ENDPOINT_URL", sts.url.as_str()),
            ("AWS_ENDPOINT_URL_STS", sts.url.as_str()),
            ("HTTPS_PROXY", "http://127.0.0.1:9"),
        ];
        in_a_box(
            "sts_environment::endpoint_of_the_environment_does_not_count",
            &sts,
            &env,
        );
        assert_eq!(sts.calls().len(), 0);
        return;
    }
    let settings = AwsSettings {
        network: Network::open(&NetworkSettings::find(&Environment::read())).unwrap(),
        ..AwsSettings::default()
    };
    let provider = AwsProvider::new(settings.with_keys("test", "test"), signer());
    let error = provider.mint(now(), &access(in_seconds(60))).await.unwrap_err();
    assert!(error.to_string().contains("the proxy: connection refused"), "{error}");
}

#[tokio::test]
async fn missing_credentials_are_named_at_once() {
    let Some(url) = std::env::var(INNER).ok() else {
        let sts = StsRecorder::start();
        in_a_box("sts_environment::missing_credentials_are_named_at_once", &sts, &[]);
        return assert_eq!(sts.calls().len(), 0);
    };
    let settings = AwsSettings {
        endpoint: Some(url),
        ..AwsSettings::default()
    };
    let error = AwsProvider::new(settings, signer())
        .mint(now(), &access(in_seconds(60)))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("the backend has no AWS credentials"),
        "{error}"
    );
    assert!(!error.is_transient());
}

#[tokio::test]
async fn keys_of_the_environment_count() {
    if std::env::var_os(INNER).is_none() {
        let sts = StsRecorder::start();
        let env = [
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "example"),
        ];
        in_a_box("sts_environment::keys_of_the_environment_count", &sts, &env);
        return assert_eq!(sts.calls().len(), 1);
    }
    let settings = AwsSettings {
        endpoint: std::env::var(INNER).ok(),
        ..AwsSettings::default()
    };
    drop(
        AwsProvider::new(settings, signer())
            .mint(now(), &access(in_seconds(60)))
            .await
            .unwrap(),
    );
}

#[tokio::test]
async fn keys_of_the_environment_do_not_count_on_the_keyless_road() {
    if std::env::var_os(INNER).is_none() {
        let sts = StsRecorder::start();
        let env = [
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "example"),
        ];
        in_a_box(
            "sts_environment::keys_of_the_environment_do_not_count_on_the_keyless_road",
            &sts,
            &env,
        );
        let calls = sts.calls();
        assert_eq!((calls.len(), calls[0].authorization.as_str()), (1, ""));
        return;
    }
    let mut access = access(in_seconds(60));
    access.binding.road = Road::WebIdentity;
    drop(
        keyless(&std::env::var(INNER).unwrap())
            .mint(now(), &access)
            .await
            .unwrap(),
    );
}
