//! `jit credential-process`: the AWS contract, where nothing was cached.
//! stdout: the JSON and nothing else. stderr: one line. Never a question.

use super::context::Ctx;
use crate::client::OnMiss;
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
    /// Ask for access where nothing is live
    #[arg(long)]
    request_on_miss: bool,
    /// Why, for that request
    #[arg(long, value_name = "TEXT", requires = "request_on_miss")]
    reason: Option<String>,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let json = TargetName::parse(&args.target)
        .map_err(Error::from)
        .and_then(|target| {
            let on_miss = args
                .request_on_miss
                .then(|| OnMiss::new(&target, args.reason.as_deref()))
                .transpose()?;
            ctx.client()?.credential_process(&target, on_miss.as_ref())
        })
        .map_err(on_one_line)?;
    ctx.ui.raw(json.as_bytes())
}

/// Message and command on one line: some AWS tools deadlock on a long stderr.
fn on_one_line(mut error: Error) -> Error {
    error.message = crate::client::one_line(&error);
    error.hint = None;
    error
}
