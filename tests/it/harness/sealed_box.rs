//! A machine of one's own for `jit`: an own HOME, an empty environment, a PATH with nothing that was not asked for.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::child::Running;
use super::redact::Redactions;
use super::run::Run;
use super::wait::LIMIT;

/// One person's machine. Its folders go when it is dropped.
pub struct SealedBox {
    folder: TempDir,
    env: BTreeMap<OsString, OsString>,
    redactions: Redactions,
}

impl SealedBox {
    /// A new machine: nobody is signed in, nothing is configured.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("jit-box-").tempdir().unwrap();
        let mut made = Self {
            folder,
            env: BTreeMap::new(),
            redactions: Redactions::default(),
        };
        for name in ["home", "bin", "tmp", "run"] {
            std::fs::create_dir(made.path(name)).unwrap();
            std::fs::set_permissions(made.path(name), PermissionsExt::from_mode(0o700)).unwrap();
        }
        for (key, name) in [
            ("HOME", "home"),
            ("PATH", "bin"),
            ("TMPDIR", "tmp"),
            ("XDG_RUNTIME_DIR", "run"),
        ] {
            made.set_env(key, made.path(name));
        }
        let home = made.home();
        for (key, name) in [
            ("CONFIG", ".config"),
            ("STATE", ".local/state"),
            ("CACHE", ".cache"),
            ("DATA", ".local/share"),
        ] {
            made.set_env(&format!("XDG_{key}_HOME"), home.join(name));
        }
        for (key, value) in [("TZ", "UTC"), ("LANG", "C.UTF-8"), ("NO_COLOR", "1")] {
            made.set_env(key, value);
        }
        made.redactions.add(home.to_str().unwrap(), "HOME");
        made.redactions.add(made.folder.path().to_str().unwrap(), "BOX");
        made
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The HOME inside.
    pub fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// Sets a variable for every later command.
    pub fn set_env(&mut self, key: &str, value: impl Into<OsString>) {
        self.env.insert(key.into(), value.into());
    }

    /// Takes a variable away for every later command.
    pub fn remove_env(&mut self, key: &str) {
        self.env.remove(std::ffi::OsStr::new(key));
    }

    /// The same machine with a variable set.
    pub fn with_env(mut self, key: &str, value: impl Into<OsString>) -> Self {
        self.set_env(key, value);
        self
    }

    /// Puts one program of this machine on the box's PATH, under its own name.
    pub fn with_program(self, program: &Path) -> Self {
        std::os::unix::fs::symlink(program, self.path("bin").join(program.file_name().unwrap())).unwrap();
        self
    }

    /// Shows `text` as `word` in every snapshot of this box.
    pub fn redact(&mut self, text: impl Into<String>, word: &'static str) {
        self.redactions.add(text, word);
    }

    /// Runs `jit ARGS` without input and waits for its end.
    pub fn jit(&self, args: &[&str]) -> Run {
        self.command(jit_program(), args).run()
    }

    /// `jit ARGS`, to be given input or to be left running.
    pub fn jit_command(&self, args: &[&str]) -> JitCommand {
        self.command(jit_program(), args)
    }

    /// Any other program in this box, by its full path.
    pub fn command(&self, program: impl AsRef<Path>, args: &[&str]) -> JitCommand {
        let mut command = Command::new(program.as_ref());
        command
            .args(args)
            .env_clear()
            .envs(&self.env)
            .current_dir(self.home())
            .stdin(Stdio::null());
        JitCommand {
            command,
            input: None,
            redactions: self.redactions.clone(),
        }
    }
}

/// The binary under test.
pub fn jit_program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_jit"))
}

/// The tiny helper, which lies beside it.
///
/// # Panics
/// When it was not built: the message says how.
#[track_caller]
pub fn jit_credential_program() -> PathBuf {
    let program = jit_program().with_file_name("jit-credential");
    assert!(
        program.is_file(),
        "jit-credential is missing: run  cargo build --release --workspace"
    );
    program
}

/// A command that is about to run in a box.
#[must_use = "run() or start() it"]
pub struct JitCommand {
    command: Command,
    input: Option<Vec<u8>>,
    redactions: Redactions,
}

impl JitCommand {
    /// Sets a variable for this command alone.
    pub fn env(mut self, key: &str, value: impl Into<OsString>) -> Self {
        self.command.env(key, value.into());
        self
    }

    /// Runs in another folder.
    pub fn in_folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Gives the command this input, then the end of it.
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.command.stdin(Stdio::piped());
        self.input = Some(input.into());
        self
    }

    /// Keeps its stdin open until it is dropped or finished.
    pub fn kept_open(mut self) -> Self {
        self.command.stdin(Stdio::piped());
        self
    }

    /// Runs it to its end, at most [`LIMIT`].
    #[track_caller]
    pub fn run(self) -> Run {
        self.start().finish(LIMIT)
    }

    /// Runs it to its end within another limit.
    #[track_caller]
    pub fn run_within(self, limit: Duration) -> Run {
        self.start().finish(limit)
    }

    /// Leaves it running.
    pub fn start(self) -> Running {
        let mut running = Running::start(self.command, self.redactions);
        if let Some(input) = self.input {
            running.feed(input);
        }
        running
    }
}
