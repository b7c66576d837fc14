//! `jit login` through a browser: a real backend, a real identity provider, and whatever else comes to the port.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;
use serde_json::Value;
use sqlx::{ConnectOptions as _, Row as _};

use crate::box_serve_config::{Machine, Served};
use crate::harness::{
    Browser, CLIENT_ID, CLIENT_SECRET, LIMIT, OidcProvider, Page, Run, Running, SealedBox, wait_until,
};

/// A backend that a file sets up, with an identity provider.
pub struct Company {
    acme: OidcProvider,
    pub url: String,
    served: Served,
    machine: Machine,
}

impl Company {
    /// None, said to be left out of `test`, where the identity provider is not installed.
    pub fn open(test: &str) -> Option<Self> {
        // browsers come back to an address that stands in the file: it is chosen before anybody listens there
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url = format!("http://{address}");
        let acme = OidcProvider::start(test, &url)?;
        let machine = Machine::new();
        let secret = machine.etc.join("client.secret");
        fs::write(&secret, format!("{CLIENT_SECRET}\n")).unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        machine.say(&format!(
            "listen = \"{address}\"\npublic_url = \"{url}\"\npolicy = \"policy\"\ndatabase = \"jit.db\"\n\n\
             [sealing_key]\nfile = \"sealing.key\"\n\n\
             [[sign_in]]\nname = \"acme\"\nissuer = \"{}\"\nclient_id = \"{CLIENT_ID}\"\n\
             client_secret = {{ file = \"client.secret\" }}\ndevice = true\n",
            acme.issuer
        ));
        let served = machine.start(&["--dev"]);
        Some(Self {
            acme,
            url,
            served,
            machine,
        })
    }

    /// The one-time code of the local person `name`.
    pub fn code(&self, name: &str) -> &str {
        let people = self.served.hello["people"].as_array().unwrap();
        let person = people.iter().find(|person| person["name"] == name).unwrap();
        person["code"].as_str().unwrap()
    }

    /// Has policy count `subject` among the approvers of production.
    pub fn enrol(&self, subject: &str) {
        let catalogue = self.machine.etc.join("policy/security/catalogue.toml");
        let text = fs::read_to_string(&catalogue).unwrap();
        let members = format!("members = [\"local:bob\", \"{} {subject}\"]", self.acme.issuer);
        fs::write(&catalogue, text.replace("members = [\"local:bob\"]", &members)).unwrap();
    }

    /// Nobody has used any session for half a day; second factors, which providers tell of by the second, were shown before
    /// this one.
    pub fn nobody_was_there(&self) {
        self.in_the_database(async |connection| {
            let away = sqlx::query("UPDATE sessions SET used_at = used_at - 43200000, mfa_at = mfa_at - 60000");
            away.execute(connection).await.unwrap();
        });
    }

    /// How many sessions are not over.
    fn sessions(&self) -> i64 {
        self.in_the_database(async |connection| {
            let count = sqlx::query("SELECT count(*) FROM sessions WHERE ended_at IS NULL");
            count.fetch_one(connection).await.unwrap().get(0)
        })
    }

    fn in_the_database<T>(&self, work: impl AsyncFnOnce(&mut sqlx::SqliteConnection) -> T) -> T {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.machine.etc.join("jit.db"));
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let mut connection = options.connect().await.unwrap();
            work(&mut connection).await
        })
    }

    /// `jit login` on `machine`, which prints where to go; and that.
    pub fn login(&self, machine: &SealedBox, more: &[&str]) -> (Running, String) {
        let mut args = vec!["login", "--server", &self.url, "--no-browser"];
        args.extend(more);
        let running = machine.jit_command(&args).start();
        let address = running.stdout_line(&format!("{}/sign-in?", self.url), LIMIT);
        (running, address.trim().to_owned())
    }

    /// Signs whoever `login` says in on `machine`.
    pub fn sign_in(&self, machine: &SealedBox, login: &str, more: &[&str]) -> Run {
        let (running, address) = self.login(machine, more);
        let page = goes(login, &address);
        assert!(page.text.contains("You can close this tab"), "{page:?}");
        running.finish(LIMIT)
    }
}

/// The address that the browser of `machine` was opened with, once it is written.
pub fn went(machine: &SealedBox) -> String {
    wait_until("the browser to be opened", LIMIT, || {
        let address = fs::read_to_string(machine.home().join("went")).ok()?;
        (!address.is_empty()).then_some(address)
    })
}

/// A browser of whoever `login` says goes where it is sent, up to the last page.
pub fn goes(login: &str, address: &str) -> Page {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(Browser::of(login).follow(address, "nowhere"))
}

