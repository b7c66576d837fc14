//! Lines that set and unset variables of a shell, and which variables those are.
//! Refuses a value that the shell cannot be given: then nothing at all is printed.

use secrecy::{ExposeSecret, SecretString};

use super::{Shell, quoted};
use crate::client::Keys;
use crate::error::{Error, Result};

/// What AWS tools read keys from, in the order of `aws configure export-credentials`.
pub const KEY_VARIABLES: [&str; 4] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
];

/// What would stand beside keys and win over them in some tools: a profile in the AWS SDK for JavaScript,
/// the token's old name in botocore.
pub const RIVAL_VARIABLES: [&str; 3] = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN"];

impl Keys {
    /// The value of each of [`KEY_VARIABLES`].
    pub fn variables(&self) -> [(&'static str, SecretString); 4] {
        let [id, secret, token, expiration] = KEY_VARIABLES;
        [
            (id, SecretString::from(self.access_key_id.clone())),
            (secret, self.secret_access_key.clone()),
            (token, self.session_token.clone()),
            (expiration, SecretString::from(self.expires_at.to_string())),
        ]
    }
}

/// Lines for `shell` that set variables and take others away. What only reads files has no way to take one away.
///
/// # Errors
/// Exit 2 where a value cannot be written for this shell.
pub fn lines(shell: Shell, set: &[(&'static str, SecretString)], unset: &[&str]) -> Result<SecretString> {
    let mut text = String::new();
    for (name, value) in set {
        let word = quoted(shell, value.expose_secret()).ok_or_else(|| {
            Error::usage(format!("{name} cannot be written for {}", shell.name())).hint("give another --shell")
        })?;
        text.push_str(&setting(shell, name, &word));
    }
    for name in unset {
        text.push_str(&unsetting(shell, name));
    }
    if shell == Shell::Nu {
        // one record for `load-env`, which knows `null` as "not set"
        text = format!("{{{}}}\n", text.trim_end_matches(','));
    }
    Ok(SecretString::from(text))
}

fn setting(shell: Shell, name: &str, word: &str) -> String {
    match shell {
        Shell::Sh | Shell::Bash | Shell::Zsh => format!("export {name}={word}\n"),
        Shell::Fish => format!("set -gx {name} {word}\n"),
        Shell::Elvish => format!("set-env {name} {word}\n"),
        Shell::Nu => format!("\"{name}\":{word},"),
        Shell::Pwsh => format!("$Env:{name}={word}\n"),
        Shell::Cmd => format!("set {name}={word}\n"),
        Shell::Dotenv => format!("{name}={word}\n"),
    }
}

fn unsetting(shell: Shell, name: &str) -> String {
    match shell {
        Shell::Sh | Shell::Bash | Shell::Zsh => format!("unset {name}\n"),
        // of a variable that is not set it says 4, and `jit env … | source; and …` would stop there
        Shell::Fish => format!("set -e -g {name}; or true\n"),
        Shell::Elvish => format!("unset-env {name}\n"),
        Shell::Nu => format!("\"{name}\":null,"),
        Shell::Pwsh => format!("$Env:{name}=$null\n"),
        Shell::Cmd => format!("set {name}=\n"),
        Shell::Dotenv => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(shell: Shell, value: &str) -> String {
        let set = [("AWS_SESSION_TOKEN", SecretString::from(value))];
        lines(shell, &set, &["AWS_PROFILE"]).unwrap().expose_secret().to_owned()
    }

    #[test]
    fn lines_are_those_of_each_shell() {
        let expected = [
            (Shell::Sh, "export AWS_SESSION_TOKEN=a/b\nunset AWS_PROFILE\n"),
            (
                Shell::Fish,
                "set -gx AWS_SESSION_TOKEN a/b\nset -e -g AWS_PROFILE; or true\n",
            ),
            (
                Shell::Elvish,
                "set-env AWS_SESSION_TOKEN 'a/b'\nunset-env AWS_PROFILE\n",
            ),
            (Shell::Nu, "{\"AWS_SESSION_TOKEN\":\"a/b\",\"AWS_PROFILE\":null}\n"),
            (Shell::Pwsh, "$Env:AWS_SESSION_TOKEN=\"a/b\"\n$Env:AWS_PROFILE=$null\n"),
            (Shell::Cmd, "set AWS_SESSION_TOKEN=a/b\nset AWS_PROFILE=\n"),
            (Shell::Dotenv, "AWS_SESSION_TOKEN=a/b\n"),
        ];
        for (shell, text) in expected {
            assert_eq!(printed(shell, "a/b"), text, "{shell:?}");
        }
    }

    #[test]
    fn value_that_cannot_be_written_prints_nothing() {
        let set = [
            ("AWS_ACCESS_KEY_ID", SecretString::from("fine")),
            ("AWS_SESSION_TOKEN", SecretString::from("a b")),
        ];
        let error = lines(Shell::Cmd, &set, &[]).unwrap_err();
        assert_eq!(error.exit.code(), 2);
        assert!(!error.to_string().contains("a b"));
    }
}
