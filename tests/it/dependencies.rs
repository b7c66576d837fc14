//! What is linked: licences, bans and sources, read from `cargo tree`. `deny.toml` says the same to cargo-deny,
//! which also knows advisories; this test needs no tool and no network.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

const LICENCES: &[&str] = &[
    "Apache-2.0",
    "MIT",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "CDLA-Permissive-2.0",
    "MPL-2.0",
    "MIT-0",
];

/// A second TLS stack, a second crypto library, or C libraries from the system.
const BANNED: &[&str] = &["ring", "openssl", "openssl-sys", "native-tls", "libdbus-sys"];

/// One generation each.
const ONCE: &[&str] = &[
    "rustls",
    "hyper",
    "reqwest",
    "h2",
    "tokio",
    "axum",
    "aws-lc-rs",
    "aws-lc-sys",
    "webpki-roots",
];

/// One linked package.
struct Package {
    name: String,
    /// Where it comes from when that is not crates.io.
    origin: Option<String>,
    licence: String,
}

/// The packages that are linked on this platform, without those of tests and build scripts. `cargo tree` and not
/// `cargo metadata`: the latter lists optional packages (ring) that no feature switches on.
fn linked() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--workspace",
            "--locked",
            "--offline",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--no-dedupe",
            "--format",
            "{p}|{l}",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines: BTreeSet<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter(|l| !l.is_empty())
        .map(str::to_owned)
        .collect();
    lines.iter().map(|line| package(line)).collect()
}

/// `name v1.2.3 (proc-macro) (origin)|licence`.
fn package(line: &str) -> Package {
    let (described, licence) = line.split_once('|').unwrap();
    let mut words = described.split_whitespace();
    let name = words.next().unwrap().to_owned();
    let origin = words
        .find(|word| word.starts_with('(') && *word != "(proc-macro)")
        .map(str::to_owned);
    Package {
        name,
        origin,
        licence: licence.to_owned(),
    }
}

/// An SPDX expression is fine when one side of each OR, and every side of each AND, is on the list.
fn allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    parts(&expression, " OR ").iter().any(|side| {
        parts(side, " AND ").iter().all(|term| {
            let inner = term.strip_prefix('(').and_then(|t| t.strip_suffix(')'));
            inner.map_or_else(|| LICENCES.contains(term), allowed)
        })
    })
}

/// Splits at `by` outside parentheses.
fn parts<'a>(expression: &'a str, by: &str) -> Vec<&'a str> {
    let depth = |text: &str| text.matches('(').count().cast_signed() - text.matches(')').count().cast_signed();
    let mut found = Vec::new();
    let mut start = 0;
    for (at, _) in expression.match_indices(by) {
        if depth(&expression[..at]) == 0 {
            found.push(expression[start..at].trim());
            start = at + by.len();
        }
    }
    found.push(expression[start..].trim());
    found
}

#[test]
fn every_linked_package_has_an_allowed_licence() {
    let wrong: Vec<String> = linked()
        .iter()
        .filter(|p| !allowed(&p.licence))
        .map(|p| format!("{}: {}", p.name, p.licence))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_linked_package_is_banned() {
    let banned: Vec<String> = linked()
        .into_iter()
        .map(|p| p.name)
        .filter(|name| BANNED.contains(&name.as_str()))
        .collect();
    assert!(banned.is_empty(), "{banned:?}");
}

#[test]
fn one_generation_of_tls_and_http_is_linked() {
    let mut counts = BTreeMap::<String, usize>::new();
    for package in linked() {
        *counts.entry(package.name).or_default() += 1;
    }
    let twice: Vec<_> = counts
        .iter()
        .filter(|(name, count)| **count > 1 && ONCE.contains(&name.as_str()))
        .collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert_eq!(counts.get("rustls"), Some(&1), "the list is of what is linked");
}

#[test]
fn every_package_comes_from_crates_io_or_from_here() {
    let here = format!("({}", env!("CARGO_MANIFEST_DIR"));
    let foreign = linked()
        .into_iter()
        .filter(|p| p.origin.as_ref().is_some_and(|origin| !origin.starts_with(&here)));
    let foreign: Vec<String> = foreign.map(|p| p.name).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

#[test]
fn package_lines_are_read_as_cargo_prints_them() {
    let read = package("sqlx v0.9.0 (https://example.com/sqlx#0a1b)|MIT");
    assert_eq!(
        (read.name.as_str(), read.origin.as_deref()),
        ("sqlx", Some("(https://example.com/sqlx#0a1b)"))
    );
    assert_eq!(
        package("serde_derive v1.0.1 (proc-macro)|MIT OR Apache-2.0").origin,
        None
    );
}

#[test]
fn licence_expressions_are_read_as_spdx_writes_them() {
    for fine in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0 OR MIT",
        "(MIT OR GPL-2.0) AND Unicode-3.0",
        "ISC AND (Apache-2.0 OR ISC)",
    ] {
        assert!(allowed(fine), "{fine}");
    }
    for wrong in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT AND AGPL-3.0) OR LGPL-2.1", ""] {
        assert!(!allowed(wrong), "{wrong}");
    }
}
