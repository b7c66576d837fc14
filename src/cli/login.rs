//! `jit login`: signs in through a browser, or with a one-time code, as the server offers;
//! to Identity Center, where permission sets are used.

use secrecy::SecretString;

use super::browser_page::BrowserPage;
use super::center;
use super::context::Ctx;
use crate::client::{Client, KeyNews, Road, SignIn, SignedIn};
use crate::domain::SignInMethod;
use crate::error::{Error, Result};
use crate::ui::span;
use hot::Origin;

/// Sign in
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jit login --server https://jit.acme.example\n  jit login --server https://jit.acme.example --identity admin --code\n  jit login --remote\n  jit login --identity-center billing --no-browser\n\n--code asks for the code; on the command line it stands for loopback servers only.\nWith -o json: one object a line, first the page and what it asks about, where there is one."
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
    /// Show a second factor again, for this session
    #[arg(long, conflicts_with_all = ["code", "identity_center"])]
    fresh: bool,
    /// Take the code from a browser elsewhere
    #[arg(long, conflicts_with_all = ["code", "identity_center", "fresh"])]
    remote: bool,
    /// Be signed in by a code typed elsewhere
    #[arg(long, conflicts_with_all = ["code", "identity_center", "fresh", "remote", "no_browser", "with"])]
    device: bool,
    /// Identity provider, where there are several
    #[arg(long, value_name = "NAME", conflicts_with_all = ["code", "identity_center", "fresh"])]
    with: Option<String>,
}

/// Where the person types which code.
#[derive(Debug, serde::Serialize)]
struct AskedOnDevice<'a> {
    url: &'a str,
    user_code: &'a str,
    expires_in_s: u32,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    if let Some(target) = args.identity_center.as_deref() {
        return center::login(ctx, Some(target).filter(|name| !name.is_empty()), args.no_browser);
    }
    if args.fresh {
        return freshen(ctx, args.no_browser);
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
        None => match by_key(&client, &server, &args)? {
            Some(signed_in) => signed_in,
            None => match offered(&client, &server, &args)? {
                true if args.device => on_device(ctx, &client, &server)?,
                true => in_browser(ctx, &client, &server, &args)?,
                false => by_key_or_code(ctx, &client, &server)?,
            },
        },
    };
    print(ctx, &signed_in, server.as_str())
}

/// Signs in whom this device is known for, unless another way was asked for.
fn by_key(client: &Client, server: &Origin, args: &Args) -> Result<Option<SignedIn>> {
    if args.device || args.remote || args.no_browser || args.with.is_some() {
        return Ok(None);
    }
    match client.known_here(server)? {
        Some(name) => client.sign_in_by_key(server, &name),
        None => Ok(None),
    }
}

/// The same for whoever names themselves now; a code where that is not enough.
fn by_key_or_code(ctx: &Ctx, client: &Client, server: &Origin) -> Result<SignedIn> {
    let name = identity(ctx, client)?;
    // who was named before was tried before
    let known = match client.identity() {
        Some(_) => None,
        None => client.sign_in_by_key(server, &name)?,
    };
    match known {
        Some(signed_in) => Ok(signed_in),
        None => with_code_of(ctx, client, server, (name, None)),
    }
}

/// Has the person show a second factor for the session that they have.
fn freshen(ctx: &Ctx, no_browser: bool) -> Result<()> {
    let desk = ctx.desk()?;
    let page = BrowserPage::new(ctx, no_browser, "jit login --fresh --no-browser");
    let me = page.second_factor(&desk.backend, &desk.picked.session.session)?;
    if ctx.ui.is_json() {
        return ctx.ui.json("jit/login/1", &me);
    }
    let until = desk.words().at(me.session_ends_at);
    let name = me.person.called();
    ctx.ui.note(&format!(
        "{name} showed a second factor. The session goes on until {until}."
    ));
    Ok(())
}

