//! `jit targets`: what one may ask for.

use super::context::{Ctx, Desk};
use super::stopping;
use crate::client::listed_at;
use crate::domain::accounts::{is_account_id, typed_name};
use crate::domain::refusal::Code;
use crate::domain::text::TargetName;
use crate::error::{Error, Result};
use crate::ui::target_table;
use crate::wire::{AccountView, TargetView};

/// List what you may ask for
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jit targets payments")]
pub(super) struct Args {
    /// Words in name, title or account
    #[arg(value_name = "QUERY")]
    query: Vec<String>,
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let desk = ctx.desk()?;
    let words = args.query.join(" ");
    let query = (!words.is_empty()).then_some(words.as_str());
    let list = desk.backend.targets(query)?;
    if query.is_none() {
        desk.client.note_targets(&desk.picked.account, &list.targets);
    }
    if ctx.ui.is_json() {
        return ctx.ui.json("jit/targets/1", &list);
    }
    stopping::note(ctx, &desk, &list.locks);
    if list.targets.is_empty() {
        match query {
            Some(query) => ctx.ui.note(&format!("No target fits {query}.  jit targets")),
            None => ctx.ui.note("You may ask for nothing."),
        }
        return Ok(());
    }
    let lines = target_table(&list.targets, query.is_some()).lines(ctx.ui.width());
    lines.iter().try_for_each(|line| ctx.ui.line(line))?;
    list.targets
        .iter()
        .filter_map(left_out)
        .for_each(|note| ctx.ui.note(&note));
    Ok(())
}

/// What the table does not show of a target in many accounts.
fn left_out(target: &TargetView) -> Option<String> {
    let accounts = target.accounts.as_ref()?;
    accounts
        .missing
        .as_ref()
        .map(|why| format!("Accounts of {}: {why}.", target.name))
}

/// The target of this name or alias, where it may be asked for.
pub(super) fn look(desk: &Desk, name: &TargetName) -> Result<Option<TargetView>> {
    let mut targets = desk.backend.targets(Some(name.as_str()))?.targets;
    Ok(listed_at(&targets, name).map(|at| targets.swap_remove(at)))
}

/// The target of this name or alias; an error with the nearest where there is none.
pub(super) fn find(desk: &Desk, name: &TargetName) -> Result<TargetView> {
    let mut targets = desk.backend.targets(None)?.targets;
    desk.client.note_targets(&desk.picked.account, &targets);
    if let Some(at) = listed_at(&targets, name) {
        return Ok(targets.swap_remove(at));
    }
    let near = nearest(name.as_str(), targets.iter().map(|t| t.name.as_str()));
    let hint = match near {
        Some(near) => format!("did you mean {near}? all: jit targets"),
        None => "try: jit targets".to_owned(),
    };
    Err(Error::of(Code::TargetNotFound, format!("no target named {name}")).hint(hint))
}

/// `family` in the account that `typed` is: its 12 digits, or its name as what is open or listed has it.
pub(super) fn in_account(desk: &Desk, family: &TargetName, typed: &str) -> Result<TargetName> {
    let name = family.in_account(typed);
    let meant = desk.meant(name.clone())?;
    if is_account_id(typed) || meant != name {
        return Ok(meant);
    }
    let listed = desk.backend.targets(Some(name.as_str()))?.targets;
    let accounts = listed_at(&listed, &name).and_then(|at| listed[at].accounts.as_ref());
    let members = accounts.map(|accounts| accounts.members.as_slice()).unwrap_or_default();
    // as it is to be typed; else as it is called
    let fits = |one: &&AccountView| one.target == name.as_str();
    let is_called = |one: &&AccountView| typed_name(&one.name).as_deref() == Some(typed);
    let ids = |fits: &dyn Fn(&&AccountView) -> bool| -> Vec<&str> {
        let fitting = members.iter().filter(fits).map(|one| one.id.as_str());
        fitting.filter(|id| is_account_id(id)).collect()
    };
    let found = Some(ids(&fits)).filter(|found| !found.is_empty());
    match found.unwrap_or_else(|| ids(&is_called)).as_slice() {
        [id] => Ok(family.in_account(id)),
        [] => Err(Error::of(
            Code::TargetNotFound,
            format!("no account of {family} is listed as {typed}"),
        )),
        several => {
            let message = format!("{} accounts of {family} are called {typed}", several.len());
            Err(Error::of(Code::TargetAmbiguous, message))
        }
    }
    .map_err(|error: Error| error.hint("name the one by its 12 digits"))
}

/// The name that is most like `typed`, if one is like it at all.
fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<TargetName> {
    let like = |name: &&str| strsim::jaro_winkler(typed, name);
    names
        .filter(|name| like(name) > 0.8)
        .max_by(|a, b| like(a).total_cmp(&like(b)))
        .and_then(|name| TargetName::parse(name).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_name_is_one_that_is_like_it() {
        let names = ["prod-readonly", "prod-admin", "dev-admin"];
        let near = |typed| nearest(typed, names.into_iter()).map(String::from);
        assert_eq!(near("prod-admn").as_deref(), Some("prod-admin"));
        assert_eq!(near("zzz"), None);
    }

    #[test]
    fn attack_16_name_that_is_none_is_never_the_nearest() {
        assert_eq!(nearest("prod", ["prod$(x)"].into_iter()), None);
    }
}
