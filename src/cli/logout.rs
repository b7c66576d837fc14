//! `jit logout`: ends a session, or all of them, and empties the cache.

use serde::Serialize;

use super::context::Ctx;
use crate::client::{Client, Picked};
use crate::error::{Error, Exit, Result};

/// Sign out
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  jit logout\n  jit logout --identity admin\n  jit logout --all\n  jit logout --everywhere\n\nGrants go on until they end: jit drop gives them back."
)]
pub(super) struct Args {
    /// End your sessions on all machines
    #[arg(long)]
    everywhere: bool,
    /// Sign out every identity at every server
    #[arg(long)]
    all: bool,
}

#[derive(Serialize)]
struct SignedOut<'a> {
    server: &'a str,
    identity: &'a str,
    everywhere: bool,
}

/// One of several.
#[derive(Serialize)]
struct One<'a> {
    #[serde(flatten)]
    who: SignedOut<'a>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct All<'a> {
    sessions: Vec<One<'a>>,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let client = ctx.client()?;
    if args.all {
        return everyone(ctx, &client, args.everywhere);
    }
    let picked = client.kept_session()?;
    let stay = sign_out(&client, &picked, args.everywhere)?;
    if ctx.ui.is_json() {
        return ctx.ui.json("jit/logout/1", &who(&picked, args.everywhere));
    }
    say(ctx, &picked, args.everywhere);
    let others = client.kept_sessions().unwrap_or_default();
    if !others.is_empty() {
        let names: Vec<&str> = others.iter().map(|other| other.account.identity()).collect();
        ctx.ui.note(&format!(
            "Still signed in here: {}. All: jit logout --all",
            names.join(", ")
        ));
    }
    warn(ctx, &picked, &stay);
    Ok(())
}

/// One after the other; what fails keeps none of the others.
fn everyone(ctx: &mut Ctx, client: &Client, everywhere: bool) -> Result<()> {
    if ctx.names_an_account() {
        let what = "--all is every identity at every server";
        return Err(Error::usage(what).hint("leave out --identity and --server, or --all"));
    }
    let known = client.kept_sessions()?;
    if known.is_empty() {
        return Err(Error::signed_out().hint("nobody is signed in on this machine"));
    }
    let mut failed = Vec::new();
    for picked in &known {
        match sign_out(client, picked, everywhere) {
            Ok(stay) => {
                say(ctx, picked, everywhere);
                warn(ctx, picked, &stay);
                failed.push(None);
            }
            Err(error) => {
                let (server, identity) = (picked.account.origin(), picked.account.identity());
                ctx.ui.note(&format!("jit: {identity} at {server}: {}", error.message));
                failed.push(Some(error));
            }
        }
    }
    if ctx.ui.is_json() {
        let one = |(picked, error)| One {
            who: who(picked, everywhere),
            error: Option::as_ref(error).map(|error: &Error| error.message.as_str()),
        };
        let sessions = known.iter().zip(&failed).map(one).collect();
        ctx.ui.json("jit/logout-all/1", &All { sessions })?;
    }
    ctx.ended_with = failed
        .iter()
        .flatten()
        .map(|error| error.exit.code())
        .max()
        .unwrap_or(0);
    Ok(())
}

fn sign_out(client: &Client, picked: &Picked, everywhere: bool) -> Result<Vec<String>> {
    client.sign_out(picked, everywhere).map_err(|error| {
        if error.exit == Exit::Unreachable {
            Error {
                message: format!("signed out here, but the backend was not told: {}", error.message),
                hint: Some("its side of the session ends by itself".to_owned()),
                ..error
            }
        } else {
            error
        }
    })
}

fn who(picked: &Picked, everywhere: bool) -> SignedOut<'_> {
    SignedOut {
        server: picked.account.origin().as_str(),
        identity: picked.account.identity(),
        everywhere,
    }
}

fn say(ctx: &Ctx, picked: &Picked, everywhere: bool) {
    let (server, identity) = (picked.account.origin(), picked.account.identity());
    let place = if everywhere { ", on every machine" } else { "" };
    // a device that is known would sign them in by itself
    let next = match everywhere && picked.session.local {
        true => " Signing in again takes a one-time code.",
        false => "",
    };
    ctx.ui.note(&format!("Signed out {identity} at {server}{place}.{next}"));
}

fn warn(ctx: &Ctx, picked: &Picked, stay: &[String]) {
    for portal in stay {
        let what = format!("AWS tools stay signed in at {portal} as {}", picked.account.identity());
        ctx.ui.warn(&what, "aws sso logout");
    }
}
