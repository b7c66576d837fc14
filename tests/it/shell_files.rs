//! The lines of the page on shells, put where it says, in shells that start as everybody's do: what a shell reads before
//! its first prompt knows less than what is typed at one.

use std::fs;
use std::path::{Path, PathBuf};

use super::harness::{SealedBox, Terminal, is_there, left_out};
use super::shell_start::live;

/// What the page says in the row of `shell` of its first table (`0`: the start file) or its second (`1`: the prompt).
fn documented(shell: &str, table: usize) -> String {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/shells.md")).unwrap();
    let mut rows = page.lines().filter(|line| line.starts_with(&format!("| {shell} | ")));
    let row = rows.nth(table).unwrap_or_else(|| panic!("no row of {shell}"));
    let (_, cell) = row.trim_end_matches("` |").split_once('`').unwrap();
    // the first table names the file in front
    let line = if table == 0 {
        cell.rsplit_once('`').map_or(cell, |(_, line)| line)
    } else {
        cell
    };
    line.replace("\\|", "|")
}

/// Somebody whose shell reads `text` in the file `name` of its home.
fn with_file(machine: &SealedBox, name: &str, text: &str) {
    let file: PathBuf = machine.home().join(name);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

/// The prompt says what is live, and `use` is the shell's own.
#[track_caller]
fn prompt_and_use_work(terminal: &Terminal<'_>, echo: &str) {
    let screen = terminal.wait_for("dev-admin ");
    assert!(
        screen.contains("dev-admin 2h0m") || screen.contains("dev-admin 1h59m"),
        "{screen}"
    );
    terminal.types(&format!("jit use dev-admin; {echo}"));
    terminal.presses("Enter");
    let screen = terminal.wait_for("<jit-dev-admin>");
    assert!(!screen.contains("rror"), "{screen}");
}

#[test]
fn elvish_shows_what_is_live_from_its_start_file() {
    let test = "elvish_shows_what_is_live_from_its_start_file";
    let Some(elvish) = is_there("elvish") else {
        return left_out(test, "elvish is missing");
    };
    let (_sts, _backend, alice) = live();
    with_file(&alice, ".config/elvish/rc.elv", &documented("elvish", 1));
    if let Some(terminal) = Terminal::start(&alice, test, &elvish, &[]) {
        prompt_and_use_work(&terminal, "echo '<'$E:AWS_PROFILE'>'");
    }
}

#[test]
fn nu_shows_what_is_live_from_its_start_files() {
    let test = "nu_shows_what_is_live_from_its_start_files";
    let Some(nu) = is_there("nu") else {
        return left_out(test, "nu is missing");
    };
    let (_sts, _backend, alice) = live();
    with_file(&alice, ".config/nushell/config.nu", "$env.config.show_banner = false\n");
    for table in [0, 1] {
        drop(alice.command(&nu, &["-c", &documented("nu", table)]).run().exits(0));
    }
    if let Some(terminal) = Terminal::start(&alice, test, &nu, &[]) {
        prompt_and_use_work(&terminal, "print $'<($env.AWS_PROFILE)>'");
    }
}

#[test]
fn fish_shows_what_is_live_from_its_start_file() {
    let test = "fish_shows_what_is_live_from_its_start_file";
    let Some(fish) = is_there("fish") else {
        return left_out(test, "fish is missing");
    };
    let (_sts, _backend, alice) = live();
    let lines = [documented("fish", 0), documented("fish", 1)].join("\n");
    with_file(&alice, ".config/fish/config.fish", &lines);
    if let Some(terminal) = Terminal::start(&alice, test, &fish, &[]) {
        prompt_and_use_work(&terminal, "and echo \"<$AWS_PROFILE>\"");
    }
}