/// Whether the server sends people to a browser, in the way and at the identity provider that were asked for.
fn offered(client: &Client, server: &Origin, args: &Args) -> Result<bool> {
    let way = match (args.device, args.remote) {
        (true, _) => SignInMethod::Device,
        (false, true) => SignInMethod::Remote,
        (false, false) => SignInMethod::LoopbackPkce,
    };
    let known = client.sign_in_methods(server)?;
    let mut ways = known.map_or_else(Vec::new, |known| known.methods);
    ways.retain(|offered| offered.method == way.as_str());
    let names: Vec<&str> = ways.iter().filter_map(|way| way.name.as_deref()).collect();
    if let Some(with) = args.with.as_deref().filter(|with| !names.contains(with)) {
        let hint = match names.as_slice() {
            [] => "leave out --with".to_owned(),
            names => format!("there is {}", names.join(", ")),
        };
        return Err(Error::usage(format!("no identity provider named {with} at {server}")).hint(hint));
    }
    let asked = [
        ("--device", args.device),
        ("--remote", args.remote),
        ("--no-browser", args.no_browser),
    ];
    match asked.iter().find(|(_, is_asked)| *is_asked) {
        Some((flag, _)) if names.is_empty() => {
            Err(Error::usage(format!("{server} does not offer that")).hint(format!("leave out {flag}")))
        }
        Some(_) | None => Ok(!names.is_empty()),
    }
}

fn in_browser(ctx: &Ctx, client: &Client, server: &Origin, args: &Args) -> Result<SignedIn> {
    let (road, by_hand) = match args.remote {
        true => (Road::Carried, "jit login --remote"),
        false => (Road::Loopback, "jit login --no-browser"),
    };
    let page = BrowserPage::new(ctx, args.no_browser, by_hand);
    if road == Road::Carried {
        page.can_carry()?;
    }
    let login = client.begin_in_browser(server, road, args.with.as_deref())?;
    page.send(login.sent(), server.as_str())?;
    match road {
        Road::Loopback => client.finish_in_browser(login, client.identity()),
        Road::Carried => page.carried(|code| client.finish_with_code(&login, code, client.identity())),
    }
}

/// Says where which code is to be typed, and waits for it.
fn on_device(ctx: &Ctx, client: &Client, server: &Origin) -> Result<SignedIn> {
    let login = client.begin_on_device(server)?;
    let limit = u32::try_from(login.limit().as_secs()).unwrap_or(u32::MAX);
    if ctx.ui.is_json() {
        let asked = AskedOnDevice {
            url: login.page(),
            user_code: login.code(),
            expires_in_s: limit,
        };
        ctx.ui.json("jit/login-device/1", &asked)?;
    } else {
        ctx.ui.line(&format!("{}  {}", login.page(), login.code()))?;
    }
    ctx.ui.note(&format!(
        "Open that page on any machine of yours, and type the code ({}).",
        span(limit)
    ));
    client.finish_on_device(&login, client.identity())
}

fn with_code(ctx: &Ctx, client: &Client, server: &Origin, given: Option<String>) -> Result<SignedIn> {
    let identity = identity(ctx, client)?;
    with_code_of(ctx, client, server, (identity, given))
}

fn with_code_of(
    ctx: &Ctx,
    client: &Client,
    server: &Origin,
    (identity, given): (String, Option<String>),
) -> Result<SignedIn> {
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
    ctx.ui.note(&format!(
        "Signed in as {} at {server} until {until}.",
        me.person.called()
    ));
    match &signed_in.news {
        None => {}
        Some(KeyNews::NewInFile(file)) => ctx.ui.note(&format!(
            "No keyring here: session and device key are in {} (mode 0600).",
            file.display()
        )),
        Some(KeyNews::Moved(file)) => ctx.ui.note(&format!(
            "The device key was moved from {} into the keyring.",
            file.display()
        )),
        Some(KeyNews::Stays(file, why)) => {
            let what = format!("the device key stays in {}: {why}", file.display());
            ctx.ui.warn(&what, "unlock the keyring, then  jit login");
        }
    }
    Ok(())
}
