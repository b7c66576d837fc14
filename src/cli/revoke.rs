//! `jit revoke`: takes access from somebody, whatever grants it comes from.

use super::context::{Ctx, Desk};
use super::ending::{HELD_UP, is_held_up, settled};
use super::stopping::{self, Words};
use crate::domain::text::Reason;
use crate::error::Result;
use crate::ui::{outlives, short_id, what_still_works};
use crate::wire::{EndGrant, EndedGrant, GrantView};

/// Take access from somebody
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jit revoke grt_7h3kq2 --reason \"left the incident\"\n  jit revoke --all alice --reason \"laptop stolen\""
)]
pub(super) struct Args {
    /// Grant to end
    #[arg(required_unless_present = "all")]
    grant: Option<String>,
    /// Lock a person and end all they have
    #[arg(long, value_name = "WHO", conflicts_with = "grant")]
    all: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let reason = Reason::parse(&args.reason)?;
    let desk = ctx.desk()?;
    let Some(given) = &args.grant else {
        let typed = args.all.unwrap_or_default();
        let who = typed.strip_prefix("person:").unwrap_or(&typed);
        let stopped = stopping::stop(&desk, &format!("person:{who}"), &reason)?;
        return stopping::print(ctx, &desk, &stopped, (Words::Revoked, &typed));
    };
    let how = EndGrant {
        reason: Some(String::from(reason)),
    };
    let ended = all_settled(&desk, desk.backend.end(given, &how)?)?;
    if ctx.ui.is_json() {
        return ctx.ui.json("jit/grant/1", &ended);
    }
    say(ctx, &desk, &ended);
    Ok(())
}

/// The same once the sessions of all of them are shut out, where there is a kill switch.
fn all_settled(desk: &Desk, ended: EndedGrant) -> Result<EndedGrant> {
    let beside = ended.beside.into_iter().map(|grant| settled(desk, grant));
    Ok(EndedGrant {
        beside: beside.collect::<Result<_>>()?,
        grant: settled(desk, ended.grant)?,
        ..ended
    })
}

/// What was taken, and what works still: never less than all that they had.
fn say(ctx: &Ctx, desk: &Desk, ended: &EndedGrant) {
    let (grant, words) = (&ended.grant, desk.words());
    let (target, who) = (&grant.target, grant.beneficiary.called());
    let all: Vec<GrantView> = std::iter::once(grant).chain(&ended.beside).cloned().collect();
    let taken = all.iter().filter(|other| other.cause == grant.cause);
    let ids: Vec<String> = taken.map(|grant| short_id(&grant.id)).collect();
    let ids = ids.join(", ");
    if ended.still_held {
        ctx.ui.note(&format!("Ended {ids}."));
        let message = format!("{who} holds {target} still, by a grant that is not yours to end");
        return ctx.ui.warn(&message, "ask whoever may revoke it");
    }
    if all.iter().any(is_held_up) {
        ctx.ui.note(&format!("Taking {target} from {who} ({ids}). {HELD_UP}"));
        return note_deny(ctx, desk, grant);
    }
    let rest = what_still_works(&all, &words, desk.backend.now());
    ctx.ui.note(&format!("Took {target} from {who} ({ids}). {rest}"));
    note_deny(ctx, desk, grant);
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
