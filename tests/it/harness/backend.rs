//! The real `jit serve --dev` on a free port, and people signed in to it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use super::child::Running;
use super::run::Run;
use super::sealed_box::SealedBox;
use super::wait::LIMIT;

/// What seals the secrets of a backend that is set up by a file.
const SEALING_KEY: &str = "q83vEjRWeJC83v7c3v7c3v7c3v7c3v7c3v7c3v7c3v4=";

/// How a backend is to be started.
#[must_use = "start() it"]
pub struct BackendPlan {
    endpoint: String,
    env: Vec<(String, String)>,
    edits: Vec<(&'static str, String, String)>,
    public_name: Option<&'static str>,
}

impl BackendPlan {
    /// AWS is what answers at `endpoint`: a `MiniStack`'s or an `StsRecorder`'s `url`.
    pub fn with_aws(endpoint: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            env: Vec::new(),
            edits: Vec::new(),
            public_name: None,
        }
    }

    /// With every `from` in a file of the policy that it would write replaced by `to`.
    pub fn policy(mut self, file: &'static str, from: &str, to: &str) -> Self {
        self.edits.push((file, from.to_owned(), to.to_owned()));
        self
    }

    /// The backend is known as `https://name`, beside loopback.
    pub fn known_as(mut self, name: &'static str) -> Self {
        self.public_name = Some(name);
        self
    }

    /// One more variable for the backend.
    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.env.push((key.to_owned(), value.to_owned()));
        self
    }

    /// The backend has no AWS credential, and no way to find one.
    pub fn keyless(self) -> Self {
        self.env("AWS_ACCESS_KEY_ID", "").env("AWS_SECRET_ACCESS_KEY", "")
    }

    /// Starts it on a new data folder and waits until it is ready.
    #[track_caller]
    pub fn start(self) -> Backend {
        let mut machine = SealedBox::new();
        let aws = [
            ("AWS_ENDPOINT_URL", self.endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ];
        for (key, value) in aws
            .into_iter()
            .chain(self.env.iter().map(|(key, value)| (key.as_str(), value.as_str())))
        {
            machine.set_env(key, value);
        }
        let data = tempfile::Builder::new().prefix("jit-data-").tempdir().unwrap();
        if !self.edits.is_empty() || self.public_name.is_some() {
            drop(jit::server::dev::Data::take(data.path()).unwrap());
        }
        for (file, from, to) in &self.edits {
            let path = data.path().join("policy").join(file);
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.contains(from), "{from} is not in {file}");
            std::fs::write(&path, text.replace(from, to)).unwrap();
        }
        let (running, hello) = match self.public_name {
            Some(name) => serve_known_as(&machine, &data, name),
            None => serve(&machine, &data, "127.0.0.1:0"),
        };
        Backend {
            machine,
            data,
            running: Some(running),
            url: String::new(),
            codes: BTreeMap::new(),
        }
        .listening(&hello)
    }
}

fn serve_known_as(machine: &SealedBox, data: &TempDir, name: &str) -> (Running, Value) {
    let (file, key) = (data.path().join("jit.toml"), data.path().join("sealing.key"));
    let whole = format!(
        "listen = \"127.0.0.1:0\"\npublic_url = \"https://{name}\"\npolicy = \"policy\"\ndatabase = \"jit.db\"\n\n[sealing_key]\nfile = \"sealing.key\"\n"
    );
    std::fs::write(&file, whole).unwrap();
    std::fs::write(&key, SEALING_KEY).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let args = ["serve", "--dev", "-o", "json", "--config", file.to_str().unwrap()];
    hello(machine, &args)
}

fn serve(machine: &SealedBox, data: &TempDir, listen: &str) -> (Running, Value) {
    let args = [
        "serve",
        "--dev",
        "-o",
        "json",
        "--data",
        data.path().to_str().unwrap(),
        "--listen",
        listen,
    ];
    hello(machine, &args)
}

fn hello(machine: &SealedBox, args: &[&str]) -> (Running, Value) {
    let running = machine.jit_command(args).start();
    let hello = serde_json::from_str(&running.stdout_line("jit/serve/1", LIMIT)).unwrap();
    (running, hello)
}

/// A backend that runs. Killed when dropped, and its data folder goes.
pub struct Backend {
    machine: SealedBox,
    data: TempDir,
    running: Option<Running>,
    url: String,
    codes: BTreeMap<String, String>,
}

impl Backend {
    fn listening(mut self, hello: &Value) -> Self {
        self.url = hello["url"].as_str().unwrap().to_owned();
        let people = hello["people"].as_array().unwrap().iter();
        self.codes = people
            .map(|p| {
                (
                    p["name"].as_str().unwrap().to_owned(),
                    p["code"].as_str().unwrap().to_owned(),
                )
            })
            .collect();
        self
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its folder: database, policy.
    pub fn data(&self) -> PathBuf {
        self.data.path().to_owned()
    }

    /// The one-time code of `person` from the last start.
    #[track_caller]
    pub fn code(&self, person: &str) -> &str {
        self.codes.get(person).unwrap_or_else(|| panic!("no code for {person}"))
    }

    /// The process id, to look at its memory or to send it a signal.
    #[track_caller]
    pub fn pid(&self) -> u32 {
        self.running.as_ref().expect("the backend runs").pid()
    }

    /// The next line of its log that has `text`.
    #[track_caller]
    pub fn log_line(&self, text: &str) -> String {
        self.running
            .as_ref()
            .expect("the backend runs")
            .stderr_line(text, LIMIT)
    }

    /// A new machine on which `person` is signed in.
    #[track_caller]
    pub fn machine_of(&self, person: &str) -> SealedBox {
        let mut machine = SealedBox::new();
        self.sign_in(&mut machine, person);
        machine
    }

    /// Signs `person` in on a machine, where others may be signed in too.
    #[track_caller]
    pub fn sign_in(&self, machine: &mut SealedBox, person: &str) {
        machine.redact(self.url.clone(), "SERVER");
        drop(
            machine
                .jit(&[
                    "login",
                    "--server",
                    &self.url,
                    "--identity",
                    person,
                    "--code",
                    self.code(person),
                ])
                .exits(0),
        );
    }

    /// Puts `text` in the place of `old` in a file of its policy, everywhere.
    #[track_caller]
    pub fn edit_policy(&self, file: &str, old: &str, text: &str) {
        let path = self.data.path().join("policy").join(file);
        let before = std::fs::read_to_string(&path).unwrap();
        assert!(before.contains(old), "no {old:?} in {file}");
        std::fs::write(path, before.replace(old, text)).unwrap();
    }

    /// Ends it as a power cut does.
    #[track_caller]
    pub fn kill(&mut self) {
        self.running.take().expect("the backend runs").kill();
    }

    /// Has it abort as a broken invariant would, and gives what it left.
    #[track_caller]
    pub fn abort(&mut self) -> Run {
        let running = self.running.take().expect("the backend runs");
        running.signal(Signal::ABORT);
        running.finish(LIMIT)
    }

    /// Stops it as an operator does, and gives what it left.
    #[track_caller]
    pub fn stop(&mut self) -> Run {
        let running = self.running.take().expect("the backend runs");
        running.signal(Signal::TERM);
        running.finish(LIMIT)
    }

    /// Starts it again on the same folder and the same address, with new sign-in codes.
    #[track_caller]
    pub fn start_again(self) -> Self {
        assert!(self.running.is_none(), "the backend still runs");
        let (running, hello) = serve(&self.machine, &self.data, self.url.trim_start_matches("http://"));
        Self {
            running: Some(running),
            ..self
        }
        .listening(&hello)
    }
}
