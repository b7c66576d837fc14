//! docs/failure-stories.md: all of the stories are there once, and each test that it names is one of this tree.
//! Refuses to judge whether a test shows what the page says: people do that.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::docs_blocks::{TOP, read};

const PAGE: &str = "docs/failure-stories.md";
/// How many stories there are.
const STORIES: u32 = 35;
/// Where tests are.
const ROOMS: [&str; 3] = ["src", "credential", "tests/it"];
/// What a story says that no test plays.
const NOT_YET: &str = "Not built yet: ";

/// The stories of a page, by number, in the order of the page: what stands below each heading.
fn stories(page: &str) -> Vec<(u32, String)> {
    let mut found: Vec<(u32, String)> = Vec::new();
    let mut is_inside = false;
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("### ") {
            let number = heading.split('.').next().unwrap_or_default();
            let number = number.parse().unwrap_or_else(|_| panic!("no number: {line}"));
            found.push((number, String::new()));
            is_inside = true;
        } else if line.starts_with("## ") {
            is_inside = false;
        } else if is_inside && let Some((_, text)) = found.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    found
}

/// The tests that a story lists.
fn named(story: &str) -> Vec<&str> {
    let lines = story.lines().filter_map(|line| line.strip_prefix("- `"));
    lines.map(|line| line.trim_end_matches('`')).collect()
}

/// What is wrong with `page` where `tests` are those of the tree.
fn wrong(page: &str, tests: &BTreeSet<String>) -> Vec<String> {
    let (mut wrong, mut told) = (Vec::new(), BTreeMap::<u32, u32>::new());
    let mut listed = BTreeSet::new();
    for (number, story) in stories(page) {
        *told.entry(number).or_default() += 1;
        let names = named(&story);
        if names.is_empty() && !story.contains(NOT_YET) {
            wrong.push(format!("story {number} has no test and does not say why"));
        }
        for name in names {
            if !tests.contains(name) {
                wrong.push(format!("story {number} names {name}, which is no test"));
            }
            listed.insert((number, name.to_owned()));
        }
    }
    for number in 1..=STORIES {
        let times = told.remove(&number).unwrap_or_default();
        if times != 1 {
            wrong.push(format!("story {number} is told {times} times"));
        }
    }
    wrong.extend(told.keys().map(|number| format!("nobody knows story {number}")));
    for name in tests.iter().filter(|name| name.starts_with("story_")) {
        let number = name.split('_').nth(1).and_then(|digits| digits.parse().ok());
        if !number.is_some_and(|number| listed.contains(&(number, name.clone()))) {
            wrong.push(format!("{name} is not listed with its story"));
        }
    }
    wrong
}

/// The tests below a folder.
fn collect(folder: &Path, tests: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, tests);
        } else if path.extension().is_some_and(|end| end == "rs") {
            tests.extend(tests_of(&std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The tests of a source file: functions with the attribute, and those that a list has run on every store.
fn tests_of(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let (mut is_test, mut is_list) = (false, false);
    for line in source.lines().map(str::trim) {
        let function = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn "));
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some(function) = function {
            if std::mem::take(&mut is_test) {
                found.insert(function.split(['(', '<']).next().unwrap_or_default().to_owned());
            }
        } else if line == "on_every_store! {" {
            is_list = true;
        } else if line == "}" {
            is_list = false;
        } else if is_list {
            found.insert(line.to_owned());
        }
    }
    found
}

fn tests_of_the_tree() -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    for room in ROOMS {
        collect(&Path::new(TOP).join(room), &mut tests);
    }
    tests
}

#[test]
fn stories_of_the_page_are_told_once_and_tested() {
    let wrong = wrong(&read(PAGE), &tests_of_the_tree());
    assert!(wrong.is_empty(), "{PAGE}:\n{}", wrong.join("\n"));
}

#[test]
fn what_a_page_lacks_is_found() {
    let (page, tests) = (read(PAGE), tests_of_the_tree());
    let count = wrong(&page, &tests).len();
    let one = "story_01_earlier_end_leaves_the_later_grant_its_access";
    for (broken, says) in [
        (page.replace(one, "story_01_of_nobody"), "which is no test"),
        (
            page.replace(&format!("- `{one}`\n"), ""),
            "is not listed with its story",
        ),
        (page.replace("### 9. ", "### 8. "), "story 8 is told 2 times"),
        (page.replace("### 35. ", "### 36. "), "nobody knows story 36"),
        (page.replace(NOT_YET, ""), "story 29 has no test"),
    ] {
        let found = wrong(&broken, &tests);
        assert!(
            found.len() > count && found.iter().any(|line| line.contains(says)),
            "{says}: {found:?}"
        );
    }
}
