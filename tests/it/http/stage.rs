//! A backend in this process over the dev bundle, with an STS that is our own mock.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use jit::server::backend::Backend;
use jit::server::provider::aws::AwsSettings;
use jit::server::service::sign_in::issue_code;
use jit::server::settings::Settings;
use jit::server::store::Evidence;
use jit::server::{self, dev};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::caller::{Caller, new_session};
use crate::harness::{Device, LIMIT, StsRecorder};

/// A backend that serves.
pub struct Stage {
    /// Where.
    pub address: SocketAddr,
    /// From the inside, for what no call shows.
    pub backend: Arc<Backend>,
    /// What it calls instead of AWS.
    pub sts: Arc<StsRecorder>,
    folder: Arc<TempDir>,
    http: reqwest::Client,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
    _data: dev::Data,
}

impl Stage {
    /// As `jit serve --dev` is.
    pub async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    /// With other settings.
    pub async fn open_with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = Arc::new(tempfile::Builder::new().prefix("jit-http-").tempdir().unwrap());
        Self::open_in(folder, Arc::new(StsRecorder::start()), change).await
    }

    /// With the dev bundle edited before it is loaded.
    pub async fn open_with_policy(from: &str, to: &str) -> Self {
        let folder = Arc::new(tempfile::Builder::new().prefix("jit-http-").tempdir().unwrap());
        drop(dev::Data::take(folder.path()).unwrap());
        replace_in(&folder.path().join("policy/security/catalogue.toml"), from, to);
        Self::open_in(folder, Arc::new(StsRecorder::start()), |_| {}).await
    }

    async fn open_in(folder: Arc<TempDir>, sts: Arc<StsRecorder>, change: impl FnOnce(&mut Settings)) -> Self {
        log();
        let data = dev::Data::take(folder.path()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let aws = AwsSettings {
            endpoint: Some(sts.url.clone()),
            ..AwsSettings::default()
        };
        let mut settings = dev::settings(&data, address, aws.with_keys("test", "test"))
            .await
            .unwrap();
        change(&mut settings);
        let opened = server::open(settings).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let backend = opened.backend.clone();
        let until = async { drop(stopped.await) };
        Self {
            address,
            backend,
            sts,
            folder,
            http: client(),
            stop,
            serving: tokio::spawn(server::serve_on(opened, listener, until)),
            _data: data,
        }
    }

    /// Where its database and policy lie.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Stops it as SIGTERM does and waits for its end.
    pub async fn stop(self) {
        self.begin_stop().finish().await;
    }

    /// Tells it to stop.
    pub fn begin_stop(self) -> Stopping {
        self.stop.send(()).unwrap();
        Stopping {
            serving: self.serving,
            folder: self.folder,
            _data: self._data,
        }
    }

    /// Stops it and starts it anew on the same folder.
    pub async fn again(self, change: impl FnOnce(&mut Settings)) -> Self {
        let (folder, sts) = (self.folder.clone(), self.sts.clone());
        self.stop().await;
        Self::open_in(folder, sts, change).await
    }

    /// Somebody who is not signed in.
    pub fn nobody(&self) -> Caller {
        self.with_token(None)
    }

    /// Somebody who is not signed in, on `device`.
    pub fn nobody_on(&self, device: Device) -> Caller {
        Caller {
            device,
            ..self.nobody()
        }
    }

    /// Whoever holds `token`, on a device of their own.
    pub fn with_token(&self, token: Option<&str>) -> Caller {
        Caller {
            url: format!("http://{}", self.address),
            token: token.map(str::to_owned),
            http: self.http.clone(),
            device: Device::new(),
            backend: self.backend.clone(),
        }
    }

    /// Signs `name` in on a device of their own.
    pub async fn sign_in(&self, name: &str) -> Caller {
        self.sign_in_on(name, Device::new()).await
    }

    /// Signs `name` in on `device`.
    pub async fn sign_in_on(&self, name: &str, device: Device) -> Caller {
        let code = issue_code(&self.backend, name).await.unwrap();
        let answer = self
            .nobody_on(device.clone())
            .post("/v1/sessions", &new_session(name, &code))
            .await;
        assert_eq!(answer.status, 201, "{answer}");
        Caller {
            device,
            ..self.with_token(answer.body["token"].as_str())
        }
    }

    /// Alice, bob, and alice's live grant on `prod-admin`, approved by bob.
    pub async fn active(&self) -> (Caller, Caller, Value) {
        let (alice, bob) = (self.sign_in("alice").await, self.sign_in("bob").await);
        let filed = alice.file("prod-admin").await;
        bob.approve(&filed).await.is(200);
        let active = alice.until(&filed, |view| view["grant"]["state"] == "active").await;
        (alice, bob, active)
    }

    /// Bytes as they are; what came back until the other side closed.
    pub async fn raw(&self, bytes: impl Into<Vec<u8>>) -> String {
        self.raw_until(bytes.into(), false).await
    }

    /// The same, with the end of what we send in the middle of it.
    pub async fn raw_cut(&self, bytes: impl Into<Vec<u8>>) -> String {
        self.raw_until(bytes.into(), true).await
    }

    async fn raw_until(&self, bytes: Vec<u8>, is_cut: bool) -> String {
        let address = self.address;
        let talk = move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(LIMIT)).unwrap();
            // a backend may have answered and closed before it has read everything
            drop(stream.write_all(&bytes));
            if is_cut {
                drop(stream.shutdown(Shutdown::Write));
            }
            let mut answer = Vec::new();
            drop(stream.read_to_end(&mut answer));
            String::from_utf8_lossy(&answer).into_owned()
        };
        tokio::task::spawn_blocking(talk).await.unwrap()
    }

    /// All evidence so far.
    pub async fn evidence(&self) -> Vec<Evidence> {
        self.backend.store.evidence(0, 10_000).await.unwrap()
    }

    /// How many lines of evidence are of `kind`.
    pub async fn count(&self, kind: &str) -> usize {
        self.evidence().await.iter().filter(|line| line.kind == kind).count()
    }

    /// Waits until `listeners` wait for the request of `view`.
    pub async fn parked(&self, view: &Value, listeners: usize) {
        let id = jit::domain::RequestId::parse(view["id"].as_str().unwrap()).unwrap();
        let wakes = &self.backend.wakes;
        eventually("waiters", || async { wakes.listeners(&id) >= listeners }).await;
    }
}

