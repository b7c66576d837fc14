//! `jit revoke`: takes access from somebody.

use super::context::Ctx;
use crate::domain::text::Reason;
use crate::error::Result;
use crate::ui::short_id;
use crate::wire::EndGrant;

/// Take access from somebody
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jit revoke grt_7h3kq2 --reason \"left the incident\"")]
pub(super) struct Args {
    /// Grant to end
    grant: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let reason = Reason::parse(&args.reason)?;
    let desk = ctx.desk()?;
    let how = EndGrant {
        reason: Some(String::from(reason)),
    };
    let grant = desk.backend.end(&args.grant, &how)?;
    if ctx.ui.is_json() {
        return ctx.ui.json("jit/grant/1", &grant);
    }
    let words = desk.words();
    let last = grant.last_credential_at.filter(|last| *last > desk.backend.now());
    let copies = last.map_or_else(
        || "No credential of it works any more.".to_owned(),
        |last| format!("A copy of the last credential works until {}.", words.at(last)),
    );
    let (id, target, who) = (short_id(&grant.id), &grant.target, &grant.beneficiary.name);
    ctx.ui.note(&format!("Took {target} from {who} ({id}). {copies}"));
    Ok(())
}
