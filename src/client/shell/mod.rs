//! Shells that lines are printed for: their names, quoting, and how a person has the lines evaluated.
//! Refuses a value that a shell cannot be given as it is.

mod init;
mod lines;
mod quote;

pub use init::Init;
pub use lines::{KEY_VARIABLES, RIVAL_VARIABLES, lines};
pub use quote::quoted;

/// A shell, or what reads lines like one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// Any POSIX shell.
    Sh,
    /// Bash.
    Bash,
    /// Zsh.
    Zsh,
    /// Fish.
    Fish,
    /// Elvish.
    Elvish,
    /// Nushell.
    Nu,
    /// `PowerShell`.
    Pwsh,
    /// The Windows command prompt.
    Cmd,
    /// Files that many programs read: `NAME=value` a line.
    Dotenv,
}

impl Shell {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Sh,
        Self::Bash,
        Self::Zsh,
        Self::Fish,
        Self::Elvish,
        Self::Nu,
        Self::Pwsh,
        Self::Cmd,
        Self::Dotenv,
    ];

    /// Those that evaluate lines.
    pub const EVALUATING: &[Self] = &[
        Self::Sh,
        Self::Bash,
        Self::Zsh,
        Self::Fish,
        Self::Elvish,
        Self::Nu,
        Self::Pwsh,
        Self::Cmd,
    ];

    /// Those that there is a script for, to be read at their start.
    pub const STARTING: &[Self] = &[Self::Bash, Self::Zsh, Self::Fish, Self::Elvish, Self::Nu, Self::Pwsh];

    /// Its name, as `--shell` takes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sh => "sh",
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
            Self::Elvish => "elvish",
            Self::Nu => "nu",
            Self::Pwsh => "pwsh",
            Self::Cmd => "cmd",
            Self::Dotenv => "dotenv",
        }
    }

    /// The shell of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|shell| shell.name() == name)
    }

    /// The shell that a program is, by its path or name: a login shell begins with `-`, some go by other names.
    pub fn of_program(program: &str) -> Option<Self> {
        let file = program.rsplit('/').next().unwrap_or(program);
        match file.strip_prefix('-').unwrap_or(file) {
            "dash" | "ash" | "ksh" | "mksh" | "busybox" => Some(Self::Sh),
            "powershell" | "pwsh-preview" => Some(Self::Pwsh),
            "dotenv" => None,
            name => Self::named(name),
        }
    }

    /// What a person types to have the lines that `command` prints evaluated.
    pub fn evaluating(self, command: &str) -> String {
        match self {
            Self::Sh | Self::Bash | Self::Zsh => format!("eval \"$({command})\""),
            Self::Fish => format!("{command} | source"),
            Self::Elvish => format!("eval ({command} | slurp)"),
            Self::Nu => format!("{command} | from json | load-env"),
            Self::Pwsh => format!("{command} | Out-String | Invoke-Expression"),
            Self::Cmd => format!("for /f \"delims=\" %i in ('{command}') do @%i"),
            Self::Dotenv => format!("{command} > .env"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_of_a_shell_is_known_by_its_name() {
        for (program, shell) in [
            ("/usr/bin/zsh", Some(Shell::Zsh)),
            ("-bash", Some(Shell::Bash)),
            ("/bin/dash", Some(Shell::Sh)),
            ("nu", Some(Shell::Nu)),
            ("/usr/bin/python3", None),
            ("dotenv", None),
            ("", None),
        ] {
            assert_eq!(Shell::of_program(program), shell, "{program}");
        }
    }

    #[test]
    fn every_shell_is_found_by_its_own_name() {
        for shell in Shell::ALL {
            assert_eq!(Shell::named(shell.name()), Some(*shell));
        }
    }
}