/// A backend that was told to stop.
pub struct Stopping {
    serving: JoinHandle<std::io::Result<()>>,
    folder: Arc<TempDir>,
    _data: dev::Data,
}

impl Stopping {
    /// Waits for its end.
    pub async fn finish(self) {
        let ended = tokio::time::timeout(LIMIT, self.serving).await;
        ended.expect("the backend stops").unwrap().unwrap();
        assert!(self.folder.path().exists());
    }
}

/// A client without redirects and proxies.
fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60));
    client.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// Replaces `from` in the file at `path`.
pub fn replace_in(path: &std::path::Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from} stands not in {}", path.display());
    put(path, &text.replace(from, to));
}

/// Writes a file in one step: nobody sees half of it.
pub fn put(path: &std::path::Path, text: &str) {
    let new = path.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, path).unwrap();
}

/// Looks again and again until `holds`, within the limit of all tests.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let mut looks = tokio::time::interval(Duration::from_millis(10));
    let all = async {
        while !holds().await {
            looks.tick().await;
        }
    };
    let waited = tokio::time::timeout(LIMIT, all).await;
    assert!(waited.is_ok(), "waited {LIMIT:?} for {what}");
}

type Log = Arc<Mutex<Vec<u8>>>;

/// Everything that the product has logged in this process, at its most talkative.
pub fn log() -> Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        let sink = log.clone();
        let writer = move || Sink(sink.clone());
        let subscriber = tracing_subscriber::fmt().with_env_filter("jit=trace").with_ansi(false);
        subscriber.with_writer(writer).init();
        log
    })
    .clone()
}

struct Sink(Log);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A one-time code of the local person `name`.
pub async fn code_of(stage: &Stage, name: &str) -> String {
    issue_code(&stage.backend, name).await.unwrap()
}
