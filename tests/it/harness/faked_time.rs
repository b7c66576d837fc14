//! One clock for several programs, moved by a test: hours pass without waiting.
//! Owns libfaketime's settings. Refuses monotonic time, by which programs wait, and programs without a dynamic C library.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::backend::BackendPlan;
use super::left_out::left_out;
use super::sealed_box::SealedBox;

/// Where Debian and Fedora put the library; `MT` is the one for programs with threads.
const PLACES: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/faketime",
    "/usr/lib/aarch64-linux-gnu/faketime",
    "/usr/lib64/faketime",
    "/usr/local/lib/faketime",
];

/// A clock that stands ahead of the machine's by what the test says.
pub struct FakedTime {
    folder: TempDir,
    library: PathBuf,
}

impl FakedTime {
    /// A clock that is right; none, and `test` is said to be left out, where libfaketime is missing.
    #[track_caller]
    pub fn start(test: &str) -> Option<Self> {
        let library = PLACES
            .iter()
            .map(|folder| Path::new(folder).join("libfaketimeMT.so.1"))
            .find(|file| file.is_file());
        let Some(library) = library else {
            left_out(test, "libfaketime is missing: sudo apt-get install faketime");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("jit-clock-").tempdir().unwrap();
        let clock = Self { folder, library };
        clock.set_ahead(Duration::ZERO);
        Some(clock)
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ahead")
    }

    /// From now on every program under it sees the machine's time and so much more.
    pub fn set_ahead(&self, ahead: Duration) {
        // whole or not at all: programs read it at every look at the clock
        let new = self.folder.path().join("new");
        std::fs::write(&new, format!("+{}\n", ahead.as_secs())).unwrap();
        std::fs::rename(new, self.file()).unwrap();
    }

    /// What a program is started with to live under it.
    pub fn env(&self) -> [(&'static str, OsString); 4] {
        [
            ("LD_PRELOAD", self.library.clone().into()),
            ("FAKETIME_TIMESTAMP_FILE", self.file().into()),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
        ]
    }

    /// Every later command of this box lives under it.
    pub fn rule(&self, machine: &mut SealedBox) {
        for (name, value) in self.env() {
            machine.set_env(name, value);
        }
    }

    /// The backend lives under it.
    pub fn rule_backend(&self, plan: BackendPlan) -> BackendPlan {
        self.env()
            .iter()
            .fold(plan, |plan, (name, value)| plan.env(name, value.to_str().unwrap()))
    }
}
