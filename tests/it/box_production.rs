//! A company's backend as `docs/production.md` sets it up: from an empty folder to a first grant, over TLS.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::docs_blocks::{blocks, read};
use crate::harness::{
    Authority, Browser, CLIENT_ID, CLIENT_SECRET, FakedTime, JitCommand, LIMIT, OidcProvider, Run, Running, SealedBox,
    StsRecorder, TlsEnd, wait_until,
};
use crate::shown::held;

/// The block of the page that is the file of this name.
fn block(name: &str) -> String {
    let blocks = blocks(&read("docs/production.md"));
    let named = blocks
        .into_iter()
        .map(|block| block.text)
        .find(|text| text.starts_with(&format!("# {name}")));
    named.unwrap_or_else(|| panic!("docs/production.md has no {name}"))
}

fn put(path: &Path, text: &str, mode: u32) {
    let half = path.with_extension("half");
    fs::write(&half, text).unwrap();
    fs::set_permissions(&half, Permissions::from_mode(mode)).unwrap();
    fs::rename(half, path).unwrap();
}

/// A company: its authority, identity provider and STS, and the machine that the backend is to run on.
struct Company {
    authority: Authority,
    acme: OidcProvider,
    sts: StsRecorder,
    _end: TlsEnd,
    machine: SealedBox,
    etc: PathBuf,
    url: String,
}

impl Company {
    /// None, said to be left out of `test`, where something is not installed.
    fn found(test: &str) -> Option<Self> {
        let authority = Authority::new(test)?;
        // browsers come back to an address that stands in the file: it is chosen before anybody listens there
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url = format!("https://localhost:{port}");
        let acme = OidcProvider::start(test, &url)?;
        let sts = StsRecorder::start();
        let end = authority.tls_end("localhost", &sts.url, false);
        let machine = SealedBox::new();
        let etc = machine.home().join("etc");
        fs::create_dir(&etc).unwrap();
        let company = Self {
            authority,
            acme,
            sts,
            machine,
            etc,
            url,
            _end: end,
        };
        company.certify();
        let file = block("/etc/jit/jit.toml")
            .replace("0.0.0.0:443", &format!("127.0.0.1:{port}"))
            .replace("https://jit.acme.example", &company.url)
            .replace("/var/lib/jit/jit.db", "jit.db")
            .replace("https://acme.okta.com", &company.acme.issuer)
            .replace("0oa1b2c3d4", CLIENT_ID);
        // this machine's own name: the port in it can be no issuer's, and AWS is ours here
        let aws = format!(
            "\n[aws]\nendpoint = \"https://localhost:{}\"\n",
            company._end.address.rsplit(':').next().unwrap()
        );
        let issuer = "\n[issuer]\nurl = \"https://id.acme.example\"\n";
        put(&company.etc.join("jit.toml"), &format!("{file}{aws}{issuer}"), 0o644);
        put(
            &company.etc.join("sealing.key"),
            "q83vEjRWeJC83v7c3v7c3v7c3v7c3v7c3v7c3v7c3v4=\n",
            0o600,
        );
        put(&company.etc.join("client.secret"), &format!("{CLIENT_SECRET}\n"), 0o600);
        Some(company)
    }

    /// A certificate of the authority where the file names it.
    fn certify(&self) {
        let (certificate, key) = self.authority.certificate("localhost");
        fs::create_dir_all(self.etc.join("tls")).unwrap();
        put(
            &self.etc.join("tls/fullchain.pem"),
            &fs::read_to_string(certificate).unwrap(),
            0o644,
        );
        put(
            &self.etc.join("tls/privkey.pem"),
            &fs::read_to_string(key).unwrap(),
            0o600,
        );
    }

    /// The policy of the page, which is the small one with this company's people.
    fn people(&self) {
        let catalogue = self.etc.join("policy/security/catalogue.toml");
        let mut text = fs::read_to_string(&catalogue).unwrap();
        for (group, members) in [
            ("engineering", vec!["ana", "bea"]),
            ("payments", vec!["bea"]),
            ("security", vec!["cem"]),
        ] {
            let at = text.find(&format!("[group.{group}]\nmembers = [")).unwrap();
            let (start, end) = (
                at + text[at..].find("= [").unwrap() + 2,
                at + text[at..].find(']').unwrap(),
            );
            let end = end + text[end + 1..].find(']').unwrap() + 2;
            let members: Vec<String> = members
                .iter()
                .map(|name| format!("\"{} {name}\"", self.acme.issuer))
                .collect();
            text.replace_range(start..end, &format!("[{}]", members.join(", ")));
        }
        put(&catalogue, &text, 0o600);
    }

