//! The command line: global flags, the verbs, and what runs each.
//! Owns clap. Refuses work: it lies in `client`, words in `ui`.

mod admin;
mod approve;
mod asking;
#[cfg(feature = "server")]
mod aws;
mod browser_page;
mod cancel;
mod center;
mod completions;
mod console;
mod context;
mod credential_process;
mod decision;
mod deny;
mod drop;
mod dry_run;
mod ending;
mod env;
mod exec;
mod extend;
mod finish;
mod follow;
mod has;
mod help;
mod inbox;
#[cfg(feature = "server")]
mod issuer;
mod lock;
mod login;
mod logout;
mod man;
mod panic;
mod request;
mod revoke;
#[cfg(feature = "server")]
mod serve;
mod setup;
mod shell_init;
mod shells;
mod status;
mod stopping;
mod targets;
mod unlock;
mod usage;
mod use_profile;
mod wait;
mod whoami;

#[cfg(test)]
mod tests;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

pub use context::Ctx;

use crate::config::Environment;
use crate::error::Result;
use crate::ui::{ColourChoice, Format, print_error};

/// Privileged access for a limited time
#[derive(Debug, Parser)]
#[command(
    name = "jit",
    version,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = false,
    after_help = "Example:\n  jit request prod-admin --for 2h --reason \"payout job stuck, PAY-311\"\n\nMore: jit help environment"
)]
pub struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    verb: Verb,
}

/// Flags before or after the verb.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// Backend to talk to
    #[arg(long, global = true, value_name = "URL")]
    server: Option<String>,
    /// Identity to use there
    #[arg(long, global = true, value_name = "NAME")]
    identity: Option<String>,
    /// Print text or JSON
    #[arg(short, long, global = true, value_name = "FORMAT", default_value = "text")]
    output: Output,
    /// Never ask anything
    #[arg(long, global = true)]
    no_input: bool,
    /// Say nothing but data and failures
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Log to stderr, twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Colour,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Colour {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Every verb, in the order of the help. Their flags are built for the one that is typed: see [`Cli::parsed`].
#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Verb {
    Request(request::Args),
    Extend(extend::Args),
    Targets(targets::Args),
    Status(status::Args),
    Wait(wait::Args),
    Inbox(inbox::Args),
    Approve(approve::Args),
    Deny(deny::Args),
    Cancel(cancel::Args),
    Drop(drop::Args),
    Revoke(revoke::Args),
    Lock(lock::Args),
    Unlock(unlock::Args),
    Panic(panic::Args),
    Has(has::Args),
    Exec(exec::Args),
    CredentialProcess(credential_process::Args),
    Env(env::Args),
    Console(console::Args),
    Use(use_profile::Args),
    Setup(setup::Args),
    Login(login::Args),
    Logout(logout::Args),
    Whoami(whoami::Args),
    Admin(admin::Args),
    #[cfg(feature = "server")]
    Serve(serve::Args),
    ShellInit(shell_init::Args),
    #[cfg(feature = "server")]
    Issuer(issuer::Args),
    #[cfg(feature = "server")]
    Aws(aws::Args),
    Completions(completions::Args),
    Man(man::Args),
    Help(help::Args),
}

impl Verb {
    /// Whether it serves others.
    fn serves(&self) -> bool {
        match self {
            #[cfg(feature = "server")]
            Self::Serve(_) => true,
            _ => false,
        }
    }

    /// Whether a command that it runs decides how `jit` ends: then all that is ours is 125.
    fn runs_another(&self) -> bool {
        matches!(self, Self::Exec(_))
    }

