//! `jit issuer publish DIR`: the two files that AWS fetches, for a bucket: the backend itself may stay private.

use std::path::PathBuf;

use serde::Serialize;

use super::{Place, failed};
use crate::cli::Ctx;
use crate::domain::key_life::KeyLife;
use crate::error::{Error, Exit, Result};
use crate::server::beside::Beside;
use crate::server::issuer::{self, documents, files};

/// Write the files that AWS fetches
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jit issuer publish ./bucket --data ./jit-dev")]
pub(super) struct Args {
    /// Folder to write below
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct Written {
    url: String,
    content_type: &'static str,
    files: Vec<File>,
}

#[derive(Serialize)]
struct File {
    path: String,
    url: String,
    changed: bool,
}

pub(super) async fn run(args: &Args, ctx: &mut Ctx) -> Result<()> {
    let beside = args.place.open().await?;
    let files = write(&beside, args).await?;
    if ctx.ui.is_json() {
        let written = Written {
            url: beside.url.to_string(),
            content_type: files::CONTENT_TYPE,
            files,
        };
        return ctx.ui.json("jit/issuer-publish/1", &written);
    }
    for file in &files {
        let what = if file.changed { "Written" } else { "Up to date" };
        ctx.ui.note(&format!("{what}  {}", file.path));
    }
    ctx.ui.note(&format!(
        "Upload them so that everybody can fetch them, as {}:",
        files::CONTENT_TYPE
    ));
    for file in &files {
        ctx.ui.note(&format!("  {} at {}", file.path, file.url));
    }
    Ok(())
}

/// The keys first: a discovery document that leads nowhere helps nobody.
async fn write(beside: &Beside, args: &Args) -> Result<Vec<File>> {
    let keys = beside
        .store
        .issuer_keys()
        .await
        .map_err(|error| failed(error.into(), &args.place))?;
    let mut standing = KeyLife::new(beside.url.as_str(), &keys).to_publish().peekable();
    if standing.peek().is_none() {
        let message = format!("no key of {} is there to publish", beside.url);
        return Err(Error::new(Exit::Configuration, "issuer.no_key", message).try_(args.place.command("rotate")));
    }
    let url = &beside.url;
    [
        (files::KEY_SET, issuer::key_set(standing), url.key_set()),
        (files::DISCOVERY, issuer::discovery(url), url.discovery()),
    ]
    .into_iter()
    .map(|(path, document, url)| {
        let text = documents::text(&document);
        let changed = files::write(&args.dir, &files::Document { path, text }).map_err(|(path, error)| {
            let message = format!("{} cannot be written: {error}", path.display());
            Error::new(Exit::Configuration, "issuer.folder", message).hint("a folder that you can write in")
        })?;
        Ok(File {
            path: args.dir.join(path).display().to_string(),
            url,
            changed,
        })
    })
    .collect()
}
