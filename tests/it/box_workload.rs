//! A job that signs in by itself: a real backend, our own mock of GitHub, and what is said where that does not work.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use jit::config::ServerFile;
use jit::policy::{Bundle, small};
use serde_json::{Value, json};

use crate::box_serve_config::{Machine, Served};
use crate::docs_blocks::{blocks, read};
use crate::harness::{JOB_TOKEN, LIMIT, MockGitHub, RawServer, SealedBox, StsRecorder, jit_program};
use crate::http::{PERMITS, enrolled};
use crate::shown::held;

/// A backend that a file sets up, at which jobs of the mock sign in.
struct Company {
    github: MockGitHub,
    url: String,
    sts: StsRecorder,
    served: Served,
    _machine: Machine,
}

impl Company {
    fn open() -> Self {
        // what tokens are for stands in the file: it is chosen before anybody listens there
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (url, github, sts) = (format!("http://{address}"), MockGitHub::start(), StsRecorder::start());
        let mut machine = Machine::new();
        for (name, value) in [
            ("AWS_ENDPOINT_URL", sts.url.as_str()),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", "us-east-1"),
        ] {
            machine.machine.set_env(name, value);
        }
        machine.say(&format!(
            "listen = \"{address}\"\npublic_url = \"{url}\"\npolicy = \"policy\"\ndatabase = \"jit.db\"\n\n\
             [sealing_key]\nfile = \"sealing.key\"\n\n\
             [[workload_issuer]]\nname = \"github\"\nissuer = \"{}\"\nkind = \"github\"\n",
            github.issuer
        ));
        let policy = machine.etc.join("policy");
        fs::write(policy.join("security/50-workloads.toml"), enrolled(&github.issuer)).unwrap();
        fs::write(policy.join("50-workloads.cedar"), PERMITS).unwrap();
        let served = machine.start(&["--dev"]);
        Self {
            github,
            url,
            sts,
            served,
            _machine: machine,
        }
    }

    /// A runner of the mock's whose tokens have `claims` on top.
    fn runner(&self, claims: &Value) -> SealedBox {
        let mut runner = SealedBox::new();
        runner.redact(self.url.clone(), "SERVER");
        runner.redact(self.github.issuer.clone(), "ISSUER");
        for (name, value) in [
            ("GITHUB_ACTIONS", "true"),
            ("JIT_SERVER", &self.url),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", &self.github.token_url(claims, "")),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", JOB_TOKEN),
        ] {
            runner.set_env(name, value);
        }
        runner
    }

    fn person(&self, name: &str) -> SealedBox {
        let mut machine = SealedBox::new();
        machine.redact(self.url.clone(), "SERVER");
        machine.redact(self.github.issuer.clone(), "ISSUER");
        let people = self.served.hello["people"].as_array().unwrap();
        let code = people.iter().find(|one| one["name"] == name).unwrap()["code"].clone();
        let login = [
            "login",
            "--server",
            &self.url,
            "--identity",
            name,
            "--code",
            code.as_str().unwrap(),
        ];
        drop(machine.jit(&login).exits(0));
        machine
    }
}

const ASK: [&str; 6] = ["request", "dev-admin", "--for", "15m", "--reason", "run 19500000001"];

#[test]
fn job_signs_in_by_itself_and_is_given_access() {
    let company = Company::open();
    let runner = company.runner(&json!({}));
    held("job_signs_in_by_itself", &runner.jit(&ASK));
    let who = runner.jit(&["whoami"]).exits(0).stdout;
    assert!(
        who.starts_with("deploy at ") && who.contains("  session  workload, until "),
        "{who}"
    );
    assert!(who.contains("  started  by alice\n") && !who.contains("mfa"), "{who}");
    held("job_status_shows_what_is_live", &runner.jit(&["status"]));
    // the session is there now: nothing is asked of GitHub again
    let without = runner
        .jit_command(&["credential-process", "dev-admin"])
        .env("ACTIONS_ID_TOKEN_REQUEST_URL", "http://127.0.0.1:9")
        .run()
        .exits(0);
    assert_eq!(without.json()["Version"], 1);
    // as whom AWS sees it
    let calls = company.sts.calls();
    let call = calls.iter().find(|call| call.param("Action") == "AssumeRole").unwrap();
    assert!(call.param("RoleSessionName").starts_with("deploy@"), "{call:?}");
}

