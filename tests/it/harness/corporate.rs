//! A company's network: a private authority (made with openssl), ends of TLS and a CONNECT proxy (ours).

use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::child::Running;
use super::left_out::{is_there, left_out};
use super::redact::Redactions;
use super::venv::venv_program;
use super::wait::LIMIT;

/// An authority that nobody but this company trusts. Its files go when it is dropped.
pub struct Authority {
    folder: TempDir,
    openssl: PathBuf,
}

impl Authority {
    /// Makes one. None where openssl is missing, which `test` then says.
    #[track_caller]
    pub fn new(test: &str) -> Option<Self> {
        let Some(openssl) = is_there("openssl") else {
            left_out(test, "openssl is missing");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("jit-authority-").tempdir().unwrap();
        let made = Self { folder, openssl };
        made.openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=A company of tests",
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
        ]);
        Some(made)
    }

    /// Its certificate, for `JIT_CA_BUNDLE`.
    pub fn bundle(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Files of a certificate for `name` that counts for two days, and of its key.
    #[track_caller]
    pub fn certificate(&self, name: &str) -> (PathBuf, PathBuf) {
        let (key, request, certificate) = (format!("{name}.key"), format!("{name}.csr"), format!("{name}.pem"));
        let names = format!("{name}.ext");
        std::fs::write(self.folder.path().join(&names), format!("subjectAltName=DNS:{name}\n")).unwrap();
        self.openssl(&[
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/CN=end",
            "-keyout",
            &key,
            "-out",
            &request,
        ]);
        self.openssl(&[
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            &names,
            "-out",
            &certificate,
        ]);
        (self.folder.path().join(certificate), self.folder.path().join(key))
    }

    /// An end of TLS called `name` that hands on to `url`, which may lie behind another name.
    #[track_caller]
    pub fn tls_end(&self, name: &str, url: &str, hides_name: bool) -> TlsEnd {
        let target = url.trim_start_matches("http://");
        let (certificate, key) = self.certificate(name);
        let file = |path: PathBuf| path.to_str().unwrap().to_owned();
        let mut args = vec!["tls".to_owned(), file(certificate), file(key), target.to_owned()];
        args.extend(hides_name.then(|| name.to_owned()));
        let (running, address) = start(&args);
        TlsEnd {
            address,
            _running: running,
        }
    }

    #[track_caller]
    fn openssl(&self, args: &[&str]) {
        let mut command = Command::new(&self.openssl);
        command.args(args).current_dir(self.folder.path()).stdin(Stdio::null());
        drop(Running::start(command, Redactions::default()).finish(LIMIT).exits(0));
    }
}

/// An end of TLS. Ends when dropped.
pub struct TlsEnd {
    /// `127.0.0.1:PORT`.
    pub address: String,
    _running: Running,
}

/// What a CONNECT proxy does with who asks.
#[derive(Clone, Copy, Debug)]
pub enum ProxyManners {
    /// Connects.
    Pass,
    /// Answers 407 without this name and password.
    Login(&'static str),
    /// Answers 502.
    Refuse,
    /// Never answers.
    Hang,
}

/// A CONNECT proxy. Ends when dropped.
pub struct ConnectProxy {
    /// `127.0.0.1:PORT`.
    pub address: String,
    running: Running,
}

impl ConnectProxy {
    /// A proxy that knows where `ends` are, each a name with the address behind it, at port 443.
    #[track_caller]
    pub fn start(manners: ProxyManners, ends: &[(&str, &TlsEnd)]) -> Self {
        let manners = match manners {
            ProxyManners::Pass => "pass".to_owned(),
            ProxyManners::Login(login) => format!("login {login}"),
            ProxyManners::Refuse => "refuse".to_owned(),
            ProxyManners::Hang => "hang".to_owned(),
        };
        let mut args = vec!["proxy".to_owned(), manners];
        args.extend(ends.iter().map(|(name, end)| format!("{name}:443={}", end.address)));
        let (running, address) = start(&args);
        Self { address, running }
    }

    /// What `HTTPS_PROXY` is set to.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether it was asked for `name`.
    pub fn was_asked_for(&self, name: &str) -> bool {
        self.running.said().contains(&format!("CONNECT {name}:443 "))
    }

    /// Whether it was asked for anything.
    pub fn was_asked(&self) -> bool {
        self.running.said().contains("CONNECT")
    }
}

#[track_caller]
fn start(args: &[String]) -> (Running, String) {
    let mut command = Command::new(venv_program("python"));
    command
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corporate_network.py"))
        .args(args)
        .env_clear()
        .stdin(Stdio::piped());
    let running = Running::start(command, Redactions::default());
    let line = running.stdout_line("listening ", LIMIT);
    let address = line.trim_start_matches("listening ").to_owned();
    (running, address)
}
