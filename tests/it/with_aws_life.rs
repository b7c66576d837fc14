//! The whole life of a grant under AWS tools: four hours pass by a clock that the test moves, credentials live for one.

use std::time::Duration;

use rustix::process::Signal;

use crate::harness::{Backend, BackendPlan, FakedTime, LIMIT, MiniStack, Running, SealedBox, venv_program};

const BUCKETS: [&str; 4] = ["s3api", "list-buckets", "--profile", "jit-dev-admin"];
/// As a program of somebody that runs all day: one session, one client, a call for each line of its input.
const BOTO3: &str = "
import boto3, sys
client = boto3.Session(profile_name='jit-dev-admin').client('s3')
for line in sys.stdin:
    try:
        client.list_buckets()
        print('done', line, end='', flush=True)
    except Exception as error:
        print('failed', line.strip(), error, flush=True)
";

/// Everything under one clock: AWS, the backend, a machine on which alice holds dev-admin for four hours.
struct Life {
    clock: FakedTime,
    aws: MiniStack,
    _backend: Backend,
    alice: SealedBox,
    bob: SealedBox,
}

impl Life {
    #[track_caller]
    fn begin(test: &str) -> Option<Self> {
        let clock = FakedTime::start(test)?;
        let aws = MiniStack::under(&clock);
        let backend = clock.rule_backend(BackendPlan::with_aws(&aws.url)).start();
        let (mut alice, mut bob) = (backend.machine_of("alice"), backend.machine_of("bob"));
        clock.rule(&mut alice);
        clock.rule(&mut bob);
        drop(
            alice
                .jit(&["request", "dev-admin", "--for", "4h", "--reason", "a day's work"])
                .exits(0),
        );
        drop(alice.jit(&["setup", "dev-admin"]).exits(0));
        Some(Self {
            clock,
            aws,
            _backend: backend,
            alice,
            bob,
        })
    }

    fn at_minute(&self, minute: u64) {
        self.clock.set_ahead(Duration::from_secs(60 * minute));
    }

    /// STS was asked so often, by the backend: the tools call S3 alone.
    #[track_caller]
    fn sts_was_called(&self, times: usize) {
        assert_eq!(self.aws.calls_of("sts", times), times);
    }

    fn long_program(&self) -> LongProgram {
        let program = self.alice.command(venv_program("python"), &["-c", BOTO3]);
        let program = program
            .env("AWS_ENDPOINT_URL", &self.aws.url)
            .env("AWS_DEFAULT_REGION", "us-east-1");
        LongProgram(program.kept_open().start())
    }
}

/// boto3 in one process that lives on.
struct LongProgram(Running);

impl LongProgram {
    /// What became of one more call.
    #[track_caller]
    fn call(&mut self, name: &str) -> String {
        self.0.say(&format!("{name}\n"));
        self.0.stdout_line(name, LIMIT)
    }
}

/// Minutes of calls, each in the hour of another credential (an hour each, the last until the end).
const CALLS: [u64; 5] = [0, 30, 61, 122, 183];

#[test]
fn aws_cli_works_through_the_four_hours_and_stops() {
    let Some(life) = Life::begin("aws_cli_works_through_the_four_hours_and_stops") else {
        return;
    };
    for minute in CALLS {
        life.at_minute(minute);
        drop(life.alice.aws(&life.aws.url, &BUCKETS).exits(0));
    }
    // once to check, once for each hour
    life.sts_was_called(1 + 4);
    life.at_minute(239);
    drop(life.alice.aws(&life.aws.url, &BUCKETS).exits(0));
    life.at_minute(240);
    let over = life.alice.aws(&life.aws.url, &BUCKETS).exits(255);
    assert!(over.stderr.contains("run  jit request dev-admin"), "{over}");
    life.sts_was_called(1 + 4);
}

#[test]
fn boto3_process_lives_through_the_four_hours_and_stops() {
    let Some(life) = Life::begin("boto3_process_lives_through_the_four_hours_and_stops") else {
        return;
    };
    let mut boto3 = life.long_program();
    for minute in CALLS {
        life.at_minute(minute);
        assert_eq!(boto3.call(&format!("at-{minute}")), format!("done at-{minute}"));
    }
    life.sts_was_called(1 + 4);
    life.at_minute(239);
    assert_eq!(boto3.call("at-239"), "done at-239");
    life.at_minute(240);
    let over = boto3.call("at-240");
    assert!(over.starts_with("failed at-240 "), "{over}");
    life.sts_was_called(1 + 4);
    boto3.0.signal(Signal::TERM);
}

#[test]
fn aws_tools_stop_at_the_renewal_after_a_revoke() {
    let Some(life) = Life::begin("aws_tools_stop_at_the_renewal_after_a_revoke") else {
        return;
    };
    let mut boto3 = life.long_program();
    for minute in [0, 61] {
        life.at_minute(minute);
        assert_eq!(boto3.call(&format!("at-{minute}")), format!("done at-{minute}"));
    }
    let status = life.alice.jit(&["status", "-o", "json"]).exits(0).stdout;
    let grant = &status[status.find("grt_").expect("a grant")..][..16];
    drop(life.bob.jit(&["revoke", grant, "--reason", "laptop lost"]).exits(0));
    // what was minted lives on until its own end, and nothing follows it
    assert_eq!(boto3.call("held"), "done held");
    life.at_minute(122);
    let over = boto3.call("later");
    assert!(over.starts_with("failed later "), "{over}");
    assert!(over.contains("run  jit request dev-admin"), "{over}");
    let cli = life.alice.aws(&life.aws.url, &BUCKETS).exits(255);
    assert!(cli.stderr.contains("run  jit request dev-admin"), "{cli}");
    life.sts_was_called(1 + 2);
    boto3.0.signal(Signal::TERM);
}
