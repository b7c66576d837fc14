//! Snapshots of what `jit` printed: spans and ages of a slow machine look like those of a fast one.

use super::harness::Run;

/// Holds `run` against the committed snapshot `name`.
#[track_caller]
pub fn held(name: &str, run: &Run) {
    let filters = vec![
        (r"\d+ (s|min|h) ago", "AGO"),
        (r"after \d+[sm]( \d+s)?", "after SPAN"),
        (r"\((\d+[hms] ?)+( left)?\)", "(SPAN)"),
        (r"\d+h \d+m left", "SPAN left"),
        (r"\d{1,2} [A-Z][a-z]{2} HH:MM", "HH:MM"),
        (r"\b(\d+h \d+m|\d+d \d+h)\b", "SPAN"),
        (r"\(in \d+[dhm]\)", "(in SPAN)"),
        (r"%3A\d+", "%3APORT"),
        (r"user_code=[A-Z]{4}-[A-Z]{4}", "user_code=CODE"),
        (r" {2,}", "  "),
    ];
    insta::with_settings!({ filters => filters, omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, run.to_string());
    });
}
