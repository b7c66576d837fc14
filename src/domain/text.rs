//! Text that people bring: names of targets, reasons, comments, tickets, narrowings.
//! Refuses control characters and bidirectional marks, which move a cursor or reorder a line
//! (CVE-2021-42574), wherever they would be stored.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::refusal::Refusal;

/// Longest reason or comment, in characters.
pub const LONGEST_TEXT: usize = 2_000;

/// Whether `c` can change how the text around it is shown, or is not shown at all.
pub fn is_unsafe_to_show(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2028}' | '\u{2029}' | '\u{200b}' | '\u{feff}'
            // interlinear marks and tags: text that only machines see
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// `text` with everything unsafe to show written as an escape, so that it can be printed anywhere.
pub fn shown(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escape: Vec<char> = if is_unsafe_to_show(c) {
                c.escape_unicode().collect()
            } else {
                vec![c]
            };
            escape
        })
        .collect()
}

/// The JSON text `json` with everything unsafe to show written as JSON's own escapes: the same value, printable anywhere.
/// What JSON leaves raw stands within strings only, so nothing else is touched.
pub fn shown_json(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unsafe_to_show(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            text.push(c);
        }
    }
    text
}

/// Whether nothing of `c` is seen by itself: joiners, fillers and marks that choose a shape.
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200c}'
            | '\u{200d}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{ffa0}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{1d159}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0100}'..='\u{e01ef}'
    )
}

/// Whether nothing of `text` is seen. Joiners and fillers are part of scripts, but say nothing by themselves.
fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

fn check(what: &'static str, text: &str) -> Result<(), Refusal> {
    let length = text.chars().count();
    if length > LONGEST_TEXT {
        return Err(Refusal::TextTooLong {
            what,
            length,
            longest: LONGEST_TEXT,
        });
    }
    match text.chars().find(|c| is_unsafe_to_show(*c)) {
        Some(c) => Err(Refusal::TextUnsafe {
            what,
            character: c.escape_unicode().to_string(),
        }),
        None => Ok(()),
    }
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident, $check:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks and wraps `text`.
            ///
            /// # Errors
            /// The [`Refusal`] that says what is wrong with it.
            pub fn parse(text: &str) -> Result<Self, Refusal> {
                let check: fn(&str) -> Result<(), Refusal> = $check;
                check(text)?;
                Ok(Self(text.to_owned()))
            }

            /// The text as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Refusal;
            fn try_from(text: String) -> Result<Self, Refusal> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

texts! {
    /// Why access is wanted: 1 to 2,000 characters on one line.
    Reason, |text| {
        if is_blank(text) {
            return Err(Refusal::TextEmpty { what: "reason" });
        }
        check("reason", text)
    };

    /// What an approver says: 1 to 2,000 characters on one line.
    Comment, |text| {
        if is_blank(text) {
            return Err(Refusal::TextEmpty { what: "comment" });
        }
        check("comment", text)
    };

    /// A key in a ticket system, such as `PAY-311`.
    Ticket, |text| {
        let begins = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'#');
        let fits = begins && text.len() <= 100
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_#/.".contains(&b));
        if fits { Ok(()) } else { Err(Refusal::BadTicket { given: text.chars().take(40).collect() }) }
    };

    /// The name of a person, as their directory has it: 1 to 255 characters without white space.
    PersonName, |text| {
        let fits = (1..=255).contains(&text.chars().count())
            && !text.starts_with('-')
            && !text.chars().any(|c| c.is_whitespace() || is_unsafe_to_show(c));
        if fits { Ok(()) } else { Err(Refusal::BadPersonName { given: text.chars().take(80).collect() }) }
    };

    /// The name of a target: `[a-z0-9][a-z0-9._-]{0,62}`. One of many accounts stands after a slash: `prod-ops/111122223333`.
    TargetName, |text| {
        let (name, account) = text.split_once('/').unwrap_or((text, "x"));
        if is_plain_name(name) && is_plain_name(account) { Ok(()) } else { Err(Refusal::BadTargetName { given: text.chars().take(80).collect() }) }
    };

    /// One `ACTION[@RESOURCE]` of `--only`: what an AWS session is narrowed to.
    Narrowing, |text| {
        let (action, resource) = text.split_once('@').unwrap_or((text, "*"));
        let word = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
        let action_fits = action.split_once(':').is_some_and(|(service, name)| {
            !service.is_empty() && service.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"*?".contains(&b))
        });
        let resource_fits = resource == "*" || (resource.starts_with("arn:") && word(resource));
        if action_fits && resource_fits && text.len() <= 512 { Ok(()) }
        else { Err(Refusal::BadNarrowing { given: text.chars().take(80).collect() }) }
    };
}

