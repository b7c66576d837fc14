//! `jit aws check`: what is open or broken in an account, with the shell's own credentials.

use serde::Serialize;

use super::Source;
use crate::cli::Ctx;
use crate::config::{Environment, NetworkSettings};
use crate::error::{Error, Exit, Result};
use crate::network::Network;
use crate::server::provider::aws::AwsSettings;
use crate::server::provider::aws::bootstrap::Plan;
use crate::server::provider::aws::check::{Endpoints, Finding, ReadError, Reader, Severity, ShellClients, judge};
use crate::ui::State;

/// What it may have to be allowed.
const NEEDS: &str = "it needs iam:Get* and iam:List* on roles, policies and OIDC providers of the account";

/// Judge what an account has
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  AWS_PROFILE=dev jit aws check --policy policy --issuer https://jit.acme.example --account dev"
)]
pub(super) struct Args {
    #[command(flatten)]
    source: Source,
    /// Account of the catalogue that this must be
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
}

#[derive(Serialize)]
struct Checked<'a> {
    account: &'a str,
    account_name: &'a str,
    endpoint: Option<String>,
    looked_at: Vec<String>,
    findings: &'a [Finding],
    well: bool,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let plans = args.source.plans(args.account.as_slice())?;
    let endpoints = endpoints(&ctx.env);
    let (settings, runtime) = shell(ctx)?;
    let (plan, findings) = runtime.block_on(look(&plans, &settings, &endpoints))?;
    let is_open = findings.iter().any(|finding| finding.severity != Severity::Note);
    if ctx.ui.is_json() {
        let checked = Checked {
            account: &plan.account,
            account_name: &plan.account_name,
            endpoint: endpoints.iam,
            looked_at: places(plan),
            findings: &findings,
            well: !is_open,
        };
        ctx.ui.json("jit/aws-check/1", &checked)?;
        return if is_open {
            Err(Error::said(Exit::Unexpected))
        } else {
            Ok(())
        };
    }
    print(ctx, plan, &findings, endpoints.iam.as_deref())?;
    if is_open { Err(summary(plan, &findings)) } else { Ok(()) }
}

/// What a person's look at AWS needs.
pub(super) fn shell(ctx: &Ctx) -> Result<(AwsSettings, tokio::runtime::Runtime)> {
    let settings = AwsSettings {
        network: Network::open(&NetworkSettings::find(&ctx.env))?,
        ..AwsSettings::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::unexpected(format!("no thread: {error}")))?;
    Ok((settings, runtime))
}

/// What every AWS tool takes for its endpoints: the service's own first.
pub(super) fn endpoints(env: &Environment) -> Endpoints {
    let of = |own| env.text(own).or_else(|| env.text("AWS_ENDPOINT_URL"));
    Endpoints {
        sts: of("AWS_ENDPOINT_URL_STS"),
        iam: of("AWS_ENDPOINT_URL_IAM"),
        organizations: of("AWS_ENDPOINT_URL_ORGANIZATIONS"),
    }
}

/// Finds out which account the shell reaches, and judges that one.
async fn look<'a>(
    plans: &'a [Plan],
    settings: &AwsSettings,
    endpoints: &Endpoints,
) -> Result<(&'a Plan, Vec<Finding>)> {
    let [first, rest @ ..] = plans else {
        return Err(Error::usage("no account to look at"));
    };
    if rest.iter().any(|plan| plan.partition != first.partition) {
        return Err(Error::usage("accounts of several partitions").hint("name the one that is meant: --account NAME"));
    }
    let clients = ShellClients::find(settings, endpoints, &first.region).await;
    let reader = Reader::new(clients);
    let account = reader.account().await.map_err(|error| unread(error, NEEDS))?;
    let Some(plan) = plans.iter().find(|plan| plan.account == account) else {
        let names: Vec<String> = plans
            .iter()
            .map(|plan| format!("{} ({})", plan.account_name, plan.account))
            .collect();
        let message = format!("this shell is in account {account}, not in {}", names.join(", "));
        let hint = "give it credentials of that account, such as AWS_PROFILE=NAME";
        return Err(Error::new(Exit::Configuration, "aws.account", message).hint(hint));
    };
    let described = reader.describe(plan).await.map_err(|error| unread(error, NEEDS))?;
    Ok((plan, judge(plan, &described)))
}

/// Everything that has a place of its own in the answer.
fn places(plan: &Plan) -> Vec<String> {
    let provider = plan
        .issuer_name()
        .into_iter()
        .map(|issuer| format!("oidc-provider/{issuer}"));
    let boundary = plan.boundary_arn();
    let boundary = boundary.splitn(6, ':').last().map(str::to_owned);
    let roles = plan.roles.iter().map(|role| format!("role/{}", role.path_and_name));
    let kill = plan.kill.iter().map(|kill| format!("role/{}", kill.path_and_name));
    provider.chain(boundary).chain(roles).chain(kill).collect()
}

fn print(ctx: &Ctx, plan: &Plan, findings: &[Finding], endpoint: Option<&str>) -> Result<()> {
    let at = endpoint.map_or_else(String::new, |url| format!(", asked at {url}"));
    ctx.ui.note(&format!("{} ({}){at}", plan.account_name, plan.account));
    for place in places(plan) {
        if findings.iter().all(|finding| finding.place != place) {
            ctx.ui.marked(State::Live, &format!("ok     {place}"))?;
        }
    }
    for finding in findings {
        let (state, word) = match finding.severity {
            Severity::Hole => (State::Refused, "hole "),
            Severity::Fault => (State::Waiting, "fault"),
            Severity::Note => (State::Live, "note "),
        };
        ctx.ui
            .marked(state, &format!("{word}  {}  {}", finding.place, finding.what))?;
        ctx.ui.line(&format!("       mend: {}", finding.mend))?;
    }
    Ok(())
}

fn summary(plan: &Plan, findings: &[Finding]) -> Error {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (holes, faults) = (count(Severity::Hole), count(Severity::Fault));
    let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let message = format!(
        "{}, {} in {}",
        plural(holes, "hole"),
        plural(faults, "fault"),
        plan.account_name
    );
    let hint = "a hole lets somebody in, a fault keeps jit out; the mend stands below each";
    Error::new(Exit::Unexpected, "aws.findings", message).hint(hint)
}

pub(super) fn unread(error: ReadError, needs: &str) -> Error {
    let message = error.to_string();
    match error {
        ReadError::NoCredentials => {
            Error::new(Exit::Configuration, "aws.credentials", message).try_("aws sts get-caller-identity")
        }
        ReadError::Refused { call, .. } => {
            let refused = Error::new(Exit::Provider, "aws.refused", message);
            if call == "GetCallerIdentity" {
                refused.try_("aws sts get-caller-identity")
            } else {
                refused.hint(needs)
            }
        }
        ReadError::Unreachable { .. } => {
            Error::new(Exit::Unreachable, "aws.unreachable", message).hint("check the network, then try again")
        }
    }
}
