//! `jit lock` and its like on people who chose their names themselves: who is meant, and what no command repeats.

use serde_json::json;

use crate::harness::SealedBox;
use crate::http::{Stage, code_of, signs_in, two_issuers};

/// The machine of the local person `name`, signed in.
async fn machine_of(stage: &Stage, name: &str) -> SealedBox {
    let code = code_of(stage, name).await;
    let machine = SealedBox::new();
    let url = format!("http://{}", stage.address);
    let login = ["login", "--server", &url, "--identity", name, "--code", &code];
    drop(machine.jit(&login).exits(0));
    machine
}

/// What `said` says to type to undo it.
fn undo(said: &str) -> Vec<&str> {
    let line = said.lines().find_map(|line| line.split_once("undo: ")).unwrap().1;
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!(words[0], "jit", "{said}");
    words[1..].to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_16_locked_person_chooses_no_word_of_a_command() {
    let (stage, acme, partners) = two_issuers().await;
    let carol = machine_of(&stage, "carol").await;
    let why = ["--reason", "laptop stolen"];
    for (subject, name) in [
        ("00u1", "x;touch$IFS$HOME/x|sh"),
        ("00u2", "$(touch $HOME/x)"),
        ("00u3", "all"),
        ("00u4", "ana --help; touch x"),
    ] {
        let (_, person) = signs_in(&stage, (&partners, "partners"), subject, name).await;
        let id = person["id"].as_str().unwrap();
        let typed = format!("person:{name}");
        for typed in [id, &typed] {
            let run = carol.jit(&[&["lock", typed][..], &why].concat()).exits(0);
            assert!(run.stderr.contains(&format!("Locked \"{name}\" (partners).")), "{run}");
            assert_eq!(undo(&run.stderr), ["unlock", id], "{run}");
            drop(carol.jit(&undo(&run.stderr)).exits(0));
        }
    }
    // a plain name is found whoever vouches for it, and is enough to undo it
    drop(signs_in(&stage, (&acme, "acme"), "00u5", "ana@acme.example").await);
    for verb in [
        &["lock", "ana@acme.example"][..],
        &["revoke", "--all", "ana@acme.example"],
    ] {
        let run = carol.jit(&[verb, &why].concat()).exits(0);
        assert!(run.stderr.contains("ana@acme.example (acme)"), "{run}");
        assert_eq!(undo(&run.stderr), ["unlock", "ana@acme.example"], "{run}");
        drop(carol.jit(&undo(&run.stderr)).exits(0));
    }
    assert!(!carol.home().join("x").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn name_of_several_people_locks_nobody_by_guess() {
    let (stage, acme, partners) = two_issuers().await;
    let carol = machine_of(&stage, "carol").await;
    let (_, ours) = signs_in(&stage, (&acme, "acme"), "00u1", "dora").await;
    let (_, theirs) = signs_in(&stage, (&partners, "partners"), "00u2", "dora").await;
    let lock = |who: &str| carol.jit(&["lock", who, "--reason", "laptop stolen"]);
    let run = lock("dora").exits(10);
    for (person, of) in [(&ours, "acme"), (&theirs, "partners")] {
        let listed = format!("dora ({of}) {}", person["id"].as_str().unwrap());
        assert!(run.stderr.contains(&listed), "{run}");
    }
    let locks = carol.jit(&["status", "-o", "json"]).exits(0).json();
    assert_eq!(locks["locks"], json!([]));
    // who may lock nobody is told no names
    let alice = machine_of(&stage, "alice").await;
    let refused = alice.jit(&["lock", "dora", "--reason", "laptop stolen"]).exits(5);
    assert!(!refused.stderr.contains("usr_"), "{refused}");
    // nobody keeps a colleague from being locked by taking their name, and whoever did is named
    drop(stage.sign_in("bob").await);
    let (_, other) = signs_in(&stage, (&partners, "partners"), "00u3", "bob").await;
    let run = lock("bob").exits(0);
    assert!(run.stderr.contains("Locked bob (local)."), "{run}");
    let meant = format!("jit lock {}", other["id"].as_str().unwrap());
    assert!(
        run.stderr.contains("bob (partners)") && run.stderr.contains(&meant),
        "{run}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_vouches_is_said_of_everybody_who_is_named() {
    let (stage, _acme, _partners) = two_issuers().await;
    let (alice, bob) = (machine_of(&stage, "alice").await, machine_of(&stage, "bob").await);
    let carol = machine_of(&stage, "carol").await;
    let why = ["--for", "1h", "--reason", "payout job stuck, PAY-311"];
    let filed = bob
        .jit(
            &[
                &["request", "prod-readonly", "--on-behalf-of", "alice", "--no-wait"],
                &why[..],
            ]
            .concat(),
        )
        .exits(0);
    assert!(filed.stderr.contains(", for alice (local)"), "{filed}");
    let run = carol.jit(&["approve", "prod-readonly"]).exits(0);
    assert!(run.stderr.contains("  for     alice (local)"), "{run}");
    let shown = bob.jit(&["status", "prod-readonly"]).exits(0);
    assert!(shown.stdout.contains("  approved by carol (local) at "), "{shown}");
    let list = bob.jit(&["status"]).exits(0);
    assert!(list.stdout.contains("alice (local)"), "{list}");
    // who waits is told by whom it was approved
    drop(
        alice
            .jit(&[&["request", "prod-admin", "--no-wait"], &why[..]].concat())
            .exits(0),
    );
    drop(carol.jit(&["approve", "prod-admin"]).exits(0));
    let waited = alice.jit(&["wait", "prod-admin"]).exits(0);
    assert!(waited.stderr.contains("Approved by carol (local) after "), "{waited}");
}
