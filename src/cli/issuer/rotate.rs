//! `jit issuer rotate`: makes the key that is to sign next, ahead of its time.

use serde::Serialize;

use super::{KeyView, Place, by, failed};
use crate::cli::Ctx;
use crate::domain::key_life::{AHEAD_S, KeyLife};
use crate::error::Result;

/// Make the next key
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jit issuer rotate --data ./jit-dev")]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct Made {
    made: bool,
    key: KeyView,
}

pub(super) async fn run(args: &Args, ctx: &mut Ctx) -> Result<()> {
    let beside = args.place.open().await?;
    let issuer = beside.issuer().await?;
    let rotated = issuer
        .rotate(by("jit issuer rotate"))
        .await
        .map_err(|error| failed(error, &args.place))?;
    let keys = issuer.keys().await.map_err(|error| failed(error.into(), &args.place))?;
    let (now, life) = (beside.clock.now(), KeyLife::new(beside.url.as_str(), &keys));
    let key = KeyView::new(&life, now, &rotated.key);
    if ctx.ui.is_json() {
        let made = rotated.is_new;
        return ctx.ui.json("jit/issuer-rotate/1", &Made { made, key });
    }
    let (id, hours) = (&key.id, AHEAD_S / 3600);
    ctx.ui.note(&match (rotated.is_new, key.signs_from) {
        (true, _) => format!("Made key {id}."),
        (false, _) => format!("Key {id} waits already; no other one was made."),
    });
    ctx.ui.note(&match (key.signs_from, life.signing(now)) {
        (Some(from), _) => format!("It signs from {}.", ctx.words_at(now).at(from)),
        (None, Some(_)) => format!(
            "It signs {hours} h after it was first seen at {}.",
            beside.url.key_set()
        ),
        (None, None) => format!("It signs as soon as it is seen at {}.", beside.url.key_set()),
    });
    ctx.ui
        .note(&format!("A bucket: {}, and upload both files.", args.place.publish()));
    Ok(())
}
