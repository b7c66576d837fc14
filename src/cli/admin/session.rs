//! `jit admin session`: who is signed in where, and ending it.

use crate::cli::context::{Ctx, Desk};
use crate::error::Result;
use crate::ui::Table;

/// Look after sessions of people
#[derive(Debug, clap::Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = false,
    after_help = "Examples:\n  jit admin session list\n  jit admin session revoke ses_7h3kq2m4n5p6"
)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    List(List),
    Revoke(Revoke),
}

/// List sessions that are not over
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jit admin session list --person bob")]
struct List {
    /// Sessions of this person alone
    #[arg(long, value_name = "NAME")]
    person: Option<String>,
}

/// End a session
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jit admin session revoke ses_7h3kq2m4n5p6\n\nGrants go on: jit revoke --all ends them too, and keeps the person out."
)]
struct Revoke {
    /// Session to end
    #[arg(value_name = "SESSION")]
    id: String,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let desk = ctx.desk()?;
    match args.what {
        What::List(list) => listed(ctx, &desk, list.person.as_deref()),
        What::Revoke(revoke) => revoked(ctx, &desk, &revoke.id),
    }
}

fn listed(ctx: &Ctx, desk: &Desk, person: Option<&str>) -> Result<()> {
    let list = desk.backend.sessions(person)?;
    if ctx.ui.is_json() {
        return ctx.ui.json("jit/admin-sessions/1", &list);
    }
    let words = desk.words();
    let mut table = Table::new(&["SESSION", "who", "since", "until", "by", "key in", "vouched for by"]);
    for session in &list.sessions {
        table.row([
            session.id.clone(),
            session.person.called(),
            words.at(session.created_at),
            words.at(session.expires_at),
            session.method.clone(),
            session.key_storage.clone(),
            session.issuer.clone(),
        ]);
    }
    let lines = table.lines(ctx.ui.width());
    lines.iter().try_for_each(|line| ctx.ui.line(line))?;
    if list.more > 0 {
        let what = match list.more {
            1 => "One older session is not shown.".to_owned(),
            more => format!("{more} older sessions are not shown."),
        };
        ctx.ui
            .note(&format!("{what} Of one person: jit admin session list --person NAME"));
    }
    Ok(())
}

fn revoked(ctx: &Ctx, desk: &Desk, id: &str) -> Result<()> {
    let session = desk.backend.revoke_session(id)?;
    if ctx.ui.is_json() {
        return ctx.ui.json("jit/admin-session/1", &session);
    }
    let (id, who) = (&session.id, session.person.called());
    // several may be shown by one name
    let named = &session.person.id;
    ctx.ui.note(&format!(
        "Ended {id} of {who}. Grants go on; to end them and keep {who} out: jit revoke --all {named}"
    ));
    Ok(())
}
