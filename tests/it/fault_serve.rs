//! `jit serve --dev` as somebody starts, stops and starts it again: what it goes on with, and what it refuses.

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::process::Signal;
use sqlx::ConnectOptions;

use crate::harness::{Backend, BackendPlan, LIMIT, Run, SealedBox, wait_until};

/// Nothing listens there: these tests never get as far as AWS.
const NO_AWS: &str = "http://127.0.0.1:9";

fn backend() -> Backend {
    BackendPlan::with_aws(NO_AWS).start()
}

/// `jit serve --dev` on `data`, which is to end by itself.
fn serve(data: &Path, listen: &str) -> Run {
    let args = ["serve", "--dev", "--data", data.to_str().unwrap(), "--listen", listen];
    SealedBox::new().jit(&args)
}

/// One refusal: status, and one line that says what it is about.
#[track_caller]
fn refused(run: Run, status: i32, about: &[&str]) {
    let run = run.exits(status);
    assert!(run.stdout.is_empty(), "{run}");
    for word in about {
        assert!(run.stderr.contains(word), "no {word:?} in: {}", run.stderr);
    }
}

/// What `/readyz` answers, head and all.
fn readyz(backend: &Backend) -> String {
    let address = backend.url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    let call = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    std::io::Write::write_all(&mut stream, call.as_bytes()).unwrap();
    std::io::read_to_string(stream).unwrap()
}

#[test]
fn ready_backend_answers_once_it_has_said_so() {
    let answer = readyz(&backend());
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn backend_logs_that_an_edited_policy_is_not_in_force() {
    let backend = backend();
    let file = backend.data().join("policy/catalogue.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text + "\n[nonsense]\n").unwrap();
    let line = backend.log_line("the old one stays in force");
    assert!(line.contains("nonsense"), "{line}");
}

#[test]
fn restarted_backend_goes_on_where_it_was() {
    let mut backend = backend();
    let alice = backend.machine_of("alice");
    let ask = [
        "request",
        "prod-admin",
        "--for",
        "1h",
        "--reason",
        "over a restart",
        "--no-wait",
        "-o",
        "json",
    ];
    let asked = alice.jit(&ask).exits(0).json_lines();
    let id = asked[0]["id"].as_str().unwrap().to_owned();
    drop(backend.stop().exits(0));
    let backend = backend.start_again();
    drop(
        backend
            .machine_of("bob")
            .jit(&["deny", &id, "--reason", "after the restart"])
            .exits(0),
    );
    drop(alice.jit(&["wait", &id]).exits(6));
}

#[test]
fn sign_in_code_works_once_and_never_after_a_restart() {
    let mut backend = backend();
    let (url, spent, unused) = (
        backend.url().to_owned(),
        backend.code("alice").to_owned(),
        backend.code("bob").to_owned(),
    );
    let login =
        |name: &str, code: &str| SealedBox::new().jit(&["login", "--server", &url, "--identity", name, "--code", code]);
    drop(login("alice", &spent).exits(0));
    drop(login("alice", &spent).exits(4));
    drop(backend.stop().exits(0));
    let backend = backend.start_again();
    drop(login("bob", &unused).exits(4));
    drop(login("bob", backend.code("bob")).exits(0));
}

#[test]
fn second_backend_on_a_folder_exits_three() {
    let backend = backend();
    refused(
        serve(&backend.data(), "127.0.0.1:0"),
        3,
        &["another jit serve", "--data"],
    );
}

#[test]
fn address_beyond_loopback_exits_two() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:7878"] {
        refused(serve(&data, address), 2, &["loopback"]);
    }
    assert!(!data.exists(), "nothing is made for a command that can never be right");
}

#[test]
fn port_in_use_exits_three() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refused(
        serve(tempfile::tempdir().unwrap().path(), &address),
        3,
        &[&address, "--listen"],
    );
}

#[test]
fn broken_policy_at_start_names_its_place() {
    let mut backend = backend();
    drop(backend.stop().exits(0));
    let policy = backend.data().join("policy/10-access.cedar");
    let broken = std::fs::read_to_string(&policy).unwrap() + "\npermit (principal, action,\n";
    std::fs::write(&policy, &broken).unwrap();
    // a folder that never had a bundle in force
    for file in ["jit.db", "jit.db-wal", "jit.db-shm"] {
        drop(std::fs::remove_file(backend.data().join(file)));
    }
    let run = serve(&backend.data(), "127.0.0.1:0");
    let place = run
        .stderr
        .split_whitespace()
        .find(|word| word.contains("10-access.cedar:"));
    let numbers = place.map(|word| {
        word.trim_end_matches(':')
            .split(':')
            .skip(1)
            .filter(|n| n.parse::<u32>().is_ok())
            .count()
    });
    assert_eq!(numbers, Some(2), "no file:line:column in {}", run.stderr);
    refused(run, 3, &["policy"]);
}