    fn run(self, ctx: &mut Ctx) -> Result<()> {
        match self {
            Self::Request(args) => request::run(args, ctx),
            Self::Extend(args) => extend::run(args, ctx),
            Self::Targets(args) => targets::run(args, ctx),
            Self::Status(args) => status::run(args, ctx),
            Self::Wait(args) => wait::run(args, ctx),
            Self::Inbox(args) => inbox::run(args, ctx),
            Self::Approve(args) => approve::run(args, ctx),
            Self::Deny(args) => deny::run(args, ctx),
            Self::Cancel(args) => cancel::run(args, ctx),
            Self::Drop(args) => drop::run(args, ctx),
            Self::Revoke(args) => revoke::run(args, ctx),
            Self::Lock(args) => lock::run(args, ctx),
            Self::Unlock(args) => unlock::run(args, ctx),
            Self::Panic(args) => panic::run(args, ctx),
            Self::Has(args) => has::run(args, ctx),
            Self::Exec(args) => exec::run(args, ctx),
            Self::CredentialProcess(args) => credential_process::run(args, ctx),
            Self::Env(args) => env::run(args, ctx),
            Self::Console(args) => console::run(args, ctx),
            Self::Use(args) => use_profile::run(args, ctx),
            Self::Setup(args) => setup::run(args, ctx),
            Self::Login(args) => login::run(args, ctx),
            Self::Logout(args) => logout::run(args, ctx),
            Self::Whoami(args) => whoami::run(args, ctx),
            Self::Admin(args) => admin::run(args, ctx),
            #[cfg(feature = "server")]
            Self::Serve(args) => serve::run(args, ctx),
            Self::ShellInit(args) => shell_init::run(args, ctx),
            #[cfg(feature = "server")]
            Self::Issuer(args) => issuer::run(args, ctx),
            #[cfg(feature = "server")]
            Self::Aws(args) => aws::run(args, ctx),
            Self::Completions(args) => completions::run(args, ctx),
            Self::Man(args) => man::run(args, ctx),
            Self::Help(args) => help::run(args, ctx),
        }
    }
}

impl Cli {
    /// The command line with every verb built, for what lists them.
    fn whole() -> clap::Command {
        let mut command = Self::command();
        command.build();
        command
    }

    /// Reads a line. One verb is built for it, which is most of what a short command costs; where that does not lead to
    /// a verb, all of them are: help and mistakes name them.
    fn parsed(args: &[OsString]) -> std::result::Result<Self, clap::Error> {
        match Self::try_parse_from(args) {
            Err(error) if error.kind() != ErrorKind::DisplayVersion => {
                Self::from_arg_matches(&Self::whole().try_get_matches_from(args)?)
            }
            parsed => parsed,
        }
    }
}

/// Runs the command line and gives the exit code.
pub fn run(args: Vec<OsString>) -> u8 {
    let env = Environment::read();
    let wants_json = usage::wants_json(&args);
    let cli = match Cli::parsed(&args) {
        Ok(cli) => cli,
        Err(error) => return usage::answer(&error, wants_json, &env),
    };
    start_log(cli.globals.verbose, cli.verb.serves());
    let mut ctx = Ctx::new(cli.globals, env);
    let runs_another = cli.verb.runs_another();
    match cli.verb.run(&mut ctx) {
        Ok(()) => ctx.ended_with,
        Err(error) => {
            print_error(&ctx.ui, &error);
            error.exit.code_where(runs_another)
        }
    }
}

/// `-v` says what is called, `-vv` more of it. On stderr; there are no log files. A backend says without it what failed:
/// nobody else could tell.
fn start_log(verbose: u8, serves: bool) {
    let level = match verbose {
        0 if serves => tracing::Level::WARN,
        0 => return,
        1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    let filter = tracing_subscriber::EnvFilter::new(format!("jit={level}"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false);
    // a second subscriber cannot be set; the first one logs then
    let _ = log.try_init();
}

impl Globals {
    fn format(&self) -> Format {
        match self.output {
            Output::Text => Format::Text,
            Output::Json => Format::Json,
        }
    }

    fn colour(&self) -> ColourChoice {
        match self.color {
            Colour::Auto => ColourChoice::Auto,
            Colour::Always => ColourChoice::Always,
            Colour::Never => ColourChoice::Never,
        }
    }
}
