//! `jit serve`: the backend, in this process.

use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::Ctx;
use crate::config::{Environment, NetworkSettings};
use crate::error::{Error, Exit, Result};
use crate::network::Network;
use crate::server::settings::AwsSettings;
use crate::server::{self, StartError, dev};
use crate::ui::Ui;
use crate::wire::{Serving, VERSION};

/// Run the approval backend
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jit serve --dev\n  AWS_ENDPOINT_URL=http://127.0.0.1:4566 jit serve --dev --listen 127.0.0.1:0"
)]
pub struct Args {
    /// Local people, a small policy, loopback only
    #[arg(long, required = true)]
    dev: bool,
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
/// Exit 2 for an address beyond loopback, exit 3 for a folder, policy or database that cannot be used.
pub fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    if !args.listen.ip().is_loopback() {
        let message = format!("{} is not loopback", args.listen.ip());
        return Err(Error::new(Exit::Usage, "usage.listen", message)
            .hint("--dev serves this machine only: --listen 127.0.0.1:7878"));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(Exit::Unexpected, "server.failed", format!("no threads: {error}")))?;
    runtime.block_on(serve(&args, ctx))
}

async fn serve(args: &Args, ctx: &Ctx) -> Result<()> {
    let data = dev::Data::take(&args.data).map_err(|error| refused(&error))?;
    let listener = TcpListener::bind(args.listen).await.map_err(|error| {
        let message = format!("cannot listen on {}: {error}", args.listen);
        Error::new(Exit::Configuration, "server.listen", message).hint("another address: --listen 127.0.0.1:0")
    })?;
    let address = listener.local_addr().unwrap_or(args.listen);
    let endpoint = endpoint(&ctx.env);
    let aws = AwsSettings {
        endpoint: endpoint.clone(),
        network: Network::open(&NetworkSettings::find(&ctx.env))?,
        ..AwsSettings::default()
    };
    // signals are caught before anybody is told that we are here
    let stop = stop_signal()?;
    let settings = dev::settings(&data, address, aws)
        .await
        .map_err(|error| refused(&error))?;
    let opened = server::open(settings).await.map_err(|error| refused(&error))?;
    let people = dev::people(&opened.backend)
        .await
        .map_err(|failure| refused(&StartError::from(failure)))?;
    let origin = opened.backend.settings.origin.clone();
    let serving = Serving {
        schema: "jit/serve/1".to_owned(),
        url: origin,
        people,
    };
    announce(&ctx.ui, &serving, &data, endpoint.as_deref())?;
    if let Some(error) = opened.backend.policy().error {
        let mend = format!(
            "mend it below {}: it is put in force by itself\n{error}",
            data.dir.join("policy").display()
        );
        ctx.ui.warn(
            "the policy in the folder is not valid; the last one stays in force",
            &mend,
        );
    }
    server::serve_on(opened, listener, stop)
        .await
        .map_err(|error| Error::new(Exit::Unexpected, "server.failed", format!("serving failed: {error}")))
}

/// What every AWS tool takes for its endpoint: the service's own first.
fn endpoint(env: &Environment) -> Option<String> {
    env.text("AWS_ENDPOINT_URL_STS")
        .or_else(|| env.text("AWS_ENDPOINT_URL"))
        .filter(|url| !url.is_empty())
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

/// Says where it is and what to type next.
fn announce(ui: &Ui, serving: &Serving, data: &dev::Data, endpoint: Option<&str>) -> Result<()> {
    if ui.is_json() {
        return ui.json("jit/serve/1", serving);
    }
    let is_new = if data.is_new { " (new)" } else { "" };
    let aws = endpoint.map_or_else(|| "as this shell's".to_owned(), |url| format!("stand-in at {url}"));
    ui.note(&format!(
        "jit {VERSION} · {} · data in {}{is_new} · AWS: {aws}",
        serving.url,
        data.dir.display()
    ));
    ui.note("In another terminal:");
    for person in &serving.people {
        let (name, code, role) = (&person.name, &person.code, &person.role);
        ui.note(&format!(
            "  jit login --server {} --identity {name:<5} --code {code}   {role}",
            serving.url
        ));
    }
    ui.note("then");
    ui.note("  jit --identity alice request prod-admin --for 30m --reason \"trying jit out\"");
    ui.note("  jit --identity bob approve prod-admin");
    Ok(())
}

fn refused(error: &StartError) -> Error {
    let refusal = |code: &str, hint: String| Error::new(Exit::Configuration, code, error.to_string()).hint(hint);
    match error {
        StartError::Folder { .. } => refusal("server.folder", "another folder: --data DIR".to_owned()),
        StartError::InUse { .. } => refusal(
            "server.in_use",
            "stop that one, or use another folder: --data DIR".to_owned(),
        ),
        StartError::Policy { .. } => refusal("server.policy", error.in_full()),
        StartError::Store(_) => refusal(
            "server.store",
            "check the disk, or use another folder: --data DIR".to_owned(),
        ),
        StartError::SealingKey(_) => refusal(
            "server.sealing_key",
            "give the key that this database was first started with; --dev keeps it in DIR/sealing.key".to_owned(),
        ),
        StartError::Configuration(error) => error.clone(),
        StartError::Failed(_) => Error::new(Exit::Unexpected, "server.failed", error.to_string()),
    }
}
