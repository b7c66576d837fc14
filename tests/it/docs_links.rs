//! What the documents point at is there: links between them, headings, files of the tree.
//! Refuses to call anybody: addresses elsewhere are not looked at.

use std::path::{Path, PathBuf};

use crate::docs_blocks::{TOP, documents, read};

/// Text without its code blocks.
fn prose(text: &str) -> String {
    let mut inside = false;
    let keep = |line: &&str| {
        let fence = line.starts_with("```");
        inside ^= fence;
        !inside && !fence
    };
    text.lines().filter(keep).collect::<Vec<_>>().join("\n")
}

/// The targets of `[text](target)`.
fn links(text: &str) -> Vec<String> {
    let after = text.split("](").skip(1);
    after
        .filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()))
        .collect()
}

/// What stands between backquotes.
fn quoted(text: &str) -> Vec<String> {
    let lines = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    lines.map(str::to_owned).collect()
}

/// The anchors of a document's headings, as the usual renderers make them.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let words = line.trim_start_matches('#').trim().to_lowercase();
            let kept = words.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

/// What a link of `document` is wrong about, if anything.
fn broken(document: &Path, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target: PathBuf = match file {
        "" => document.to_owned(),
        file => document.parent().unwrap().join(file),
    };
    if !Path::new(TOP).join(&target).exists() {
        return Some(format!("{}: no {link}", document.display()));
    }
    let is_there = anchor.is_empty() || anchors(&prose(&read(&target))).iter().any(|known| known == anchor);
    (!is_there).then(|| format!("{}: no heading {link}", document.display()))
}

#[test]
fn links_of_the_documents_lead_somewhere() {
    let mut wrong = Vec::new();
    for document in documents() {
        let text = prose(&read(&document));
        wrong.extend(links(&text).iter().filter_map(|link| broken(&document, link)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_that_the_documents_name_are_there() {
    const ROOMS: [&str; 9] = [
        "src/",
        "tests/",
        "docs/",
        "benches/",
        "credential/",
        "completions/",
        "man/",
        ".ci/",
        "./",
    ];
    let mut wrong = Vec::new();
    for document in documents() {
        for word in quoted(&prose(&read(&document))) {
            let path = word.split_whitespace().next().unwrap_or_default();
            // VERB, SYSTEM: what the reader puts there
            let is_pattern = path.contains(['*', '…', '{', '<']) || path.contains("VERB") || path.contains("SYSTEM");
            let is_ours = ROOMS.iter().any(|room| path.starts_with(room)) && !path.starts_with("./jit-dev");
            if is_ours && !is_pattern && !Path::new(TOP).join(path).exists() {
                wrong.push(format!("{}: {path}", document.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "named, and not there:\n{}", wrong.join("\n"));
}

#[test]
fn every_page_is_reached_from_the_readme() {
    let mut seen = vec![PathBuf::from("README.md")];
    let mut at = 0;
    while let Some(page) = seen.get(at).cloned() {
        at += 1;
        for link in links(&prose(&read(&page))) {
            let file = link.split('#').next().unwrap_or_default();
            let target = page.parent().unwrap().join(file);
            let target: PathBuf = normal(&target);
            if target.extension().is_some_and(|end| end == "md") && !link.contains("://") && !seen.contains(&target) {
                seen.push(target);
            }
        }
    }
    let lost: Vec<_> = documents().into_iter().filter(|page| !seen.contains(page)).collect();
    assert!(lost.is_empty(), "no link leads to {lost:?}");
}

/// `docs/../README.md` → `README.md`.
fn normal(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path {
        if part == ".." {
            parts.pop();
        } else if part != "." {
            parts.push(part);
        }
    }
    parts
}

#[test]
fn broken_links_are_found() {
    let readme = Path::new("README.md");
    assert!(broken(readme, "docs/no-such-page.md").is_some());
    assert!(broken(readme, "docs/architecture.md#no-such-heading").is_some());
    assert!(broken(readme, "docs/architecture.md#rooms").is_none());
    assert!(broken(readme, "https://example.com/").is_none());
}

/// A row that follows an empty line belongs to no table any more: it reads as bars and words.
#[test]
fn rows_of_a_table_stand_together() {
    let mut wrong = Vec::new();
    for document in documents() {
        let text = prose(&read(&document));
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("| ")) {
            let is_below = at > 0 && lines[at - 1].starts_with('|');
            let is_header = lines.get(at + 1).is_some_and(|next| next.starts_with("| ---"));
            if !is_below && !is_header {
                wrong.push(format!("{}: {line}", document.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn readme_names_each_page_once_in_its_table() {
    let readme = read("README.md");
    let mut pages: Vec<&str> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| [")?.split_once(']'))
        .map(|(page, _)| page)
        .collect();
    let named = pages.len();
    pages.sort_unstable();
    pages.dedup();
    assert_eq!(pages.len(), named, "{pages:?}");
}
