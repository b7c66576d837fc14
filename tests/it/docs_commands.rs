//! Every command in the documents is typed as it stands there, in a sealed box, against the real programs.
//! Ports of the examples become free ones (7878 is where `jit serve --dev` listens), `CODE-OF-NAME` what `jit serve --dev` printed. Refuses a block that is
//! skipped without a reason.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use crate::docs_blocks::{Block, Play, TOP, blocks, documents, read};
use crate::harness::{JitCommand, LIMIT, Running, SealedBox, jit_credential_program, jit_program, venv_program};

/// A terminal keeps what was exported in it; `$1` is where, `$2` what is typed.
const TYPED: &str = r#"[ ! -f "$1" ] || . "$1"; set -o pipefail; eval "$2"; code=$?; export -p >"$1"; exit $code"#;
/// The same, left running in a process group of its own until stdin closes, however this test ends.
const UNTIL_STDIN_CLOSES: &str = r#"[ ! -f "$1" ] || . "$1"; set -m
(eval "$2") </dev/null & pid=$!
(read -r _; kill -- -"$pid") & reader=$!
wait "$pid"; code=$?
kill "$reader" 2>/dev/null
exit $code"#;

/// One document that is played.
struct Stage {
    document: String,
    machine: SealedBox,
    /// Text of the document, and what stands for it here.
    replaced: Vec<(String, String)>,
    stays: Vec<Running>,
    goes_on: Vec<Running>,
}

impl Stage {
    fn new(document: &str) -> Self {
        let mut machine = SealedBox::new()
            .with_program(jit_program())
            .with_program(&jit_credential_program())
            .with_program(&venv_program("aws"));
        let path = format!("{}:/usr/bin:/bin", machine.home().join("../bin").display());
        machine.set_env("PATH", path);
        machine.set_env("AWS_EC2_METADATA_DISABLED", "true");
        machine.set_env("AWS_PAGER", "");
        let here = machine.home().join("jit");
        std::fs::create_dir(&here).unwrap();
        for name in ["tests", ".cache"] {
            std::os::unix::fs::symlink(Path::new(TOP).join(name), here.join(name)).unwrap();
        }
        let port = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut replaced = vec![(
            "jit serve --dev".to_owned(),
            "jit serve --dev --listen 127.0.0.1:7878".to_owned(),
        )];
        replaced.extend(["7878", "4566"].map(|written| (written.to_owned(), port().to_string())));
        Self {
            document: document.to_owned(),
            machine,
            replaced,
            stays: Vec::new(),
            goes_on: Vec::new(),
        }
    }

    fn typed(&self, how: &str, text: &str) -> JitCommand {
        let text = self
            .replaced
            .iter()
            .fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        let exports = self.machine.home().join(".exports");
        let args = ["-c", how, "bash", exports.to_str().unwrap(), &text];
        self.machine
            .command("/bin/bash", &args)
            .in_folder(&self.machine.home().join("jit"))
    }

    #[track_caller]
    fn play(&mut self, block: &Block) {
        let place = format!("{}:{}", self.document, block.line);
        match &block.play {
            Play::Skip(why) => println!("not run: {place}: {why}"),
            Play::Through if block.language == "console" => self.compare(&place, &block.text),
            Play::Through => {
                let run = self
                    .typed(TYPED, &format!("set -e\n{}", block.text))
                    .run_within(Duration::from_secs(120));
                assert_eq!(run.status, Some(0), "{place}\n{run}");
            }
            Play::Stays(until) | Play::GoesOn(until) => {
                let running = self.typed(UNTIL_STDIN_CLOSES, &block.text).kept_open().start();
                running.wait_for_either(until, LIMIT);
                self.codes(&running);
                match block.play {
                    Play::Stays(_) => self.stays.push(running),
                    _ => self.goes_on.push(running),
                }
            }
        }
    }

    /// Takes the one-time codes that a backend printed.
    fn codes(&mut self, running: &Running) {
        let said = running.said();
        for line in said.lines() {
            let mut words = line.split_whitespace();
            let name = words.by_ref().skip_while(|word| *word != "--identity").nth(1);
            let code = words.skip_while(|word| *word != "--code").nth(1);
            if let (Some(name), Some(code)) = (name, code) {
                self.replaced
                    .push((format!("CODE-OF-{}", name.to_uppercase()), code.to_owned()));
            }
        }
    }

