//! `jit serve --config`: every file that is refused, and a backend that runs from one.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use jit::config::ServerFile;
use rustix::process::Signal;
use serde_json::Value;

use crate::docs_blocks::{blocks, read};
use crate::harness::{
    Authority, ConnectProxy, JitCommand, LIMIT, ProxyManners, Run, Running, SealedBox, StsRecorder, left_out,
    wait_until,
};
use crate::shown::held;

pub const NAME: &str = "jit.acme.example";
const KEY: &str = "q83vEjRWeJC83v7c3v7c3v7c3v7c3v7c3v7c3v7c3v4=";
const OTHER_KEY: &str = "AAAAEjRWeJC83v7c3v7c3v7c3v7c3v7c3v7c3v7c3v4=";

/// A machine with a backend's folder on it: `etc/jit.toml`, key, small policy.
pub struct Machine {
    pub machine: SealedBox,
    pub etc: PathBuf,
}

impl Machine {
    pub fn new() -> Self {
        let machine = SealedBox::new();
        let etc = machine.home().join("etc");
        fs::create_dir(&etc).unwrap();
        let made = Self { machine, etc };
        made.write("sealing.key", KEY, 0o600);
        // the small policy, as --dev writes it
        drop(made.say(&whole("http://127.0.0.1:7878")).start_and_stop(&["--dev"]));
        made
    }

    pub fn write(&self, name: &str, text: &str, mode: u32) {
        let path = self.etc.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    }

    /// Puts `text` into the file.
    pub fn say(&self, text: &str) -> &Self {
        self.write("jit.toml", text, 0o644);
        self
    }

    pub fn serve(&self, more: &[&str]) -> JitCommand {
        let mut args = vec!["serve", "--config", "etc/jit.toml"];
        args.extend(more);
        self.machine.jit_command(&args).env("AWS_EC2_METADATA_DISABLED", "true")
    }

    #[track_caller]
    pub fn start(&self, more: &[&str]) -> Served {
        let mut more = more.to_vec();
        more.extend(["-o", "json"]);
        let running = self.serve(&more).start();
        let hello = serde_json::from_str(&running.stdout_line("jit/serve/1", LIMIT)).unwrap();
        Served { running, hello }
    }

    #[track_caller]
    pub fn start_and_stop(&self, more: &[&str]) -> Run {
        self.start(more).stop()
    }
}

pub struct Served {
    running: Running,
    pub hello: Value,
}

impl Served {
    pub fn address(&self) -> &str {
        self.hello["listen"].as_str().unwrap()
    }

    #[track_caller]
    pub fn stop(self) -> Run {
        self.running.signal(Signal::TERM);
        self.running.finish(LIMIT).exits(0)
    }
}

fn whole(public_url: &str) -> String {
    format!(
        "listen = \"127.0.0.1:0\"\npublic_url = \"{public_url}\"\npolicy = \"policy\"\ndatabase = \"jit.db\"\n\n[sealing_key]\nfile = \"sealing.key\"\n"
    )
}

pub fn production() -> String {
    whole(&format!("https://{NAME}"))
}

