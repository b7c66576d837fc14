//! `jit admin`: what who runs the backend does. Who that is stands in the backend's file.

mod session;
mod user;

use super::context::Ctx;
use crate::error::Result;

/// Run the backend's people and sessions
#[derive(Debug, clap::Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = false,
    after_help = "Examples:\n  jit admin user add bob\n  jit admin session list --person bob\n  jit admin session revoke ses_7h3kq2m4n5p6\n\nAdmins are named in the backend's file; jit whoami says whether you are one."
)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    User(user::Args),
    Session(session::Args),
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    match args.what {
        What::User(args) => user::run(args, ctx),
        What::Session(args) => session::run(args, ctx),
    }
}