    /// Takes away the database that trying the file made.
    fn forget(&self) {
        for name in ["jit.db", "jit.db-wal", "jit.db-shm"] {
            drop(fs::remove_file(self.etc.join(name)));
        }
    }

    fn serve(&self, more: &[&str]) -> JitCommand {
        let mut args = vec!["serve", "--config", "etc/jit.toml"];
        args.extend(more);
        let keys = [
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", "us-east-1"),
        ];
        let command = self.machine.jit_command(&args).env("AWS_EC2_METADATA_DISABLED", "true");
        let command = command.env("JIT_CA_BUNDLE", self.authority.bundle());
        keys.iter()
            .fold(command, |command, (name, value)| command.env(name, *value))
    }

    /// A person's machine, which trusts the company's authority.
    fn laptop(&self) -> SealedBox {
        let mut laptop = SealedBox::new();
        laptop.set_env("JIT_CA_BUNDLE", self.authority.bundle());
        laptop
    }

    /// Signs whoever `login` says in, in a browser that is sent there by hand.
    fn sign_in(&self, laptop: &SealedBox, login: &str) -> Run {
        let running = laptop
            .jit_command(&["login", "--server", &self.url, "--no-browser"])
            .start();
        let address = running.stdout_line(&format!("{}/sign-in?", self.url), LIMIT);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let mut browser = Browser::trusting(&self.authority.bundle(), login);
        let page = runtime.block_on(browser.follow(address.trim(), "nowhere"));
        assert!(page.text.contains("You can close this tab"), "{page:?}");
        running.finish(LIMIT).exits(0)
    }
}

/// A backend that runs, and what it said first.
fn started(command: JitCommand) -> (Running, Value) {
    let running = command.start();
    let hello = serde_json::from_str(&running.stdout_line("jit/serve/1", LIMIT)).unwrap();
    (running, hello)
}

fn stop(running: Running) -> Run {
    running.signal(Signal::TERM);
    running.finish(LIMIT).exits(0)
}

#[test]
fn production_page_leads_from_an_empty_folder_to_a_first_grant() {
    let Some(company) = Company::found("production_page_leads_from_an_empty_folder_to_a_first_grant") else {
        return;
    };
    // the first policy, as the page has it written
    let (running, _) = started(company.serve(&["--dev", "-o", "json"]));
    drop(stop(running));
    company.forget();
    company.people();
    // the first admin
    let (running, hello) = started(company.serve(&["-o", "json"]));
    let first = &hello["people"][0];
    assert_eq!((&first["name"], &first["role"]), (&"admin".into(), &"admin".into()));
    let admin = company.laptop();
    let code = first["code"].as_str().unwrap();
    drop(
        admin
            .jit(&["login", "--server", &company.url, "--identity", "admin", "--code", code])
            .exits(0),
    );
    let who = admin.jit(&["whoami"]).exits(0).stdout;
    assert!(who.contains("  admin    yes"), "{who}");
    // people
    let (ana, bea) = (company.laptop(), company.laptop());
    drop(company.sign_in(&ana, "ana pwd,mfa -"));
    drop(company.sign_in(&bea, "bea pwd,mfa -"));
    let listed = admin.jit(&["admin", "session", "list"]).exits(0).stdout;
    assert_eq!(listed.lines().count(), 4, "{listed}");
    // the first grant
    let asked = [
        "request",
        "prod-admin",
        "--for",
        "1h",
        "--no-wait",
        "--reason",
        "the first grant of all",
    ];
    drop(ana.jit(&asked).exits(0));
    drop(ana.jit(&["admin", "session", "list"]).exits(5));
    drop(bea.jit(&["approve", "prod-admin"]).exits(0));
    let is_held = || (ana.jit(&["has", "prod-admin", "--fresh"]).status == Some(0)).then_some(());
    wait_until("the first grant", LIMIT, is_held);
    let keys = ana.jit(&["credential-process", "prod-admin"]).exits(0).json();
    assert_eq!(keys["Version"], 1, "{keys}");
    assert!(!company.sts.calls().is_empty());
    // the certificate is renewed while it runs; a broken one changes nothing
    company.certify();
    running.signal(Signal::HUP);
    running.stderr_line("a renewed certificate is in force", LIMIT);
    drop(ana.jit(&["has", "prod-admin", "--fresh"]).exits(0));
    put(&company.etc.join("tls/fullchain.pem"), "hello", 0o644);
    running.signal(Signal::HUP);
    running.stderr_line("holds no certificate", LIMIT);
    drop(ana.jit(&["has", "prod-admin", "--fresh"]).exits(0));
    // a session that is revoked is over at once
    let me = ana.jit(&["whoami", "-o", "json"]).exits(0).json();
    drop(
        admin
            .jit(&["admin", "session", "revoke", me["session"].as_str().unwrap()])
            .exits(0),
    );
    drop(ana.jit(&["whoami"]).exits(4));
    let log = stop(running).stderr;
    assert!(!log.contains("panicked") && !log.contains(CLIENT_SECRET), "{log}");
    // broken files keep it from starting
    let run = company.serve(&[]).run().exits(3);
    assert!(run.stderr.contains("tls/fullchain.pem: holds no certificate"), "{run}");
    company.certify();
    // nobody waits for the first admin any more
    let (running, hello) = started(company.serve(&["-o", "json"]));
    assert_eq!(hello["people"], serde_json::json!([]));
    drop(stop(running));
}

