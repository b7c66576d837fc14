//! TLS that the backend ends itself, and proxies that say who calls.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use jit::config::{ForwardedHeader, TlsFiles, TrustedProxies};
use jit::domain::Timestamp;
use jit::server::edge::connections::{self, Entrance, Seats};
use jit::server::edge::tls::Tls;
use jit::server::routes::router;
use jit::server::service::sign_in::issue_code;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::tls::Version;
use reqwest::{Certificate, Client, Method};
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::caller::{Answer, Caller, new_request, new_session};
use super::stage::{Stage, eventually};
use crate::harness::{Device, LIMIT};

/// Files of a certificate for this machine, and the authority that gave it.
struct Certified {
    folder: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Certified {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let made = Self {
            folder: tempfile::Builder::new().prefix("jit-tls-").tempdir().unwrap(),
            authority: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap(),
        };
        made.renew();
        made
    }

    fn files(&self) -> TlsFiles {
        TlsFiles {
            certificate: self.folder.path().join("chain.pem"),
            key: self.folder.path().join("key.pem"),
        }
    }

    fn renew(&self) {
        let key = KeyPair::generate().unwrap();
        let names = ["localhost", "127.0.0.1"].map(str::to_owned);
        let own = CertificateParams::new(names)
            .unwrap()
            .signed_by(&key, &self.authority)
            .unwrap();
        fs::write(self.files().certificate, own.pem()).unwrap();
        fs::write(self.files().key, key.serialize_pem()).unwrap();
        fs::set_permissions(self.files().key, Permissions::from_mode(0o600)).unwrap();
    }

    async fn stage(&self) -> Stage {
        Stage::open_with(|settings| {
            settings.origin = settings.origin.replace("http://", "https://");
            settings.tls = Some(self.files());
        })
        .await
    }

    /// A client that trusts the authority alone.
    fn client(&self, versions: (Version, Version)) -> Client {
        let root = Certificate::from_pem(self.authority.pem().as_bytes()).unwrap();
        Client::builder()
            .no_proxy()
            .tls_certs_only([root])
            .tls_version_min(versions.0)
            .tls_version_max(versions.1)
            .build()
            .unwrap()
    }
}

const ANY: (Version, Version) = (Version::TLS_1_2, Version::TLS_1_3);