#[test]
fn person_who_decides_is_told_of_the_job_and_who_started_it() {
    let company = Company::open();
    let (runner, bob) = (company.runner(&json!({})), company.person("bob"));
    let ask = [
        "request",
        "prod-admin",
        "--for",
        "15m",
        "--reason",
        "run 19500000001",
        "--no-wait",
    ];
    drop(runner.jit(&ask).exits(0));
    held("job_waits_in_the_inbox", &bob.jit(&["inbox"]));
    held("job_waits_in_status", &bob.jit(&["status", "prod-admin"]));
    held("job_is_approved", &bob.jit(&["approve", "prod-admin"]));
    // and whoever started one decides nothing
    let own = company.runner(&json!({ "actor_id": "583232" }));
    drop(own.jit(&ask).exits(0));
    let id = own.jit(&["status", "-o", "json"]).exits(0).json()["requests"][0]["id"].clone();
    held(
        "attack_03_own_job_exits_five",
        &bob.jit(&["approve", id.as_str().unwrap()]),
    );
}

#[test]
fn job_is_told_why_it_does_not_sign_in() {
    let company = Company::open();
    held(
        "job_of_another_branch_exits_four",
        &company.runner(&json!({ "ref": "refs/heads/mine" })).jit(&ASK),
    );
    let mut forbidden = company.runner(&json!({}));
    forbidden.set_env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-another");
    held("job_that_github_refuses_exits_four", &forbidden.jit(&ASK));
    let mut unable = company.runner(&json!({}));
    unable.remove_env("ACTIONS_ID_TOKEN_REQUEST_URL");
    held("job_without_permission_exits_four", &unable.jit(&ASK));
    let mut nowhere = company.runner(&json!({}));
    nowhere.remove_env("JIT_SERVER");
    held("job_without_server_exits_two", &nowhere.jit(&ASK));
    let mut plain = company.runner(&json!({}));
    plain.set_env("ACTIONS_ID_TOKEN_REQUEST_URL", "http://github.example/token");
    held("job_with_a_plain_address_exits_four", &plain.jit(&ASK));
    for (name, server) in [
        (
            "job_whose_issuer_redirects_exits_four",
            RawServer::redirecting("http://127.0.0.1:9/"),
        ),
        (
            "job_whose_issuer_says_junk_exits_four",
            RawServer::answering(200, "text/html", "<html>"),
        ),
    ] {
        let mut odd = company.runner(&json!({}));
        odd.set_env("ACTIONS_ID_TOKEN_REQUEST_URL", &server.url);
        held(name, &odd.jit(&ASK));
    }
}

#[test]
fn token_of_a_file_or_a_variable_signs_in_once() {
    let company = Company::open();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let token = || runtime.block_on(company.github.token(&company.url, &json!({}), ""));
    let mut pod = SealedBox::new();
    pod.redact(company.url.clone(), "SERVER");
    let file = pod.home().join("token");
    pod.set_env("JIT_SERVER", &company.url);
    pod.set_env("JIT_ID_TOKEN_FILE", &file);
    held("job_without_its_token_file_exits_four", &pod.jit(&ASK));
    fs::write(&file, "no token\n").unwrap();
    held("job_with_another_file_exits_four", &pod.jit(&ASK));
    let written = token();
    fs::write(&file, format!("{written}\n")).unwrap();
    drop(pod.jit(&ASK).exits(0));
    drop(pod.jit(&["logout"]).exits(0));
    // it was used: the file is to be written anew
    held("job_with_a_used_token_exits_four", &pod.jit(&ASK));
    let variable = pod.jit_command(&ASK).env("JIT_ID_TOKEN", token()).run().exits(0);
    for run in [pod.jit(&["whoami", "-vv"]), variable] {
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(!said.contains(written.rsplit('.').next().unwrap()), "{said}");
    }
    drop(fs::remove_file(&file));
    // who has a session needs no token
    drop(pod.jit(&["whoami"]).exits(0));
}

#[test]
fn processes_of_one_job_sign_in_once() {
    let company = Company::open();
    let runner = company.runner(&json!({}));
    let running: Vec<_> = (0..8)
        .map(|_| runner.jit_command(&["whoami", "-o", "json"]).start())
        .collect();
    let sessions: Vec<Value> = running
        .into_iter()
        .map(|one| one.finish(LIMIT).exits(0).json()["session"].clone())
        .collect();
    assert!(sessions.iter().all(|session| *session == sessions[0]), "{sessions:?}");
}

