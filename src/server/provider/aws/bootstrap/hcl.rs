//! HCL as `terraform fmt` would leave it: values, and attributes with their signs in one column.
//! Owns quoting and layout. Refuses expressions: those are written by hand where they stand.

use super::tree::Tree;

/// `text` as a string, with nothing in it that Terraform would evaluate.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out.replace("${", "$${").replace("%{", "%%{")
}

/// `text` as it stands behind a `#`: on one line.
pub fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `tree` as a value whose first line stands at `depth`.
pub fn value(tree: &Tree, depth: usize) -> String {
    let (indent, end) = ("  ".repeat(depth + 1), "  ".repeat(depth));
    match tree {
        Tree::Text(text) => quoted(text),
        Tree::Number(number) => number.to_string(),
        Tree::List(values) if values.iter().all(Tree::is_short) && one_line(values).len() <= 80 => one_line(values),
        Tree::List(values) => {
            let lines = values
                .iter()
                .map(|item| format!("{indent}{},\n", value(item, depth + 1)));
            format!("[\n{}{end}]", lines.collect::<String>())
        }
        Tree::Map(members) if members.is_empty() => "{}".to_owned(),
        Tree::Map(members) => {
            let lines: Vec<(String, String)> = members
                .iter()
                .map(|(name, member)| (name_of(name), value(member, depth + 1)))
                .collect();
            format!("{{\n{}{end}}}", attributes(&lines, depth + 1))
        }
    }
}

/// Lines of `name = value`, the signs of neighbours in one column; a value of several lines ends a column.
pub fn attributes(lines: &[(String, String)], depth: usize) -> String {
    let indent = "  ".repeat(depth);
    let mut out = String::new();
    let mut rest = lines;
    while let Some((name, text)) = rest.first() {
        if text.contains('\n') {
            out.push_str(&format!("{indent}{name} = {text}\n"));
            rest = &rest[1..];
            continue;
        }
        let run = rest.iter().take_while(|(_, text)| !text.contains('\n')).count();
        let width = rest[..run]
            .iter()
            .map(|(name, _)| name.chars().count())
            .max()
            .unwrap_or(0);
        for (name, text) in &rest[..run] {
            out.push_str(&format!("{indent}{name:width$} = {text}\n"));
        }
        rest = &rest[run..];
    }
    out
}

fn one_line(values: &[Tree]) -> String {
    let words: Vec<String> = values.iter().map(|item| value(item, 0)).collect();
    format!("[{}]", words.join(", "))
}

/// A name that needs no quotes has none.
fn name_of(name: &str) -> String {
    let is_bare = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic());
    if is_bare { name.to_owned() } else { quoted(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_16_text_is_never_evaluated() {
        assert_eq!(quoted("${file(\"x\")} %{if}\n"), "\"$${file(\\\"x\\\")} %%{if}\\n\"");
        assert_eq!(comment("a\nresource {}"), "a resource {}");
    }

    #[test]
    fn neighbours_share_a_column() {
        let tree = Tree::map([
            ("A", Tree::text("x")),
            ("aws:b", Tree::texts(&["y", "z"])),
            ("C", Tree::map([("D", Tree::Number(1))])),
        ]);
        let text = "{\n  A       = \"x\"\n  \"aws:b\" = [\"y\", \"z\"]\n  C = {\n    D = 1\n  }\n}";
        assert_eq!(value(&tree, 0), text);
    }
}
