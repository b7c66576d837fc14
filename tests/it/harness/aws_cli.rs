//! The real aws CLI (PyPI `awscli`, pinned) in a sealed box, against a stand-in.

use serde_json::Value;

use super::run::Run;
use super::sealed_box::SealedBox;
use super::venv::venv_program;

/// Keys as `credential-process` prints them.
#[derive(Clone)]
pub struct AwsKeys {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
}

impl AwsKeys {
    /// Reads what `jit credential-process` printed.
    #[track_caller]
    pub fn from_credential_process(printed: &Value) -> Self {
        let field = |name: &str| {
            printed[name]
                .as_str()
                .unwrap_or_else(|| panic!("no {name} in {printed}"))
                .to_owned()
        };
        Self {
            access_key_id: field("AccessKeyId"),
            secret_access_key: field("SecretAccessKey"),
            session_token: field("SessionToken"),
        }
    }
}

impl SealedBox {
    /// `aws ARGS` against `endpoint`, with this box's own `~/.aws`.
    pub fn aws(&self, endpoint: &str, args: &[&str]) -> Run {
        self.aws_command(endpoint, args).run()
    }

    /// `aws ARGS` with these keys and no profile, as somebody who holds a copy of them.
    pub fn aws_with(&self, endpoint: &str, keys: &AwsKeys, args: &[&str]) -> Run {
        self.aws_command(endpoint, args)
            .env("AWS_ACCESS_KEY_ID", &keys.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", &keys.secret_access_key)
            .env("AWS_SESSION_TOKEN", &keys.session_token)
            .run()
    }

    fn aws_command(&self, endpoint: &str, args: &[&str]) -> super::JitCommand {
        self.command(venv_program("aws"), args)
            .env("AWS_ENDPOINT_URL", endpoint)
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_PAGER", "")
    }
}
