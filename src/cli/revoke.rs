//! `jit revoke`: takes access from somebody.

use super::context::{Ctx, Desk};
use super::ending::settled;
use crate::domain::text::Reason;
use crate::error::Result;
use crate::ui::{outlives, short_id, what_still_works};
use crate::wire::{EndGrant, GrantView};

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
    let grant = settled(&desk, desk.backend.end(&args.grant, &how)?)?;
    if ctx.ui.is_json() {
        return ctx.ui.json("jit/grant/1", &grant);
    }
    let rest = what_still_works(std::slice::from_ref(&grant), &desk.words(), desk.backend.now());
    let (id, target, who) = (short_id(&grant.id), &grant.target, &grant.beneficiary.name);
    ctx.ui.note(&format!("Took {target} from {who} ({id}). {rest}"));
    note_deny(ctx, &desk, &grant);
    Ok(())
}

/// Nothing of ours shuts out a session of a permission set: the policy that does is prepared. Who may end a grant need
/// not be let to look at its request: then nothing is said.
fn note_deny(ctx: &Ctx, desk: &Desk, grant: &GrantView) {
    let still_works = grant.last_credential_at.is_some_and(|last| last > desk.backend.now());
    if !cfg!(feature = "server") || !still_works {
        return;
    }
    let Ok(request) = desk.backend.request(&grant.request) else {
        return;
    };
    if outlives(&request).is_some() {
        let id = short_id(&request.id);
        ctx.ui.note(&format!(
            "To shut its sessions out now:  jit aws deny-sessions {id} > deny.json"
        ));
    }
}