#[test]
fn files_of_the_page_are_taken_as_they_stand() {
    let of = |start: &str| -> Vec<String> {
        let blocks = blocks(&read("docs/workloads.md")).into_iter();
        let texts = blocks.filter(|block| block.language == "toml").map(|block| block.text);
        texts.filter(|text| text.starts_with(start)).collect()
    };
    let issuers = of("[[workload_issuer]]");
    let file = format!(
        "public_url = \"https://jit.acme.example\"\npolicy = \"policy\"\ndatabase = \"jit.db\"\nsealing_key = {{ keyring = \"k\" }}\n\n{}",
        issuers.join("\n")
    );
    let parsed = ServerFile::parse(&file, Path::new("jit.toml"), Path::new("/etc/jit")).unwrap();
    assert_eq!((issuers.len(), parsed.workload_issuers.len()), (3, 3));
    let workloads = of("[workload.");
    assert_eq!(workloads.len(), 4);
    let permits = blocks(&read("docs/workloads.md"));
    let permits = &permits.iter().find(|block| block.language == "cedar").unwrap().text;
    for one in workloads {
        let mut files = small::files();
        files.push(("security/50-workloads.toml".into(), one.clone().into_bytes()));
        if one.starts_with("[workload.deploy]") {
            let permits = permits.replace("prod-deploy", "prod-admin");
            files.push(("50-workloads.cedar".into(), permits.into_bytes()));
        }
        let loaded = Bundle::load(&files);
        assert!(loaded.is_ok(), "{one}: {:?}", loaded.err());
    }
}

#[test]
fn action_runs_nothing_that_is_not_pinned() {
    let action = read("action.yml");
    // what others publish is named by a whole commit, or not at all
    for used in action.lines().filter_map(|line| line.trim().strip_prefix("uses: ")) {
        let commit = used
            .split('@')
            .nth(1)
            .unwrap_or_default()
            .split(' ')
            .next()
            .unwrap_or_default();
        assert!(
            commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit()),
            "{used}"
        );
    }
    assert!(action.contains("cargo build --release --locked") && action.contains("sha256sum --check"));
    // inputs reach the shell as variables: text in a script would be run
    let scripts = action
        .split("run: |")
        .skip(1)
        .map(|rest| rest.split("\n    - ").next().unwrap());
    for script in scripts {
        assert!(!script.contains("${{"), "{script}");
    }
}

/// The script of the step `name`.
fn script(name: &str) -> String {
    let action = read("action.yml");
    let step = action.split(&format!("- name: {name}\n")).nth(1).unwrap();
    let step = step.split("\n    - ").next().unwrap();
    let lines = step.split("run: |\n").nth(1).unwrap().lines();
    lines
        .map(|line| line.strip_prefix("        ").unwrap_or("").to_owned() + "\n")
        .collect()
}

#[test]
fn action_leaves_a_profile_behind() {
    let company = Company::open();
    let mut runner = company.runner(&json!({}));
    let temp = runner.home().join("temp");
    fs::create_dir_all(temp.join("jit-bin")).unwrap();
    std::os::unix::fs::symlink(jit_program(), temp.join("jit-bin/jit")).unwrap();
    for (name, value) in [
        ("TARGET", "dev-admin"),
        ("LENGTH", "15m"),
        ("REASON", "run 19500000001 of deploy in acme/payments"),
        ("TIMEOUT", "1m"),
        ("JIT_KEYRING", "file"),
    ] {
        runner.set_env(name, value);
    }
    for name in ["GITHUB_OUTPUT", "GITHUB_ENV"] {
        runner.set_env(name, temp.join(name));
    }
    runner.set_env("RUNNER_TEMP", &temp);
    let bash = runner
        .command("/bin/bash", &["-c", &script("Ask for access")])
        .run()
        .exits(0);
    assert!(bash.stderr.contains("Signed in as deploy (workload)"), "{bash}");
    let said = |name: &str| fs::read_to_string(temp.join(name)).unwrap();
    assert_eq!(said("GITHUB_OUTPUT"), "profile=jit-dev-admin\n");
    assert!(said("GITHUB_ENV").contains("AWS_PROFILE=jit-dev-admin\n"));
    assert!(temp.join("jit-state").is_dir() && !runner.home().join(".local/state/jit").exists());
    let config = fs::read_to_string(temp.join("jit-aws-config")).unwrap();
    assert!(config.contains("[profile jit-dev-admin]"), "{config}");
}

#[test]
fn action_takes_no_binary_with_another_checksum() {
    let mut runner = SealedBox::new();
    let temp = runner.home().join("temp");
    for (name, value) in [
        ("BINARY_URL", "https://127.0.0.1:9/jit"),
        ("BINARY_SHA256", ""),
        ("PATH", "/usr/bin:/bin"),
    ] {
        runner.set_env(name, value);
    }
    runner.set_env("RUNNER_TEMP", &temp);
    runner.set_env("GITHUB_PATH", temp.join("path"));
    let run = runner.command("/bin/bash", &["-c", &script("Get jit")]).run().exits(2);
    assert_eq!(run.stdout, "::error::binary-sha256 is no SHA-256\n");
}
