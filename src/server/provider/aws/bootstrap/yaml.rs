//! YAML as CloudFormation and people read it: blocks, and quotes wherever a word could be anything but text.
//! Owns indentation and quoting. Refuses tags, anchors and folding.

use super::tree::Tree;

/// The document, without a line that begins it.
pub fn yaml(tree: &Tree) -> String {
    let mut out = String::new();
    block(tree, 0, &mut out);
    out
}

fn block(tree: &Tree, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    match tree {
        Tree::Map(members) => {
            for (name, value) in members {
                out.push_str(&format!("{indent}{}:", word(name)));
                below(value, depth, out);
            }
        }
        Tree::List(values) => {
            for value in values {
                out.push_str(&format!("{indent}-"));
                item(value, depth, out);
            }
        }
        Tree::Text(_) | Tree::Number(_) => out.push_str(&format!("{indent}{}\n", inline(tree))),
    }
}

/// What stands behind a name.
fn below(value: &Tree, depth: usize, out: &mut String) {
    if value.is_short() {
        out.push_str(&format!(" {}\n", inline(value)));
    } else {
        out.push('\n');
        block(value, depth + 1, out);
    }
}

/// What stands behind a dash: a block begins on its line.
fn item(value: &Tree, depth: usize, out: &mut String) {
    if value.is_short() {
        out.push_str(&format!(" {}\n", inline(value)));
        return;
    }
    let mut inner = String::new();
    block(value, depth + 1, &mut inner);
    out.push(' ');
    out.push_str(inner.trim_start());
}

fn inline(value: &Tree) -> String {
    match value {
        Tree::Text(text) => word(text),
        Tree::Number(number) => number.to_string(),
        Tree::List(_) => "[]".to_owned(),
        Tree::Map(_) => "{}".to_owned(),
    }
}

/// Plain where it can be nothing but text; else between single quotes, or double ones where there are control
/// characters to be written.
fn word(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else if text.chars().any(char::is_control) {
        serde_json::Value::from(text).to_string()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// Letters first, no `: ` and no ` #`, and not one of the words that YAML 1.1 takes for something else.
fn is_plain(text: &str) -> bool {
    const OTHER: [&str; 8] = ["true", "false", "yes", "no", "on", "off", "null", "y"];
    let inside = |b: u8| b.is_ascii_alphanumeric() || b" _-./:".contains(&b);
    let lower = text.to_ascii_lowercase();
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with([' ', ':'])
        && text.bytes().all(inside)
        && !text.contains(": ")
        && lower != "n"
        && !OTHER.contains(&lower.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_indents_and_quotes() {
        let tree = Tree::map([
            ("Name", Tree::text("a:b/c")),
            ("Empty", Tree::List(vec![])),
            (
                "List",
                Tree::List(vec![Tree::map([
                    ("A", Tree::Number(1)),
                    ("B", Tree::texts(&["*", "no"])),
                ])]),
            ),
            ("2012-10-17", Tree::text("it's: #1")),
        ]);
        let text =
            "Name: a:b/c\nEmpty: []\nList:\n  - A: 1\n    B:\n      - '*'\n      - 'no'\n'2012-10-17': 'it''s: #1'\n";
        assert_eq!(yaml(&tree), text);
    }

    #[test]
    fn attack_16_text_cannot_leave_its_line() {
        let text = yaml(&Tree::map([("Description", Tree::text("x\nResources: {}\u{1b}[2J"))]));
        assert_eq!(text, "Description: \"x\\nResources: {}\\u001b[2J\"\n");
    }
}
