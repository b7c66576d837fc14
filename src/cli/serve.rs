//! `jit serve`: the backend, in this process.

mod plan;
mod words;

use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use self::plan::Plan;
use self::words::{announce, refused};
use super::Ctx;
use crate::error::{Error, Exit, Result};
use crate::server::backend::Backend;
use crate::server::failure::Failure;
use crate::server::service::admin;
use crate::server::{self, StartError, dev};
use crate::wire::{Serving, ServingPerson};

/// Run the approval backend
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jit serve --dev\n  AWS_ENDPOINT_URL=http://127.0.0.1:4566 jit serve --dev --listen 127.0.0.1:0\n  jit serve --config /etc/jit/jit.toml"
)]
pub struct Args {
    /// Local people, a small policy, loopback only
    #[arg(long)]
    dev: bool,
    /// File that sets the backend up
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "listen"])]
    config: Option<PathBuf>,
    /// Folder of database and policy
    #[arg(long, value_name = "DIR", default_value = "./jit-dev")]
    data: PathBuf,
    /// Address to listen on, port 0 picks one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7878")]
    listen: SocketAddr,
}

/// Serves until it is told to stop.
///
/// # Errors
/// Exit 2 for an address beyond loopback, exit 3 for a file, folder, policy or database that cannot be used.
pub fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let plan = Plan::of(args, &ctx.env)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(Exit::Unexpected, "server.failed", format!("no threads: {error}")))?;
    runtime.block_on(serve(&plan, ctx))
}

async fn serve(plan: &Plan, ctx: &Ctx) -> Result<()> {
    let refused = |error: &StartError| refused(error, plan);
    let held = plan.hold().map_err(|error| refused(&error))?;
    let listener = TcpListener::bind(plan.listen()).await.map_err(|error| {
        let message = format!("cannot listen on {}: {error}", plan.listen());
        Error::new(Exit::Configuration, "server.listen", message).hint(plan.another_address())
    })?;
    let address = listener.local_addr().unwrap_or(plan.listen());
    // signals are caught before anybody is told that we are here
    let stop = stop_signal()?;
    let settings = plan.settings(&held, address).await.map_err(|error| refused(&error))?;
    let opened = server::open(settings).await.map_err(|error| refused(&error))?;
    let people = match plan.has_local_people() {
        true => dev::people(&opened.backend)
            .await
            .map_err(|failure| refused(&StartError::from(failure)))?,
        false => first_admin(&opened.backend)
            .await
            .map_err(|failure| refused(&StartError::from(failure)))?,
    };
    let url = match plan.has_local_people() {
        true => format!("http://{address}"),
        false => opened.backend.settings.origin.clone(),
    };
    let serving = Serving {
        schema: "jit/serve/1".to_owned(),
        url,
        listen: address.to_string(),
        people,
    };
    announce(&ctx.ui, &serving, plan, &held)?;
    if let Some(error) = opened.backend.policy().error {
        let folder = opened.backend.settings.policy_dir.display();
        let mend = format!("mend it below {folder}: it is put in force by itself\n{error}");
        ctx.ui.warn(
            "the policy in the folder is not valid; the last one stays in force",
            &mend,
        );
    }
    server::serve_on(opened, listener, stop)
        .await
        .map_err(|error| Error::new(Exit::Unexpected, "server.failed", format!("serving failed: {error}")))
}

/// Who may sign in before anybody has, with their code.
async fn first_admin(backend: &Backend) -> std::result::Result<Vec<ServingPerson>, Failure> {
    let first = admin::first_code(backend).await?;
    let person = |(name, code)| ServingPerson {
        name,
        code,
        role: "admin".to_owned(),
    };
    Ok(first.map(person).into_iter().collect())
}

/// Resolves at Ctrl-C and SIGTERM.
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static> {
    let catch = |kind| {
        signal(kind).map_err(|error| Error::new(Exit::Unexpected, "server.failed", format!("no signals: {error}")))
    };
    let (mut interrupt, mut terminate) = (catch(SignalKind::interrupt())?, catch(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
