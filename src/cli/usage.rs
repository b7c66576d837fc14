//! What clap says, in our form: help to stdout, mistakes in two lines and exit 2.
//! Refuses clap's own layout of errors: a mistake reads the same wherever it is found.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::config::Environment;
use crate::error::{Error, Exit};
use crate::ui::{ColourChoice, Format, Ui, print_error};

/// Whether `-o json` stands on a line that clap could not read.
pub(super) fn wants_json(args: &[OsString]) -> bool {
    let words: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
    let before_end = words.split(|word| *word == "--").next().unwrap_or_default();
    before_end.iter().enumerate().any(|(i, word)| {
        let next_is_json = before_end.get(i + 1).is_some_and(|next| *next == "json");
        matches!(&**word, "-ojson" | "-o=json" | "--output=json")
            || (matches!(&**word, "-o" | "--output") && next_is_json)
    })
}

/// Prints help, version or the mistake.
pub(super) fn answer(error: &clap::Error, wants_json: bool, env: &Environment) -> u8 {
    let format = if wants_json { Format::Json } else { Format::Text };
    let ui = Ui::new(format, false, true, ColourChoice::Auto, env.has_no_colour());
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return match ui.raw(error.render().to_string().as_bytes()) {
            Ok(()) => Exit::Done.code(),
            Err(error) => error.exit.code(),
        };
    }
    let runs_another = verb_of(&error.render().to_string()) == " exec";
    let error = mistake(error);
    print_error(&ui, &error);
    error.exit.code_where(runs_another)
}

fn mistake(error: &clap::Error) -> Error {
    // a value that our own parser refused says by itself what would be right
    let own = std::error::Error::source(error).and_then(|source| source.downcast_ref::<Error>());
    if let Some(own) = own {
        let mut mistake = Error::new(own.exit, own.code.clone(), own.message.clone());
        mistake.hint.clone_from(&own.hint);
        return mistake;
    }
    let rendered = error.render().to_string();
    let mut lines = rendered.lines();
    let first = lines.next().unwrap_or_default();
    let mut message = first.strip_prefix("error: ").unwrap_or(first).to_owned();
    // clap puts what is missing on lines of its own
    let more: Vec<&str> = lines.take_while(|line| line.starts_with("  ")).map(str::trim).collect();
    if message.ends_with(':') && !more.is_empty() {
        message = format!("{message} {}", more.join(" "));
    }
    let near = [
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedValue,
    ];
    let suggested = near.iter().find_map(|kind| match error.get(*kind)? {
        ContextValue::String(one) => Some(one.clone()),
        ContextValue::Strings(several) => several.first().cloned(),
        _ => None,
    });
    let known = match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(known)) => known.as_slice(),
        _ => &[],
    };
    let hint = match suggested {
        Some(name) => format!("did you mean {name}?"),
        None if !known.is_empty() => format!("one of: {}", known.join(", ")),
        None if is_command_without_dashes(error, &rendered) => "put -- before the command".to_owned(),
        None => format!("see: jit help{}", verb_of(&rendered)),
    };
    Error::usage(message).hint(hint)
}

/// A word too many for a verb that takes a command behind `--`.
fn is_command_without_dashes(error: &clap::Error, rendered: &str) -> bool {
    let is_word =
        matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::String(word)) if !word.starts_with('-'));
    error.kind() == ErrorKind::UnknownArgument && is_word && rendered.contains("-- <CMD>")
}

/// The verb that clap's usage line names, with a space before it.
fn verb_of(rendered: &str) -> String {
    let usage = rendered.lines().find_map(|line| line.strip_prefix("Usage: jit "));
    let verb = usage
        .and_then(|usage| usage.split_whitespace().next())
        .unwrap_or_default();
    let is_verb =
        !verb.is_empty() && verb.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') && !verb.starts_with('-');
    if is_verb { format!(" {verb}") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(line: &str) -> bool {
        wants_json(&line.split(' ').map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn json_is_seen_on_a_line_that_cannot_be_read() {
        for line in [
            "jit -o json x",
            "jit x -ojson",
            "jit --output=json",
            "jit x --output json",
        ] {
            assert!(wants(line), "{line}");
        }
        for line in ["jit -o text", "jit x -- -o json", "jit json -o"] {
            assert!(!wants(line), "{line}");
        }
    }

    #[test]
    fn mistake_is_two_lines_with_the_nearest() {
        use clap::Parser;
        let parse = |line: &str| mistake(&super::super::Cli::try_parse_from(line.split(' ')).unwrap_err());
        let error = parse("jit requst x");
        assert_eq!(error.message, "unrecognized subcommand 'requst'");
        assert_eq!(error.hint.as_deref(), Some("did you mean request?"));
        let error = parse("jit wait");
        assert_eq!(
            error.message,
            "the following required arguments were not provided: <REQUEST>"
        );
        assert_eq!(error.exit, Exit::Usage);
        assert_eq!(error.hint.as_deref(), Some("see: jit help wait"));
    }

    #[test]
    fn value_of_a_list_names_the_nearest_or_all() {
        use clap::Parser;
        let hint = |shell| {
            let args = ["jit", "env", "x", "--shell", shell];
            mistake(&super::super::Cli::try_parse_from(args).unwrap_err()).hint
        };
        assert_eq!(hint("fsh").as_deref(), Some("did you mean fish?"));
        let all = hint("tcsh8").unwrap();
        assert!(
            all.starts_with("one of: ") && all.contains("nu") && all.contains("dotenv"),
            "{all}"
        );
    }

    #[test]
    fn value_that_is_refused_says_what_would_be_right() {
        use clap::Parser;
        let args = ["jit", "request", "x", "--for", "2 hours"];
        let error = mistake(&super::super::Cli::try_parse_from(args).unwrap_err());
        assert_eq!(
            (error.message.as_str(), error.code.as_str()),
            ("`2 hours` is no duration", "usage.duration")
        );
        assert_eq!(error.hint.as_deref(), Some("write it as 30m, 2h, 1h30m or 1d"));
    }
}
