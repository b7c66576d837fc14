//! Opens an address in the person's browser. Owns which program that is.
//! Refuses to wait for it longer than a moment, to give it our terminal, and to run it through a shell.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::error::{Error, Result};

/// Whoever opens a page in a browser that runs is done by then.
const LIMIT: Duration = Duration::from_secs(3);

/// What became of the browser's program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// It ended well.
    Done,
    /// It still runs: a browser that was started, or one that hangs.
    Running,
}

/// Opens `address` with the programs that `browser` lists as `$BROWSER` does (`a:b %s`), else with the platform's.
///
/// # Errors
/// Exit 3 where none can be started, or the one that was failed.
pub fn open(address: &SecretString, browser: Option<&str>) -> Result<Opened> {
    for words in commands(browser, address.expose_secret()) {
        let Some((program, args)) = words.split_first() else {
            continue;
        };
        let mut command = Command::new(program);
        // in a group of its own it outlives this terminal's interrupt key
        command.args(args).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match command.spawn() {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {}
            Err(error) => return Err(failed(format!("{}: {error}", program.to_string_lossy()))),
            Ok(mut child) => {
                let (say, heard) = mpsc::channel();
                // it may outlive this command: then nobody hears
                std::thread::spawn(move || say.send(child.wait()));
                return match heard.recv_timeout(LIMIT) {
                    Ok(Ok(status)) if !status.success() => {
                        Err(failed(format!("{} failed: {status}", program.to_string_lossy())))
                    }
                    Ok(_) => Ok(Opened::Done),
                    Err(_) => Ok(Opened::Running),
                };
            }
        }
    }
    Err(failed("no browser can be started here".to_owned()))
}

fn failed(message: String) -> Error {
    Error::configuration(message)
}

/// Programs with their arguments, in the order in which they are tried.
fn commands(browser: Option<&str>, address: &str) -> Vec<Vec<OsString>> {
    let own: &[&str] = if cfg!(target_os = "macos") {
        &["open"]
    } else {
        &["xdg-open", "wslview", "x-www-browser"]
    };
    let listed = browser.map(|list| list.split(':').collect::<Vec<_>>());
    listed
        .unwrap_or_else(|| own.to_vec())
        .into_iter()
        .filter(|command| !command.trim().is_empty())
        .map(|command| {
            let mut words: Vec<OsString> = command
                .split_whitespace()
                .map(|word| word.replace("%s", address).into())
                .collect();
            if !command.contains("%s") {
                words.push(address.into());
            }
            words
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(browser: &str) -> Result<Opened> {
        open(&SecretString::from("https://h/?a=$(touch x)"), Some(browser))
    }

    #[test]
    fn browser_is_a_list_of_commands_and_no_shell() {
        let words = commands(Some("lynx -x:fire fox %s "), "https://h/;x");
        assert_eq!(
            words,
            [vec!["lynx", "-x", "https://h/;x"], vec!["fire", "fox", "https://h/;x"]]
        );
        assert!(commands(Some(" : "), "https://h").is_empty());
    }

    #[test]
    fn browser_that_is_missing_gives_way_to_the_next() {
        assert_eq!(opened("/nonexistent/browser:/bin/true").unwrap(), Opened::Done);
        assert_eq!(opened("/nonexistent/browser").unwrap_err().exit.code(), 3);
        assert_eq!(opened("/bin/false").unwrap_err().exit.code(), 3);
    }

    #[test]
    fn browser_that_hangs_is_left_alone() {
        let temp = tempfile::tempdir().unwrap();
        let script = temp.path().join("browser");
        std::fs::write(&script, "exec /bin/sleep 8\n").unwrap();
        let browser = format!("/bin/sh {} %s", script.display());
        assert_eq!(opened(&browser).unwrap(), Opened::Running);
    }
}
