//! A compliance suite that is not ours (PyPI's scim2-tester) against the server, as a directory would call it.

use std::path::Path;
use std::process::Command;

use super::scim::{TOKEN, acme};
use super::stage::Stage;
use crate::harness::left_out;

#[tokio::test(flavor = "multi_thread")]
async fn scim_server_passes_a_suite_of_somebody_elses() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = top.join(".cache/venv-scim/bin/python");
    if !python.is_file() {
        let why = "no .cache/venv-scim: run  tests/venv.sh scim  (Python 3.11)";
        return left_out("scim_server_passes_a_suite_of_somebody_elses", why);
    }
    let stage = Stage::open_with(|settings| {
        // the suite makes groups of any name
        settings.directories.push(acme(&["*"]));
    })
    .await;
    let url = format!("http://{}/scim/v2", stage.address);
    let judged = tokio::task::spawn_blocking(move || {
        let script = top.join("tests/scim_compliance.py");
        Command::new(python).arg(script).args([&url, TOKEN]).output().unwrap()
    });
    let judged = judged.await.unwrap();
    let (lines, errors) = (
        String::from_utf8_lossy(&judged.stdout).into_owned(),
        String::from_utf8_lossy(&judged.stderr).into_owned(),
    );
    let failed: Vec<&str> = lines
        .lines()
        .filter(|line| !line.starts_with("SUCCESS ") && !line.starts_with("SKIPPED "))
        .collect();
    assert!(judged.status.success() && failed.is_empty(), "{failed:#?}\n{errors}");
    // what is not offered, and says so: looking for people and groups at once
    let skipped: Vec<&str> = lines.lines().filter(|line| line.starts_with("SKIPPED ")).collect();
    assert!(
        skipped.len() <= 2 && skipped.iter().all(|line| line.contains("/.search")),
        "{skipped:#?}"
    );
    assert!(lines.lines().count() > 40, "{lines}");
}
