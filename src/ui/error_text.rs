//! Errors as people and programs read them: two lines, or one JSON object.
//! The one place that prints a failure.

use serde_json::{Value, json};

use super::terminal::Ui;
use crate::domain::text::shown;
use crate::error::{Error, Exit};

/// No line of an error is longer, in characters.
const LONGEST_LINE: usize = 500;

/// Prints what a command failed with. Nothing for a closed pipe, and nothing twice.
pub fn print_error(ui: &Ui, error: &Error) {
    if error.exit == Exit::Done || error.is_said() {
        return;
    }
    if ui.is_json() {
        // a closed pipe is the reader's choice
        let _ = ui.json_line(&error_json(error));
        return;
    }
    for line in lines(error) {
        ui.stderr(&line);
    }
}

/// The error as programs read it.
pub fn error_json(error: &Error) -> Value {
    let mut object = json!({
        "schema": "jit/error/1",
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "exit": error.exit.code(),
    });
    if let Some(trace_id) = &error.trace_id {
        object["trace_id"] = Value::from(trace_id.as_str());
    }
    object
}

/// What went wrong, and what to do.
fn lines(error: &Error) -> Vec<String> {
    let mut first = cut(&error.message);
    if error.exit == Exit::Unexpected
        && let Some(trace_id) = &error.trace_id
    {
        first.push_str(&format!(" (trace {})", cut(trace_id)));
    }
    let mut lines = vec![format!("jit: {first}")];
    let hint = error.hint.as_deref().unwrap_or_default();
    if error.problem.is_some() {
        lines.push(format!("  {}", cut(hint)));
    } else {
        // ours: what is wrong with a policy has a line for each finding
        lines.extend(hint.lines().map(|line| format!("  {}", cut(line.trim()))));
    }
    lines.retain(|line| !line.trim().is_empty());
    lines
}

fn cut(text: &str) -> String {
    let text = shown(text);
    match text.char_indices().nth(LONGEST_LINE) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_is_two_lines_at_most() {
        let error = Error::usage("`0` is no duration").hint("write it as 30m");
        assert_eq!(lines(&error), ["jit: `0` is no duration", "  write it as 30m"]);
    }

    #[test]
    fn attack_16_error_text_cannot_move_the_cursor() {
        let error = Error::new(Exit::Refused, "x", "a\n\u{1b}[2Jb\u{202e}").hint("x".repeat(9_000));
        let lines = lines(&error);
        assert_eq!(lines[0], "jit: a\\u{a}\\u{1b}[2Jb\\u{202e}");
        assert!(lines[1].chars().count() < 510);
    }

    #[test]
    fn trace_id_is_shown_for_what_nobody_foresaw() {
        let mut error = Error::unexpected("it failed");
        error.trace_id = Some("abc".into());
        assert_eq!(lines(&error), ["jit: it failed (trace abc)"]);
        assert_eq!(error_json(&error)["trace_id"], "abc");
    }

    #[test]
    fn json_error_has_the_documented_members() {
        let expected = json!({
            "schema": "jit/error/1", "code": "session.unknown", "exit": 4,
            "hint": "try: jit login", "message": "signed out",
        });
        assert_eq!(error_json(&Error::signed_out()), expected);
    }
}
