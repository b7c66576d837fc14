//! The rules, each from a file to what is wrong in it.

use super::scan::SourceFile;
use super::table::{BEHIND_SERVER_VERBS, EMPTY_NAMES, LONGEST_FILE, ROOMS, Room, SERVER_VERBS};

/// The room that a module path lies in: the longest name that begins it.
fn room_of(module: &[impl AsRef<str>]) -> Option<&'static Room> {
    let lies_in = |room: &&Room| {
        let parts: Vec<&str> = room.name.split("::").collect();
        parts.len() <= module.len() && parts.iter().zip(module).all(|(part, name)| *part == name.as_ref())
    };
    ROOMS.iter().filter(lies_in).max_by_key(|room| room.name.len())
}

/// A room may name itself, what lies in it, and what the table lists.
pub fn imports(file: &SourceFile) -> Vec<String> {
    let module = file.module();
    let Some(room) = room_of(&module) else {
        return Vec::new();
    };
    let opened = room.name == "cli" && SERVER_VERBS.contains(&module[..2.min(module.len())].join("::").as_str());
    let allowed = |named: &Room| {
        let parent = named.name.starts_with(&format!("{}::", room.name));
        named.name == room.name
            || parent
            || room.may_name.contains(&named.name)
            || opened
                && named
                    .name
                    .split("::")
                    .next()
                    .is_some_and(|top| BEHIND_SERVER_VERBS.contains(&top))
    };
    let wrong = |path: &Vec<String>| {
        let named = room_of(path)?;
        (!allowed(named)).then(|| format!("{}: `{}` may not name `{}`", file.path, room.name, path.join("::")))
    };
    file.named_paths().iter().filter_map(wrong).collect()
}

/// Words that the table forbids in this room's code.
pub fn forbidden_words(file: &SourceFile) -> Vec<String> {
    let Some(room) = room_of(&file.module()) else {
        return Vec::new();
    };
    let code = file.code();
    let found = room
        .forbidden
        .iter()
        .filter(|word| has_word(&code, word) || grouped(&code, word));
    found
        .map(|word| format!("{}: `{}` may not contain `{word}`", file.path, room.name))
        .collect()
}

/// `word` as a whole word of the code.
fn has_word(code: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back().is_some_and(part_of_word);
        let after = code[at + word.len()..].chars().next().is_some_and(part_of_word);
        !before && !after
    })
}

/// `std::fs` written as `std::{fs, ...}`.
fn grouped(code: &str, word: &str) -> bool {
    let Some((parent, name)) = word.split_once("::") else {
        return false;
    };
    let opening = format!("{parent}::{{");
    code.match_indices(&opening).any(|(at, _)| {
        let inside = &code[at + opening.len()..];
        has_word(inside.split(';').next().unwrap_or(inside), name)
    })
}

/// A new top-level module must be given its row in the table.
pub fn known_room(file: &SourceFile) -> Vec<String> {
    let known = room_of(&file.module()).is_some();
    if known {
        Vec::new()
    } else {
        vec![format!(
            "{}: no room of the table; add a row to tests/it/structure/table.rs",
            file.path
        )]
    }
}

/// A file says first what it owns and what it refuses.
pub fn header(file: &SourceFile) -> Vec<String> {
    let begins = file.text.starts_with("//! ") || file.text.starts_with("#!") && file.text.contains("\n//! ");
    if begins {
        Vec::new()
    } else {
        vec![format!("{}: does not begin with a //! header", file.path)]
    }
}

/// Past this a file is split by idea.
pub fn length(file: &SourceFile) -> Vec<String> {
    let lines = file.text.lines().count();
    if lines <= LONGEST_FILE {
        Vec::new()
    } else {
        vec![format!("{}: {lines} lines, more than {LONGEST_FILE}", file.path)]
    }
}

/// Neither a file, nor a folder, nor an inline module.
pub fn module_name(file: &SourceFile) -> Vec<String> {
    let code = file.code();
    let in_path = |name: &&&str| file.path.trim_end_matches(".rs").split('/').any(|part| part == **name);
    let inline = |name: &&&str| has_word(&code, &format!("mod {name}"));
    EMPTY_NAMES
        .iter()
        .filter(|name| in_path(name) || inline(name))
        .map(|name| format!("{}: a module named `{name}`", file.path))
        .collect()
}

/// Waiting is for an event or a state.
pub fn no_sleep(file: &SourceFile) -> Vec<String> {
    let sleeps = ["thread::sleep", "time::sleep"]
        .into_iter()
        .filter(|word| has_word(&file.code(), word));
    sleeps.map(|word| format!("{}: {word} in a test", file.path)).collect()
}

/// The same for unit tests: what follows the first `#[cfg(test)]` of a product file.
pub fn no_sleep_in_unit_tests(file: &SourceFile) -> Vec<String> {
    let Some(at) = file.text.find("#[cfg(test)]") else {
        return Vec::new();
    };
    no_sleep(&SourceFile {
        path: file.path.clone(),
        text: file.text[at..].to_owned(),
    })
}

/// Paths of somebody's machine, or of a folder beside the repository.
pub fn machine_paths(file: &SourceFile) -> Vec<String> {
    let beside = concat!("../", "shared");
    let mut found = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        let folder = ["root", "home", "work", "farm"]
            .into_iter()
            .any(|folder| names_folder(line, folder));
        if folder || line.contains(beside) {
            found.push(format!(
                "{}:{}: a path of one machine: {}",
                file.path,
                number + 1,
                line.trim()
            ));
        }
    }
    found
}

/// `/FOLDER/x` at the beginning of a path.
fn names_folder(line: &str, folder: &str) -> bool {
    let wanted = format!("/{folder}/");
    line.match_indices(&wanted).any(|(at, _)| {
        let inside_path = line[..at]
            .chars()
            .next_back()
            .is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        let goes_on = line[at + wanted.len()..].starts_with(|c: char| c.is_ascii_lowercase() || c == '.');
        !inside_path && goes_on
    })
}
