//! The documents as tests read them: files, code blocks with what a test is told about each, generated sections.
//! A comment before a block speaks to the test: `<!-- test: skip, WHY -->`, `<!-- test: stays until TEXT -->` (left
//! running to the end of the file), `<!-- test: goes on after TEXT -->` (the same, and must end well).

use std::path::{Path, PathBuf};

/// The tree that is tested.
pub const TOP: &str = env!("CARGO_MANIFEST_DIR");

/// What a test does with a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Play {
    /// Runs it to its end.
    Through,
    /// Leaves it running once it has said this, and stops it at the end of the file.
    Stays(String),
    /// Goes on once it has said this; it must have ended well at the end of the file.
    GoesOn(String),
    /// Does not run it, for this reason.
    Skip(String),
}

/// A code block.
#[derive(Clone, Debug)]
pub struct Block {
    /// Line of its fence, from 1.
    pub line: usize,
    /// Its info string: `sh`, `console`, `json`, ...
    pub language: String,
    /// What stands in it.
    pub text: String,
    /// What the comment before it says.
    pub play: Play,
}

/// Every document that people read, by path inside the tree.
pub fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["", "docs", "docs/decisions"] {
        let entries = std::fs::read_dir(Path::new(TOP).join(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        found.extend(
            names
                .map(|name| Path::new(folder).join(name))
                .filter(|path| path.extension().is_some_and(|end| end == "md")),
        );
    }
    found.sort();
    found
}

/// A file of the tree.
#[track_caller]
pub fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(TOP).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The blocks of a document, in their order.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    let mut told = Play::Through;
    for (at, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => {
                open = Some(Block {
                    line: at + 1,
                    language: language.to_owned(),
                    text: String::new(),
                    play: std::mem::replace(&mut told, Play::Through),
                });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) if line.trim().is_empty() => {}
            (None, None) => told = instruction(line),
        }
    }
    assert!(open.is_none(), "a block is never closed");
    found
}

fn instruction(line: &str) -> Play {
    let Some(words) = line
        .strip_prefix("<!-- test: ")
        .and_then(|rest| rest.strip_suffix(" -->"))
    else {
        return Play::Through;
    };
    let after = |start: &str| words.strip_prefix(start).map(str::to_owned);
    after("skip, ")
        .map(Play::Skip)
        .or_else(|| after("stays until ").map(Play::Stays))
        .or_else(|| after("goes on after ").map(Play::GoesOn))
        .unwrap_or_else(|| panic!("no such instruction: {line}"))
}

/// Holds that the section `name` of a document says `expected`; with `UPDATE=1` it is written anew.
/// It stands between `<!-- generated: NAME -->` and `<!-- end -->`.
#[track_caller]
pub fn section_is_current(document: &str, name: &str, expected: &str) {
    let text = read(document);
    let start = format!("<!-- generated: {name} -->\n");
    let (before, rest) = text
        .split_once(&start)
        .unwrap_or_else(|| panic!("{document} has no {start}"));
    let (now, after) = rest
        .split_once("<!-- end -->")
        .unwrap_or_else(|| panic!("{document}: {name} never ends"));
    if now == expected {
        return;
    }
    if std::env::var_os("UPDATE").is_some_and(|update| update == "1") {
        let written = format!("{before}{start}{expected}<!-- end -->{after}");
        std::fs::write(Path::new(TOP).join(document), written).unwrap();
        return;
    }
    panic!("{document}: section {name} is out of date; write it anew with  UPDATE=1 cargo test --release\n{expected}");
}

#[test]
fn blocks_carry_what_the_comment_says() {
    let text = "a\n<!-- test: skip, too long -->\n```sh\nx\n```\n\n```console\n$ y\n```\n<!-- test: stays until up -->\n\n```sh\nz\n```\n";
    let plays: Vec<(String, Play)> = blocks(text).into_iter().map(|b| (b.text, b.play)).collect();
    let expected = [
        ("x\n", Play::Skip("too long".into())),
        ("$ y\n", Play::Through),
        ("z\n", Play::Stays("up".into())),
    ];
    assert_eq!(plays, expected.map(|(text, play)| (text.to_owned(), play)));
}
