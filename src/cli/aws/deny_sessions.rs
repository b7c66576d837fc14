//! `jit aws deny-sessions`: the service control policy that shuts out sessions of a permission set that live on.
//! Refuses to attach it: whoever does so sees what it denies.

use super::super::Ctx;
use crate::client::deny_sessions;
use crate::domain::request::Body;
use crate::domain::time::Timestamp;
use crate::error::{Error, Exit, Result};
use crate::ui::{outlives, short_id};
use crate::wire::RequestView;

/// Print the policy that shuts sessions out
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jit aws deny-sessions req_7h3kq2 > deny.json\n\nFor targets in Identity Center. Attach it in AWS Organizations to the account, a unit above it, or the root:\nit denies everything to sessions that this person has begun of this permission set."
)]
pub(super) struct Args {
    /// Request behind the grant
    request: String,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let desk = ctx.desk()?;
    let request = desk.backend.request(&args.request)?;
    let (body, user) = member(&request)?;
    let Some(assignment) = body.binding.assignment() else {
        return Err(no_membership(&request));
    };
    let grant = request.grant.as_ref();
    let before = grant.and_then(|grant| grant.ended_at).unwrap_or(desk.backend.now());
    let policy = deny_sessions(assignment, &user, before);
    let text = serde_json::to_string_pretty(&policy).map_err(|error| Error::unexpected(error.to_string()))?;
    // the JSON is the policy itself, whatever the format: it is to be attached as it is
    for line in text.lines() {
        ctx.ui.line(line)?;
    }
    note(ctx, &desk.words().at(before), &request);
    until(ctx, &request, before, &|at| desk.words().at(at));
    Ok(())
}

/// What was approved, and whom Identity Center knows.
fn member(request: &RequestView) -> Result<(Body, String)> {
    let body: Body = serde_json::from_str(&request.body)
        .map_err(|_| Error::unexpected(format!("{} cannot be read", short_id(&request.id))))?;
    let user = body.user.clone().ok_or_else(|| no_membership(request))?;
    Ok((body, user))
}

fn no_membership(request: &RequestView) -> Error {
    let message = format!("{} is on no permission set", short_id(&request.id));
    let hint = "sessions of a role end with the grant, or by its kill switch: jit revoke GRANT --reason TEXT";
    Error::new(Exit::Gone, "identity_center.none", message).hint(hint)
}

fn note(ctx: &Ctx, before: &str, request: &RequestView) {
    let (who, account) = (&request.beneficiary.name, &request.account);
    ctx.ui.note(&format!(
        "Denies everything to sessions that {who} began before {before} in {account}."
    ));
    ctx.ui.note(
        "Attach it in AWS Organizations to that account or above it. The management account obeys no such policy.",
    );
}

fn until(ctx: &Ctx, request: &RequestView, before: Timestamp, at: &dyn Fn(Timestamp) -> String) {
    if let Some(session) = outlives(request) {
        ctx.ui.note(&format!(
            "After {} nothing is left for it to deny: take it away then.",
            at(before.plus(session))
        ));
    }
}