/// Status line and body of a `GET`.
#[track_caller]
pub fn get(address: &str, host: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn file_that_cannot_be_right_exits_three() {
    let machine = Machine::new();
    let whole = production();
    for (name, from, to) in [
        ("unknown_key", "listen", "listn"),
        ("unknown_table", "[sealing_key]", "[oidc]\nurl = \"x\"\n[sealing_key]"),
        ("wrong_type", "\"127.0.0.1:0\"", "7878"),
        ("no_toml", "listen = ", "listen: "),
        ("no_public_url", "public_url = \"https://jit.acme.example\"\n", ""),
        ("no_sealing_key", "[sealing_key]\nfile = \"sealing.key\"\n", ""),
        ("two_sealing_keys", "file = ", "keyring = \"k\"\nfile = "),
        ("plain_public_url", "https://jit.acme", "http://jit.acme"),
        (
            "loopback_public_url",
            "https://jit.acme.example",
            "http://127.0.0.1:7878",
        ),
        (
            "public_url_with_path",
            "https://jit.acme.example",
            "https://jit.acme.example/jit",
        ),
        (
            "public_url_no_issuer",
            "https://jit.acme.example",
            "https://jit.acme.example:8443",
        ),
        ("listen_beyond_loopback", "127.0.0.1:0", "0.0.0.0:7878"),
        (
            "trusts_everybody",
            "public_url",
            "trusted_proxies = [\"0.0.0.0/0\"]\npublic_url",
        ),
        ("unknown_admin", "public_url", "admins = [\"root\"]\npublic_url"),
        (
            "missing_certificate",
            "[sealing_key]",
            "[tls]\ncertificate = \"tls.pem\"\nkey = \"tls.key\"\n[sealing_key]",
        ),
        (
            "plain_endpoint",
            "[sealing_key]",
            "[aws]\nendpoint = \"http://127.0.0.1:4566\"\n[sealing_key]",
        ),
        ("missing_key_file", "\"sealing.key\"", "\"other.key\""),
        (
            "unset_key_variable",
            "file = \"sealing.key\"",
            "environment = \"JIT_SEALING_KEY\"",
        ),
        ("missing_policy", "\"policy\"", "\"other\""),
        ("missing_database_folder", "\"jit.db\"", "\"none/jit.db\""),
    ] {
        assert!(whole.contains(from), "{name}");
        let run = machine.say(&whole.replacen(from, to, 1)).serve(&[]).run();
        held(&format!("serve_config_{name}_exits_three"), &run.exits(3));
    }
    for (name, key) in [
        ("issuer_with_a_port", "url = \"https://id.acme.example:8443\""),
        ("issuer_with_a_query", "url = \"https://id.acme.example/?a\""),
        ("plain_issuer", "url = \"http://id.acme.example\""),
        ("short_period", "period = \"1d\""),
    ] {
        let run = machine.say(&format!("{whole}\n[issuer]\n{key}\n")).serve(&[]).run();
        held(&format!("serve_config_{name}_exits_three"), &run.exits(3));
    }
    fs::remove_file(machine.etc.join("jit.toml")).unwrap();
    let run = machine.serve(&[]).run().exits(3);
    held("serve_config_missing_file_exits_three", &run);
}

#[test]
fn flags_of_serve_that_do_not_fit_exit_two() {
    let machine = SealedBox::new();
    held("serve_without_a_way_exits_two", &machine.jit(&["serve"]).exits(2));
    let both = ["serve", "--config", "x", "--data", "y"];
    held("serve_with_config_and_data_exits_two", &machine.jit(&both).exits(2));
    drop(
        machine
            .jit(&["serve", "--config", "x", "--listen", "127.0.0.1:1"])
            .exits(2),
    );
}

#[test]
fn configured_backend_stops_and_goes_on_with_its_store() {
    let machine = Machine::new();
    machine.say(&production());
    let first = machine.start(&[]);
    assert_eq!(first.hello["url"], format!("https://{NAME}"));
    assert_eq!(first.hello["people"][0]["name"], "admin");
    let address = first.address().to_owned();
    assert!(
        get(&address, NAME, "/readyz").starts_with("HTTP/1.1 200 "),
        "{}",
        get(&address, NAME, "/readyz")
    );
    for host in ["127.0.0.1", &address, "jit.acme.example.evil", "acme.example"] {
        assert!(get(&address, host, "/livez").contains("host.unknown"), "{host}");
    }
    let second = machine.serve(&[]).run();
    held("serve_config_twice_exits_three", &second.exits(3));
    let log = first.stop().stderr;
    assert!(!log.contains(KEY) && !log.contains("panicked"), "{log}");
    let again = machine.start(&[]);
    assert!(get(again.address(), NAME, "/readyz").starts_with("HTTP/1.1 200 "));
    drop(again.stop());
    machine.write("sealing.key", OTHER_KEY, 0o600);
    held("serve_config_other_key_exits_three", &machine.serve(&[]).run().exits(3));
}

#[test]
fn issuer_verbs_take_the_file_too() {
    let machine = Machine::new();
    let served = machine.say(&production()).start(&[]);
    let issuer = |args: &[&str]| {
        let all = [&["issuer"], args, &["--config", "etc/jit.toml"]].concat();
        machine.machine.jit(&all)
    };
    let is_published = || (issuer(&["publish", "bucket"]).status == Some(0)).then_some(());
    wait_until("a first key", LIMIT, is_published);
    let written = machine.machine.home().join("bucket/.well-known/openid-configuration");
    let document: Value = serde_json::from_str(&fs::read_to_string(written).unwrap()).unwrap();
    assert_eq!(document["issuer"], format!("https://{NAME}"));
    let both = issuer(&["rotate", "--data", "."]).exits(2);
    assert!(both.stderr.contains("cannot be used with"), "{both}");
    drop(issuer(&["revoke", "--all", "--yes"]).exits(0));
    drop(served.stop());
}

#[test]
fn configured_backend_says_how_the_first_admin_signs_in() {
    let machine = Machine::new();
    let running = machine.say(&production()).serve(&[]).start();
    let line = running.stderr_line("One-time code: ", LIMIT);
    let code = line.trim().trim_start_matches("One-time code: ");
    assert_eq!((code.len(), code.split('-').count()), (32, 7), "{code}");
    running.signal(Signal::INT);
    let mut run = running.finish(LIMIT).exits(0);
    run.stderr = run.stderr.replace(code, "F7KQ-…");
    held("serve_config_says_where_it_is", &run);
}

#[test]
fn sealing_key_may_come_from_a_variable_but_not_from_a_mute_keyring() {
    let machine = Machine::new();
    let named = production().replace("file = \"sealing.key\"", "environment = \"ACME_KEY\"");
    machine.say(&named);
    let served = machine.serve(&["-o", "json"]).env("ACME_KEY", KEY).start();
    drop(served.stdout_line("jit/serve/1", LIMIT));
    served.signal(Signal::TERM);
    drop(served.finish(LIMIT).exits(0));
    let wrong = machine.serve(&[]).env("ACME_KEY", "hunter2").run().exits(3);
    assert!(
        wrong.stderr.contains("ACME_KEY holds no key") && !wrong.stderr.contains("hunter2"),
        "{wrong}"
    );
    machine.say(&production().replace("file = \"sealing.key\"", "keyring = \"sealing key\""));
    let begun = Instant::now();
    let mute = machine
        .serve(&[])
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    let run = mute.run().exits(3);
    assert!(run.stderr.contains("sealing key: the keyring"), "{run}");
    assert!(begun.elapsed() < LIMIT, "{:?}", begun.elapsed());
}

#[test]
fn file_is_tried_with_local_people_through_its_public_name() {
    let test = "file_is_tried_with_local_people_through_its_public_name";
    let Some(authority) = Authority::new(test) else {
        return left_out(test, "openssl is missing");
    };
    let machine = Machine::new();
    let sts = StsRecorder::start();
    let keys = [
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL", &*sts.url),
    ];
    let command = machine.say(&production()).serve(&["--dev", "-o", "json"]);
    let running = keys
        .iter()
        .fold(command, |command, (key, value)| command.env(key, *value))
        .start();
    let hello: Value = serde_json::from_str(&running.stdout_line("jit/serve/1", LIMIT)).unwrap();
    let url = hello["url"].as_str().unwrap();
    let code = hello["people"][0]["code"].as_str().unwrap();
    let alice = SealedBox::new();
    drop(
        alice
            .jit(&["login", "--server", url, "--identity", "alice", "--code", code])
            .exits(0),
    );
    // her session was opened on loopback, and goes on under the public name
    for file in ["sessions.json", "secrets.json"] {
        let path = alice.home().join(".local/state/jit").join(file);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace(url, &format!("https://{NAME}"))).unwrap();
    }
    let end = authority.tls_end(NAME, url, false);
    let proxy = ConnectProxy::start(ProxyManners::Pass, &[(NAME, &end)]);
    let server = format!("https://{NAME}");
    let asked = alice.jit_command(&[
        "--server",
        &server,
        "--identity",
        "alice",
        "request",
        "dev-admin",
        "--for",
        "30m",
        "--reason",
        "night shift",
    ]);
    let asked = asked
        .env("HTTPS_PROXY", proxy.url())
        .env("JIT_CA_BUNDLE", authority.bundle());
    drop(asked.run().exits(0));
    assert!(!sts.calls().is_empty());
    running.signal(Signal::TERM);
    drop(running.finish(LIMIT).exits(0));
}

