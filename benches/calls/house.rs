//! A backend of a company in this process, with or without TLS, and people who are signed in at it.
//! Refuses to call AWS: nothing that is measured does.

use std::fs::{self, Permissions};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use jit::config::{ForwardedHeader, TlsFiles, TrustedProxies};
use jit::server::backend::Backend;
use jit::server::dev::{self, Data};
use jit::server::provider::aws::AwsSettings;
use jit::server::service::sign_in::issue_code;
use jit::server::{open, serve_on};
use jit::wire::paths;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::Failure;
use crate::connection::Connection;
use crate::device::Device;

/// Numbers callers and idempotency keys.
static NEXT: AtomicU32 = AtomicU32::new(1);

/// Somebody who is signed in.
#[derive(Clone)]
pub struct Person {
    /// Their session token.
    pub token: String,
    /// Their device.
    pub device: Device,
}

/// A backend that serves.
pub struct House {
    /// Where.
    pub address: SocketAddr,
    /// How a client speaks TLS with it, where it does.
    pub tls: Option<Arc<ClientConfig>>,
    backend: Arc<Backend>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
    _data: Data,
}

impl House {
    /// Opens one below `folder`, behind a proxy that says who calls: limits count callers, and there are many.
    pub async fn open(folder: &Path, with_tls: bool) -> Result<Self, Failure> {
        fs::create_dir(folder)?;
        let data = Data::take(&folder.join("data"))?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let aws = AwsSettings {
            endpoint: Some("http://127.0.0.1:9".to_owned()),
            ..AwsSettings::default()
        };
        let mut settings = dev::settings(&data, address, aws.with_keys("test", "test")).await?;
        settings.trusted_proxies = Some(TrustedProxies {
            networks: vec!["127.0.0.1/32".parse()?],
            header: ForwardedHeader::XForwardedFor,
        });
        let tls = match with_tls {
            false => None,
            true => {
                let (files, trusting) = certified(folder)?;
                settings.tls = Some(files);
                settings.origin = settings.origin.replace("http://", "https://");
                Some(trusting)
            }
        };
        let opened = open(settings).await?;
        let (stop, stopped) = oneshot::channel();
        let backend = opened.backend.clone();
        let serving = tokio::spawn(serve_on(opened, listener, async { drop(stopped.await) }));
        Ok(Self {
            address,
            tls,
            backend,
            stop,
            serving,
            _data: data,
        })
    }

    /// A connection.
    pub async fn connect(&self) -> Result<Connection, Failure> {
        Connection::open(self.address, self.tls.as_ref()).await
    }

    /// One-time codes for people of these names.
    pub async fn codes(&self, names: &[String]) -> Result<Vec<(String, String)>, Failure> {
        let mut codes = Vec::new();
        for name in names {
            let code = issue_code(&self.backend, name)
                .await
                .map_err(|failure| failure.problem.title)?;
            codes.push((name.clone(), code));
        }
        Ok(codes)
    }

    /// Signs somebody in on a new device.
    pub async fn sign_in(&self, connection: &mut Connection, name: &str, code: &str) -> Result<Person, Failure> {
        let device = Device::new();
        let body = json!({ "name": name, "code": code, "key_storage": "file" }).to_string();
        let (status, answer) = connection
            .call(&self.call("POST", paths::SESSIONS, &device, None, &body))
            .await?;
        let answer: Value = serde_json::from_slice(&answer)?;
        match (status, answer["token"].as_str()) {
            (201, Some(token)) => Ok(Person {
                token: token.to_owned(),
                device,
            }),
            _ => Err(format!("{name}: {status} {answer}").into()),
        }
    }

    /// A call with a proof of its own.
    pub fn call(&self, method: &str, path: &str, device: &Device, token: Option<&str>, body: &str) -> String {
        let nonce = self.backend.proofs.nonce(self.backend.now());
        let proof = device.proof(
            method,
            &format!("{}{path}", self.backend.settings.origin),
            token,
            &nonce,
        );
        let signed_in = token.map(|token| format!("Authorization: DPoP {token}\r\n"));
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let from = IpAddr::V4(Ipv4Addr::from(0x0a00_0000 | (number & 0x00ff_ffff)));
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nX-Forwarded-For: {from}\r\nDPoP: {proof}\r\n{}\
             Idempotency-Key: calls-bench-{number}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            signed_in.unwrap_or_default(),
            body.len()
        )
    }

    /// Stops it and waits for its end.
    pub async fn stop(self) -> Result<(), Failure> {
        self.stop.send(()).map_err(|()| "the backend stopped before")?;
        Ok(self.serving.await??)
    }
}

/// A certificate for this machine below `folder`, and who trusts it.
fn certified(folder: &Path) -> Result<(TlsFiles, Arc<ClientConfig>), Failure> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let own = CertificateParams::new(["127.0.0.1".to_owned()])?.signed_by(&key, &authority)?;
    let files = TlsFiles {
        certificate: folder.join("chain.pem"),
        key: folder.join("key.pem"),
    };
    fs::write(&files.certificate, own.pem())?;
    fs::write(&files.key, key.serialize_pem())?;
    fs::set_permissions(&files.key, Permissions::from_mode(0o600))?;
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone())?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok((files, Arc::new(config)))
}
