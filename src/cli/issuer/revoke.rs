//! `jit issuer revoke`: takes keys away at once. Says first what must come first, and what signs afterwards: AWS keeps
//! copies of our keys, and documents no time after which it looks again.

use serde::Serialize;

use super::{Place, by, failed};
use crate::cli::Ctx;
use crate::domain::issuer_key::without;
use crate::domain::key_life::{KeyLife, Signs};
use crate::error::{Error, Result};
use crate::server::beside::Beside;
use crate::server::service::issuer::{revoke, to_revoke};

/// Take keys away at once
#[derive(Debug, clap::Args)]
#[command(
    group(clap::ArgGroup::new("which").required(true)),
    after_help = "Examples:\n  jit issuer revoke oKIywvGU --data ./jit-dev\n  jit issuer revoke --all --data ./jit-dev"
)]
pub(super) struct Args {
    /// Key, or how it begins
    #[arg(value_name = "KEY", group = "which", allow_hyphen_values = true)]
    key: Option<String>,
    /// Every key
    #[arg(long, group = "which")]
    all: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct Revoked {
    revoked: Vec<String>,
    cut_trust_with: String,
}

pub(super) async fn run(args: &Args, ctx: &mut Ctx) -> Result<()> {
    let beside = args.place.open().await?;
    let after = after(&beside, args, ctx).await?;
    let command = cut_trust(&beside);
    ctx.ui
        .note("First cut trust in AWS, in each account: it keeps our keys for a time that it does not tell.");
    ctx.ui.note(&format!("  {command}"));
    ctx.ui
        .note("  ACCOUNT is the account's number, PARTITION aws, aws-cn or aws-us-gov.");
    ctx.ui.note(&after);
    if !args.yes && !is_agreed(ctx)? {
        ctx.ui.note("Nothing was taken away.");
        return Ok(());
    }
    let gone = revoke(
        beside.store.as_ref(),
        &beside.clock,
        args.key.as_deref(),
        by("jit issuer revoke"),
    )
    .await
    .map_err(|error| failed(error, &args.place))?;
    let revoked: Vec<String> = gone.iter().map(|key| key.id.to_string()).collect();
    if ctx.ui.is_json() {
        let cut_trust_with = command;
        return ctx.ui.json(
            "jit/issuer-revoke/1",
            &Revoked {
                revoked,
                cut_trust_with,
            },
        );
    }
    for id in &revoked {
        ctx.ui.note(&format!("Took key {id} away."));
    }
    if revoked.is_empty() {
        ctx.ui.note("There was no key.");
    }
    ctx.ui.note(&format!(
        "Then publish what is left: {}, and upload both files.",
        args.place.publish()
    ));
    Ok(())
}

/// What signs once the keys are gone: what whoever revokes them has to know before.
async fn after(beside: &Beside, args: &Args, ctx: &Ctx) -> Result<String> {
    let keys = beside.store.issuer_keys().await;
    let mut keys = keys.map_err(|error| failed(error.into(), &args.place))?;
    let gone = to_revoke(&keys, args.key.as_deref()).map_err(|error| failed(error, &args.place))?;
    let gone: Vec<_> = gone.into_iter().map(|key| key.id.clone()).collect();
    let now = beside.clock.now();
    for key in keys.iter_mut().filter(|key| gone.contains(&key.id)) {
        *key = without(now, key);
    }
    let place = beside.url.key_set();
    let sooner = "with --all the next key signs as soon as it is seen published";
    Ok(match KeyLife::new(beside.url.as_str(), &keys).signs(now) {
        Signs::Now(key) => format!("Key {} goes on signing.", key.id),
        Signs::From(key, from) => {
            let from = ctx.words_at(now).at(from);
            format!("Then nothing signs until {from}, when key {} may; {sooner}.", key.id)
        }
        Signs::OnceSeen(key, 0) => format!("Then nothing signs until key {} is seen at {place}.", key.id),
        Signs::OnceSeen(key, ahead) => {
            let (id, hours) = (&key.id, ahead / 3600);
            format!("Then nothing signs until {hours} h after key {id} is seen at {place}; {sooner}.")
        }
        Signs::NextMade => {
            format!("Then nothing signs until the next key, made within a minute, is seen at {place}.")
        }
    })
}

fn is_agreed(ctx: &Ctx) -> Result<bool> {
    if !ctx.ui.can_ask() {
        return Err(Error::usage("nobody can be asked").hint("once trust is cut: --yes"));
    }
    let answer = ctx.ui.ask("Trust is cut; take the keys away? [y/N]")?;
    Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
}

/// What takes the trust away, with the account for whoever types it to fill in.
fn cut_trust(beside: &Beside) -> String {
    let (_, name) = beside.url.as_str().split_once("://").unwrap_or_default();
    format!(
        "aws iam delete-open-id-connect-provider --open-id-connect-provider-arn arn:PARTITION:iam::ACCOUNT:oidc-provider/{name}"
    )
}
