//! Where things stand in an AWS configuration file: sections, settings with their nested lines, comments.
//! Reads bytes, so that a comment in any encoding does. Refuses to change anything: it says where.

use std::ops::Range;

/// A `[section]` and the lines below it, up to the next one.
#[derive(Clone, Debug)]
pub(super) struct Section {
    /// What stands in the brackets, white space made single and quotes left out.
    pub(super) name: String,
    /// Its first line, with the line's ending.
    pub(super) header: Range<usize>,
    /// The lines below.
    pub(super) body: Range<usize>,
}

/// A `key = value` of a section.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    /// In lower case, as every tool compares it.
    pub(super) key: String,
    /// Without white space around it.
    pub(super) value: String,
    /// Its line, with the line's ending.
    pub(super) line: Range<usize>,
    /// The line and those that are nested below it.
    pub(super) whole: Range<usize>,
}

/// Every section, in the order of the file.
pub(super) fn sections(bytes: &[u8]) -> Vec<Section> {
    let mut found: Vec<Section> = Vec::new();
    for line in lines(bytes, 0..bytes.len()) {
        if let Some(name) = header(&bytes[line.clone()]) {
            found.push(Section {
                name,
                body: line.end..line.end,
                header: line,
            });
        } else if let Some(open) = found.last_mut() {
            open.body.end = line.end;
        }
    }
    found
}

/// The settings in `body`.
pub(super) fn settings(bytes: &[u8], body: Range<usize>) -> Vec<Setting> {
    let mut found: Vec<Setting> = Vec::new();
    for line in lines(bytes, body) {
        let raw = &bytes[line.clone()];
        let is_nested = raw.starts_with(b" ") || raw.starts_with(b"\t");
        if is_nested {
            if let Some(open) = found.last_mut().filter(|_| !is_blank(raw)) {
                open.whole.end = line.end;
            }
            continue;
        }
        let text = String::from_utf8_lossy(raw);
        if let Some((key, value)) = text.split_once('=').filter(|_| !is_comment(raw)) {
            found.push(Setting {
                key: key.trim().to_ascii_lowercase(),
                value: value.trim().to_owned(),
                whole: line.clone(),
                line,
            });
        }
    }
    found
}

/// The comments in `body`: their text behind the mark, and their line.
pub(super) fn comments(bytes: &[u8], body: Range<usize>) -> Vec<(String, Range<usize>)> {
    let comment = |line: &Range<usize>| is_comment(&bytes[line.clone()]);
    let text = |line: &Range<usize>| String::from_utf8_lossy(&bytes[line.clone()]).trim().to_owned();
    lines(bytes, body)
        .into_iter()
        .filter(comment)
        .map(|line| (text(&line), line))
        .collect()
}

/// The ranges of the lines in `part`, endings included.
fn lines(bytes: &[u8], part: Range<usize>) -> Vec<Range<usize>> {
    let mut at = part.start;
    let line = |text: &[u8]| {
        let start = at;
        at += text.len();
        start..at
    };
    bytes[part].split_inclusive(|byte| *byte == b'\n').map(line).collect()
}

/// The name in `[name]`.
fn header(line: &[u8]) -> Option<String> {
    let line = String::from_utf8_lossy(line.trim_ascii_start());
    let inner = line.strip_prefix('[')?.split_once(']')?.0;
    let words: Vec<&str> = inner.split_whitespace().collect();
    Some(words.join(" ").replace('"', ""))
}

fn is_comment(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    line.starts_with(b"#") || line.starts_with(b";")
}

fn is_blank(line: &[u8]) -> bool {
    line.trim_ascii().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] =
        b"# top\n[profile  \"a b\" ] # c\nregion = x\ns3 =\n  max = 1\n\tmin=2\n\n; caf\xe9 = 1\nOutput=json\r\n[b]";

    #[test]
    fn sections_have_their_names_and_lines() {
        let found = sections(TEXT);
        let names: Vec<&str> = found.iter().map(|section| section.name.as_str()).collect();
        assert_eq!(names, ["profile a b", "b"]);
        assert_eq!(&TEXT[found[0].header.clone()], b"[profile  \"a b\" ] # c\n");
        assert!(TEXT[found[0].body.clone()].ends_with(b"Output=json\r\n"));
        assert!(found[1].body.is_empty());
    }

    #[test]
    fn settings_have_their_nested_lines() {
        let found = settings(TEXT, sections(TEXT)[0].body.clone());
        let seen: Vec<(&str, &str)> = found.iter().map(|s| (s.key.as_str(), s.value.as_str())).collect();
        assert_eq!(seen, [("region", "x"), ("s3", ""), ("output", "json")]);
        assert_eq!(&TEXT[found[1].line.clone()], b"s3 =\n");
        assert_eq!(&TEXT[found[1].whole.clone()], b"s3 =\n  max = 1\n\tmin=2\n");
    }

    #[test]
    fn comments_are_no_settings() {
        let found = comments(TEXT, sections(TEXT)[0].body.clone());
        assert_eq!(found.len(), 1);
        assert!(found[0].0.starts_with("; caf"));
    }
}
