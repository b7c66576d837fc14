//! `jit admin user`: people whom the backend itself vouches for.

use crate::cli::context::Ctx;
use crate::domain::text::PersonName;
use crate::error::Result;
use crate::ui::span;

/// Look after local people
#[derive(Debug, clap::Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = false,
    after_help = "Example:\n  jit admin user add bob"
)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Add(Add),
}

/// Hand out a one-time code
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jit admin user add bob\n\nAlso for somebody who has lost a device: a new code, the one before is void."
)]
struct Add {
    /// Name of the person
    #[arg(value_name = "NAME")]
    name: String,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let What::Add(add) = args.what;
    let name = PersonName::parse(&add.name)?;
    let desk = ctx.desk()?;
    let added = desk.backend.add_user(name.as_str())?;
    if ctx.ui.is_json() {
        return ctx.ui.json("jit/admin-user-add/1", &added);
    }
    let (words, server) = (desk.words(), desk.picked.account.origin());
    let until = words.at(added.expires_at);
    ctx.ui.line(&added.code)?;
    let name = &added.person.name;
    ctx.ui.note(&format!(
        "For {name}, once, until {until}. Give it to nobody else. They type it at:"
    ));
    ctx.ui
        .note(&format!("  jit login --server {server} --identity {name} --code"));
    if added.decides_after_s > 0 {
        let wait = span(added.decides_after_s);
        ctx.ui.note(&format!(
            "A device that is new to {name} asks at once, and approves after {wait}."
        ));
    }
    Ok(())
}
