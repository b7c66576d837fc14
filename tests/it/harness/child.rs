//! A program that still runs: its output as it comes, its end, and its death with the test that started it.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::redact::Redactions;
use super::run::Run;
use super::wait::wait_until;

#[derive(Default)]
struct Output {
    bytes: Mutex<(Vec<u8>, bool)>,
    grew: Condvar,
}

impl Output {
    fn follow(mut from: impl Read + Send + 'static) -> Arc<Self> {
        let output = Arc::new(Self::default());
        let sink = Arc::clone(&output);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let read = from.read(&mut buffer).unwrap_or(0);
                let mut bytes = sink.bytes.lock().unwrap();
                bytes.0.extend_from_slice(&buffer[..read]);
                bytes.1 = read == 0;
                sink.grew.notify_all();
                if bytes.1 {
                    return;
                }
            }
        });
        output
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap().0).into_owned()
    }

    /// The output so far once `enough` holds for it or it is closed; none when the limit passes first.
    fn wait(&self, limit: Duration, enough: impl Fn(&str) -> bool) -> Option<String> {
        let end = Instant::now() + limit;
        let mut bytes = self.bytes.lock().unwrap();
        loop {
            let text = String::from_utf8_lossy(&bytes.0).into_owned();
            if bytes.1 || enough(&text) {
                return Some(text);
            }
            let left = end.checked_duration_since(Instant::now())?;
            bytes = self.grew.wait_timeout(bytes, left).unwrap().0;
        }
    }
}

/// A running program. Killed when dropped.
#[must_use = "finish() it, or keep it alive"]
pub struct Running {
    child: Child,
    stdout: Arc<Output>,
    stderr: Arc<Output>,
    command: String,
    redactions: Redactions,
}

impl Running {
    /// Starts `command` with both outputs followed. Its stdin is what the caller set.
    pub fn start(mut command: Command, redactions: Redactions) -> Self {
        let shown = format!("{command:?}");
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{shown}: {error}"));
        let stdout = Output::follow(child.stdout.take().unwrap());
        let stderr = Output::follow(child.stderr.take().unwrap());
        Self {
            child,
            stdout,
            stderr,
            command: shown,
            redactions,
        }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Gives the program its whole input and closes it.
    pub fn feed(&mut self, input: Vec<u8>) {
        if let Some(mut stdin) = self.child.stdin.take() {
            // A program may end before it has read everything: a closed pipe is its answer, not our failure.
            std::thread::spawn(move || std::io::Write::write_all(&mut stdin, &input));
        }
    }

    /// Gives a program that was kept open one more part of its input.
    #[track_caller]
    pub fn say(&mut self, input: &str) {
        let stdin = self.child.stdin.as_mut().expect("its stdin was kept open");
        std::io::Write::write_all(stdin, input.as_bytes()).unwrap();
    }

    /// Closes the input of a program that was kept open: the end, for one that runs until then.
    pub fn close_input(&mut self) {
        drop(self.child.stdin.take());
    }

    /// The first whole line of stdout that contains `text`.
    #[track_caller]
    pub fn stdout_line(&self, text: &str, limit: Duration) -> String {
        self.line(&self.stdout, "stdout", text, limit)
    }

    /// The first whole line of stderr that contains `text`.
    #[track_caller]
    pub fn stderr_line(&self, text: &str, limit: Duration) -> String {
        self.line(&self.stderr, "stderr", text, limit)
    }

    #[track_caller]
    fn line(&self, output: &Output, name: &str, text: &str, limit: Duration) -> String {
        let find = |all: &str| {
            all.split_inclusive('\n')
                .find(|l| l.ends_with('\n') && l.contains(text))
                .map(|l| l.trim_end().to_owned())
        };
        let seen = output.wait(limit, |all| find(all).is_some());
        seen.as_deref().and_then(find).unwrap_or_else(|| {
            panic!(
                "no {name} line with {text:?} within {limit:?}: {}\nstdout: {}\nstderr: {}",
                self.command,
                self.stdout.text(),
                self.stderr.text()
            )
        })
    }

    /// Goes on once a line of stdout or stderr contains `text`.
    #[track_caller]
    pub fn wait_for_either(&self, text: &str, limit: Duration) {
        let begun = Instant::now();
        super::wait::wait_until(&format!("{text:?} of {}", self.command), limit, || {
            let ended = self.stdout.bytes.lock().unwrap().1 && self.stderr.bytes.lock().unwrap().1;
            let said = self.said();
            assert!(
                !ended || said.contains(text),
                "ended after {:?}: {said}",
                begun.elapsed()
            );
            said.contains(text).then_some(())
        });
    }

    /// Everything that it has said so far, stdout before stderr.
    pub fn said(&self) -> String {
        self.stdout.text() + &self.stderr.text()
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends a signal: `Signal::INT` is the interrupt key.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }

    /// Ends it without a chance to tidy up, as a power cut does.
    pub fn kill(&mut self) {
        // Already gone is as good.
        drop(self.child.kill());
        self.child.wait().unwrap();
    }

    /// Waits for its end, its stdin closed.
    #[track_caller]
    pub fn finish(mut self, limit: Duration) -> Run {
        self.close_input();
        self.finish_by_itself(limit)
    }

    /// Waits for its end with its stdin left open.
    #[track_caller]
    pub fn finish_by_itself(mut self, limit: Duration) -> Run {
        let begun = Instant::now();
        let closed = self
            .stdout
            .wait(limit, |_| false)
            .and(self.stderr.wait(limit, |_| false));
        assert!(
            closed.is_some(),
            "still runs after {limit:?}: {}\nstdout: {}\nstderr: {}",
            self.command,
            self.stdout.text(),
            self.stderr.text()
        );
        let left = limit.saturating_sub(begun.elapsed());
        let status = wait_until("the end of a program", left, || self.child.try_wait().unwrap());
        Run {
            status: status.code(),
            stdout: self.stdout.text(),
            stderr: self.stderr.text(),
            command: self.command.clone(),
            redactions: self.redactions.clone(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.is_alive() {
            self.kill();
        }
    }
}
