//! `jit login --remote`: the browser is elsewhere, and the person carries its code to a real terminal.

use crate::box_login::{Company, goes};
use crate::harness::{SealedBox, Terminal};

#[test]
fn login_takes_a_code_from_a_browser_elsewhere() {
    let test = "login_takes_a_code_from_a_browser_elsewhere";
    let Some(company) = Company::open(test) else {
        return;
    };
    let machine = SealedBox::new();
    let args = ["login", "--server", &company.url, "--remote", "--with", "acme"];
    let Some(terminal) = Terminal::jit(&machine, test, &args) else {
        return;
    };
    let screen = terminal.wait_for("Code:").replace('\n', "");
    let address = &screen[screen.find(&format!("{}/sign-in?", company.url)).unwrap()..];
    let page = goes("ana pwd,mfa -", &address[..address.find("The page asks").unwrap()]);
    let (_, code) = page.text.split_once("<code>").unwrap();
    let (code, _) = code.split_once("</code>").unwrap();
    terminal.types("AAAA-BBBB");
    terminal.presses("Enter");
    terminal.wait_for("That is not the code, or it is too old.");
    terminal.types(code);
    terminal.presses("Enter");
    let screen = terminal.wait_for("Signed in as ana at");
    assert_eq!(terminal.exit_code(), 0);
    assert!(!screen.contains(code), "{screen}");
    let who = machine.jit(&["whoami"]).exits(0).stdout;
    assert!(who.contains("  session  remote, until "), "{who}");
}

#[test]
fn login_elsewhere_needs_somebody_who_types() {
    let Some(company) = Company::open("login_elsewhere_needs_somebody_who_types") else {
        return;
    };
    let machine = SealedBox::new();
    for more in [&[][..], &["-o", "json"]] {
        let args = [&["login", "--server", &company.url, "--remote"][..], more].concat();
        let refused = machine.jit(&args).exits(2);
        assert!(
            (refused.stderr + &refused.stdout).contains("nobody to ask for the code"),
            "{more:?}"
        );
    }
}

#[test]
fn login_names_the_identity_providers_that_there_are() {
    let Some(company) = Company::open("login_names_the_identity_providers_that_there_are") else {
        return;
    };
    let machine = SealedBox::new();
    let refused = machine
        .jit(&["login", "--server", &company.url, "--with", "amce"])
        .exits(2);
    assert_eq!(
        refused.stderr,
        format!(
            "jit: no identity provider named amce at {}\n  there is acme\n",
            company.url
        )
    );
}
