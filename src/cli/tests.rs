//! What holds for every verb: its help, its flags, and what is generated from them.

use std::path::Path;

use clap::{Command, CommandFactory};

use super::completions::{self, Shell};
use super::{Cli, man};

fn verbs() -> Vec<Command> {
    let mut command = Cli::command();
    command.build();
    let mut verbs: Vec<Command> = command.get_subcommands().cloned().collect();
    let parts: Vec<Command> = verbs.iter().flat_map(|verb| verb.get_subcommands().cloned()).collect();
    verbs.extend(parts);
    verbs
}

/// A help line: short, imperative where it is a verb's, no full stop.
fn is_short(help: Option<&clap::builder::StyledStr>) -> bool {
    let text = help.map(ToString::to_string).unwrap_or_default();
    (1..=8).contains(&text.split_whitespace().count()) && !text.ends_with('.') && !text.contains('\n')
}

#[test]
fn command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn help_of_every_verb_and_flag_is_short() {
    for verb in verbs() {
        assert!(is_short(verb.get_about()), "{}", verb.get_name());
        for arg in verb.get_arguments() {
            let is_own = !matches!(arg.get_id().as_str(), "help" | "version");
            assert!(
                !is_own || is_short(arg.get_help()),
                "{} {}",
                verb.get_name(),
                arg.get_id()
            );
        }
    }
}

#[test]
fn help_of_every_verb_has_an_example_that_parses() {
    for verb in verbs() {
        let after = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(after.starts_with("Example"), "{}", verb.get_name());
        assert!(
            after.contains(verb.get_bin_name().unwrap_or("no name")),
            "{}",
            verb.get_name()
        );
    }
}

#[test]
fn no_help_line_stands_twice() {
    let mut abouts: Vec<String> = verbs()
        .iter()
        .filter_map(|v| Some(v.get_about()?.to_string()))
        .collect();
    let count = abouts.len();
    abouts.sort();
    abouts.dedup();
    assert_eq!(abouts.len(), count);
}

#[test]
fn values_are_named_in_capitals() {
    for verb in verbs() {
        for arg in verb.get_arguments().filter(|arg| arg.get_action().takes_values()) {
            for name in arg.get_value_names().unwrap_or_default() {
                assert_eq!(
                    name.to_uppercase(),
                    name.as_str(),
                    "{} {}",
                    verb.get_name(),
                    arg.get_id()
                );
            }
        }
    }
}

#[test]
fn global_flags_stand_before_or_after_the_verb() {
    use clap::Parser;
    for line in [
        "jit --identity a -o json status",
        "jit status --identity a -o json",
        "jit --identity a status -o json",
    ] {
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        assert_eq!(cli.globals.identity.as_deref(), Some("a"), "{line}");
        assert_eq!(cli.globals.format(), crate::ui::Format::Json, "{line}");
    }
}

/// A line builds one verb; what lists them needs all.
#[test]
fn help_of_jit_says_what_every_verb_does() {
    for line in ["jit --help", "jit -qh", "jit --server http://h --help"] {
        let args: Vec<_> = line.split(' ').map(Into::into).collect();
        let help = Cli::parsed(&args).unwrap_err().render().to_string();
        for verb in Cli::whole().get_subcommands() {
            let about = verb.get_about().unwrap().to_string();
            assert!(help.contains(&about), "{line}: {} {about}", verb.get_name());
        }
    }
}

#[test]
fn duration_that_looks_like_a_flag_is_a_duration() {
    use clap::Parser;
    let error = Cli::try_parse_from(["jit", "request", "x", "--for", "-5m", "--reason", "y"]).unwrap_err();
    assert!(error.to_string().contains("`-5m` is no duration"), "{error}");
}

/// Compares a generated file with the committed one, or writes it with `UPDATE=1`.
#[cfg(feature = "server")]
fn holds(folder: &str, name: &str, bytes: &[u8]) {
    #[expect(clippy::disallowed_methods, reason = "the switch that rewrites what is generated")]
    let is_update = std::env::var_os("UPDATE").is_some();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(name);
    if is_update {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
    }
    let committed = std::fs::read(&path).unwrap_or_default();
    assert!(
        committed == bytes,
        "{folder}/{name} is old: run  UPDATE=1 cargo test --release --lib cli"
    );
}

#[test]
#[cfg(feature = "server")]
fn completions_are_as_committed() {
    for (shell, name) in [
        (Shell::Bash, "jit.bash"),
        (Shell::Zsh, "_jit"),
        (Shell::Fish, "jit.fish"),
    ] {
        holds("completions", name, &completions::script(shell));
    }
}

#[test]
#[cfg(feature = "server")]
fn manual_pages_are_as_committed() {
    holds("man", "jit.1", &man::page(Cli::command()).unwrap());
    for verb in Cli::command().get_subcommands().cloned() {
        let name = format!("jit-{}.1", verb.get_name());
        holds("man", &name, &man::page(verb).unwrap());
    }
}
