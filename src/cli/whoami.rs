//! `jit whoami`: who one is to the backend.

use super::context::Ctx;
use super::stopping;
use crate::domain::SignInMethod;
use crate::error::Result;
use crate::ui::TimeWords;
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
    ctx.ui.line(&format!("{} at {server}", me.person.called()))?;
    ctx.ui.line(&format!("  groups   {groups}"))?;
    if me.admin {
        ctx.ui.line("  admin    yes: jit admin --help")?;
    }
    ctx.ui
        .line(&format!("  session  {}, until {end} ({left} left)", me.method))?;
    if let Some(since) = me.idle_since {
        let since = words.ago(since);
        ctx.ui
            .line(&format!("  idle     used {since}: approves nothing before jit login"))?;
    }
    if me.method != SignInMethod::Local.as_str() {
        ctx.ui.line(&format!("  known as {} at {}", me.subject, me.issuer))?;
        ctx.ui.line(&proof(&me, &words))?;
    }
    ctx.ui
        .line(&format!("  device   {}, key in {}", me.device, me.key_storage))?;
    stopping::note_devices(ctx, &words, &me.new_devices);
    Ok(())
}

/// When a second factor was last shown; of a workload, who started it.
fn proof(me: &Me, words: &TimeWords) -> String {
    match (&me.workload, me.mfa_at) {
        (Some(workload), _) => {
            let who = workload.started_by.as_deref().unwrap_or("nobody: a machine");
            format!("  started  by {who}")
        }
        (None, Some(at)) => format!("  mfa      {}", words.ago(at)),
        (None, None) => "  mfa      none shown".to_owned(),
    }
}
