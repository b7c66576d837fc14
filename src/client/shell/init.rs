//! The scripts of `jit shell-init`: what stands behind a shell's completion script.
//! Refuses to write a path unquoted into a script.

use std::path::Path;

use super::{Shell, quoted};
use crate::error::{Error, Result};

/// What a script is made from.
#[derive(Clone, Copy, Debug)]
pub struct Init<'a> {
    /// The file of what is live.
    pub live: &'a Path,
    /// The file of the targets' names.
    pub targets: &'a Path,
    /// Verbs that take a target.
    pub verbs: &'a [String],
    /// Flags that take a value.
    pub flags: &'a [String],
}

impl Init<'_> {
    /// The script around `completion`, which clap made.
    ///
    /// # Errors
    /// Exit 3 for a folder whose path is no text; exit 2 for what has no script.
    pub fn script(&self, shell: Shell, completion: &str) -> Result<String> {
        match shell {
            // ours asks clap's, and adds
            Shell::Bash => {
                let own = completion.replace(" -F _jit ", " -F __jit_complete ");
                self.filled(shell, &own, include_str!("scripts/jit.bash"), " | ")
            }
            Shell::Zsh => {
                // loading it is left to the end, where compinit may be missing
                let functions = completion.split("\nif [ \"$funcstack[1]\" = \"_jit\" ]").next();
                let own = named_in_zsh(functions.unwrap_or_default());
                self.filled(shell, &own, include_str!("scripts/jit.zsh"), " | ")
            }
            Shell::Fish => self.filled(shell, completion, include_str!("scripts/jit.fish"), " "),
            Shell::Elvish => self.filled(shell, completion, include_str!("scripts/jit.elv"), " "),
            Shell::Nu => {
                let (start, rest) = completion.split_once('\n').unwrap_or((completion, ""));
                let names = include_str!("scripts/names.nu");
                let own = format!("{start}\n{names}{}", named_in_nu(rest));
                self.filled(shell, &own, include_str!("scripts/jit.nu"), " ")
            }
            Shell::Pwsh => {
                let block = "Register-ArgumentCompleter -Native -CommandName 'jit' -ScriptBlock ";
                let own = completion.replace(block, "$global:JitStatic = ");
                self.filled(shell, &own, include_str!("scripts/jit.ps1"), ", ")
            }
            Shell::Sh | Shell::Cmd | Shell::Dotenv => Err(Error::usage(format!(
                "{} has no prompt and no completion",
                shell.name()
            ))),
        }
    }

    fn filled(&self, shell: Shell, completion: &str, rest: &str, between: &str) -> Result<String> {
        let joined = |words: &[String]| {
            let words = words.iter().map(|word| match shell {
                Shell::Pwsh => format!("'{word}'"),
                _ => word.clone(),
            });
            words.collect::<Vec<_>>().join(between)
        };
        let text = format!("{completion}\n{rest}")
            .replace("@VERBS@", &joined(self.verbs))
            .replace("@FLAGS@", &joined(self.flags));
        // last: a folder may be called like a place
        let (before, after) = text.split_once("@LIVE@").unwrap_or((&text, ""));
        let (live, targets) = (path(shell, self.live)?, path(shell, self.targets)?);
        Ok(format!(
            "{}{live}{}",
            before.replace("@TARGETS@", &targets),
            after.replace("@TARGETS@", &targets)
        ))
    }
}

/// A path as one word of a script.
fn path(shell: Shell, path: &Path) -> Result<String> {
    let refused = || Error::configuration(format!("{} cannot stand in a script", path.display()));
    let text = path.to_str().filter(|text| !text.contains(char::is_control));
    let text = text.ok_or_else(refused)?;
    if shell == Shell::Nu {
        // nu's own strings know no escapes of JSON
        let fence = "#".repeat(1 + text.matches('#').count());
        return Ok(format!("r{fence}'{text}'{fence}"));
    }
    quoted(shell, text).ok_or_else(refused)
}

/// Targets and requests are completed by name.
fn named_in_zsh(script: &str) -> String {
    let line = |line: &str| {
        let takes_name = ["target -- ", "targets -- ", "request -- "].iter().any(|name| {
            let after = line.trim_start_matches(['\'', '*', ':']);
            line.starts_with('\'') && after.starts_with(name)
        });
        match takes_name {
            true => line.replace(":_default'", ":__jit_names'"),
            false => line.to_owned(),
        }
    };
    script.lines().map(|text| line(text) + "\n").collect()
}

fn named_in_nu(script: &str) -> String {
    let line = |line: &str| {
        let name = line.trim_start().trim_start_matches("...");
        let takes_name = ["target", "targets", "request"].iter().any(|word| {
            let rest = name
                .strip_prefix(word)
                .map(|rest| rest.strip_prefix('?').unwrap_or(rest));
            rest.is_some_and(|rest| rest.starts_with(": string"))
        });
        match takes_name {
            true => line.replacen(": string", ": string@\"nu-complete jit targets\"", 1),
            false => line.to_owned(),
        }
    };
    script.lines().map(|text| line(text) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(shell: Shell, live: &str) -> Result<String> {
        let (verbs, flags) = (["drop".to_owned(), "use".to_owned()], ["--for".to_owned()]);
        let init = Init {
            live: Path::new(live),
            targets: Path::new("/s/targets"),
            verbs: &verbs,
            flags: &flags,
        };
        init.script(shell, "complete -F _jit -o nosort jit\n':target -- What:_default' \\\n")
    }

    #[test]
    fn script_has_every_place_filled() {
        for shell in [
            Shell::Bash,
            Shell::Zsh,
            Shell::Fish,
            Shell::Elvish,
            Shell::Nu,
            Shell::Pwsh,
        ] {
            let text = script(shell, "/s/live").unwrap();
            assert!(!text.contains("@LIVE@") && !text.contains("@VERBS@"), "{shell:?}");
            assert!(!text.contains("@TARGETS@") && !text.contains("@FLAGS@"), "{shell:?}");
            assert!(text.contains("/s/live") && text.contains("/s/targets"), "{shell:?}");
        }
        assert!(script(Shell::Bash, "/s/live").unwrap().contains("drop | use) ;;"));
        assert!(script(Shell::Zsh, "/s/live").unwrap().contains("What:__jit_names'"));
        assert_eq!(script(Shell::Dotenv, "/s/live").unwrap_err().exit.code(), 2);
    }

    #[test]
    fn attack_16_folder_is_one_word_of_the_script() {
        let text = script(Shell::Bash, "/s/$(touch x)'; touch x/@TARGETS@").unwrap();
        assert!(text.contains(r"__jit_live_file='/s/$(touch x)'\''; touch x/@TARGETS@'"));
        assert!(script(Shell::Nu, "/s/#'x").unwrap().contains("r##'/s/#'x'##"));
        assert_eq!(script(Shell::Bash, "/s/a\nb").unwrap_err().exit.code(), 3);
    }
}
