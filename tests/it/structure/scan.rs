//! Reads the tree, and takes Rust text apart far enough for the rules: no comments, no strings, paths resolved.

use std::path::Path;

/// One file: its path from the top of the repository, with `/`, and its text.
pub struct SourceFile {
    pub path: String,
    pub text: String,
}

/// What is made, not written. `.git` is a file in a work tree.
const MADE: [&str; 5] = ["target", ".git", ".cache", "node_modules", "fuzz/target"];

/// Every Rust file below `folders`.
pub fn rust_files(folders: &[&str]) -> Vec<SourceFile> {
    let inside = |path: &str| folders.iter().any(|folder| path.starts_with(&format!("{folder}/")));
    all_text_files()
        .into_iter()
        .filter(|file| file.path.ends_with(".rs") && inside(&file.path))
        .collect()
}

/// Every file of the repository that is UTF-8 text.
pub fn all_text_files() -> Vec<SourceFile> {
    let mut files = Vec::new();
    walk(Path::new(env!("CARGO_MANIFEST_DIR")), "", &mut files);
    files
}

fn walk(top: &Path, below: &str, files: &mut Vec<SourceFile>) {
    for entry in std::fs::read_dir(top.join(below)).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let path = if below.is_empty() {
            name
        } else {
            format!("{below}/{name}")
        };
        let kind = entry.file_type().unwrap();
        if MADE.contains(&path.as_str()) {
            continue;
        }
        if kind.is_dir() {
            walk(top, &path, files);
        } else if kind.is_file()
            && let Ok(text) = std::fs::read_to_string(top.join(&path))
        {
            files.push(SourceFile { path, text });
        }
    }
}

impl SourceFile {
    /// `src/server/store/mod.rs` and `src/server/store.rs` are `["server", "store"]`.
    pub fn module(&self) -> Vec<&str> {
        let inner = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        inner.trim_end_matches("/mod").split('/').collect()
    }

    /// The text without comments and without what stands in string literals; line breaks are kept.
    pub fn code(&self) -> String {
        let mut out = String::with_capacity(self.text.len());
        let mut rest = self.text.as_str();
        while let Some(next) = rest.chars().next() {
            let skipped = comment(rest).or_else(|| string(rest)).or_else(|| character(rest));
            if let Some(length) = skipped {
                out.extend(rest[..length].chars().filter(|c| *c == '\n'));
                rest = &rest[length..];
            } else {
                // A whole word at once: the `r` of `for"` begins no raw string.
                let word = rest
                    .bytes()
                    .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
                    .count();
                let length = word.max(next.len_utf8());
                out.push_str(&rest[..length]);
                rest = &rest[length..];
            }
        }
        out
    }

    /// Every path in the code that begins with `crate::` or `super::`, from the crate's top, groups opened one level
    /// at a time: `crate::{a, b::c}` gives `a` and `b::c`.
    pub fn named_paths(&self) -> Vec<Vec<String>> {
        let tokens = tokens(&self.code());
        let module: Vec<String> = self.module().into_iter().map(str::to_owned).collect();
        let mut paths = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            let follows_path = at > 0 && tokens[at - 1] == "::";
            if follows_path || tokens.get(at + 1).map(String::as_str) != Some("::") {
                continue;
            }
            if token == "crate" {
                open_group(&tokens, at + 2, &[], &mut paths);
            } else if token == "super" {
                climb(&tokens, at, &module, &mut paths);
            }
        }
        paths
    }
}

fn climb(tokens: &[String], mut at: usize, module: &[String], paths: &mut Vec<Vec<String>>) {
    let mut base = module.to_vec();
    while tokens.get(at).map(String::as_str) == Some("super") {
        base.pop();
        at += 2;
    }
    open_group(tokens, at, &base, paths);
}

/// Reads a use tree from `at`; gives where it ends.
fn open_group(tokens: &[String], mut at: usize, base: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let mut path = base.to_vec();
    loop {
        match tokens.get(at).map_or("", String::as_str) {
            "{" => {
                at += 1;
                while at < tokens.len() && tokens[at] != "}" {
                    let end = open_group(tokens, at, &path, paths);
                    // Past the comma, and past `as name`.
                    at = end + usize::from(end == at || tokens.get(end).is_some_and(|t| t == ","));
                }
                return at + 1;
            }
            name if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') => path.push(name.to_owned()),
            _ => {
                paths.push(path);
                return at;
            }
        }
        at += 1;
        if tokens.get(at).map(String::as_str) == Some("::") {
            at += 1;
        } else {
            paths.push(path);
            return at;
        }
    }
}

fn tokens(code: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(next) = rest.chars().next() {
        let word = rest
            .bytes()
            .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
            .count();
        let length = if word > 0 {
            word
        } else if rest.starts_with("::") {
            2
        } else {
            next.len_utf8()
        };
        tokens.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    tokens
}

fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    text.starts_with("/*")
        .then(|| text.find("*/").map_or(text.len(), |end| end + 2))
}

fn string(text: &str) -> Option<usize> {
    let after_prefix = text.strip_prefix('b').unwrap_or(text);
    if let Some(raw) = after_prefix.strip_prefix('r') {
        let hashes = raw.bytes().take_while(|b| *b == b'#').count();
        if raw[hashes..].starts_with('"') {
            let closing = format!("\"{}", "#".repeat(hashes));
            let start = text.len() - raw.len() + hashes + 1;
            return Some(
                text[start..]
                    .find(&closing)
                    .map_or(text.len(), |end| start + end + closing.len()),
            );
        }
    }
    let body = after_prefix.strip_prefix('"')?;
    let start = text.len() - body.len();
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(start + at + 1),
            _ => {}
        }
    }
    Some(text.len())
}

/// `'"'` and `'\''`, but no lifetime.
fn character(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('\'')?;
    let mut chars = inner.char_indices();
    let (_, first) = chars.next()?;
    if first == '\\' {
        return inner[2..].find('\'').map(|end| end + 4);
    }
    let (at, second) = chars.next()?;
    (second == '\'').then_some(at + 2)
}
