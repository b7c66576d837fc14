//! `jit login --device`: nobody types on that machine; a person types its code in a browser elsewhere.

use rustix::process::Signal;
use serde_json::Value;

use crate::box_login::Company;
use crate::harness::{Browser, LIMIT, Page, SealedBox};

fn field(page: &Page, name: &str) -> String {
    let (_, rest) = page.text.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

/// A browser of whoever `login` says types `code` at `page`, signs in and says `answer`.
fn answers(login: &str, url: &str, code: &str, answer: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(async {
        let mut browser = Browser::of(login);
        let form = field(&browser.get(&format!("{url}/device")).await, "token");
        let fields = [("token", &*form), ("code", code)];
        let page = browser.post(&format!("{url}/device"), &fields).await;
        assert!(page.text.contains("/device/sign-in?with=acme"), "{page:?}");
        let page = browser
            .until_asked(&format!("{url}/device/sign-in?with=acme"), "nowhere")
            .await;
        let (state, asked) = (field(&page, "state"), field(&page, "token"));
        let fields = [("state", &*state), ("token", &*asked), ("answer", answer)];
        let page = browser.post(&format!("{url}/device/answer"), &fields).await;
        assert_eq!(page.status, 200, "{page:?}");
    });
}

#[test]
fn login_of_a_machine_waits_for_a_person_elsewhere() {
    let Some(company) = Company::open("login_of_a_machine_waits_for_a_person_elsewhere") else {
        return;
    };
    let machine = SealedBox::new();
    let args = ["login", "--server", &company.url, "--device"];
    let running = machine.jit_command(&args).start();
    let said = running.stdout_line(&format!("{}/device  ", company.url), LIMIT);
    let (_, code) = said.trim().split_once("  ").unwrap();
    answers("ana pwd,mfa -", &company.url, code, "yes");
    let run = running.finish(LIMIT).exits(0);
    assert!(run.stderr.contains("Signed in as ana at "), "{}", run.stderr);
    let who = machine.jit(&["whoami"]).exits(0).stdout;
    assert!(who.contains("  session  device, until "), "{who}");
    // as JSON; and somebody who says no
    let args = ["login", "--server", &company.url, "--device", "-o", "json"];
    let running = machine.jit_command(&args).start();
    let asked: Value = serde_json::from_str(&running.stdout_line("jit/login-device/1", LIMIT)).unwrap();
    assert_eq!(asked["expires_in_s"], 300);
    answers("ana pwd -", &company.url, asked["user_code"].as_str().unwrap(), "no");
    let run = running.finish(LIMIT).exits(4);
    assert!(run.stdout.contains("\"code\":\"session.denied\""), "{}", run.stdout);
}

#[test]
fn login_of_a_machine_is_given_up_by_the_interrupt_key() {
    let Some(company) = Company::open("login_of_a_machine_is_given_up_by_the_interrupt_key") else {
        return;
    };
    let machine = SealedBox::new();
    let args = ["login", "--server", &company.url, "--device"];
    let running = machine.jit_command(&args).start();
    running.stderr_line("Open that page", LIMIT);
    running.signal(Signal::INT);
    drop(running.finish(LIMIT).exits(130));
}