    /// Types each line behind `$ ` and holds what stands below it against what was printed.
    #[track_caller]
    fn compare(&self, place: &str, text: &str) {
        for (command, expected) in conversation(text) {
            let run = self.typed(TYPED, &command).run();
            assert_eq!(run.status, Some(0), "{place}: {command}\n{run}");
            for line in expected {
                let line = self
                    .replaced
                    .iter()
                    .fold(line, |line, (from, to)| line.replace(from, to));
                let printed = format!("{}{}", run.stdout, run.stderr);
                assert!(
                    printed.lines().any(|printed| fits(printed, &line)),
                    "{place}: {command}\nshould print: {line}\n{run}"
                );
            }
        }
    }

    /// The end of the document: what goes on must end well, what stays is stopped.
    #[track_caller]
    fn close(mut self) {
        for running in self.goes_on.drain(..) {
            let run = running.finish_by_itself(LIMIT);
            assert_eq!(run.status, Some(0), "{}\n{run}", self.document);
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Closing their stdin stops whole groups; a kill would leave their children.
        for running in self.stays.drain(..).chain(self.goes_on.drain(..)).rev() {
            drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                running.finish(LIMIT)
            })));
        }
    }
}

/// The commands of a `console` block, each with the lines that it should print.
fn conversation(text: &str) -> Vec<(String, Vec<String>)> {
    let mut said: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("$ "), said.last_mut()) {
            (Some(command), _) => said.push((command.to_owned(), Vec::new())),
            (None, Some((command, _))) if command.ends_with('\\') => {
                command.truncate(command.len() - 1);
                command.push_str(line.trim_start());
            }
            (None, Some((_, expected))) => expected.push(line.to_owned()),
            (None, None) => panic!("a console block begins with `$ `: {line}"),
        }
    }
    said
}

/// Whether a printed line is the expected one, where `…` stands for anything.
fn fits(printed: &str, expected: &str) -> bool {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (printed, expected) = (words(printed), words(expected));
    let mut rest = printed.as_str();
    let mut parts = expected.split('…');
    let Some(after) = rest.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    rest = after;
    let mut open = false;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        open = part.is_empty();
    }
    rest.is_empty() || open
}

#[track_caller]
fn play(document: &str) {
    let mut stage = Stage::new(document);
    for block in blocks(&read(document)) {
        if ["sh", "console"].contains(&block.language.as_str()) {
            stage.play(&block);
        }
    }
    stage.close();
}

#[test]
fn readme_does_what_it_says() {
    play("README.md");
}

#[test]
fn aws_page_does_what_it_says() {
    play("docs/aws.md");
}

#[test]
fn lifecycle_page_does_what_it_says() {
    play("docs/lifecycle.md");
}

#[test]
fn policy_page_does_what_it_says() {
    play("docs/policy.md");
}

#[test]
fn other_pages_do_what_they_say() {
    let played = ["README.md", "docs/aws.md", "docs/lifecycle.md", "docs/policy.md"];
    for document in documents() {
        let document = document.to_str().unwrap();
        if !played.contains(&document) {
            play(document);
        }
    }
}

#[test]
fn two_commands_of_the_readme_are_what_ci_plays() {
    let first = &blocks(&read("README.md"))[0];
    let ci = read(".ci/run");
    for line in first.text.lines() {
        let command = line.split_whitespace().next().unwrap();
        assert!(ci.contains(command), "{command} of the README is not in .ci/run");
    }
}

#[test]
fn json_in_the_documents_can_be_read() {
    for document in documents() {
        for block in blocks(&read(&document)).iter().filter(|block| block.language == "json") {
            let read = serde_json::from_str::<serde_json::Value>(&block.text);
            assert!(read.is_ok(), "{}:{}: {read:?}", document.display(), block.line);
        }
    }
}

#[test]
fn ellipsis_stands_for_anything_within_a_line() {
    assert!(fits("req_7h3k  alice  0 s ago", "req_… alice … ago"));
    assert!(fits("until 12:25", "until …"));
    assert!(!fits("until 12:25 more", "until 12:25"));
    assert!(!fits("Denied", "Approved…"));
}
