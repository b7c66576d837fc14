//! `jit logout`: ends the session and empties the cache.

use serde::Serialize;

use super::context::Ctx;
use crate::error::{Error, Exit, Result};

/// Sign out
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jit logout")]
pub(super) struct Args {}

#[derive(Serialize)]
struct SignedOut<'a> {
    server: &'a str,
    identity: &'a str,
}

pub(super) fn run(_: Args, ctx: &mut Ctx) -> Result<()> {
    let client = ctx.client()?;
    let picked = client.kept_session()?;
    let (server, identity) = (picked.account.origin().as_str(), picked.account.identity());
    let stay = client.sign_out(&picked).map_err(|error| {
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
    if ctx.ui.is_json() {
        return ctx.ui.json("jit/logout/1", &SignedOut { server, identity });
    }
    ctx.ui.note(&format!("Signed out {identity} at {server}."));
    for portal in stay {
        let what = format!("AWS tools stay signed in at {portal} as {identity}");
        ctx.ui.warn(&what, "aws sso logout");
    }
    Ok(())
}
