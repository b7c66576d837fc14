//! `jit credential-process`: the AWS contract, where nothing was cached.
//! stdout: the JSON and nothing else. stderr: one line. Never a question.

use super::context::Ctx;
use crate::domain::text::TargetName;
use crate::error::{Error, Result};

/// Print credentials for AWS tools
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example (in ~/.aws/config):\n  credential_process = /usr/local/bin/jit credential-process prod-admin"
)]
pub(super) struct Args {
    /// Whose credentials
    target: String,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let json = TargetName::parse(&args.target)
        .map_err(Error::from)
        .and_then(|target| ctx.client()?.credential_process(&target))
        .map_err(on_one_line)?;
    ctx.ui.raw(json.as_bytes())
}

/// Message and command on one line: some AWS tools deadlock on a long stderr.
fn on_one_line(mut error: Error) -> Error {
    error.message = crate::client::one_line(&error);
    error.hint = None;
    error
}
