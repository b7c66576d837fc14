//! What one may ask for, as a table.
//! Owns how a target in many accounts is shown. Refuses to show all of them: a search finds the one.

use super::describe::{account_line, needs};
use super::table::Table;
use super::words::span;
use crate::wire::{AccountsView, TargetView};

/// Accounts of a target that a table shows.
const MOST_ACCOUNTS: usize = 20;

/// The table of `jit targets`.
pub fn target_table(targets: &[TargetView], with_accounts: bool) -> Table {
    let mut table = Table::new(&["TARGET", "longest", "approved by", "what"]);
    for target in targets {
        let who = if target.automatic {
            "policy alone".to_owned()
        } else {
            needs(&target.stages)
        };
        if let Some(accounts) = &target.accounts {
            in_many(&mut table, target, accounts, &who, with_accounts);
            continue;
        }
        table.row([
            target.name.clone(),
            span(target.max_duration_s),
            who,
            account_line(&target.title, &target.account_name, &target.account) + kill_switch(target.kill_switch),
        ]);
    }
    table
}

/// The rows of a target in many accounts: itself, and where a search found them, the first accounts.
fn in_many(table: &mut Table, target: &TargetView, accounts: &AccountsView, who: &str, with_accounts: bool) {
    let cells = |name: String, what: String| [name, span(target.max_duration_s), who.to_owned(), what];
    let count = match (accounts.count, accounts.listed_at.is_some()) {
        (_, false) => "accounts".to_owned(),
        (1, true) => "1 account".to_owned(),
        (many, true) => format!("{many} accounts"),
    };
    let what = format!("{} in {count} of {}", target.title, accounts.chosen_by);
    table.row(cells(format!("{}/ACCOUNT", target.name), what));
    if !with_accounts {
        return;
    }
    let shown = &accounts.members[..accounts.members.len().min(MOST_ACCOUNTS)];
    for one in shown {
        table.row(cells(
            one.target.clone(),
            account_line(&target.title, &one.name, &one.id),
        ));
    }
    let more = accounts.count as usize - shown.len();
    if more > 0 {
        table.row(cells(
            "…".to_owned(),
            format!("and {more} more accounts: search with another word"),
        ));
    }
}

/// What stands behind a target whose sessions can be shut out.
fn kill_switch(there_is_one: bool) -> &'static str {
    if there_is_one { ", with kill switch" } else { "" }
}
