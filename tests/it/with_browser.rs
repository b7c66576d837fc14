//! Signing in by a real browser, as a person does who reads pages and presses buttons.

use crate::box_login::Company;
use crate::harness::{Chromium, LIMIT, SealedBox, Terminal};

/// At the identity provider's own page.
fn signs_in(browser: &Chromium, login: &str) {
    browser.types("input[name=login]", login);
    browser.presses("button");
}

/// That the terminal is theirs.
fn says_yes(browser: &Chromium) {
    browser.wait_for("A terminal asks to sign in as ana");
    browser.presses("button");
}

#[test]
fn person_signs_in_by_a_real_browser() {
    let test = "person_signs_in_by_a_real_browser";
    let (Some(company), Some(browser)) = (Company::open(test), Chromium::start(test)) else {
        return;
    };
    let machine = SealedBox::new();
    let (running, address) = company.login(&machine, &[]);
    browser.go(&address);
    signs_in(&browser, "ana pwd,mfa -");
    says_yes(&browser);
    browser.wait_for("You can close this tab");
    let run = running.finish(LIMIT).exits(0);
    assert!(run.stderr.contains("Signed in as ana at "), "{}", run.stderr);
    let who = machine.jit(&["whoami"]).exits(0).stdout;
    assert!(who.contains("  session  loopback-pkce, until "), "{who}");
}

#[test]
fn person_carries_a_code_from_a_real_browser() {
    let test = "person_carries_a_code_from_a_real_browser";
    let (Some(company), Some(browser)) = (Company::open(test), Chromium::start(test)) else {
        return;
    };
    let machine = SealedBox::new();
    let args = ["login", "--server", &company.url, "--remote"];
    let Some(terminal) = Terminal::jit(&machine, test, &args) else {
        return;
    };
    let screen = terminal.wait_for("Code:").replace('\n', "");
    let address = &screen[screen.find(&format!("{}/sign-in?", company.url)).unwrap()..];
    browser.go(&address[..address.find("The page asks").unwrap()]);
    signs_in(&browser, "ana pwd -");
    says_yes(&browser);
    browser.wait_for("They want to sign in as you");
    terminal.types(&browser.text_of("code"));
    terminal.presses("Enter");
    terminal.wait_for("Signed in as ana at");
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn person_signs_a_machine_in_by_a_real_browser() {
    let test = "person_signs_a_machine_in_by_a_real_browser";
    let (Some(company), Some(browser)) = (Company::open(test), Chromium::start(test)) else {
        return;
    };
    let machine = SealedBox::new();
    let args = ["login", "--server", &company.url, "--device"];
    let running = machine.jit_command(&args).start();
    let said = running.stdout_line(&format!("{}/device  ", company.url), LIMIT);
    let (page, code) = said.trim().split_once("  ").unwrap();
    browser.go(page);
    browser.types("input[name=code]", code);
    browser.presses("button");
    browser.wait_for("It calls itself");
    browser.presses("a[href^='/device/sign-in']");
    signs_in(&browser, "ana pwd,mfa -");
    browser.wait_for("It calls itself");
    browser.presses("form:has(input[value=yes]) button");
    browser.wait_for("You can close this tab: go on there.");
    drop(running.finish(LIMIT).exits(0));
    let who = machine.jit(&["whoami"]).exits(0).stdout;
    assert!(who.contains("  session  device, until "), "{who}");
}
