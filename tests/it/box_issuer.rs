//! `jit issuer` beside a backend that runs, and beside one that does not.

use std::path::Path;

use serde_json::Value;
use sqlx::{ConnectOptions as _, Row as _};

use crate::harness::{Backend, BackendPlan, JitCommand, LIMIT, Run, SealedBox, Terminal, wait_until};

/// Nothing listens there: these tests never get as far as AWS.
const NO_AWS: &str = "http://127.0.0.1:9";

/// A backend whose first key was seen published.
fn backend() -> Backend {
    let backend = BackendPlan::with_aws(NO_AWS).start();
    let signs = || (keys(&backend)[0]["state"] == "in use").then_some(());
    wait_until("a key that signs", LIMIT, signs);
    backend
}

fn command(machine: &SealedBox, data: &Path, args: &[&str]) -> JitCommand {
    let mut all = vec!["issuer"];
    all.extend(args);
    all.extend(["--data", data.to_str().unwrap()]);
    machine.jit_command(&all)
}

fn issuer(data: &Path, args: &[&str]) -> Run {
    command(&SealedBox::new(), data, args).run()
}

#[track_caller]
fn json(run: Run) -> Value {
    let run = run.exits(0);
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("no JSON: {run}"))
}

/// What `show` lists, once there is something.
fn keys(backend: &Backend) -> Vec<Value> {
    let shown = || {
        let run = issuer(&backend.data(), &["show", "-o", "json"]);
        (run.status == Some(0)).then(|| json(run)["keys"].as_array().unwrap().clone())
    };
    wait_until("a first key", LIMIT, shown)
}

/// Type and actor of all evidence, whose numbers have no gap.
fn evidence(data: &Path) -> Vec<(String, String)> {
    let read = async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(data.join("jit.db"));
        let mut connection = options.connect().await.unwrap();
        let rows = sqlx::query("SELECT seq, type, actor FROM audit_events ORDER BY seq")
            .fetch_all(&mut connection)
            .await
            .unwrap();
        for (row, at) in rows.iter().zip(1_i64..) {
            assert_eq!(row.get::<i64, _>("seq"), at);
        }
        rows.iter().map(|row| (row.get("type"), row.get("actor"))).collect()
    };
    tokio::runtime::Runtime::new().unwrap().block_on(read)
}

#[test]
fn publish_writes_what_the_backend_serves() {
    let backend = backend();
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("bucket");
    let publish = |more: &[&str]| issuer(&backend.data(), &[&["publish", dir.to_str().unwrap()], more].concat());
    let said = publish(&[]).exits(0).stderr;
    assert!(said.contains("Written") && said.contains("application/json"), "{said}");
    let of_file = |name: &str| -> Value {
        serde_json::from_slice(&std::fs::read(dir.join(".well-known").join(name)).unwrap()).unwrap()
    };
    assert_eq!(of_file("openid-configuration")["issuer"], backend.url());
    assert_eq!(of_file("jwks.json")["keys"][0]["kid"], keys(&backend)[0]["id"]);
    assert!(publish(&[]).exits(0).stderr.contains("Up to date"));
    let again = json(publish(&["-o", "json"]));
    assert_eq!(
        (&again["schema"], &again["files"][0]["changed"]),
        (&"jit/issuer-publish/1".into(), &false.into())
    );
    assert_eq!(std::fs::read_dir(dir.join(".well-known")).unwrap().count(), 2);
}

#[test]
fn publish_into_what_is_no_folder_exits_three() {
    let backend = backend();
    let file = backend.data().join("lock");
    let run = issuer(&backend.data(), &["publish", file.to_str().unwrap()]).exits(3);
    assert!(run.stderr.contains("cannot be written"), "{run}");
}

