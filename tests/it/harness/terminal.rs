//! A real terminal for a program of a box, played by tmux: what stands on the screen, and keys.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::left_out::{is_there, left_out};
use super::sealed_box::{SealedBox, jit_program};
use super::wait::{LIMIT, wait_until};

/// A screen of 100 × 30 on which one program runs. Gone when dropped.
pub struct Terminal<'a> {
    machine: &'a SealedBox,
    tmux: PathBuf,
}

impl<'a> Terminal<'a> {
    /// Runs `jit ARGS` on a terminal of `machine`. None where tmux is missing, which `test` then says.
    #[track_caller]
    pub fn jit(machine: &'a SealedBox, test: &str, args: &[&str]) -> Option<Self> {
        Self::start(machine, test, jit_program(), args)
    }

    /// Runs any other program, by its full path.
    #[track_caller]
    pub fn start(machine: &'a SealedBox, test: &str, program: &Path, args: &[&str]) -> Option<Self> {
        let Some(tmux) = is_there("tmux") else {
            left_out(test, "tmux is missing");
            return None;
        };
        let terminal = Self { machine, tmux };
        // Read by the tmux server alone: the last screen stays when the program has ended.
        let settings = machine.home().join(".tmux.conf");
        std::fs::write(
            settings,
            "set -g remain-on-exit on\nset -g default-terminal tmux-256color\n",
        )
        .unwrap();
        // tmux's own word on how a program ended can be late for ever on a busy machine: a shell writes it down
        let (note, ended) = ("\"$@\"; echo $? >\"$0\"", terminal.ended());
        let mut command = vec!["new-session", "-d", "-x", "100", "-y", "30", "/bin/sh", "-c", note];
        command.extend([ended.to_str().unwrap(), program.to_str().unwrap()]);
        command.extend(args);
        terminal.tmux(&command);
        Some(terminal)
    }

    /// Where the exit code is written.
    fn ended(&self) -> PathBuf {
        self.machine.home().join("../tmp/ended")
    }

    #[track_caller]
    fn tmux(&self, args: &[&str]) -> String {
        let socket = self.machine.home().join("../tmp/tmux");
        let mut all = vec!["-S", socket.to_str().unwrap()];
        all.extend(args);
        let run = self
            .machine
            .command(&self.tmux, &all)
            .env("TERM", "xterm-256color")
            .run();
        run.exits(0).stdout
    }

    /// What stands on the screen.
    #[track_caller]
    pub fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"]).trim_end().to_owned()
    }

    /// The screen once `text` stands on it.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_for_within(text, LIMIT)
    }

    /// The same with another limit.
    #[track_caller]
    pub fn wait_for_within(&self, text: &str, limit: Duration) -> String {
        wait_until(&format!("{text:?} on the screen"), limit, || {
            let screen = self.screen();
            screen.contains(text).then_some(screen)
        })
    }

    /// Types text as it is.
    #[track_caller]
    pub fn types(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
    }

    /// Presses one key by tmux's name for it: `Enter`, `C-c`, `Down`.
    #[track_caller]
    pub fn presses(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    /// The program's exit code, once it has ended.
    #[track_caller]
    pub fn exit_code(&self) -> i32 {
        wait_until("the end of the program on the terminal", LIMIT, || {
            std::fs::read_to_string(self.ended()).ok()?.trim().parse().ok()
        })
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.tmux(&["kill-server"]);
            return;
        }
        // Another panic here would hide the first one.
        let socket = self.machine.home().join("../tmp/tmux");
        drop(
            std::process::Command::new(&self.tmux)
                .arg("-S")
                .arg(socket)
                .arg("kill-server")
                .output(),
        );
    }
}
