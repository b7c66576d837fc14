//! A disk without room under the backend: played by the kernel's limit on the size of a file, which the backend meets
//! at its next write. The limit can be lifted while it runs, as somebody makes room.

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::harness::{LIMIT, Running, SealedBox, StsRecorder, jit_program};

/// The signal that the limit sends is ignored, so that the write fails as on a full disk.
const IGNORING_THE_SIGNAL: &str = r#"trap "" XFSZ; exec "$@""#;

struct Crowded {
    alice: SealedBox,
    backend: Running,
    _folder: tempfile::TempDir,
    _sts: StsRecorder,
}

fn crowded() -> Crowded {
    let (sts, folder) = (StsRecorder::start(), tempfile::tempdir().unwrap());
    let mut alice = SealedBox::new();
    for (key, value) in [
        ("AWS_ENDPOINT_URL", sts.url.as_str()),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ] {
        alice.set_env(key, value);
    }
    let data = folder.path().join("data");
    let args = [
        "-c",
        IGNORING_THE_SIGNAL,
        "sh",
        jit_program().to_str().unwrap(),
        "serve",
        "--dev",
        "-o",
        "json",
    ];
    let place = ["--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"];
    let backend = alice.command("/bin/sh", &[&args[..], &place[..]].concat()).start();
    let hello: serde_json::Value = serde_json::from_str(&backend.stdout_line("jit/serve/1", LIMIT)).unwrap();
    let (url, code) = (
        hello["url"].as_str().unwrap(),
        hello["people"][0]["code"].as_str().unwrap(),
    );
    drop(
        alice
            .jit(&["login", "--server", url, "--identity", "alice", "--code", code])
            .exits(0),
    );
    Crowded {
        alice,
        backend,
        _folder: folder,
        _sts: sts,
    }
}

impl Crowded {
    /// No file may grow beyond `bytes`.
    fn limit(&self, bytes: Option<u64>) {
        let pid = Pid::from_raw(self.backend.pid().cast_signed());
        let limit = Rlimit {
            current: bytes,
            maximum: None,
        };
        prlimit(pid, Resource::Fsize, limit).unwrap();
    }
}

#[test]
fn full_disk_loses_nothing_and_says_so() {
    let crowded = crowded();
    let ask = |target: &'static str| {
        let args = [
            "request",
            target,
            "--for",
            "1h",
            "--reason",
            "before the disk is full",
            "--no-wait",
            "-o",
            "json",
        ];
        crowded.alice.jit(&args)
    };
    let told = ask("prod-admin").exits(0).json_lines()[0]["id"].clone();
    crowded.limit(Some(4096));
    let full = ask("prod-readonly").exits(8);
    assert_eq!(full.json()["code"], "store.unavailable", "{full}");
    let shown = crowded
        .alice
        .jit(&[
            "request",
            "prod-readonly",
            "--for",
            "1h",
            "--reason",
            "while the disk is full",
            "--no-wait",
        ])
        .exits(8);
    assert_eq!(
        shown.stderr.lines().filter(|line| line.contains("jit: ")).count(),
        1,
        "{shown}"
    );
    let status = crowded.alice.jit(&["status", told.as_str().unwrap()]).exits(0);
    assert!(status.stdout.contains("pending"), "{status}");
    crowded.limit(None);
    drop(ask("prod-readonly").exits(0));
    drop(crowded.alice.jit(&["cancel", told.as_str().unwrap()]).exits(0));
}