#[test]
fn rotate_makes_one_next_key_beside_a_running_backend() {
    let backend = backend();
    let made = json(issuer(&backend.data(), &["rotate", "-o", "json"]));
    assert_eq!((&made["made"], &made["key"]["state"]), (&true.into(), &"made".into()));
    let again = json(issuer(&backend.data(), &["rotate", "-o", "json"]));
    assert_eq!(
        (&again["made"], &again["key"]["id"]),
        (&false.into(), &made["key"]["id"])
    );
    let said = issuer(&backend.data(), &["rotate"]).exits(0).stderr;
    assert!(said.contains("waits already") && said.contains("24 h"), "{said}");
    // the backend serves it at once
    let listed = keys(&backend);
    assert_eq!(listed.len(), 2);
    let shown = json(issuer(&backend.data(), &["show", "-o", "json"]));
    assert_eq!(shown["differences"], serde_json::json!([]));
    let by_hand = evidence(&backend.data())
        .into_iter()
        .filter(|(_, actor)| actor == "operator");
    assert_eq!(by_hand.map(|(kind, _)| kind).collect::<Vec<_>>(), ["issuer.key_made"]);
}

#[test]
fn revoke_says_first_to_cut_trust_and_asks() {
    let backend = backend();
    let id = keys(&backend)[0]["id"].as_str().unwrap().to_owned();
    let unasked = issuer(&backend.data(), &["revoke", "--all"]).exits(2);
    let trust = format!(
        "arn:PARTITION:iam::ACCOUNT:oidc-provider/{}",
        backend.url().trim_start_matches("http://")
    );
    for word in ["cut trust", "aws iam delete-open-id-connect-provider", &trust, "--yes"] {
        assert!(unasked.stderr.contains(word), "no {word}: {unasked}");
    }
    assert_eq!(keys(&backend).len(), 1);
    let unknown = issuer(&backend.data(), &["revoke", "nokey", "--yes"]).exits(10);
    let data = backend.data().display().to_string();
    assert_eq!(
        unknown.stderr,
        format!("jit: no key nokey\n  try: jit issuer show --data {data}\n")
    );
    drop(issuer(&backend.data(), &["revoke", "--yes"]).exits(2));
    drop(issuer(&backend.data(), &["revoke", &id, "--all", "--yes"]).exits(2));
    let gone = json(issuer(&backend.data(), &["revoke", &id[..8], "--yes", "-o", "json"]));
    assert_eq!(gone["revoked"], serde_json::json!([id]));
    drop(issuer(&backend.data(), &["revoke", &id, "--yes"]).exits(10));
    let removed = json(issuer(&backend.data(), &["show", "--all", "-o", "json"]));
    assert_eq!(removed["keys"][0]["state"], "removed");
}

/// What `revoke` of these says before it asks.
fn said_before(backend: &Backend, which: &[&str]) -> String {
    issuer(&backend.data(), &[&["revoke"], which].concat()).exits(2).stderr
}

#[test]
fn revoke_says_from_when_something_signs() {
    let backend = backend();
    let place = format!("{}/.well-known/jwks.json", backend.url());
    let first = keys(&backend)[0]["id"].as_str().unwrap().to_owned();
    let next_made = format!("Then nothing signs until the next key, made within a minute, is seen at {place}.");
    for which in ["--all", &first] {
        assert!(said_before(&backend, &[which]).contains(&next_made));
    }
    let made = json(issuer(&backend.data(), &["rotate", "-o", "json"]));
    let next = made["key"]["id"].as_str().unwrap();
    let sooner = "with --all the next key signs as soon as it is seen published.";
    let said = said_before(&backend, &[&first]);
    let late = format!("Then nothing signs until 24 h after key {next} is seen at {place}; {sooner}");
    assert!(said.contains(&late), "{said}");
    assert!(said_before(&backend, &["--all"]).contains(&next_made));
    let said = said_before(&backend, &[next]);
    assert!(said.contains(&format!("Key {first} goes on signing.")), "{said}");
    let database = backend.data().join("jit.db");
    let see = async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database);
        let mut connection = options.connect().await.unwrap();
        let update = "UPDATE issuer_keys SET published_at = made_at WHERE number = 2";
        sqlx::query(update).execute(&mut connection).await.unwrap();
    };
    tokio::runtime::Runtime::new().unwrap().block_on(see);
    let said = said_before(&backend, &[&first]);
    let may = format!(", when key {next} may; {sooner}");
    assert!(
        said.contains("Then nothing signs until ") && said.contains(&may),
        "{said}"
    );
}

