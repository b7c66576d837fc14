//! The terraform program by itself: its S3 backend signs calls with a profile of jit. No provider is downloaded.

use std::fs;
use std::path::Path;

use crate::docs_blocks::TOP;
use crate::harness::{AwsKeys, BackendPlan, Counted, LIMIT, MiniStack, Run, SealedBox, is_there, left_out_everywhere};

struct Stage<'a> {
    terraform: &'a Path,
    alice: SealedBox,
    aws: &'a str,
}

impl Stage<'_> {
    fn run(&self, args: &[&str]) -> Run {
        let command = self.alice.command(self.terraform, args);
        let command = command.in_folder(&self.alice.home().join("plan"));
        let settings = [
            ("PATH", "/usr/bin:/bin"),
            ("AWS_PROFILE", "jit-dev-admin"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL_S3", self.aws),
            ("AWS_ENDPOINT_URL_STS", self.aws),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("CHECKPOINT_DISABLE", "1"),
            ("TF_IN_AUTOMATION", "1"),
        ];
        let command = settings
            .into_iter()
            .fold(command, |command, (name, value)| command.env(name, value));
        command.run_within(LIMIT * 2)
    }
}

#[test]
fn terraform_keeps_its_state_through_a_profile() {
    let Some(terraform) = is_there("terraform") else {
        left_out_everywhere(
            "terraform_keeps_its_state_through_a_profile",
            "terraform is missing: its own download page",
        );
        return;
    };
    let aws = &MiniStack::shared().url;
    let backend = BackendPlan::with_aws(aws).start();
    let alice = backend.machine_of("alice");
    drop(
        alice
            .jit(&["request", "dev-admin", "--for", "1h", "--reason", "apply it"])
            .exits(0),
    );
    let counted = Counted::set_up(&alice, "dev-admin", &["-y"]);
    let keys = AwsKeys::from_credential_process(&alice.jit(&["credential-process", "dev-admin"]).exits(0).json());
    drop(alice.aws_with(aws, &keys, &["s3api", "create-bucket", "--bucket", "jit-test-state"]));
    fs::create_dir(alice.home().join("plan")).unwrap();
    let source = Path::new(TOP).join("tests/sdks/terraform/main.tf");
    fs::copy(source, alice.home().join("plan/main.tf")).unwrap();
    let stage = Stage {
        terraform: &terraform,
        alice,
        aws,
    };
    drop(stage.run(&["init", "-input=false", "-no-color"]).exits(0));
    drop(
        stage
            .run(&["apply", "-auto-approve", "-input=false", "-no-color"])
            .exits(0),
    );
    let listed = stage.run(&["state", "list"]).exits(0);
    assert_eq!(listed.stdout, "terraform_data.nothing\n");
    // a run of the process for each run of terraform that opens the state
    assert_eq!(counted.runs(), 3);
    drop(stage.alice.jit(&["drop", "dev-admin"]).exits(0));
    let over = stage.run(&["plan", "-input=false", "-no-color"]).exits(1);
    assert!(over.stderr.contains("run  jit request dev-admin"), "{over}");
}
