//! `jit logout`: ends the session, or all of them, and empties the cache.

use serde::Serialize;

use super::context::Ctx;
use crate::error::{Error, Exit, Result};

/// Sign out
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jit logout\n  jit logout --everywhere\n\nGrants go on until they end: jit drop gives them back."
)]
pub(super) struct Args {
    /// End your sessions on all machines
    #[arg(long)]
    everywhere: bool,
}

#[derive(Serialize)]
struct SignedOut<'a> {
    server: &'a str,
    identity: &'a str,
    everywhere: bool,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let client = ctx.client()?;
    let picked = client.kept_session()?;
    let (server, identity) = (picked.account.origin().as_str(), picked.account.identity());
    let stay = client.sign_out(&picked, args.everywhere).map_err(|error| {
        if error.exit == Exit::Unreachable {
            Error {
                message: format!("signed out here, but the backend was not told: {}", error.message),
                hint: Some("its side of the session ends by itself".to_owned()),
                ..error
            }
        } else {
            error
        }
    })?;
    let everywhere = args.everywhere;
    let signed_out = SignedOut {
        server,
        identity,
        everywhere,
    };
    if ctx.ui.is_json() {
        return ctx.ui.json("jit/logout/1", &signed_out);
    }
    let place = if everywhere { ", on every machine" } else { "" };
    ctx.ui.note(&format!("Signed out {identity} at {server}{place}."));
    for portal in stay {
        let what = format!("AWS tools stay signed in at {portal} as {identity}");
        ctx.ui.warn(&what, "aws sso logout");
    }
    Ok(())
}