#[test]
fn broken_policy_at_restart_leaves_the_last_one_in_force() {
    let mut backend = backend();
    drop(backend.stop().exits(0));
    let policy = backend.data().join("policy/10-access.cedar");
    let whole = std::fs::read_to_string(&policy).unwrap();
    std::fs::write(&policy, format!("{whole}\npermit (principal, action,\n")).unwrap();
    let backend = backend.start_again();
    let broken = readyz(&backend);
    assert!(broken.contains("10-access.cedar:"), "{broken}");
    std::fs::write(&policy, whole).unwrap();
    let is_ready = || readyz(&backend).contains("\"ready\":true").then_some(());
    wait_until("the mended policy", LIMIT, is_ready);
}

#[test]
fn folder_that_cannot_be_made_exits_three() {
    refused(
        serve(Path::new("/proc/jit"), "127.0.0.1:0"),
        3,
        &["/proc/jit", "--data"],
    );
}

#[tokio::test]
async fn database_of_a_newer_version_exits_three() {
    let mut backend = backend();
    drop(backend.stop().exits(0));
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(backend.data().join("jit.db"));
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9999, 'from the future', TRUE, x'00', 0)";
    let mut connection = options.connect().await.unwrap();
    sqlx::query(newer).execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
    refused(serve(&backend.data(), "127.0.0.1:0"), 3, &["newer"]);
}

#[test]
fn folder_is_private_to_its_owner() {
    let backend = backend();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for name in ["jit.db", "jit.db-wal", "jit.db-shm"] {
        assert_eq!(mode(&backend.data().join(name)), 0o600, "{name}");
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new");
    let args = [
        "serve",
        "--dev",
        "-o",
        "json",
        "--data",
        data.to_str().unwrap(),
        "--listen",
        "127.0.0.1:0",
    ];
    let running = SealedBox::new().jit_command(&args).start();
    running.stdout_line("jit/serve/1", LIMIT);
    assert_eq!(mode(&data), 0o700);
}

#[test]
fn signals_stop_it_cleanly_while_a_client_waits() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let machine = SealedBox::new();
        let args = [
            "serve",
            "--dev",
            "-o",
            "json",
            "--data",
            data.to_str().unwrap(),
            "--listen",
            "127.0.0.1:0",
        ];
        let backend = machine.jit_command(&args).start();
        let hello: serde_json::Value = serde_json::from_str(&backend.stdout_line("jit/serve/1", LIMIT)).unwrap();
        let (url, code) = (
            hello["url"].as_str().unwrap(),
            hello["people"][0]["code"].as_str().unwrap(),
        );
        drop(
            machine
                .jit(&["login", "--server", url, "--identity", "alice", "--code", code])
                .exits(0),
        );
        let mut waiting = machine
            .jit_command(&["request", "prod-admin", "--for", "1h", "--reason", "a long wait"])
            .start();
        waiting.stderr_line("jit wait", LIMIT);
        backend.signal(signal);
        drop(backend.finish(LIMIT).exits(0));
        waiting.stderr_line("trying again", LIMIT);
        assert!(waiting.is_alive());
    }
}

#[test]
fn killed_backend_leaves_a_folder_that_starts() {
    let mut backend = backend();
    for _ in 0..3 {
        backend.kill();
        backend = backend.start_again();
    }
    let alice = backend.machine_of("alice");
    wait_until("an answer", LIMIT, || {
        (alice.jit(&["whoami"]).status == Some(0)).then_some(())
    });
}

#[test]
fn store_refuses_a_wrong_or_missing_sealing_key() {
    let mut backend = backend();
    drop(backend.stop().exits(0));
    let key = backend.data().join("sealing.key");
    let kept = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let again = || serve(&backend.data(), "127.0.0.1:0");
    refused(again(), 3, &["sealing key is missing", "sealing.key"]);
    assert!(!key.exists(), "no other key is made for a database that has one");
    write_private(&key, b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
    refused(again(), 3, &["sealing key is not the one of this database"]);
    write_private(&key, b"no key\n");
    refused(again(), 3, &["holds no key", "openssl rand"]);
    write_private(&key, &kept);
    drop(backend.start_again());
}

/// A file of mode 0600.
fn write_private(path: &std::path::Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
}
