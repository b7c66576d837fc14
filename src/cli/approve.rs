//! `jit approve`: says yes, after showing what is agreed to.

use super::context::{Ctx, Desk};
use super::decision::{self, Checked};
use super::follow::{self, Goal};
use crate::domain::text::Comment;
use crate::error::{Error, Exit, Result};
use crate::ui::{needs, own_words, span};
use crate::wire::RequestView;

/// Approve a request
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jit approve req_7h3kq2 --comment \"go, watch the ledger lag\"")]
pub(super) struct Args {
    /// Request or target with one open request
    request: String,
    /// What to tell who asks
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
}

/// For so long the end of the grant is waited for, to be told.
const UNTIL_LIVE: std::time::Duration = std::time::Duration::from_secs(5);

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let comment = args.comment.as_deref().map(Comment::parse).transpose()?;
    let desk = ctx.desk()?;
    let checked = decision::checked(&desk, &args.request)?;
    if !ctx.ui.is_json() {
        for line in own_words(&checked.body, &checked.view, &desk.words()) {
            ctx.ui.note(&line);
        }
    }
    if checked.view.state == "pending" && ctx.ui.can_ask() {
        match ctx.ui.ask("Approve? [y/N/deny]")?.to_lowercase().as_str() {
            "y" | "yes" => {}
            "deny" => return deny(ctx, &desk, &checked),
            _ => {
                ctx.ui.note("Nothing decided.");
                return Ok(());
            }
        }
    }
    let view = decision::send(&desk, &checked, "approve", comment)?;
    print_approved(ctx, &desk, view)
}

fn deny(ctx: &Ctx, desk: &Desk, checked: &Checked) -> Result<()> {
    let comment = Comment::parse(&ctx.ui.ask("Why not?")?)?;
    let view = decision::send(desk, checked, "deny", Some(comment))?;
    decision::print_denied(ctx, &view)
}

fn print_approved(ctx: &Ctx, desk: &Desk, view: RequestView) -> Result<()> {
    if ctx.ui.is_json() {
        return follow::print_json(ctx, &view, None);
    }
    if view.state != "approved" {
        ctx.ui.note(&format!("Approved. Still needs {}.", needs(&view.stages)));
        return Ok(());
    }
    let (who, target) = (view.beneficiary.called(), view.target.clone());
    let words = desk.words();
    if let Some(start) = view.start.filter(|start| words.is_to_come(*start)) {
        let (from, length) = (words.at(start), span(view.duration_s));
        ctx.ui.note(&format!(
            "Approved. {who} gets {target} from {from} for {length}; policy decides again then."
        ));
        return Ok(());
    }
    match follow::follow(ctx, &desk.backend, view, Goal::Active, Some(UNTIL_LIVE), |_| Ok(())) {
        Ok(live) => match live.grant.and_then(|grant| grant.ends_at) {
            Some(end) => ctx.ui.note(&format!(
                "Approved. {who} holds {target} until {}.",
                desk.words().at(end)
            )),
            None => ctx.ui.note(&format!("Approved. {who} holds {target}.")),
        },
        // the decision is made: what becomes of it is told to who asked
        Err(Error {
            exit: Exit::TooLate | Exit::Unreachable | Exit::Interrupted,
            ..
        }) => ctx.ui.note("Approved. Access is being given."),
        Err(error) => ctx.ui.note(&format!("Approved. {error}.")),
    }
    Ok(())
}
