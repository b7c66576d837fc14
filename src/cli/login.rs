//! `jit login`: signs in with a one-time code; to Identity Center, where permission sets are used.

use secrecy::SecretString;

use super::center;
use super::context::Ctx;
use crate::client::{Client, SignIn, SignedIn};
use crate::error::{Error, Result};

/// Sign in
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jit login --server https://jit.acme.example --identity alice\n  jit login --identity-center billing --no-browser\n\nWith --identity-center, with -o json: one object a line, first the page and the code."
)]
pub(super) struct Args {
    /// One-time code, on loopback servers only
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// Sign in to Identity Center, for TARGET
    #[arg(long, value_name = "TARGET", num_args = 0..=1, default_missing_value = "", conflicts_with = "code")]
    identity_center: Option<String>,
    /// With a code to type in elsewhere
    #[arg(long, requires = "identity_center")]
    no_browser: bool,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    if let Some(target) = args.identity_center.as_deref() {
        return center::login(ctx, Some(target).filter(|name| !name.is_empty()), args.no_browser);
    }
    let client = ctx.client()?;
    let server = client.server()?;
    client.check_server(&server)?;
    if args.code.is_some() {
        client.allows_code_argument(&server)?;
    }
    let identity = identity(ctx, &client)?;
    let code = code(ctx, args.code)?;
    let signed_in = client.sign_in(&SignIn {
        server: server.clone(),
        identity,
        code,
    })?;
    print(ctx, &signed_in, server.as_str())
}

fn identity(ctx: &Ctx, client: &Client) -> Result<String> {
    match client.identity() {
        Some(name) => Ok(name.to_owned()),
        None if ctx.ui.can_ask() => ctx.ui.ask("Name:"),
        None => Err(Error::usage("who signs in?").hint("add: --identity NAME")),
    }
}

fn code(ctx: &Ctx, given: Option<String>) -> Result<SecretString> {
    match given {
        Some(code) => Ok(SecretString::from(code)),
        None if ctx.ui.can_ask() => ctx.ui.ask_hidden("One-time code:"),
        None => Err(Error::usage("no code, and nobody to ask for it").hint("run it on a terminal")),
    }
}

fn print(ctx: &Ctx, signed_in: &SignedIn, server: &str) -> Result<()> {
    let me = &signed_in.me;
    if ctx.ui.is_json() {
        return ctx.ui.json("jit/login/1", me);
    }
    let until = ctx.words_at(ctx.clock.now()).at(me.session_ends_at);
    ctx.ui
        .note(&format!("Signed in as {} at {server} until {until}.", me.person.name));
    if let Some(file) = &signed_in.new_secrets_file {
        ctx.ui.note(&format!(
            "No keyring here: session and device key are in {} (mode 0600).",
            file.display()
        ));
    }
    Ok(())
}
