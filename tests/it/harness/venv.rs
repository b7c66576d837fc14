//! The pinned Python packages of the tests, which `tests/venv.sh` puts under `.cache/venv`.

use std::path::{Path, PathBuf};

/// A program of the venv.
///
/// # Panics
/// When the venv was not made: the message says how.
#[track_caller]
pub fn venv_program(name: &str) -> PathBuf {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/venv/bin").join(name);
    assert!(
        program.is_file(),
        "{name} of the tests' venv is missing: run  tests/venv.sh"
    );
    program
}
