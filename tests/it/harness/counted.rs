//! A profile whose process is counted: the one that `jit setup` wrote, with a line written for each run.
//! Owns the program in between. Refuses to change what it passes on.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::sdks::Sdk;
use super::sealed_box::SealedBox;
use super::wait::LIMIT;

/// A machine with a counted profile for a target.
pub struct Counted {
    log: PathBuf,
    profile: String,
}

/// What one program saw and did.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Runs of the process.
    pub runs: usize,
    /// A line of each call.
    pub lines: Vec<String>,
    /// What stood on stderr.
    pub stderr: String,
    /// Milliseconds to its end.
    pub took_ms: u128,
}

impl Seen {
    /// Every call was signed and answered.
    #[track_caller]
    pub fn all_done(&self, name: &str, calls: usize) {
        let done = self.lines.iter().filter(|line| line.starts_with("done ")).count();
        assert_eq!((done, self.lines.len()), (calls, calls), "{name}: {self:?}");
    }
}

impl Counted {
    /// `jit setup ARGS`, then a program before the one that the profile names.
    #[track_caller]
    pub fn set_up(machine: &SealedBox, target: &str, args: &[&str]) -> Self {
        drop(machine.jit(&[&["setup", target], args].concat()).exits(0));
        let (config, log) = (machine.home().join(".aws/config"), machine.home().join("runs"));
        let (text, between) = (fs::read_to_string(&config).unwrap(), machine.home().join("counted"));
        let (section, key) = (format!("[profile jit-{target}]\n"), "credential_process = ");
        let (before, ours) = text.split_once(&section).expect("a profile of ours");
        let (between_them, rest) = ours.split_once(key).expect("its command");
        let begins = format!("{section}{between_them}{key}");
        let (program, after) = rest.split_once(' ').unwrap();
        let script = format!("#!/bin/sh\necho run >>'{}'\nexec {program} \"$@\"\n", log.display());
        fs::write(&between, script).unwrap();
        fs::set_permissions(&between, PermissionsExt::from_mode(0o700)).unwrap();
        fs::write(&config, format!("{before}{begins}{} {after}", between.display())).unwrap();
        Self {
            log,
            profile: format!("jit-{target}"),
        }
    }

    /// How often the process has run so far.
    pub fn runs(&self) -> usize {
        fs::read_to_string(&self.log).map_or(0, |text| text.lines().count())
    }

    /// `calls` calls of one program.
    #[track_caller]
    pub fn calls(&self, machine: &SealedBox, sdk: &Sdk, endpoint: &str, calls: usize) -> Seen {
        self.calls_with(machine, sdk, endpoint, calls, &[])
    }

    /// The same with variables of its own.
    #[track_caller]
    pub fn calls_with(
        &self,
        machine: &SealedBox,
        sdk: &Sdk,
        endpoint: &str,
        calls: usize,
        env: &[(&str, &str)],
    ) -> Seen {
        let (before, begun) = (self.runs(), std::time::Instant::now());
        let command = sdk.command(machine, &self.profile, endpoint).input("\n".repeat(calls));
        let command = env
            .iter()
            .fold(command, |command, (name, value)| command.env(name, *value));
        let run = command.run_within(LIMIT * 2);
        Seen {
            runs: self.runs() - before,
            lines: run.stdout.lines().map(str::to_owned).collect(),
            stderr: run.stderr,
            took_ms: begun.elapsed().as_millis(),
        }
    }

    /// Programs, each with one call, all started before any ends; what they said, with their names.
    #[track_caller]
    pub fn at_once(&self, machine: &SealedBox, sdks: &[Sdk], endpoint: &str) -> Vec<(&'static str, String)> {
        let start = |sdk: &Sdk| sdk.command(machine, &self.profile, endpoint).input("\n").start();
        let all: Vec<_> = sdks.iter().map(|sdk| (sdk.name, start(sdk))).collect();
        all.into_iter()
            .map(|(name, running)| (name, running.finish(LIMIT * 4).stdout))
            .collect()
    }
}
