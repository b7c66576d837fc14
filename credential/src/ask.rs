//! Recognises the hot command on a command line, before any parser of flags is started.
//! Owns the simple shape: a target, `--server`, `--identity`, and what only a miss reads (`--request-on-miss`,
//! `--reason`). Refuses everything else: clap decides that.

use std::ffi::OsString;

/// Which program was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// `jit`: the verb `credential-process` is on the line.
    Jit,
    /// `jit-credential`: there is no verb.
    Helper,
}

/// What is asked for, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask<'a> {
    /// The target.
    pub target: &'a str,
    /// `--server`.
    pub server: Option<&'a str>,
    /// `--identity`.
    pub identity: Option<&'a str>,
}

impl<'a> Ask<'a> {
    /// Reads the arguments after the program's name; `None` for any other shape.
    pub fn parse(program: Program, args: &'a [OsString]) -> Option<Self> {
        let (mut target, mut server, mut identity) = (None, None, None);
        let mut verb_is_due = program == Program::Jit;
        let (mut asks, mut reason) = (None, None);
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            let arg = arg.to_str()?;
            let Some(flag) = arg.strip_prefix("--") else {
                if arg.starts_with('-') {
                    return None;
                }
                if std::mem::take(&mut verb_is_due) {
                    if arg != "credential-process" {
                        return None;
                    }
                } else if target.replace(arg).is_some() {
                    return None;
                }
                continue;
            };
            if flag == "request-on-miss" {
                if asks.replace(()).is_some() {
                    return None;
                }
                continue;
            }
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, value),
                None => (flag, rest.next()?.to_str()?),
            };
            let seen = match name {
                "server" => server.replace(value),
                "identity" => identity.replace(value),
                "reason" => reason.replace(value),
                _ => return None,
            };
            if seen.is_some() || value.is_empty() || value.starts_with('-') {
                return None;
            }
        }
        if reason.is_some() && asks.is_none() {
            return None;
        }
        Some(Ask {
            target: target.filter(|_| !verb_is_due)?,
            server,
            identity,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(program: Program, line: &str) -> Option<(String, Option<String>, Option<String>)> {
        let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let ask = Ask::parse(program, &args)?;
        Some((
            ask.target.to_owned(),
            ask.server.map(str::to_owned),
            ask.identity.map(str::to_owned),
        ))
    }

    #[test]
    fn flags_stand_before_or_after_the_verb() {
        let full = Some(("prod".into(), Some("https://h".into()), Some("bob".into())));
        for line in [
            "credential-process prod --server https://h --identity bob",
            "--server=https://h credential-process --identity=bob prod",
            "--server https://h --identity bob credential-process prod",
        ] {
            assert_eq!(parsed(Program::Jit, line), full, "{line}");
        }
        assert_eq!(parsed(Program::Helper, "--identity bob prod --server=https://h"), full);
        for line in [
            "prod --server https://h --identity bob --request-on-miss",
            "--request-on-miss --identity bob prod --server https://h --reason nightly",
        ] {
            assert_eq!(parsed(Program::Helper, line), full, "{line}");
        }
        assert_eq!(parsed(Program::Helper, "prod"), Some(("prod".into(), None, None)));
    }

    #[test]
    fn values_are_never_taken_for_verbs() {
        let line = "--identity credential-process credential-process prod";
        assert_eq!(
            parsed(Program::Jit, line),
            Some(("prod".into(), None, Some("credential-process".into())))
        );
        let helper = parsed(Program::Helper, "credential-process");
        assert_eq!(helper, Some(("credential-process".into(), None, None)));
    }

    #[test]
    fn other_shapes_are_left_to_clap() {
        for line in [
            "",
            "status",
            "credential-process",
            "credential-process a b",
            "credential-process a -v",
            "credential-process -- a",
            "credential-process a --server",
            "credential-process a --server=",
            "credential-process a --server -x",
            "credential-process a --identity=b --identity=c",
            "credential-process a --help",
            "credential-process a --reason x",
            "credential-process a --request-on-miss=x",
            "credential-process a --request-on-miss --request-on-miss",
            "credential-process a --request-on-miss --reason",
            "-o json credential-process a",
            "prod credential-process",
            "credential-process a --server --identity b",
        ] {
            assert_eq!(parsed(Program::Jit, line), None, "{line}");
        }
    }

    #[test]
    fn arguments_beyond_utf8_are_left_to_clap() {
        use std::os::unix::ffi::OsStringExt;
        assert_eq!(Ask::parse(Program::Helper, &[OsString::from_vec(vec![0xff])]), None);
    }
}