fn ask(port: &str, head: &str) -> String {
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    write!(stream, "{head}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn login_in_a_browser_ends_signed_in() {
    let Some(company) = Company::open("login_in_a_browser_ends_signed_in") else {
        return;
    };
    let machine = SealedBox::new();
    let run = company.sign_in(&machine, "ana pwd,mfa -", &[]).exits(0);
    assert!(
        run.stderr
            .contains(&format!("Signed in as ana at {} until ", company.url)),
        "{}",
        run.stderr
    );
    let who = machine.jit(&["whoami"]).exits(0).stdout;
    assert!(who.starts_with(&format!("ana at {}\n", company.url)), "{who}");
    assert!(
        who.contains(&format!("  known as ana at {}\n", company.acme.issuer)),
        "{who}"
    );
    assert!(who.contains("  session  loopback-pkce, until "), "{who}");
    assert!(who.contains("  mfa      ") && who.contains(" s ago\n"), "{who}");
    let me: Value = machine.jit(&["whoami", "-o", "json"]).exits(0).json();
    assert_eq!(
        (&me["method"], &me["issuer"]),
        (&"loopback-pkce".into(), &company.acme.issuer.as_str().into())
    );
    // somebody else on the same machine, beside her
    drop(company.sign_in(&machine, "bea pwd -", &[]).exits(0));
    let who = machine.jit(&["whoami"]).exits(0).stdout;
    assert!(
        who.starts_with("bea at ") && who.contains("  mfa      none shown\n"),
        "{who}"
    );
    let who = machine.jit(&["--identity", "ana", "whoami"]).exits(0).stdout;
    assert!(who.starts_with("ana at "), "{who}");
    drop(machine.jit(&["logout"]).exits(0));
}

#[test]
fn terminal_shows_the_word_that_its_page_asks_about() {
    let Some(company) = Company::open("terminal_shows_the_word_that_its_page_asks_about") else {
        return;
    };
    let (running, address) = company.login(&SealedBox::new(), &[]);
    let said = running.stderr_line("The page asks whether your terminal shows ", LIMIT);
    let (_, word) = said.trim().trim_end_matches('.').rsplit_once(' ').unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (mut browser, asks) = (Browser::of("ana pwd -"), format!("<code>{word}</code>"));
    let page = runtime.unwrap().block_on(browser.until_asked(&address, "nowhere"));
    assert!(page.text.contains(&asks), "{word}: {page:?}");
    running.signal(Signal::INT);
    drop(running.finish(LIMIT).exits(130));
}

#[test]
fn login_as_json_prints_first_the_page_then_who() {
    let Some(company) = Company::open("login_as_json_prints_first_the_page_then_who") else {
        return;
    };
    let machine = SealedBox::new();
    let running = machine
        .jit_command(&["login", "--server", &company.url, "--no-browser", "-o", "json"])
        .start();
    let asked: Value = serde_json::from_str(&running.stdout_line("jit/login-address/1", LIMIT)).unwrap();
    assert_eq!(asked["expires_in_s"], 600);
    goes("ana pwd -", asked["url"].as_str().unwrap());
    let run = running.finish(LIMIT).exits(0);
    let [_, signed_in] = run.stdout.lines().collect::<Vec<_>>()[..] else {
        panic!("{}", run.stdout)
    };
    let signed_in: Value = serde_json::from_str(signed_in).unwrap();
    assert_eq!(signed_in["schema"], "jit/login/1");
    assert_eq!(run.stderr, "");
}

#[test]
fn login_opens_the_browser_that_is_set() {
    let Some(company) = Company::open("login_opens_the_browser_that_is_set") else {
        return;
    };
    let mut machine = SealedBox::new();
    let script = machine.home().join("browser");
    fs::write(&script, "printf %s \"$1\" >\"$HOME/went\"\n").unwrap();
    machine.set_env("BROWSER", format!("/bin/sh {} %s", script.display()));
    let running = machine.jit_command(&["login", "--server", &company.url]).start();
    running.stderr_line("Waiting for the browser to sign in at", LIMIT);
    let address = went(&machine);
    goes("ana pwd -", &address);
    assert_eq!(running.finish(LIMIT).exits(0).stdout, "");
}

#[test]
fn login_without_a_browser_that_opens_says_where_to_go() {
    let Some(company) = Company::open("login_without_a_browser_that_opens_says_where_to_go") else {
        return;
    };
    let mut machine = SealedBox::new();
    machine.set_env("BROWSER", "/nonexistent/browser");
    let running = machine.jit_command(&["login", "--server", &company.url]).start();
    let address = running.stdout_line(&format!("{}/sign-in?", company.url), LIMIT);
    goes("ana pwd -", address.trim());
    let run = running.finish(LIMIT).exits(0);
    assert!(
        run.stderr.contains("jit: no browser can be started here\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn stray_calls_to_the_port_change_nothing() {
    let Some(company) = Company::open("stray_calls_to_the_port_change_nothing") else {
        return;
    };
    let machine = SealedBox::new();
    let (running, address) = company.login(&machine, &[]);
    let url = reqwest::Url::parse(&address).unwrap();
    let value = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    let (port, state) = (value("port"), value("state"));
    let host = format!("Host: 127.0.0.1:{port}");
    for head in [
        format!("GET /favicon.ico HTTP/1.1\r\n{host}"),
        format!("GET /?code=c&state=guessed HTTP/1.1\r\n{host}"),
        format!("GET /?error=x HTTP/1.1\r\n{host}"),
        format!("POST /?code=c&state={state} HTTP/1.1\r\n{host}\r\nContent-Length: 0"),
        format!("GET /?code=c&state={state} HTTP/1.1\r\nHost: rebound.example"),
    ] {
        let answer = ask(&port, &head);
        assert!(answer.starts_with("HTTP/1.1 404 "), "{head}: {answer}");
    }
    // a connection that says nothing
    let silent = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    goes("ana pwd -", &address);
    drop(running.finish(LIMIT).exits(0));
    drop(silent);
}

#[test]
fn login_that_is_refused_there_exits_four() {
    let Some(company) = Company::open("login_that_is_refused_there_exits_four") else {
        return;
    };
    let machine = SealedBox::new();
    let run = company.sign_in(&machine, "nobody - -", &[]).exits(4);
    assert!(
        run.stderr
            .contains("jit: acme: it refuses: access_denied\n  try: jit login\n"),
        "{}",
        run.stderr
    );
    drop(machine.jit(&["whoami"]).exits(4));
}

#[test]
fn login_is_given_up_by_the_interrupt_key() {
    let Some(company) = Company::open("login_is_given_up_by_the_interrupt_key") else {
        return;
    };
    let machine = SealedBox::new();
    let (running, _) = company.login(&machine, &[]);
    running.stderr_line("Waiting for the browser", LIMIT);
    running.signal(Signal::INT);
    drop(running.finish(LIMIT).exits(130));
}

#[test]
fn two_people_at_once_do_not_take_one_name() {
    let Some(company) = Company::open("two_people_at_once_do_not_take_one_name") else {
        return;
    };
    let machine = SealedBox::new();
    let as_admin = ["--identity", "admin"];
    let begun = [(); 2].map(|()| company.login(&machine, &as_admin));
    let before = company.sessions();
    // both have their session, and neither could write it down so far
    let lock = fs::File::open(machine.home().join(".local/state/jit/lock")).unwrap();
    lock.lock().unwrap();
    let [first, second] = begun;
    goes("ana pwd -", &first.1);
    goes("bea pwd -", &second.1);
    wait_until("two sessions", LIMIT, || {
        (company.sessions() == before + 2).then_some(())
    });
    drop(lock);
    let ends = [first.0.finish(LIMIT), second.0.finish(LIMIT)];
    let mut codes = ends.map(|run| run.status);
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(4)]);
    // whoever came too late is signed in nowhere
    wait_until("one session", LIMIT, || {
        (company.sessions() == before + 1).then_some(())
    });
    drop(machine.jit(&["whoami"]).exits(0));
}

#[test]
fn name_of_somebody_else_on_this_machine_is_not_taken() {
    let Some(company) = Company::open("name_of_somebody_else_on_this_machine_is_not_taken") else {
        return;
    };
    let machine = SealedBox::new();
    drop(
        company
            .sign_in(&machine, "ana pwd -", &["--identity", "admin"])
            .exits(0),
    );
    let run = company
        .sign_in(&machine, "bea pwd -", &["--identity", "admin"])
        .exits(4);
    assert!(
        run.stderr.contains("jit: admin is somebody else here than bea\n"),
        "{}",
        run.stderr
    );
    let who = machine.jit(&["--identity", "admin", "whoami"]).exits(0).stdout;
    assert!(who.starts_with("ana at "), "{who}");
    // two of one name, at one issuer: the second is kept under their id
    drop(
        company
            .sign_in(&machine, "one|ana pwd -", &["--identity", "x"])
            .exits(0),
    );
    drop(company.sign_in(&machine, "ana pwd -", &[]).exits(0));
    drop(company.sign_in(&machine, "two|ana pwd -", &[]).exits(0));
    let me = machine.jit(&["whoami", "-o", "json"]).exits(0).json();
    assert_eq!(me["subject"], "two|ana");
}

#[test]
fn secrets_of_a_sign_in_are_in_no_file_and_no_log_line() {
    let Some(company) = Company::open("secrets_of_a_sign_in_are_in_no_file_and_no_log_line") else {
        return;
    };
    let machine = SealedBox::new();
    let (running, address) = company.login(&machine, &["-vv"]);
    goes("ana pwd -", &address);
    let run = running.finish(LIMIT).exits(0);
    let database = fs::read(company.machine.etc.join("jit.db")).unwrap();
    let wal = fs::read(company.machine.etc.join("jit.db-wal")).unwrap_or_default();
    // the second part of every token of the provider; three letters alone stand in random bytes by chance
    for secret in [CLIENT_SECRET, ".eyJ"] {
        let holds = |bytes: &[u8]| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(
            !holds(&database) && !holds(&wal) && !run.stderr.contains(secret),
            "{secret}"
        );
    }
}
