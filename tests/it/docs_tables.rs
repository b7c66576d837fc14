//! Tables of the documents that come from the code: exit codes, error codes, routes, attack tests; and that every key
//! of the catalogue is explained. `UPDATE=1` writes the tables anew.

use std::collections::BTreeMap;
use std::path::Path;

use jit::domain::refusal::Code;
use jit::error::{Exit, exit_of};
use jit::server::routes::{Access, table};

use crate::docs_blocks::{TOP, read, section_is_current};

/// Attacks that the product has to withstand, whether built or not.
const ATTACKS: u32 = 28;

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

/// Rooms whose errors a person meets, beside those of the wire.
const CLIENT: &[&str] = &[
    "src/cli",
    "src/client",
    "src/config",
    "src/error.rs",
    "src/server/beside.rs",
];
/// What has the form of a code and is none: files and hosts.
const NO_CODES: &[&str] = &[
    ".client_secret",
    "directory.token",
    "directory.next_token",
    ".require",
    ".toml",
    ".json",
    ".db",
    ".key",
    ".bash",
    ".fish",
    ".example",
    ".com",
    ".eu",
    ".sso",
];

/// The code of a room, tests left out, white space made single.
fn code_of(path: &Path) -> Vec<String> {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        return entries.flat_map(|path| code_of(&path)).collect();
    }
    if path.ends_with("tests.rs") {
        return Vec::new();
    }
    let text = std::fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap();
    vec![code.split_whitespace().collect::<Vec<_>>().join(" ")]
}

/// Every string literal of these characters, with what stands before it.
fn literals(code: &str, fits: impl Fn(char) -> bool) -> Vec<(&str, &str)> {
    let literal = |(at, _): (usize, &str)| {
        let rest = &code[at + 1..];
        let end = rest.find(|c| !fits(c))?;
        (end > 0 && rest[end..].starts_with('"')).then_some((&code[..at], &rest[..end]))
    };
    code.match_indices('"').filter_map(literal).collect()
}

/// The exit that is given with a code, where it stands right before it.
fn exit_before(before: &str) -> Option<&str> {
    let before = before.trim_end();
    if before.ends_with("refusal(") {
        return Some("Configuration");
    }
    let (_, name) = before.strip_suffix(',')?.rsplit_once("Exit::")?;
    name.chars().all(char::is_alphanumeric).then_some(name)
}

#[test]
fn client_codes_of_the_page_are_those_of_the_program() {
    let mut codes: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for code in CLIENT.iter().flat_map(|room| code_of(&Path::new(TOP).join(room))) {
        for (before, name) in literals(&code, |c| c.is_ascii_lowercase() || c == '_' || c == '.') {
            let is_code = name.split('.').count() == 2 && name.split('.').all(|word| !word.is_empty());
            let is_silent = name.starts_with("output.");
            if !is_code || is_silent || Code::parse(name).is_some() || NO_CODES.iter().any(|end| name.ends_with(end)) {
                continue;
            }
            let exits = codes.entry(name.to_owned()).or_default();
            let named = exit_before(before);
            let exit = Exit::ALL.iter().find(|(exit, _)| named == Some(&format!("{exit:?}")));
            exits.extend(exit.map(|(exit, _)| exit.code()));
        }
    }
    // whatever the cache found wrong, with the code of that
    codes.insert("cache.refused".to_owned(), vec![1, 2, 3, 10]);
    let mut text = "| code | exit |\n| --- | --- |\n".to_owned();
    for (code, mut exits) in codes {
        exits.sort_unstable();
        exits.dedup();
        assert!(!exits.is_empty(), "{code}: no exit code stands before it");
        let exits: Vec<String> = exits.iter().map(u8::to_string).collect();
        text.push_str(&format!("| `{code}` | {} |\n", exits.join(" or ")));
    }
    section_is_current("docs/exit-codes.md", "client codes", &text);
}

#[test]
fn every_schema_that_is_printed_stands_on_the_page() {
    let page = read("docs/exit-codes.md");
    for code in ["src/cli", "src/ui"]
        .iter()
        .flat_map(|room| code_of(&Path::new(TOP).join(room)))
    {
        for (_, name) in literals(&code, |c| c.is_ascii_lowercase() || "-/1".contains(c)) {
            let is_schema = name.starts_with("jit/") && name.ends_with("/1");
            assert!(
                !is_schema || page.contains(&format!("`{name}`")),
                "{name} is not on the page"
            );
        }
    }
}

#[test]
fn routes_of_the_page_are_those_of_the_server() {
    let mut text = "| route | who may call it |\n| --- | --- |\n".to_owned();
    for route in table() {
        let who = match route.access {
            Access::Anyone => "anybody",
            Access::OnDevice => "whoever proves a device",
            Access::SignedIn => "whoever is signed in",
            Access::People => "people who are signed in",
            Access::Admin => "an admin",
            Access::Directory => "a directory, with its token",
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

/// The text of every source file and test below a folder.
fn sources(folder: &Path, all: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|end| end == "rs") {
            all.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn tests_behind_the_threat_model_are_there() {
    let page = read("docs/security.md");
    let (_, rest) = page.split_once("<!-- stolen -->\n").unwrap();
    let (table, _) = rest.split_once("<!-- end of stolen -->").unwrap();
    let mut all = String::new();
    for room in ["src", "credential", "tests/it"] {
        sources(&Path::new(TOP).join(room), &mut all);
    }
    let rows: Vec<&str> = table.lines().skip(2).collect();
    assert!(rows.len() > 10, "{table}");
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [_, _, _, test] = cells[..] else {
            panic!("four cells: {row}")
        };
        let name = test.trim_matches('`');
        assert!(name == "-" || all.contains(&format!("fn {name}(")), "no test {name}");
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
    let is_named =
        |key: &str| page.contains(&format!("`{key}`")) || page.contains(&format!("`[{}]`", key.replace('_', "-")));
    let lacking: Vec<String> = keys.filter(|key| !is_named(key)).collect();
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
