//! Makes output comparable: ids, times, ports, codes and temporary folders become words.
//! Refuses to hide anything else: a wrong word, count or order stays visible in the snapshot.

/// Literal texts of one test (its HOME, its backend's address) and what stands for them.
#[derive(Clone, Debug, Default)]
pub struct Redactions {
    literal: Vec<(String, &'static str)>,
}

impl Redactions {
    /// Replaces `text` by `word` wherever it occurs.
    pub fn add(&mut self, text: impl Into<String>, word: &'static str) {
        self.literal.push((text.into(), word));
        // A folder inside another one must be found first.
        self.literal.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    }

    /// The text with every literal and every pattern below replaced.
    pub fn apply(&self, text: &str) -> String {
        let text = self
            .literal
            .iter()
            .fold(text.to_owned(), |text, (from, to)| text.replace(from.as_str(), to));
        redact_patterns(&text)
    }
}

type Pattern = fn(&str) -> Option<(usize, String)>;

/// Tried in this order wherever a word may begin.
const PATTERNS: &[Pattern] = &[
    id,
    rfc3339,
    loopback_port,
    code,
    digest,
    clock_time_of_a_day,
    clock_time,
];

fn redact_patterns(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = ' ';
    while let Some(next) = rest.chars().next() {
        let starts_word = !before.is_ascii_alphanumeric() && before != ':';
        let found = if starts_word {
            PATTERNS.iter().find_map(|pattern| pattern(rest))
        } else {
            None
        };
        if let Some((length, word)) = found {
            out.push_str(&word);
            before = 'x';
            rest = &rest[length..];
        } else {
            out.push(next);
            before = next;
            rest = &rest[next.len_utf8()..];
        }
    }
    out
}

/// `req_7h3kq2v0a1b2`, or a prefix of four characters and more as hints print it.
fn id(text: &str) -> Option<(usize, String)> {
    let prefix = ["req_", "grt_", "usr_", "ses_", "dev_", "evt_"]
        .into_iter()
        .find(|p| text.starts_with(p))?;
    let random = text[prefix.len()..]
        .bytes()
        .take_while(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        .count();
    (4..=12)
        .contains(&random)
        .then(|| (prefix.len() + random, format!("{prefix}ID")))
}

/// Whether `text` begins as `shape` does: `0` stands for a digit, anything else for itself.
fn looks_like(text: &str, shape: &str) -> bool {
    text.len() >= shape.len()
        && text.bytes().zip(shape.bytes()).all(|(byte, wanted)| {
            if wanted == b'0' {
                byte.is_ascii_digit()
            } else {
                byte == wanted
            }
        })
}

/// `2026-11-21T10:51:59Z`, with or without a fraction.
fn rfc3339(text: &str) -> Option<(usize, String)> {
    const SECONDS: &str = "0000-00-00T00:00:00";
    if !looks_like(text, SECONDS) {
        return None;
    }
    let tail = text[SECONDS.len()..]
        .bytes()
        .take_while(|b| *b == b'.' || b.is_ascii_digit())
        .count();
    text[SECONDS.len() + tail..]
        .starts_with('Z')
        .then(|| (SECONDS.len() + tail + 1, "TIME".to_owned()))
}

/// `127.0.0.1:41249`.
fn loopback_port(text: &str) -> Option<(usize, String)> {
    const HOST: &str = "127.0.0.1:";
    let digits = text.strip_prefix(HOST)?.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then(|| (HOST.len() + digits, format!("{HOST}PORT")))
}

/// What follows `code ` in `--code F7KQ-8M2A`.
fn code(text: &str) -> Option<(usize, String)> {
    const FLAG: &str = "code ";
    let length = text
        .strip_prefix(FLAG)?
        .bytes()
        .take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'-')
        .count();
    (length >= 4).then(|| (FLAG.len() + length, format!("{FLAG}CODE")))
}

/// A SHA-256 in hexadecimal.
fn digest(text: &str) -> Option<(usize, String)> {
    let length = text.bytes().take_while(u8::is_ascii_hexdigit).count();
    (length == 64).then(|| (64, "SHA256".to_owned()))
}

/// `22 Nov 00:20`, as a time beyond midnight is shown: whether it is depends on when a test runs.
fn clock_time_of_a_day(text: &str) -> Option<(usize, String)> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (month, time) = text.get(digits..)?.strip_prefix(' ')?.split_once(' ')?;
    if !(1..=2).contains(&digits) || !MONTHS.contains(&month) {
        return None;
    }
    let (length, word) = clock_time(time)?;
    Some((digits + 5 + length, word))
}

/// `15:44` or `15:44:02`, but no part of a longer number.
fn clock_time(text: &str) -> Option<(usize, String)> {
    if !looks_like(text, "00:00") {
        return None;
    }
    let (length, word) = if looks_like(text, "00:00:00") {
        (8, "HH:MM:SS")
    } else {
        (5, "HH:MM")
    };
    let more = text[length..].starts_with(|c: char| c.is_ascii_digit() || c == ':');
    (!more).then(|| (length, word.to_owned()))
}

#[test]
fn redaction_replaces_what_differs_between_runs() {
    let mut redactions = Redactions::default();
    redactions.add("/var/x/home", "HOME");
    let text = "req_7h3kq2v0a1b2 req_7h3k until 15:44 or 22 Nov 00:20 (2026-11-21T10:51:59.5Z) http://127.0.0.1:41249/ --code F7KQ-8M2A /var/x/home/a";
    assert_eq!(
        redactions.apply(text),
        "req_ID req_ID until HH:MM or HH:MM (TIME) http://127.0.0.1:PORT/ --code CODE HOME/a"
    );
}

#[test]
fn redaction_leaves_other_words_and_numbers_alone() {
    let text = "111111111111 required_for 1111-1111-1111 2h 1:2 a15:44 15:44:02:09 usr_ error code 5 codes";
    assert_eq!(Redactions::default().apply(text), text);
}
