//! A long program under `jit exec --refresh`: real boto3 through the endpoint, over three renewals and up to a revoke.
//! Hours pass by a clock that the test moves.

use std::time::Duration;

use crate::harness::{BackendPlan, FakedTime, LIMIT, MiniStack, Running, venv_program};

/// One session, one client, a call for each line of its input. It does not sleep between tries for keys:
/// Python cannot under a clock that is not the machine's.
const BOTO3: &str = "
import boto3, botocore.utils, sys
botocore.utils.ContainerMetadataFetcher.__init__.__defaults__ = (None, lambda seconds: None)
client = boto3.client('s3')
for line in sys.stdin:
    try:
        client.list_buckets()
        key = client._request_signer._credentials.get_frozen_credentials().access_key
        print('done', line.strip(), key, flush=True)
    except Exception as error:
        print('failed', line.strip(), error, flush=True)
";

/// What became of one more call: its first word, and the rest.
#[track_caller]
fn call(boto3: &mut Running, name: &str) -> (String, String) {
    boto3.say(&format!("{name}\n"));
    let line = boto3.stdout_line(&format!(" {name} "), LIMIT);
    let (what, rest) = line.split_once(&format!(" {name} ")).unwrap();
    (what.to_owned(), rest.to_owned())
}

#[test]
fn exec_refresh_lives_through_renewals_until_a_revoke() {
    let Some(clock) = FakedTime::start("exec_refresh_lives_through_renewals_until_a_revoke") else {
        return;
    };
    let aws = MiniStack::under(&clock);
    let backend = clock.rule_backend(BackendPlan::with_aws(&aws.url)).start();
    let (mut alice, mut bob) = (backend.machine_of("alice"), backend.machine_of("bob"));
    clock.rule(&mut alice);
    clock.rule(&mut bob);
    let ask = ["request", "dev-admin", "--for", "5h", "--reason", "a long job"];
    drop(alice.jit(&ask).exits(0));
    let python = venv_program("python");
    let args = ["exec", "dev-admin", "--", python.to_str().unwrap(), "-c", BOTO3];
    let mut boto3 = alice
        .jit_command(&args)
        .env("AWS_ENDPOINT_URL", &aws.url)
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .kept_open()
        .start();
    let mut keys = Vec::new();
    for minute in [0, 61, 122, 183] {
        clock.set_ahead(Duration::from_secs(60 * minute));
        let (what, key) = call(&mut boto3, &format!("at-{minute}"));
        assert_eq!(what, "done", "{key}");
        keys.push(key);
    }
    keys.dedup();
    assert_eq!(keys.len(), 4, "{keys:?}");
    let status = alice.jit(&["status", "-o", "json"]).exits(0).stdout;
    let grant = &status[status.find("grt_").expect("a grant")..][..16];
    drop(bob.jit(&["revoke", grant, "--reason", "laptop lost"]).exits(0));
    // what it holds lives on until it asks again
    assert_eq!(call(&mut boto3, "held").0, "done");
    let calls = aws.calls_of("sts", 0);
    clock.set_ahead(Duration::from_secs(60 * 244));
    let (what, error) = call(&mut boto3, "later");
    assert_eq!(what, "failed", "{error}");
    assert!(
        error.contains("403") && error.contains("jit request dev-admin"),
        "{error}"
    );
    assert_eq!(aws.calls_of("sts", 0), calls);
    drop(boto3.finish(LIMIT).exits(0));
}
