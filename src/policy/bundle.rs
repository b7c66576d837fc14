//! A bundle: policies and catalogue as they were loaded, with the hash that names them.
//! Owns what a bundle may consist of. A bundle with any finding is never loaded.

use cedar_policy::PolicySet;
use serde_json::json;

use super::catalogue::{Catalogue, build};
use super::finding::{Finding, Source};
use super::statements::{Statements, parse};
use crate::domain::Digest;
use crate::domain::digest::canonical;

/// Most bytes of a bundle.
pub const LARGEST_BUNDLE: usize = 50_000_000;

/// Policies and catalogue that belong together.
#[derive(Clone, Debug)]
pub struct Bundle {
    hash: Digest,
    files: Vec<(String, Vec<u8>)>,
    catalogue: Catalogue,
    statements: Statements,
}

impl Bundle {
    /// Loads `files`, each a path inside the bundle (`/` between folders) and its bytes.
    /// Those that are neither `.toml` nor `.cedar` are left out.
    ///
    /// # Errors
    /// Every [`Finding`], by file and place. The caller keeps the bundle that it has.
    pub fn load(files: &[(String, Vec<u8>)]) -> Result<Self, Vec<Finding>> {
        let mut files: Vec<(String, Vec<u8>)> = files.iter().filter(|(path, _)| is_ours(path)).cloned().collect();
        files.sort();
        let sources = texts(&files)?;
        let of = |end: &str| -> Vec<Source<'_>> { sources.iter().filter(|s| s.file.ends_with(end)).copied().collect() };
        let mut findings = Vec::new();
        let catalogue = build(&of(".toml")).map_err(|found| findings.extend(found)).ok();
        let statements = parse(&of(".cedar"), catalogue.as_ref())
            .map_err(|found| findings.extend(found))
            .ok();
        match (catalogue, statements) {
            (Some(catalogue), Some(statements)) => Ok(Self {
                hash: hash(&files),
                files,
                catalogue,
                statements,
            }),
            (None, _) | (_, None) => {
                findings.sort();
                findings.dedup();
                Err(findings)
            }
        }
    }

    /// SHA-256 of the list of paths and SHA-256 of their bytes: what decisions and requests name.
    pub fn hash(&self) -> &Digest {
        &self.hash
    }

    /// What it was loaded from, by path: keep it as long as a row names the hash.
    pub fn files(&self) -> &[(String, Vec<u8>)] {
        &self.files
    }

    /// Its catalogue.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Whether any policy asks where an account stands in the organization, or for its tags.
    pub fn looks_at_accounts(&self) -> bool {
        self.statements.looks_at_accounts
    }

    /// What Cedar evaluates.
    pub(super) fn policies(&self) -> &PolicySet {
        &self.statements.set
    }

    /// The `@advice` of a policy.
    pub(super) fn advice(&self, policy: &str) -> Option<&str> {
        self.statements.advice.get(policy).map(String::as_str)
    }
}

fn is_ours(path: &str) -> bool {
    [".toml", ".cedar"].iter().any(|end| path.ends_with(end))
}

fn texts(files: &[(String, Vec<u8>)]) -> Result<Vec<Source<'_>>, Vec<Finding>> {
    let size: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    if size > LARGEST_BUNDLE {
        let message = format!("the bundle has {size} bytes, {LARGEST_BUNDLE} at most");
        return Err(vec![Finding::of_file("", message)]);
    }
    let mut sources = Vec::new();
    let mut findings = Vec::new();
    for (path, bytes) in files {
        if sources.iter().any(|source: &Source<'_>| source.file == path) {
            findings.push(Finding::of_file(path, "the file is there twice"));
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => sources.push(Source { file: path, text }),
            Err(error) => {
                let text = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
                let end = text.len();
                findings.push(Source { file: path, text }.finding(end..end, "the file is not UTF-8"));
            }
        }
    }
    if files.is_empty() {
        findings.push(Finding::of_file("", "the bundle has no .toml and no .cedar file"));
    }
    if findings.is_empty() {
        Ok(sources)
    } else {
        Err(findings)
    }
}

fn hash(files: &[(String, Vec<u8>)]) -> Digest {
    let list: Vec<_> = files
        .iter()
        .map(|(path, bytes)| json!([path, Digest::of(bytes)]))
        .collect();
    Digest::of(&canonical(&json!(list)))
}