#[test]
fn revoke_on_a_terminal_takes_nothing_without_a_yes() {
    let backend = backend();
    let (machine, data) = (SealedBox::new(), backend.data());
    let args = ["issuer", "revoke", "--all", "--data", data.to_str().unwrap()];
    let test = "revoke_on_a_terminal_takes_nothing_without_a_yes";
    let Some(terminal) = Terminal::jit(&machine, test, &args) else {
        return;
    };
    let screen = terminal.wait_for("[y/N]");
    assert!(screen.contains("First cut trust in AWS"), "{screen}");
    terminal.presses("Enter");
    assert_eq!(terminal.exit_code(), 0);
    assert_eq!(keys(&backend)[0]["state"], "in use");
}

#[test]
fn lost_sealing_key_is_got_over_by_revoking_all() {
    let mut backend = backend();
    drop(backend.stop().exits(0));
    let data = backend.data();
    std::fs::remove_file(data.join("sealing.key")).unwrap();
    let refused = issuer(&data, &["rotate"]).exits(3);
    assert!(refused.stderr.contains("sealing.key is missing"), "{refused}");
    drop(issuer(&data, &["revoke", "--all", "--yes"]).exits(0));
    let backend = backend.start_again();
    let signs = || keys(&backend).iter().any(|key| key["state"] == "in use").then_some(());
    wait_until("another key", LIMIT, signs);
}

#[test]
fn folder_of_no_backend_exits_three() {
    let folder = tempfile::tempdir().unwrap();
    let run = issuer(folder.path(), &["show"]).exits(3);
    let database = folder.path().join("jit.db").display().to_string();
    let words = "of a backend that was started once: --config FILE, or --data DIR";
    assert_eq!(run.stderr, format!("jit: no database at {database}\n  {words}\n"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is made");
    std::fs::write(folder.path().join("jit.db"), "no database").unwrap();
    let run = issuer(folder.path(), &["show"]).exits(3);
    assert!(
        run.stderr.contains("cannot be used") && !run.stderr.contains("takes no writes"),
        "{run}"
    );
    let other = tempfile::tempdir().unwrap();
    let database = other.path().join("jit.db");
    std::fs::create_dir(&database).unwrap();
    let run = issuer(other.path(), &["show"]).exits(3);
    let why = format!("{} cannot be used: there is no such file", database.display());
    assert_eq!(run.stderr, format!("jit: {why}\n  {words}\n"), "nobody writes");
}

#[test]
fn commands_beside_a_busy_backend_lose_and_break_nothing() {
    let mut backend = backend();
    let (alice, bob) = (backend.machine_of("alice"), backend.machine_of("bob"));
    let data = backend.data();
    std::thread::scope(|scope| {
        for machine in [&alice, &bob] {
            scope.spawn(move || {
                for _ in 0..12 {
                    let ask = [
                        "request",
                        "prod-admin",
                        "--for",
                        "1h",
                        "--reason",
                        "busy with keys",
                        "--no-wait",
                    ];
                    drop(machine.jit(&ask).exits(0));
                    drop(machine.jit(&["cancel", "prod-admin"]).exits(0));
                }
            });
        }
        for _ in 0..2 {
            let data = data.clone();
            scope.spawn(move || {
                for _ in 0..6 {
                    drop(issuer(&data, &["rotate"]).exits(0));
                    drop(issuer(&data, &["revoke", "--all", "--yes"]).exits(0));
                }
            });
        }
    });
    drop(issuer(&data, &["rotate"]).exits(0));
    let left = backend.stop().exits(0);
    assert!(!left.stderr.contains("ERROR"), "{left}");
    let lines = evidence(&data);
    let count = |kind: &str| lines.iter().filter(|(name, _)| name == kind).count();
    assert_eq!((count("request.filed"), count("request.cancelled")), (24, 24));
    assert_eq!(count("backend.started"), 1);
    assert!(
        count("issuer.key_revoked") >= 1 && count("issuer.key_made") >= 2,
        "{lines:?}"
    );
}