fn talk(address: std::net::SocketAddr, bytes: &'static [u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    // ended by the backend: a time-out of ours would be an error here
    stream.read_to_end(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn backend_speaks_tls_as_clients_do() {
    let certified = Certified::new();
    let stage = certified.stage().await;
    let url = format!("https://{}/livez", stage.address);
    for versions in [
        ANY,
        (Version::TLS_1_2, Version::TLS_1_2),
        (Version::TLS_1_3, Version::TLS_1_3),
    ] {
        let answer = certified.client(versions).get(&url).send().await.unwrap();
        assert_eq!(answer.version(), reqwest::Version::HTTP_11);
        let kept = answer.headers()["strict-transport-security"].to_str().unwrap();
        assert_eq!((answer.status().as_u16(), kept), (200, "max-age=31536000"));
    }
    let stranger = Certified::new().client(ANY).get(&url).send().await;
    assert!(stranger.is_err());
    // plain http is answered with nothing that could be taken for ours
    let answer = talk(stage.address, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(!answer.starts_with(b"HTTP/"), "{}", String::from_utf8_lossy(&answer));
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn certificate_that_was_renewed_is_shown_to_who_comes_next() {
    let certified = Certified::new();
    let stage = certified.stage().await;
    let url = format!("https://{}/livez", stage.address);
    let tls = Tls::open(&certified.files(), "https://localhost", now()).unwrap();
    certified.renew();
    tls.look(now());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let beside = listener.local_addr().unwrap();
    let entrance = Entrance {
        tls: Some(tls.config.clone()),
        proxies: None,
    };
    let (routes, stop) = (router(&stage.backend), stage.backend.stopping.clone());
    tokio::spawn(connections::serve(listener, entrance, routes, Seats::new(8), stop));
    let client = certified.client(ANY);
    client.get(&url).send().await.unwrap();
    client.get(format!("https://{beside}/livez")).send().await.unwrap();
}

fn now() -> Timestamp {
    Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_26_handshakes_that_do_not_go_on_keep_nobody_out() {
    let certified = Certified::new();
    let stage = certified.stage().await;
    let tls = Tls::open(&certified.files(), "https://localhost", now()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let entrance = Entrance {
        tls: Some(tls.config.clone()),
        proxies: None,
    };
    let (routes, stop) = (router(&stage.backend), stage.backend.stopping.clone());
    tokio::spawn(connections::serve(listener, entrance, routes, Seats::new(8), stop));
    let silent: Vec<TcpStream> = (0..100)
        .map(|n| {
            let mut stream = TcpStream::connect(address).unwrap();
            // half of them begin
            if n % 2 == 0 {
                stream.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).unwrap();
            }
            stream
        })
        .collect();
    let call = certified
        .client(ANY)
        .get(format!("https://{address}/livez"))
        .header("host", stage.address.to_string());
    assert_eq!(call.send().await.unwrap().status().as_u16(), 200);
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_26_handshake_that_is_slow_or_none_is_ended() {
    let certified = Certified::new();
    let stage = Arc::new(certified.stage().await);
    let tries: [&'static [u8]; 4] = [
        b"",
        &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01],
        &[0xff; 200],
        &[0x16, 0x03, 0x01, 0xff, 0xff],
    ];
    let address = stage.address;
    let ended = tries.map(|bytes| tokio::task::spawn_blocking(move || talk(address, bytes)));
    for answer in ended {
        let answer = answer.await.unwrap();
        assert!(answer.is_empty() || answer[0] == 0x15, "an alert at most: {answer:?}");
    }
}

pub fn behind(header: ForwardedHeader) -> impl FnOnce(&mut jit::server::settings::Settings) {
    move |settings| {
        settings.trusted_proxies = Some(TrustedProxies {
            networks: vec!["127.0.0.1/32".parse().unwrap()],
            header,
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_13_address_comes_from_the_trusted_proxy_alone() {
    let stage = Stage::open_with(behind(ForwardedHeader::XForwardedFor)).await;
    let through = |call: reqwest::RequestBuilder, line: &str| {
        call.header("x-forwarded-for", line)
            .header("forwarded", "for=192.168.0.9")
            .header("x-real-ip", "192.168.0.9")
    };
    let (device, code) = (Device::new(), issue_code(&stage.backend, "alice").await.unwrap());
    let call = stage.nobody_on(device.clone()).call(Method::POST, "/v1/sessions");
    let opened = Answer::of(through(call.json(&new_session("alice", &code)), "198.51.100.4"))
        .await
        .is(201);
    let alice = Caller {
        device,
        ..stage.with_token(opened.body["token"].as_str())
    };
    let call = alice
        .call(Method::POST, "/v1/requests")
        .json(&new_request("prod-admin"));
    Answer::of(through(call, "192.168.0.9, 203.0.113.7")).await.is(201);
    let evidence = stage.evidence().await;
    let filed = evidence.iter().find(|line| line.kind == "request.filed").unwrap();
    let payload = filed.payload.as_ref().unwrap().to_string();
    assert!(
        payload.contains("203.0.113.7") && !payload.contains("192.168.0.9"),
        "{payload}"
    );
    // limits count for whoever calls, not for the proxy
    let wrong = new_session("alice", "0000-0000");
    for _ in 0..5 {
        let call = stage.nobody().call(Method::POST, "/v1/sessions").json(&wrong);
        Answer::of(through(call, "192.168.0.9, 203.0.113.8"))
            .await
            .refuses("session.code_invalid");
    }
    for (line, code) in [
        ("1.1.1.1, 203.0.113.8", "rate.limited"),
        ("203.0.113.9", "session.code_invalid"),
    ] {
        let call = stage.nobody().call(Method::POST, "/v1/sessions").json(&wrong);
        Answer::of(through(call, line)).await.refuses(code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_13_proxy_that_says_nobody_is_refused() {
    let stage = Stage::open_with(behind(ForwardedHeader::Forwarded)).await;
    let nobody = stage.nobody();
    // the proxy itself, looking whether we are well
    for path in ["/livez", "/readyz"] {
        eventually("readiness", || async { nobody.get(path).await.status == 200 }).await;
    }
    nobody
        .get("/v1/sign-in-methods")
        .await
        .is(400)
        .refuses("caller.unknown");
    for (name, line) in [
        ("x-forwarded-for", "203.0.113.7"),
        ("forwarded", "for=unknown"),
        ("forwarded", "proto=https"),
    ] {
        let call = nobody.call(Method::GET, "/v1/sign-in-methods").header(name, line);
        Answer::of(call).await.is(400).refuses("caller.unknown");
    }
    let call = nobody
        .call(Method::GET, "/v1/sign-in-methods")
        .header("forwarded", "for=\"[2001:db8::7]:443\"");
    Answer::of(call).await.is(200);
}
