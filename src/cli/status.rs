//! `jit status`: pending requests and live grants, one request, the past.

use std::time::Duration;

use serde::Serialize;

use super::context::{Ctx, Desk};
use super::follow::{self, Goal};
use crate::error::{Error, Exit, Result};
use crate::ui::{Open, State, history_table, lock_line, lock_table, locks_on, request_details, status_sections};
use crate::wire::{LockView, RequestList, RequestView};

/// Show pending requests and live grants
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jit status\n  jit status req_7h3kq2 --watch")]
pub(super) struct Args {
    /// Request or target with one open request
    request: Option<String>,
    /// Show every change until all is over
    #[arg(long)]
    watch: bool,
    /// Show what is over, too
    #[arg(long, conflicts_with_all = ["request", "watch"])]
    history: bool,
}

/// How often a list is looked at anew.
const LOOK: Duration = Duration::from_secs(2);
/// The most pages of history.
const PAGES: usize = 10;

#[derive(Serialize)]
struct Listed<'a> {
    requests: &'a [RequestView],
    locks: &'a [LockView],
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let desk = ctx.desk()?;
    match (args.request, args.watch, args.history) {
        (Some(request), false, _) => print_one(ctx, &desk, &desk.backend.request(&request)?),
        (Some(request), true, _) => watch_one(ctx, &desk, &request),
        (None, true, _) => watch_all(ctx, &desk),
        (None, false, true) => print_history(ctx, &desk),
        (None, false, false) => print_open(ctx, &desk, &desk.backend.requests(true, None)?),
    }
}

fn print_one(ctx: &Ctx, desk: &Desk, request: &RequestView) -> Result<()> {
    if ctx.ui.is_json() {
        return follow::print_json(ctx, request, None);
    }
    let lines = request_details(request, &desk.words());
    lines.iter().try_for_each(|line| ctx.ui.line(line))?;
    // what stands in the way of a request that is over is of no interest
    if Open::of(request) == Open::Over {
        return Ok(());
    }
    // a backend of before there were locks has none
    let locks = desk.backend.locks().map(|list| list.locks).unwrap_or_default();
    locks_on(&locks, request)
        .iter()
        .try_for_each(|lock| ctx.ui.line(&format!("  locked  {}", lock_line(lock, &desk.words()))))
}

fn print_open(ctx: &Ctx, desk: &Desk, list: &RequestList) -> Result<()> {
    let (requests, locks) = (&list.requests, &list.locks);
    desk.client
        .note_open(&desk.picked.account, desk.backend.offset_ms(), requests);
    if ctx.ui.is_json() {
        return ctx.ui.json("jit/status/1", &Listed { requests, locks });
    }
    let mut sections = status_sections(requests, &desk.words());
    if !locks.is_empty() {
        sections.insert(0, (State::Refused, lock_table(locks, &desk.words())));
    }
    if sections.is_empty() {
        return ctx.ui.line("Nothing live, nothing waiting.  jit targets");
    }
    for (at, (state, table)) in sections.iter().enumerate() {
        if at > 0 {
            ctx.ui.line("")?;
        }
        let lines = table.lines(ctx.ui.width());
        for (row, line) in lines.iter().enumerate() {
            match row {
                0 => ctx.ui.marked(*state, line)?,
                _ => ctx.ui.line(line)?,
            }
        }
    }
    Ok(())
}

fn print_history(ctx: &Ctx, desk: &Desk) -> Result<()> {
    let mut requests = Vec::new();
    let mut before = None;
    for _ in 0..PAGES {
        let page = desk.backend.requests(false, before.as_deref())?;
        requests.extend(page.requests);
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    if ctx.ui.is_json() {
        return ctx.ui.json(
            "jit/status/1",
            &Listed {
                requests: &requests,
                locks: &[],
            },
        );
    }
    if requests.is_empty() {
        return ctx.ui.line("Nothing was ever asked for.  jit targets");
    }
    let lines = history_table(&requests, &desk.words()).lines(ctx.ui.width());
    lines.iter().try_for_each(|line| ctx.ui.line(line))
}

fn watch_one(ctx: &Ctx, desk: &Desk, request: &str) -> Result<()> {
    let view = desk.backend.request(request)?;
    desk.backend.watch_interrupt()?;
    print_one(ctx, desk, &view)?;
    let print = |view: &RequestView| print_one(ctx, desk, view);
    match follow::follow(ctx, &desk.backend, view, Goal::Ended, None, print) {
        // watching shows what became of it; that it was a "no" is no failure of watching
        Err(Error {
            exit: Exit::Denied | Exit::TooLate | Exit::Gone | Exit::Provider,
            ..
        }) => Ok(()),
        followed => followed.map(drop),
    }
}

/// Looks again and again, and prints what is different, until nothing is open.
fn watch_all(ctx: &Ctx, desk: &Desk) -> Result<()> {
    desk.backend.watch_interrupt()?;
    let mut shown: Option<Vec<String>> = None;
    loop {
        let list = match desk.backend.requests(true, None) {
            Ok(list) => list,
            Err(error) if shown.is_some() && error.is_worth_a_retry() => {
                desk.backend.pause(LOOK)?;
                continue;
            }
            Err(error) => return Err(error),
        };
        let requests = list.requests.iter().map(|r| format!("{} {}", r.id, r.version));
        let locks = list.locks.iter().map(|lock| format!("{} {}", lock.id, lock.since));
        let versions: Vec<String> = requests.chain(locks).collect();
        if shown.as_ref() != Some(&versions) {
            print_open(ctx, desk, &list)?;
            shown = Some(versions);
        }
        if list.requests.is_empty() {
            return Ok(());
        }
        desk.backend.pause(LOOK)?;
    }
}
