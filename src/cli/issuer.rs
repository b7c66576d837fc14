//! `jit issuer`: the keys that the backend signs with, on the backend's own machine.
//! Works on the store beside a running backend. Refuses the network but for looking at what is published.

mod publish;
mod revoke;
mod rotate;
mod show;

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value, json};

use super::Ctx;
use crate::client::shell::{Shell, quoted};
use crate::config::ServerFile;
use crate::domain::key_life::KeyLife;
use crate::domain::{IssuerKey, Timestamp};
use crate::error::{Error, Exit, Result};
use crate::server::beside::Beside;
use crate::server::service::issuer::IssuerError;

/// Look after the keys that sign for AWS
#[derive(Debug, clap::Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = false,
    after_help = "Examples:\n  jit issuer show --data ./jit-dev\n  jit issuer publish ./bucket --config /etc/jit/jit.toml\n  jit issuer rotate --config /etc/jit/jit.toml\n  jit issuer revoke --all --config /etc/jit/jit.toml"
)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Show(show::Args),
    Publish(publish::Args),
    Rotate(rotate::Args),
    Revoke(revoke::Args),
}

/// Which backend's keys.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Place {
    /// Folder of a backend under --dev
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// File that sets the backend up
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Place {
    async fn open(&self) -> Result<Beside> {
        match (&self.config, &self.data) {
            (Some(file), _) => Beside::configured(&ServerFile::read(file)?).await,
            (None, Some(dir)) => Beside::dev(dir).await,
            (None, None) => Err(Error::usage("whose keys? --config FILE or --data DIR").try_("jit issuer --help")),
        }
    }

    /// What to type to do `what` to the same keys.
    fn command(&self, what: &str) -> String {
        let (flag, path) = match (&self.config, &self.data) {
            (Some(file), _) => ("--config", word(file)),
            (None, Some(dir)) => ("--data", word(dir)),
            (None, None) => ("--config", "FILE".to_owned()),
        };
        format!("jit issuer {what} {flag} {path}")
    }

    /// What to type to publish what there is now.
    fn publish(&self) -> String {
        self.command("publish DIR")
    }
}

/// A path as one word of a shell.
fn word(path: &Path) -> String {
    let text = path.display().to_string();
    quoted(Shell::Sh, &text).unwrap_or(text)
}

/// Does one thing to the keys.
///
/// # Errors
/// Exit 3 for a store or a sealing key that cannot be used, exit 10 for a key that is none.
pub fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::unexpected(format!("no runtime: {error}")))?;
    runtime.block_on(async {
        match args.what {
            What::Show(args) => show::run(args, ctx).await,
            What::Publish(args) => publish::run(&args, ctx).await,
            What::Rotate(args) => rotate::run(&args, ctx).await,
            What::Revoke(args) => revoke::run(&args, ctx).await,
        }
    })
}

/// A key as programs read it.
#[derive(Serialize)]
struct KeyView {
    id: String,
    state: &'static str,
    made_at: Timestamp,
    published_at: Option<Timestamp>,
    signs_from: Option<Timestamp>,
    retired_at: Option<Timestamp>,
    removed_at: Option<Timestamp>,
}

impl KeyView {
    fn new(life: &KeyLife<'_>, now: Timestamp, key: &IssuerKey) -> Self {
        Self {
            id: key.id.to_string(),
            state: life.state(now, key).as_str(),
            made_at: key.made_at,
            published_at: key.published_at,
            signs_from: life.usable_from(key),
            retired_at: key.retired_at,
            removed_at: key.removed_at,
        }
    }
}

/// Who did it, as far as the machine knows: for the evidence.
fn by(command: &str) -> Value {
    json!({ "command": command, "uid": rustix::process::getuid().as_raw() })
}

fn failed(error: IssuerError, place: &Place) -> Error {
    let message = error.to_string();
    match error {
        IssuerError::Unknown(_) | IssuerError::Ambiguous(_) => {
            Error::new(Exit::Gone, "issuer.no_key", message).try_(place.command("show"))
        }
        IssuerError::Sealed(_) | IssuerError::SealingKey(_) => {
            Error::new(Exit::Configuration, "server.sealing_key", message)
        }
        IssuerError::Store(_) => Error::new(Exit::Configuration, "server.store", message).hint("nothing was changed"),
        IssuerError::NoKey => Error::unexpected(message),
    }
}