#[test]
fn example_of_the_documents_is_read() {
    let page = read("docs/serve.md");
    let examples = blocks(&page).into_iter().filter(|block| block.language == "toml");
    // the second goes on where the first ends; the third stands above both
    let mut whole: Vec<String> = examples.map(|example| example.text).collect();
    whole.rotate_right(1);
    let file = ServerFile::parse(&whole.join("\n"), Path::new("/etc/jit/jit.toml"), Path::new("/etc/jit")).unwrap();
    assert_eq!(file.public_url.as_str(), format!("https://{NAME}"));
    assert_eq!((whole.len(), file.sign_in.len()), (3, 1));
    assert_eq!(file.trusted_proxies.unwrap().networks.len(), 2);
}

#[test]
fn members_of_an_issuer_without_sign_in_are_warned_of() {
    let machine = Machine::new();
    machine.say(&whole("http://127.0.0.1:7878"));
    let catalogue = machine.etc.join("policy/security/catalogue.toml");
    let text = fs::read_to_string(&catalogue).unwrap();
    let members = "members = [\"local:bob\", \"https://acme.okta.com/ 00u1\", \"https://acme.okta.com/ 00u2\"]";
    fs::write(&catalogue, text.replace("members = [\"local:bob\"]", members)).unwrap();
    let run = machine.start_and_stop(&["--dev"]);
    let warned = "groups or humans are of an issuer at which nobody signs in";
    assert_eq!(run.stderr.matches(warned).count(), 1, "{}", run.stderr);
    let line = run.stderr.lines().find(|line| line.contains(warned)).unwrap();
    assert!(
        line.contains("https://acme.okta.com/") && !line.contains("local"),
        "{line}"
    );
    // an identity that nobody signs in as keeps nobody from deciding on what they asked for
    let ana = "[human.ana]\nidentities = [\"local:alice\", \"https://acme.okta.com// 00u1\"]";
    fs::write(&catalogue, format!("{text}\n{ana}\n")).unwrap();
    let run = machine.start_and_stop(&["--dev"]);
    assert_eq!(run.stderr.matches(warned).count(), 1, "{}", run.stderr);
    assert!(run.stderr.contains("https://acme.okta.com//"), "{}", run.stderr);
}
