//! A command that needs a second factor which was shown more recently: it asks for it and goes on, or says how.

use std::fs;

use serde_json::Value;

use crate::box_login::{Company, goes, went};
use crate::harness::{LIMIT, SealedBox, Terminal, wait_until};

/// Alice, who asked for production, and bea, an approver who showed no second factor.
fn asked(company: &Company, machine: &SealedBox) -> String {
    let alice = SealedBox::new();
    let code = company.code("alice");
    let login = ["login", "--server", &company.url, "--identity", "alice", "--code", code];
    drop(alice.jit(&login).exits(0));
    drop(company.sign_in(machine, "bea pwd -", &[]).exits(0));
    company.enrol("bea");
    wait_until("the policy", LIMIT, || {
        let me: Value = machine.jit(&["whoami", "-o", "json"]).exits(0).json();
        me["groups"]
            .as_array()
            .unwrap()
            .contains(&"payments".into())
            .then_some(())
    });
    let request = ["request", "prod-admin", "--for", "30m", "--reason", "payout job stuck"];
    let filed: Value = alice
        .jit(&[&request[..], &["--no-wait", "-o", "json"]].concat())
        .exits(0)
        .json();
    filed["id"].as_str().unwrap().to_owned()
}

#[test]
fn approve_asks_for_a_second_factor_and_goes_on() {
    let test = "approve_asks_for_a_second_factor_and_goes_on";
    let Some(company) = Company::open(test) else {
        return;
    };
    let mut machine = SealedBox::new();
    let request = asked(&company, &machine);
    let script = machine.home().join("browser");
    fs::write(&script, "printf %s \"$1\" >\"$HOME/went\"\n").unwrap();
    machine.set_env("BROWSER", format!("/bin/sh {} %s", script.display()));
    let Some(terminal) = Terminal::jit(&machine, test, &["approve", &request]) else {
        return;
    };
    terminal.wait_for("Approve? [y/N/deny]");
    terminal.types("y");
    terminal.presses("Enter");
    terminal.wait_for("This needs a second factor, shown within 1h (base.mfa-fresh): sign in again.");
    terminal.wait_for("Waiting for the browser to sign in at");
    let address = went(&machine);
    goes("bea pwd,mfa -", &address);
    // the role itself cannot be had here: this backend has no AWS
    let screen = terminal.wait_for("Approved.");
    assert!(screen.contains("Signed in again."), "{screen}");
    assert_eq!(terminal.exit_code(), 0);
    let who = machine.jit(&["whoami"]).exits(0).stdout;
    assert!(who.contains("  mfa      ") && who.contains(" s ago\n"), "{who}");
}

#[test]
fn approve_after_hours_asks_who_is_there_and_goes_on() {
    let test = "approve_after_hours_asks_who_is_there_and_goes_on";
    let Some(company) = Company::open(test) else {
        return;
    };
    let mut machine = SealedBox::new();
    let request = asked(&company, &machine);
    drop(company.sign_in(&machine, "bea pwd,mfa -", &[]).exits(0));
    company.nobody_was_there();
    let who = machine.jit(&["whoami"]).exits(0).stdout;
    assert!(
        who.contains("  idle     used 12 h ago: approves nothing before jit login\n"),
        "{who}"
    );
    let refused = machine.jit(&["approve", &request]).exits(4);
    let said = "jit: this session was not used for 12h\n  try: jit login --fresh\n";
    assert!(refused.stderr.ends_with(said), "{}", refused.stderr);
    let script = machine.home().join("browser");
    fs::write(&script, "printf %s \"$1\" >\"$HOME/went\"\n").unwrap();
    machine.set_env("BROWSER", format!("/bin/sh {} %s", script.display()));
    let Some(terminal) = Terminal::jit(&machine, test, &["approve", &request]) else {
        return;
    };
    terminal.wait_for("Approve? [y/N/deny]");
    terminal.types("y");
    terminal.presses("Enter");
    terminal.wait_for("This session was not used for 12h: sign in again.");
    terminal.wait_for("Waiting for the browser to sign in at");
    let address = went(&machine);
    goes("bea pwd,mfa -", &address);
    let screen = terminal.wait_for("Approved.");
    assert!(screen.contains("Signed in again."), "{screen}");
    assert_eq!(terminal.exit_code(), 0);
    let who = machine.jit(&["whoami"]).exits(0).stdout;
    assert!(!who.contains("  idle "), "{who}");
}

#[test]
fn attack_18_step_up_by_somebody_else_decides_nothing() {
    let test = "attack_18_step_up_by_somebody_else_decides_nothing";
    let Some(company) = Company::open(test) else {
        return;
    };
    let mut machine = SealedBox::new();
    let request = asked(&company, &machine);
    machine.set_env("BROWSER", "/nonexistent/browser");
    let Some(terminal) = Terminal::jit(&machine, test, &["approve", &request]) else {
        return;
    };
    terminal.wait_for("Approve? [y/N/deny]");
    terminal.types("y");
    terminal.presses("Enter");
    let screen = terminal
        .wait_for("Waiting for the browser to sign in at")
        .replace('\n', "");
    let address = &screen[screen.find(&format!("{}/sign-in?", company.url)).unwrap()..];
    let address = &address[..address.find("Waiting").unwrap()];
    goes("mallory pwd,mfa -", address);
    terminal.wait_for("jit: acme: somebody else signed in there than whose session it is");
    assert_eq!(terminal.exit_code(), 4);
    let view: Value = machine.jit(&["status", &request, "-o", "json"]).exits(0).json();
    assert_eq!(view["state"], "pending");
}

#[test]
fn local_person_shows_no_second_factor() {
    let Some(company) = Company::open("local_person_shows_no_second_factor") else {
        return;
    };
    let machine = SealedBox::new();
    let code = company.code("alice");
    let login = ["login", "--server", &company.url, "--identity", "alice", "--code", code];
    drop(machine.jit(&login).exits(0));
    let refused = machine.jit(&["login", "--fresh"]).exits(4);
    assert_eq!(
        refused.stderr,
        "jit: a session by local shows no second factor\n  try: jit login\n"
    );
}

#[test]
fn approve_without_a_terminal_says_how_to_be_fresh() {
    let Some(company) = Company::open("approve_without_a_terminal_says_how_to_be_fresh") else {
        return;
    };
    let machine = SealedBox::new();
    let request = asked(&company, &machine);
    let refused = machine.jit(&["approve", &request]).exits(4);
    assert!(
        refused.stderr.ends_with(
            "jit: policy refuses: approving needs a second factor that was shown within the last hour (base.mfa-fresh)\n  \
             try: jit login --fresh\n"
        ),
        "{}",
        refused.stderr
    );
    let refused: Value = machine.jit(&["approve", &request, "-o", "json"]).exits(4).json();
    assert_eq!(refused["code"], "session.step_up");
    // and what was said is what helps
    let running = machine.jit_command(&["login", "--fresh", "--no-browser"]).start();
    let address = running.stdout_line(&format!("{}/sign-in?", company.url), LIMIT);
    goes("bea pwd,mfa -", address.trim());
    let run = running.finish(LIMIT).exits(0);
    assert!(
        run.stderr
            .contains("bea showed a second factor. The session goes on until "),
        "{}",
        run.stderr
    );
    let approved = machine.jit(&["approve", &request, "-o", "json"]).exits(0).json();
    assert_eq!(approved["state"], "approved");
}