#[test]
fn first_code_signs_the_first_admin_in_once() {
    let Some(company) = Company::found("first_code_signs_the_first_admin_in_once") else {
        return;
    };
    let (running, _) = started(company.serve(&["--dev", "-o", "json"]));
    drop(stop(running));
    company.forget();
    let (running, hello) = started(company.serve(&["-o", "json"]));
    let code = hello["people"][0]["code"].as_str().unwrap();
    let login = ["login", "--server", &company.url, "--identity", "admin", "--code", code];
    let (admin, thief) = (company.laptop(), company.laptop());
    drop(admin.jit(&login).exits(0));
    drop(thief.jit(&login).exits(4));
    // a code for somebody: they sign in, and are signed out everywhere by themselves
    let added = admin
        .jit(&["admin", "user", "add", "dan", "-o", "json"])
        .exits(0)
        .json();
    let (first, second) = (company.laptop(), company.laptop());
    let by = |code: &Value| {
        let code = code.as_str().unwrap().to_owned();
        ["login", "--server", &company.url, "--identity", "dan", "--code", &code].map(str::to_owned)
    };
    let login = by(&added["code"]);
    drop(first.jit(&login.each_ref().map(String::as_str)).exits(0));
    let added = admin
        .jit(&["admin", "user", "add", "dan", "-o", "json"])
        .exits(0)
        .json();
    let login = by(&added["code"]);
    drop(second.jit(&login.each_ref().map(String::as_str)).exits(0));
    // who was there before is told
    let told = first.jit(&["inbox"]).exits(0).stderr;
    assert!(
        told.contains("a one-time code enrolled another device as you at "),
        "{told}"
    );
    // and so is the second of the first, which may be the one that is not theirs
    assert!(second.jit(&["inbox"]).exits(0).stderr.contains("another device"));
    drop(first.jit(&["logout", "--everywhere"]).exits(0));
    drop(second.jit(&["whoami"]).exits(4));
    // text, as it stands on a console
    let said = admin.jit(&["admin", "user", "add", "eve"]).exits(0);
    assert_eq!(said.stdout.lines().count(), 1, "{}", said.stdout);
    assert!(
        said.stderr.contains("--identity eve --code\n") && said.stderr.contains("approves after 1d"),
        "{}",
        said.stderr
    );
    drop(stop(running));
}

#[test]
fn certificate_that_cannot_be_served_exits_three() {
    let test = "certificate_that_cannot_be_served_exits_three";
    let Some(company) = Company::found(test) else {
        return;
    };
    let (running, _) = started(company.serve(&["--dev", "-o", "json"]));
    drop(stop(running));
    let file = company.etc.join("tls/fullchain.pem");
    let (own, key) = (fs::read_to_string(&file).unwrap(), company.etc.join("tls/privkey.pem"));
    let (other, _) = company.authority.certificate("other.acme.example");
    put(&file, &fs::read_to_string(other).unwrap(), 0o644);
    held(
        "serve_config_certificate_of_another_name_exits_three",
        &company.serve(&[]).run().exits(3),
    );
    let (_, other_key) = company.authority.certificate("localhost");
    put(&file, &own, 0o644);
    put(&key, &fs::read_to_string(other_key).unwrap(), 0o600);
    held(
        "serve_config_key_of_another_certificate_exits_three",
        &company.serve(&[]).run().exits(3),
    );
    fs::set_permissions(&key, Permissions::from_mode(0o640)).unwrap();
    held(
        "serve_config_open_tls_key_exits_three",
        &company.serve(&[]).run().exits(3),
    );
    company.certify();
    let Some(clock) = FakedTime::start(test) else {
        return;
    };
    clock.set_ahead(Duration::from_secs(3 * 86_400));
    let command = company.serve(&[]);
    let command = clock
        .env()
        .into_iter()
        .fold(command, |command, (name, value)| command.env(name, value));
    let late = command.run().exits(3);
    assert!(
        late.stderr.contains("tls/fullchain.pem: the certificate expired at "),
        "{late}"
    );
}
