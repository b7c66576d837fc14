//! `jit login`: signs in through a browser, or with a one-time code, as the server offers;
//! to Identity Center, where permission sets are used.

use secrecy::SecretString;

use super::center;
use super::context::Ctx;
use crate::client::{BrowserLogin, Client, Opened, SignIn, SignedIn, open_browser};
use crate::domain::SignInMethod;
use crate::error::{Error, Result};
use crate::ui::span;
use hot::Origin;

/// Sign in
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jit login --server https://jit.acme.example\n  jit login --server https://jit.acme.example --identity admin --code\n  jit login --identity-center billing --no-browser\n\n--code asks for the code; on the command line it stands for loopback servers only.\nWith --identity-center, with -o json: one object a line, first the page and the code."
)]
pub(super) struct Args {
    /// Sign in with a one-time code
    #[arg(long, value_name = "CODE", num_args = 0..=1, default_missing_value = "")]
    code: Option<String>,
    /// Sign in to Identity Center, for TARGET
    #[arg(long, value_name = "TARGET", num_args = 0..=1, default_missing_value = "", conflicts_with = "code")]
    identity_center: Option<String>,
    /// Print the address instead of opening a browser
    #[arg(long, conflicts_with = "code")]
    no_browser: bool,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    if let Some(target) = args.identity_center.as_deref() {
        return center::login(ctx, Some(target).filter(|name| !name.is_empty()), args.no_browser);
    }
    let client = ctx.client()?;
    let server = client.server()?;
    client.check_server(&server)?;
    let signed_in = match args.code {
        Some(asked) if asked.is_empty() => with_code(ctx, &client, &server, None)?,
        Some(code) => {
            client.allows_code_argument(&server)?;
            with_code(ctx, &client, &server, Some(code))?
        }
        None if in_browser(&client, &server)? => {
            let login = client.begin_in_browser(&server)?;
            send(ctx, &login, &server, args.no_browser)?;
            client.finish_in_browser(login, client.identity())?
        }
        None if args.no_browser => {
            return Err(Error::usage(format!("{server} knows one-time codes alone")).hint("leave out --no-browser"));
        }
        None => with_code(ctx, &client, &server, None)?,
    };
    print(ctx, &signed_in, server.as_str())
}

/// Whether the server sends people to a browser.
fn in_browser(client: &Client, server: &Origin) -> Result<bool> {
    let offered = client.sign_in_methods(server)?.methods;
    Ok(offered
        .iter()
        .any(|way| way.method == SignInMethod::LoopbackPkce.as_str()))
}

/// Sends the person to the browser, or says where to go.
fn send(ctx: &Ctx, login: &BrowserLogin, server: &Origin, no_browser: bool) -> Result<()> {
    let limit = span(u32::try_from(login.limit().as_secs()).unwrap_or(u32::MAX));
    let waiting = format!("Waiting for the browser to sign in at {server} ({limit}).");
    let address = SecretString::from(login.address());
    let opened = match no_browser {
        true => None,
        false => Some(open_browser(&address, ctx.env.text("BROWSER").as_deref())),
    };
    match opened {
        Some(Ok(Opened::Done)) => ctx.ui.note(&waiting),
        Some(Ok(Opened::Running)) => ctx.ui.note(&format!("{waiting} No page? jit login --no-browser")),
        Some(Err(error)) => {
            ctx.ui.warn(&error.message, "open this on this machine");
            say(ctx, login.address())?;
            ctx.ui.note(&waiting);
        }
        None => {
            say(ctx, login.address())?;
            ctx.ui.note(&waiting);
        }
    }
    Ok(())
}

/// The address; with `-o json` stdout has one object, at the end.
fn say(ctx: &Ctx, address: &str) -> Result<()> {
    if ctx.ui.is_json() {
        ctx.ui.note(address);
        return Ok(());
    }
    ctx.ui.line(address)
}

fn with_code(ctx: &Ctx, client: &Client, server: &Origin, given: Option<String>) -> Result<SignedIn> {
    let identity = identity(ctx, client)?;
    let code = code(ctx, given)?;
    client.sign_in(&SignIn {
        server: server.clone(),
        identity,
        code,
    })
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
