//! Reads the sources and holds the table "who may name whom" and the house rules that text can show.
//! Each rule is a function of (path, text), proved on planted text below.

use std::path::Path;

mod rules;
mod scan;
mod table;

use scan::{SourceFile, all_text_files, rust_files};

/// Runs one rule over many files and fails with everything it found.
#[track_caller]
fn holds(files: &[SourceFile], rule: fn(&SourceFile) -> Vec<String>) {
    assert!(!files.is_empty(), "no file was read");
    let found: Vec<String> = files.iter().flat_map(rule).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What a rule says about planted text.
fn planted(path: &str, text: &str, rule: fn(&SourceFile) -> Vec<String>) -> usize {
    rule(&SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    })
    .len()
}

#[test]
fn modules_name_only_what_the_table_allows() {
    holds(&rust_files(&["src"]), rules::imports);
}

#[test]
fn modules_contain_no_forbidden_word() {
    holds(&rust_files(&["src"]), rules::forbidden_words);
}

#[test]
fn every_room_stands_in_the_table() {
    holds(&rust_files(&["src"]), rules::known_room);
}

#[test]
fn every_source_file_begins_with_a_header() {
    holds(
        &rust_files(&["src", "credential/src", "tests", "benches"]),
        rules::header,
    );
}

#[test]
fn no_source_file_passes_four_hundred_lines() {
    holds(
        &rust_files(&["src", "credential/src", "tests", "benches"]),
        rules::length,
    );
}

#[test]
fn no_module_has_a_name_that_says_nothing() {
    holds(
        &rust_files(&["src", "credential/src", "tests", "benches"]),
        rules::module_name,
    );
}

#[test]
fn no_test_sleeps() {
    holds(&rust_files(&["tests"]), rules::no_sleep);
    holds(&rust_files(&["src", "credential/src"]), rules::no_sleep_in_unit_tests);
}

#[test]
fn main_stays_under_sixty_lines() {
    let files = rust_files(&["src"]);
    let main = files.iter().find(|file| file.path == "src/main.rs").unwrap();
    assert!(main.text.lines().count() < 60);
}

#[test]
fn nothing_names_a_path_of_one_machine() {
    holds(&all_text_files(), rules::machine_paths);
}

#[test]
fn helper_package_depends_on_nothing() {
    let manifest =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("credential/Cargo.toml")).unwrap();
    assert!(
        manifest.contains("jit-credential") && !manifest.contains("dependencies"),
        "{manifest}"
    );
}

#[test]
fn import_rule_sees_each_way_to_name_a_module() {
    let ways = [
        "use crate::server::store::Store;",
        "use crate::{domain::Id, server};",
        "use crate::{\n    domain::{Id, time},\n    server::{self, store},\n};",
        "fn f() { crate::server::start() }",
        "use super::super::server::x;",
        "pub(crate) use crate::cli as other;",
    ];
    for way in ways {
        assert_ne!(planted("src/client/http.rs", way, rules::imports), 0, "{way}");
    }
    let fine = "use crate::{domain::{server, cli}, wire}; // crate::server\nconst S: &str = \"crate::server::x\"; use super::super::error::E;";
    assert_eq!(planted("src/client/http.rs", fine, rules::imports), 0);
}

#[test]
fn import_rule_knows_the_rooms_inside_server() {
    let store = |text| planted("src/server/store/sqlite.rs", text, rules::imports);
    assert_eq!(store("use crate::server::handlers::x;"), 1);
    assert_eq!(store("use super::super::service::x;"), 1);
    assert_eq!(store("use crate::policy::x;"), 1);
    assert_eq!(
        store("use super::dialect; use crate::server::store::memory; use crate::domain::Id;"),
        0
    );
    assert_eq!(
        planted(
            "src/server/service/mint.rs",
            "use crate::{server::store, policy, wire};",
            rules::imports
        ),
        0
    );
}

#[test]
fn import_rule_opens_the_server_to_its_verbs_alone() {
    assert_eq!(
        planted("src/cli/serve.rs", "use crate::server::serve_on;", rules::imports),
        0
    );
    assert_eq!(
        planted("src/cli/request.rs", "use crate::server::serve_on;", rules::imports),
        1
    );
    let inner = "use crate::server::provider::aws::AwsSettings;";
    assert_eq!(planted("src/cli/serve.rs", inner, rules::imports), 0);
    assert_eq!(planted("src/cli/request.rs", inner, rules::imports), 1);
}

#[test]
fn word_rule_finds_words_in_code_only() {
    assert_eq!(
        planted("src/domain/apply.rs", "pub async fn f() {}", rules::forbidden_words),
        1
    );
    assert_eq!(
        planted("src/domain/apply.rs", "use std::{fs, env};", rules::forbidden_words),
        2
    );
    assert_eq!(
        planted(
            "src/domain/apply.rs",
            "//! no async here\nconst S: &str = \"std::fs\"; let asynchronous = 1;",
            rules::forbidden_words
        ),
        0
    );
    assert_eq!(
        planted("src/server/routes.rs", "println!(\"x\")", rules::forbidden_words),
        1
    );
    assert_eq!(
        planted("src/cli/request.rs", "use axum::Router;", rules::forbidden_words),
        1
    );
}

#[test]
fn text_rules_find_what_they_forbid() {
    assert_eq!(planted("src/nowhere/x.rs", "", rules::known_room), 1);
    assert_eq!(planted("src/domain/x.rs", "use std::fmt;", rules::header), 1);
    assert_eq!(planted("src/domain/x.rs", &"\n".repeat(401), rules::length), 1);
    assert_eq!(planted("src/client/helpers.rs", "", rules::module_name), 1);
    assert_eq!(planted("src/client/util/mod.rs", "", rules::module_name), 1);
    assert_eq!(planted("src/client.rs", "mod common { }", rules::module_name), 1);
    assert_eq!(
        planted("tests/it/x.rs", concat!("std::thread::", "sleep(d);"), rules::no_sleep),
        1
    );
    assert_eq!(
        planted(
            "src/a.rs",
            concat!("fn f() { thread::", "sleep(d) }\n#[cfg(test)]\nmod tests { }"),
            rules::no_sleep_in_unit_tests
        ),
        0
    );
    assert_eq!(
        planted(
            "src/a.rs",
            concat!("#[cfg(test)]\nmod tests { time::", "sleep(d) }"),
            rules::no_sleep_in_unit_tests
        ),
        1
    );
    assert_eq!(
        planted("README.md", concat!("see /", "home/", "me/x"), rules::machine_paths),
        1
    );
    assert_eq!(
        planted("docs/a.md", concat!("../", "shared/design"), rules::machine_paths),
        1
    );
    assert_eq!(
        planted(
            "docs/a.md",
            "https://example.com/home/page a/root/b",
            rules::machine_paths
        ),
        0
    );
}
