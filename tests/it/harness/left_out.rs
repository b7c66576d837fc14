//! Tests that cannot run here say so: in CI that is a failure, elsewhere `tests/run` counts and names them.

use std::io::Write;
use std::path::{Path, PathBuf};

/// Says that `test` was left out. `tests/run` reads the file that `JIT_TEST_LEFT_OUT` names.
///
/// # Panics
/// With `CI=true`: there everything must be installed.
#[track_caller]
pub fn left_out(test: &str, why: &str) {
    assert!(
        std::env::var_os("CI").is_none_or(|ci| ci != "true"),
        "{test} cannot run: {why}"
    );
    left_out_everywhere(test, why);
}

/// The same where no package registry has what is missing: in CI, too, that is no failure.
pub fn left_out_everywhere(test: &str, why: &str) {
    eprintln!("LEFT OUT {test}: {why}");
    if let Some(list) = std::env::var_os("JIT_TEST_LEFT_OUT") {
        let mut list = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(list)
            .unwrap();
        writeln!(list, "{test}: {why}").unwrap();
    }
}

/// Where `program` is on the PATH of whoever runs the tests, or among the shells of `tests/sdks.sh`, if it is there.
pub fn is_there(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let made = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(".cache/shells")
        .join(program);
    std::env::split_paths(&path)
        .chain([made.join("bin")])
        .map(|folder: PathBuf| folder.join(program))
        .find(|file: &PathBuf| Path::is_file(file))
}

/// The long count under `tests/run --deep`, else the short one.
pub fn deep(short: u32, long: u32) -> u32 {
    if std::env::var_os("JIT_TEST_DEEP").is_some() {
        long
    } else {
        short
    }
}
