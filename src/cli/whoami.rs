//! `jit whoami`: who one is to the backend.

use super::context::Ctx;
use super::stopping;
use crate::domain::SignInMethod;
use crate::error::Result;
use crate::wire::Me;
use serde::Serialize;

/// Show who you are
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jit whoami -o json")]
pub(super) struct Args {}

#[derive(Serialize)]
struct Whoami<'a> {
    server: &'a str,
    #[serde(flatten)]
    me: &'a Me,
}

pub(super) fn run(_: Args, ctx: &mut Ctx) -> Result<()> {
    let desk = ctx.desk()?;
    let me = desk.backend.me()?;
    let server = desk.picked.account.origin().as_str();
    if ctx.ui.is_json() {
        return ctx.ui.json("jit/whoami/1", &Whoami { server, me: &me });
    }
    let words = desk.words();
    let groups = if me.groups.is_empty() {
        "none".to_owned()
    } else {
        me.groups.join(", ")
    };
    let (end, left) = (words.at(me.session_ends_at), words.left(me.session_ends_at));
    ctx.ui.line(&format!("{} at {server}", me.person.name))?;
    ctx.ui.line(&format!("  groups   {groups}"))?;
    if me.admin {
        ctx.ui.line("  admin    yes: jit admin --help")?;
    }
    ctx.ui
        .line(&format!("  session  {}, until {end} ({left} left)", me.method))?;
    if me.method != SignInMethod::Local.as_str() {
        ctx.ui.line(&format!("  known as {} at {}", me.subject, me.issuer))?;
        let shown = me.mfa_at.map_or_else(|| "none shown".to_owned(), |at| words.ago(at));
        ctx.ui.line(&format!("  mfa      {shown}"))?;
    }
    ctx.ui
        .line(&format!("  device   {}, key in {}", me.device, me.key_storage))?;
    stopping::note_devices(ctx, &words, &me.new_devices);
    Ok(())
}