/// `[a-z0-9][a-z0-9._-]{0,62}`.
fn is_plain_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let alnum = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=63).contains(&bytes.len()) && alnum(&bytes[0]) && bytes.iter().all(|b| alnum(b) || b"._-".contains(b))
}

impl TargetName {
    /// The target that has the accounts of which this names one, if it does.
    pub fn family(&self) -> Option<Self> {
        self.0.split_once('/').map(|(family, _)| Self(family.to_owned()))
    }

    /// What stands after the slash: an account's id, or what somebody typed for it.
    pub fn account(&self) -> Option<&str> {
        self.0.split_once('/').map(|(_, account)| account)
    }

    /// The same target in the account of this id.
    pub fn in_account(&self, id: &str) -> Self {
        let family = self.0.split_once('/').map_or(self.0.as_str(), |(family, _)| family);
        Self(format!("{family}/{id}"))
    }
}

impl Narrowing {
    /// The action pattern, such as `s3:Get*`.
    pub fn action(&self) -> &str {
        self.0.split_once('@').map_or(self.0.as_str(), |(action, _)| action)
    }

    /// The resource pattern; `*` where none was given.
    pub fn resource(&self) -> &str {
        self.0.split_once('@').map_or("*", |(_, resource)| resource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_refuses_what_moves_a_cursor() {
        for bad in [
            "a\0b",
            "a\x1b[2Jb",
            "a\nb",
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{200b}b",
            "a\u{e0041}b",
            "",
            "   ",
            "\u{3164}\u{200d}",
        ] {
            assert!(Reason::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Reason::parse(&"x".repeat(2_001)).is_err());
        assert!(Reason::parse("Zahlung hängt – PAY-311 שלום").is_ok());
    }

    #[test]
    fn shown_json_is_the_same_value_without_marks() {
        let value = serde_json::json!({"a\u{9b}": "b\u{202e}\u{7f}\u{e0041}ä\u{1b}"});
        let shown = shown_json(&value.to_string());
        assert!(!shown.chars().any(is_unsafe_to_show), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }

    #[test]
    fn shown_text_has_nothing_unsafe_left() {
        assert_eq!(shown("a\x1b[2J\u{202e}b"), "a\\u{1b}[2J\\u{202e}b");
    }

    #[test]
    fn narrowing_splits_action_and_resource() {
        let n = Narrowing::parse("s3:Get*@arn:aws:s3:::b/*").unwrap();
        assert_eq!((n.action(), n.resource()), ("s3:Get*", "arn:aws:s3:::b/*"));
        assert_eq!(Narrowing::parse("ec2:StartInstances").unwrap().resource(), "*");
        for bad in [
            "s3",
            "s3:",
            ":Get",
            "s3:Get*@",
            "s3:Get@bucket",
            "s3:G et",
            "*",
            "s3:Get@arn:a\"b",
        ] {
            assert!(Narrowing::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ticket_is_a_key_and_no_flag() {
        for good in ["PAY-311", "#42", "ops/tickets.7", "INC0012345", "7"] {
            assert!(Ticket::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "-",
            "--dry-run",
            "PAY 311",
            "a\n",
            "a\u{202e}b",
            "ä",
            &"P".repeat(101),
        ] {
            assert!(Ticket::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn target_name_follows_its_pattern() {
        assert!(TargetName::parse("prod-admin").is_ok());
        let one = TargetName::parse("prod-ops/111122223333").unwrap();
        assert_eq!(one.family().unwrap().as_str(), "prod-ops");
        assert_eq!(one.account(), Some("111122223333"));
        for bad in [
            "",
            "-a",
            "A",
            "a/",
            "/a",
            "a/b/c",
            "a/..",
            "a/-b",
            "a//b",
            "../x",
            &"a".repeat(64),
            "a b",
            "é",
        ] {
            assert!(TargetName::parse(bad).is_err(), "{bad}");
        }
    }
}
