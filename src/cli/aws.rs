//! `jit aws`: an account as jit needs it, written down and looked at.
//! Owns what its verbs take from the catalogue. Refuses to change anything in AWS.

mod bootstrap;
mod check;
mod deny_sessions;

use std::path::{Path, PathBuf};

use super::Ctx;
use crate::config::IssuerUrl;
use crate::error::{Error, Exit, Result};
use crate::policy::Bundle;
use crate::server::provider::aws::bootstrap::{Plan, PlanError, Wanted, plans};
use crate::server::{StartError, policy_folder};

/// Set up and check AWS accounts
#[derive(Debug, clap::Args)]
#[command(
    subcommand_required = true,
    disable_help_subcommand = true,
    arg_required_else_help = false,
    after_help = "Example:\n  jit aws bootstrap --policy policy --issuer https://jit.acme.example --account dev"
)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Bootstrap(bootstrap::Args),
    Check(check::Args),
    DenySessions(deny_sessions::Args),
}

/// What an account is planned from.
#[derive(Debug, clap::Args)]
struct Source {
    /// Folder of the policy bundle
    #[arg(long, value_name = "DIR")]
    policy: PathBuf,
    /// Address of our issuer, for road web-identity
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The backend's own role, for road assume-role
    #[arg(long, value_name = "ARN")]
    backend_role: Option<String>,
    /// With the kill switch, whatever targets say
    #[arg(long)]
    kill_switch: bool,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    match args.verb {
        Verb::Bootstrap(args) => bootstrap::run(args, ctx),
        Verb::Check(args) => check::run(args, ctx),
        Verb::DenySessions(args) => deny_sessions::run(args, ctx),
    }
}

impl Source {
    /// The plans of these accounts of the catalogue, of all that have a target where none is named.
    fn plans(&self, accounts: &[String]) -> Result<Vec<Plan>> {
        let issuer = self.issuer.as_deref().map(issuer).transpose()?;
        let wanted = Wanted {
            issuer,
            backend: self.backend_role.clone(),
            kill_switch: self.kill_switch,
        };
        let bundle = bundle(&self.policy)?;
        let targets = bundle.catalogue().targets().iter();
        let roles = targets.filter_map(|target| Some((target.name.as_str(), target.binding.role()?)));
        let mut planned = plans(roles, &wanted);
        if let Some(unknown) = accounts.iter().find(|name| !planned.contains_key(*name)) {
            let known: Vec<&str> = planned.keys().map(String::as_str).collect();
            let message = format!("no target lies in account {unknown}");
            return Err(Error::usage(message).hint(format!("accounts with targets: {}", known.join(", "))));
        }
        planned.retain(|name, _| accounts.is_empty() || accounts.contains(name));
        if planned.is_empty() {
            return Err(
                Error::configuration("the catalogue has no target that is a role").hint("add a [[target]] to it")
            );
        }
        planned.into_values().map(|plan| plan.map_err(unplanned)).collect()
    }
}

/// Typed by somebody, so a mistake on the command line.
fn issuer(text: &str) -> Result<IssuerUrl> {
    IssuerUrl::parse(text).map_err(|error| {
        let hint = error.hint.unwrap_or_default();
        Error::usage(error.message).hint(hint)
    })
}

fn bundle(folder: &Path) -> Result<Bundle> {
    policy_folder::load(folder, false).map_err(|error| {
        let refused = |hint: String| Error::new(Exit::Configuration, "server.policy", error.to_string()).hint(hint);
        match &error {
            StartError::Policy { .. } => refused(error.in_full()),
            _ => refused("name the folder that holds catalogue.toml: --policy DIR".to_owned()),
        }
    })
}

fn unplanned(error: PlanError) -> Error {
    let message = error.to_string();
    match error {
        PlanError::NeedsIssuer(_) => Error::usage(message).hint("add: --issuer https://jit.acme.example"),
        PlanError::NeedsBackend(_) => {
            Error::usage(message).hint("add: --backend-role arn:aws:iam::000000000000:role/jit-backend")
        }
        PlanError::NotOneIdentity(_) => {
            Error::usage(message).hint("write its whole ARN, such as arn:aws:iam::000000000000:role/jit-backend")
        }
        PlanError::BoundaryTooLong(_) => Error::configuration(message)
            .hint("shorten `never` of organisation and environment, with patterns such as ec2:Delete*"),
        PlanError::NameTwice(..) => {
            Error::configuration(message).hint("give one of them another name in the catalogue")
        }
    }
}
