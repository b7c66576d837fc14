//! `jit issuer show`: every key with its state, and how what is published differs.

use serde::Serialize;

use super::{KeyView, Place, failed};
use crate::cli::Ctx;
use crate::config::NetworkSettings;
use crate::domain::key_life::KeyLife;
use crate::error::Result;
use crate::network::Network;
use crate::server::beside::Beside;
use crate::server::publication;
use crate::ui::Table;

/// List keys, and what is published
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jit issuer show --data ./jit-dev")]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
    /// List removed keys too
    #[arg(long)]
    all: bool,
}

#[derive(Serialize)]
struct Shown {
    url: String,
    keys: Vec<KeyView>,
    differences: Vec<String>,
}

pub(super) async fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let beside = args.place.open().await?;
    let network = Network::for_address(&NetworkSettings::find(&ctx.env), beside.url.as_str())?;
    let shown = look(&beside, &network, &args).await?;
    if ctx.ui.is_json() {
        return ctx.ui.json("jit/issuer/1", &shown);
    }
    let words = ctx.words_at(beside.clock.now());
    let when = |at: Option<crate::domain::Timestamp>| at.map_or_else(|| "-".to_owned(), |at| words.at(at));
    ctx.ui.note(&shown.url);
    let mut table = Table::new(&["KEY", "STATE", "MADE", "PUBLISHED", "SIGNS FROM", "RETIRED"]);
    for key in &shown.keys {
        table.row([
            key.id.clone(),
            key.state.to_owned(),
            words.at(key.made_at),
            when(key.published_at),
            when(key.signs_from),
            when(key.retired_at),
        ]);
    }
    table
        .lines(ctx.ui.width())
        .iter()
        .try_for_each(|line| ctx.ui.line(line))?;
    for difference in &shown.differences {
        ctx.ui
            .warn(difference, &format!("{}, and upload both files", args.place.publish()));
    }
    Ok(())
}

async fn look(beside: &Beside, network: &Network, args: &Args) -> Result<Shown> {
    let keys = beside
        .store
        .issuer_keys()
        .await
        .map_err(|error| failed(error.into(), &args.place))?;
    let (now, life) = (beside.clock.now(), KeyLife::new(beside.url.as_str(), &keys));
    let wanted: Vec<_> = life.to_publish().collect();
    let published = publication::look_once(network, &beside.url, &wanted).await;
    let is_listed = |key: &&crate::domain::IssuerKey| args.all || key.removed_at.is_none();
    let listed = keys.iter().filter(is_listed);
    Ok(Shown {
        url: beside.url.to_string(),
        keys: listed.map(|key| KeyView::new(&life, now, key)).collect(),
        differences: published.differences,
    })
}
