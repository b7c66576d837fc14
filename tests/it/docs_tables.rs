//! Tables of the documents that come from the code: exit codes, error codes, routes, attack tests; and that every key
//! of the catalogue is explained. `UPDATE=1` writes the tables anew.

use std::collections::BTreeMap;
use std::path::Path;

use jit::domain::refusal::Code;
use jit::error::{Exit, exit_of};
use jit::server::routes::{Access, table};

use crate::docs_blocks::{TOP, read, section_is_current};

/// Attacks that the product has to withstand, whether built or not.
const ATTACKS: u32 = 27;

#[test]
fn exit_codes_of_the_page_are_those_of_the_program() {
    let mut text = "| code | meaning |\n| --- | --- |\n".to_owned();
    for (exit, meaning) in Exit::ALL {
        text.push_str(&format!("| {} | {meaning} |\n", exit.code()));
    }
    section_is_current("docs/exit-codes.md", "exit codes", &text);
}

#[test]
fn variables_of_the_page_are_those_that_are_taken_out() {
    let names: Vec<String> = jit::client::TAKEN_OUT.iter().map(|name| format!("`{name}`")).collect();
    section_is_current(
        "docs/exec.md",
        "variables taken out",
        &format!("{}\n", names.join(",\n")),
    );
}

#[test]
fn error_codes_of_the_page_are_those_of_the_program() {
    let source = read("src/domain/refusal.rs");
    let mut text = "| code | exit | when |\n| --- | --- | --- |\n".to_owned();
    for code in Code::ALL {
        let name = format!("= \"{code}\",");
        let before = source.split(&name).next().unwrap();
        let documented = before.lines().rev().nth(1).unwrap().trim();
        let when = documented
            .strip_prefix("/// ")
            .unwrap_or_else(|| panic!("{code} is not explained"));
        text.push_str(&format!(
            "| `{code}` | {} | {} |\n",
            exit_of(*code).code(),
            when.trim_end_matches('.')
        ));
    }
    section_is_current("docs/exit-codes.md", "error codes", &text);
}

#[test]
fn routes_of_the_page_are_those_of_the_server() {
    let mut text = "| route | who may call it |\n| --- | --- |\n".to_owned();
    for route in table() {
        let who = match route.access {
            Access::Anyone => "anybody",
            Access::SignedIn => "whoever is signed in",
        };
        text.push_str(&format!("| `{} {}` | {who} |\n", route.method, route.path));
    }
    section_is_current("docs/http.md", "routes", &text);
}

#[test]
fn attack_tests_of_the_page_are_those_of_the_tree() {
    let mut tests: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for room in ["src", "credential", "tests/it"] {
        collect(&Path::new(TOP).join(room), &mut tests);
    }
    let mut text = String::new();
    for number in 1..=ATTACKS {
        let names = tests.remove(&number).unwrap_or_default();
        let names = match names.as_slice() {
            [] => " not yet built".to_owned(),
            names => names.iter().map(|name| format!("\n  - `{name}`")).collect(),
        };
        text.push_str(&format!("- **{number}**:{names}\n"));
    }
    assert!(tests.is_empty(), "tests of attacks that nobody knows: {tests:?}");
    section_is_current("docs/security.md", "attack tests", &text);
}

/// Every `fn attack_NN_…` below a folder, by number.
fn collect(folder: &Path, tests: &mut BTreeMap<u32, Vec<String>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, tests);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let starts = text.lines().filter_map(|line| {
                line.trim()
                    .strip_prefix("fn attack_")
                    .or_else(|| line.trim().strip_prefix("async fn attack_"))
            });
            for rest in starts {
                let name = rest.split('(').next().unwrap();
                let number = name.split('_').next().and_then(|digits| digits.parse().ok());
                if let Some(number) = number {
                    let names = tests.entry(number).or_default();
                    names.push(format!("attack_{name}"));
                    names.sort();
                    names.dedup();
                }
            }
        }
    }
}

#[test]
fn every_attack_has_its_line_on_the_page() {
    let page = read("docs/security.md");
    for number in 1..=ATTACKS {
        assert!(
            page.contains(&format!("\n| {number} | ")),
            "attack {number} is not in the table"
        );
    }
}

#[test]
fn every_key_of_the_catalogue_is_explained() {
    let page = read("docs/policy.md");
    let shape = read("src/policy/catalogue/shape.rs");
    let keys = shape.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("    pub(super) ")?.split_once(':')?;
        Some(name.to_owned())
    });
    let lacking: Vec<String> = keys.filter(|key| !page.contains(&format!("`{key}`"))).collect();
    assert!(lacking.is_empty(), "docs/policy.md does not explain {lacking:?}");
}

#[test]
fn small_bundle_of_the_page_is_the_one_that_is_written() {
    let mut text = String::from("```text\n");
    for (path, _) in jit::policy::small::FILES {
        text.push_str(&format!("{path}\n"));
    }
    text.push_str("```\n");
    section_is_current("docs/policy.md", "small bundle", &text);
}
