//! One word of a shell's language for any value: the shell reads back exactly that value.
//! Plain values stand as the AWS CLI writes them. Refuses a value where no form is known to be read back by all.

use std::fmt::Write;

use super::Shell;

/// `value` as one word of `shell`; `None` where it cannot be written.
pub fn quoted(shell: Shell, value: &str) -> Option<String> {
    // no variable of any system holds it
    if value.contains('\0') {
        return None;
    }
    let plain = is_plain(value);
    match shell {
        Shell::Sh | Shell::Bash | Shell::Zsh if plain => Some(value.to_owned()),
        Shell::Sh | Shell::Bash | Shell::Zsh => Some(format!("'{}'", value.replace('\'', r"'\''"))),
        Shell::Fish if plain => Some(value.to_owned()),
        Shell::Fish => Some(format!("'{}'", value.replace('\\', r"\\").replace('\'', r"\'"))),
        Shell::Elvish => Some(format!("'{}'", value.replace('\'', "''"))),
        Shell::Nu => Some(json(value)),
        Shell::Pwsh if plain => Some(format!("\"{value}\"")),
        Shell::Pwsh => Some(single_for_pwsh(value)),
        Shell::Cmd => plain.then(|| value.to_owned()),
        Shell::Dotenv if plain => Some(value.to_owned()),
        // readers differ in what a backslash or an apostrophe inside means
        Shell::Dotenv => {
            let one_way = |c: char| !c.is_control() && c != '\'' && c != '\\';
            value.chars().all(one_way).then(|| format!("'{value}'"))
        }
    }
}

/// Whether no shell sees anything special. `=` and `~` at the beginning or behind `:` are file names to zsh.
fn is_plain(value: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "/+_.-:=".contains(c);
    !value.is_empty() && !value.starts_with(['=', '-']) && !value.contains(":=") && value.chars().all(fits)
}

/// To `PowerShell` each of these quotes ends what another one began.
fn single_for_pwsh(value: &str) -> String {
    let mut word = String::from("'");
    for c in value.chars() {
        if matches!(c, '\'' | '\u{2018}'..='\u{201b}') {
            word.push(c);
        }
        word.push(c);
    }
    word.push('\'');
    word
}

/// A string of JSON, in ASCII.
fn json(value: &str) -> String {
    let mut word = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => word.extend(['\\', c]),
            ' '..='~' => word.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // writing to a string cannot fail
                    let _ = write!(word, "\\u{unit:04x}");
                }
            }
        }
    }
    word.push('"');
    word
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_value_stands_as_the_aws_cli_writes_it() {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY==";
        for shell in [
            Shell::Sh,
            Shell::Bash,
            Shell::Zsh,
            Shell::Fish,
            Shell::Cmd,
            Shell::Dotenv,
        ] {
            assert_eq!(quoted(shell, secret).as_deref(), Some(secret), "{shell:?}");
        }
        assert_eq!(quoted(Shell::Pwsh, secret), Some(format!("\"{secret}\"")));
    }

    #[test]
    fn attack_16_value_is_one_word_of_each_shell() {
        let bad = "a'b\"$(touch x)`touch x`\\%PATH%";
        assert_eq!(
            quoted(Shell::Sh, bad).unwrap(),
            r#"'a'\''b"$(touch x)`touch x`\%PATH%'"#
        );
        assert_eq!(
            quoted(Shell::Fish, bad).unwrap(),
            r#"'a\'b"$(touch x)`touch x`\\%PATH%'"#
        );
        assert_eq!(
            quoted(Shell::Elvish, bad).unwrap(),
            r#"'a''b"$(touch x)`touch x`\%PATH%'"#
        );
        assert_eq!(quoted(Shell::Pwsh, "a\u{2019}$x'").unwrap(), "'a\u{2019}\u{2019}$x'''");
        assert_eq!(quoted(Shell::Nu, "a\"\n\u{202e}").unwrap(), r#""a\"\u000a\u202e""#);
        assert_eq!(quoted(Shell::Nu, "a\\\u{1f511}").unwrap(), r#""a\\\ud83d\udd11""#);
    }

    #[test]
    fn value_that_zsh_would_look_up_is_quoted() {
        for value in ["=ls", "a:=ls", "-x", "~", "a:~", ""] {
            assert_eq!(quoted(Shell::Zsh, value), Some(format!("'{value}'")));
            assert_eq!(quoted(Shell::Cmd, value), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn word_for_nu_is_json_that_says_the_value(value in "[^\0]*") {
            let word = quoted(Shell::Nu, &value).unwrap();
            prop_assert!(word.is_ascii());
            prop_assert_eq!(serde_json::from_str::<String>(&word).unwrap(), value);
        }
    }

    #[test]
    fn value_that_cannot_be_written_is_refused() {
        for shell in Shell::ALL {
            assert_eq!(quoted(*shell, "a\0b"), None, "{shell:?}");
        }
        for bad in ["a b", "%PATH%", "a&b", "a\"b", "a!b", "a^b", "a\nb", ""] {
            assert_eq!(quoted(Shell::Cmd, bad), None, "{bad}");
        }
        for bad in ["a\nb", "a'b", "a\\b"] {
            assert_eq!(quoted(Shell::Dotenv, bad), None, "{bad}");
        }
    }
}
