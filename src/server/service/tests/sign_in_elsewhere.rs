//! What browsers bring back from identity providers: how often it is exchanged, who is asked what, and whom strangers hold up.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::super::browser::{self, Return, Stopped};
use super::super::device_flow::{self, Offer};
use super::super::sign_in::{self, code_hash};
use super::super::{confirm, step_up};
use super::*;
use crate::config::{IdentityProvider, SecretSource};
use crate::domain::{Change, DeviceId, Person, Row, SessionId, StartedBy, Timestamp, Workload};
use crate::server::backend::Backend;
use crate::server::identity::on_its_way::Terminal;
use crate::server::identity::proved::Proved;
use crate::server::identity::relying_party::challenge;
use crate::server::identity::sign_ins::Ended;
use crate::server::settings::SignInSettings;
use crate::wire::{NewDeviceSignIn, NewSession, Renewal};

const HERE: [u8; 4] = [192, 0, 2, 1];

/// A stage whose people sign in at `issuer`.
async fn at(issuer: &str) -> Stage {
    let provider = IdentityProvider {
        name: "acme".into(),
        issuer: issuer.into(),
        client_id: "jit".into(),
        client_secret: SecretSource::Environment("UNUSED".into()),
        scopes: vec!["openid".into()],
        name_claim: None,
        subject_claim: None,
        algorithms: Vec::new(),
        mfa_acr: Vec::new(),
        remote: true,
        require: std::collections::BTreeMap::new(),
        device: true,
    };
    let client_secret = "secret".into();
    Stage::with(|settings| {
        settings.sign_in.push(SignInSettings {
            provider,
            client_secret,
        });
    })
    .await
}

/// Ana, who came back to a terminal on `device` that has `verifier`.
fn ana(backend: &Backend, device: &DeviceId, verifier: &str) -> Proved {
    Proved {
        with: "acme".into(),
        state: backend.random.secret(),
        answer: backend.random.secret(),
        until: Timestamp::from_millis(backend.now().millis() + 600_000),
        terminal: Terminal {
            challenge: challenge(verifier),
            device: device.clone(),
            port: Some(9),
            state: "its-own".into(),
            user_code: None,
        },
        renews: None,
        issuer: "https://acme.example".into(),
        subject: "ana".into(),
        name: "ana".into(),
        mfa_at: None,
        auth_time: None,
        amr: Vec::new(),
        acr: None,
    }
}

/// What the browser that came back as `proved` keeps.
fn kept(backend: &Backend, proved: &Proved) -> String {
    let cookie = backend.sign_ins.cookies.set_proved(&backend.random, proved).unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

async fn counted(stage: &Stage, kind: &str) -> usize {
    let lines = stage.backend.store.evidence(0, 1_000).await.unwrap();
    lines.iter().filter(|line| line.kind == kind).count()
}

#[tokio::test]
async fn wrong_codes_of_others_hold_up_no_second_factor() {
    let stage = at("https://acme.example").await;
    let (backend, key) = (&stage.backend, DeviceKey::of(&new_key()).unwrap());
    let address = IpAddr::from(HERE);
    let noted = async |renews: Option<SessionId>, verifier: &str| {
        let proved = Proved {
            mfa_at: renews.as_ref().map(|_| backend.now()),
            renews,
            ..ana(backend, &key.id, verifier)
        };
        let code = backend.random.code();
        confirm::note(backend, &proved, code_hash(&code), 120).await.unwrap();
        code
    };
    let verifier = backend.random.secret();
    let new = NewSession {
        name: String::new(),
        code: noted(None, &verifier).await,
        verifier: Some(verifier),
        key_storage: "file".into(),
    };
    let opened = sign_in::open(backend, &new, &key, address).await.unwrap();
    let caller = sign_in::caller(backend, &opened.token, address).await.unwrap();
    // somebody at the same address tries codes
    stage.at(10);
    let guess = NewSession {
        name: "bob".into(),
        code: "0000-0000".into(),
        verifier: None,
        key_storage: "file".into(),
    };
    for _ in 0..5 {
        let refused = sign_in::open(backend, &guess, &key, address).await;
        assert_eq!(code(refused), "session.code_invalid");
    }
    assert_eq!(
        code(sign_in::open(backend, &guess, &key, address).await),
        "rate.limited"
    );
    let verifier = backend.random.secret();
    let shown = Renewal {
        code: noted(Some(caller.session.id.clone()), &verifier).await,
        verifier,
    };
    let me = step_up::renew(backend, &caller, &shown).await.unwrap();
    assert!(me.mfa_at.is_some(), "{me:?}");
    assert_eq!(
        code(step_up::renew(backend, &caller, &shown).await),
        "session.code_invalid"
    );
}

/// A machine that waits, and ana, who typed its code and came back.
fn waits(stage: &Stage) -> Proved {
    let (backend, key) = (&stage.backend, DeviceKey::of(&new_key()).unwrap());
    let new = NewDeviceSignIn {
        challenge: challenge("v"),
        machine: "build\u{200d}-7\u{202e}".into(),
    };
    let told = device_flow::ask(backend, &new, &key.id, HERE.into()).unwrap();
    let mut proved = ana(backend, &key.id, "v");
    proved.terminal.user_code = Some(told.user_code.replace('-', ""));
    proved.terminal.port = None;
    proved
}

#[tokio::test]
async fn first_answer_about_a_machine_counts_and_is_told_again() {
    let stage = at("https://acme.example").await;
    let backend = &stage.backend;
    for first in [true, false] {
        let proved = waits(&stage);
        let cookies = kept(backend, &proved);
        let offered = device_flow::offer(backend, &proved);
        let Some(Offer::Waits(waiting)) = offered else {
            panic!("{offered:?}");
        };
        assert_eq!(waiting.machine, "build-7");
        let says = |is_yes| device_flow::answer(backend, &cookies, &proved.state, &proved.answer, is_yes);
        // who does not know what the page knows, or has no cookie of it, answers nothing
        let guessed = device_flow::answer(backend, &cookies, &proved.state, "guessed", true).await;
        let elsewhere = device_flow::answer(backend, "", &proved.state, &proved.answer, true).await;
        assert!(guessed.is_err() && elsewhere.is_err());
        // nor is it signed in by the page that asks of terminals
        let as_terminal = confirm::confirm(backend, &cookies, &proved.state, &proved.answer).await;
        assert!(as_terminal == Err(Stopped::NotBegun));
        assert_eq!(says(first).await, Ok(first));
        assert_eq!(says(first).await, Ok(first), "twice is once");
        assert_eq!(says(!first).await, Ok(first), "the first counts");
        assert_eq!(device_flow::offer(backend, &proved), Some(Offer::Said(first)));
        assert_eq!(counted(&stage, "session.proved").await, 1);
        assert_eq!(counted(&stage, "session.denied").await, usize::from(!first));
    }
    let proved = waits(&stage);
    let cookies = kept(backend, &proved);
    let says = |is_yes| device_flow::answer(backend, &cookies, &proved.state, &proved.answer, is_yes);
    let (one, other) = tokio::join!(says(true), says(false));
    assert!(one.is_ok() && one == other, "at once: {one:?} {other:?}");
}

#[tokio::test]
async fn two_tabs_that_ask_for_a_code_know_the_same() {
    let stage = at("https://acme.example").await;
    let backend = &stage.backend;
    let (first, cookie) = device_flow::form(backend, "").unwrap();
    let kept = cookie.split(';').next().unwrap().to_owned();
    let (second, cookie) = device_flow::form(backend, &kept).unwrap();
    assert_eq!(first, second);
    let kept = cookie.split(';').next().unwrap();
    let typed = device_flow::typed(backend, kept, &first, "BCDF-GHJK", HERE.into());
    assert!(typed.unwrap_err().contains("No machine waits for that code"));
    // another browser knows something else
    assert_ne!(device_flow::form(backend, "").unwrap().0, first);
}

#[tokio::test]
async fn attack_24_person_does_not_sign_in_as_a_job() {
    let stage = at("https://acme.example").await;
    let (backend, key) = (&stage.backend, DeviceKey::of(&new_key()).unwrap());
    let proved = ana(backend, &key.id, "v");
    let job = Person {
        id: backend.random.person_id(),
        issuer: proved.issuer.clone(),
        subject: proved.subject.clone(),
        name: "deploy".into(),
        since: backend.now(),
        workload: Some(Box::new(Workload {
            name: "deploy".into(),
            issuer: proved.issuer.clone(),
            claims: serde_json::Map::new(),
            started_by: StartedBy::Nobody,
        })),
    };
    let (by, rows) = (crate::domain::Actor::Backend, vec![Row::Person(job)]);
    let change = Change::new(backend.now(), "session.opened", by, None, rows, json!({}));
    backend.commit(&change).await.unwrap();
    let noted = confirm::note(backend, &proved, code_hash("c"), 120).await;
    assert_eq!(noted, Err("a workload signs in with its own token".to_owned()));
}

/// An identity provider that refuses every code, once it may.
struct Refusing {
    url: String,
    /// Codes that it was asked for.
    asked: Arc<AtomicU32>,
    may: watch::Sender<bool>,
}

impl Refusing {
    async fn start(may: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (asked, (may, waits)) = (Arc::<AtomicU32>::default(), watch::channel(may));
        let (own, counts) = (url.clone(), asked.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, own.clone(), counts.clone(), waits.clone()));
            }
        });
        Self { url, asked, may }
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn answer(mut stream: TcpStream, url: String, asked: Arc<AtomicU32>, mut may: watch::Receiver<bool>) {
    let mut read = Vec::new();
    let whole = |read: &[u8]| {
        let text = String::from_utf8_lossy(read).to_lowercase();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let length = head.split_once("content-length: ").map_or("0", |(_, rest)| rest);
        let length: usize = length.lines().next()?.parse().ok()?;
        (body.len() >= length).then(|| head.starts_with("post "))
    };
    let is_code = loop {
        if let Some(is_code) = whole(&read) {
            break is_code;
        }
        if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
            return;
        }
    };
    let (status, body) = if is_code {
        asked.fetch_add(1, Ordering::SeqCst);
        drop(may.wait_for(|may| *may).await);
        (400, json!({ "error": "invalid_grant" }))
    } else {
        let discovery = json!({
            "issuer": url,
            "authorization_endpoint": format!("{url}/auth"),
            "token_endpoint": format!("{url}/token"),
            "jwks_uri": format!("{url}/keys"),
        });
        (200, discovery)
    };
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    drop(stream.write_all(format!("{head}{body}").as_bytes()).await);
}

/// A browser that was sent to the identity provider: what it keeps, and what it brings back that nobody gave it.
async fn begun(backend: &Backend) -> (String, Return) {
    let key = DeviceKey::of(&new_key()).unwrap();
    let terminal = ana(backend, &key.id, "v").terminal;
    let party = backend.sign_ins.party(None).unwrap();
    let begun = browser::begin(backend, party, terminal, None).await.unwrap();
    let (_, state) = begun.address.split_once("&state=").unwrap();
    let returned = Return {
        with: "acme".into(),
        state: state.split('&').next().unwrap().to_owned(),
        code: Some("x".into()),
        ..Return::default()
    };
    (begun.cookie.split(';').next().unwrap().to_owned(), returned)
}

/// Whether the terminal is told that the identity provider refuses the code.
fn is_refused(ended: Result<Ended, Stopped>) -> bool {
    matches!(ended, Ok(Ended::Terminal(address)) if address.contains("invalid_grant"))
}

#[tokio::test]
async fn attack_26_refused_codes_of_a_network_cost_its_issuer_few_calls() {
    let issuer = Refusing::start(true).await;
    let stage = at(&issuer.url).await;
    let backend = &stage.backend;
    let brings = async |from: [u8; 4]| {
        let (cookies, returned) = begun(backend).await;
        browser::finish(backend, &cookies, &returned, from.into()).await
    };
    for _ in 0..20 {
        assert!(is_refused(brings(HERE).await));
    }
    let (cookies, returned) = begun(backend).await;
    let again = || browser::finish(backend, &cookies, &returned, HERE.into());
    assert!(matches!(again().await, Err(Stopped::Busy(1..=61))));
    assert_eq!(issuer.asked(), 20);
    assert!(is_refused(brings([192, 0, 2, 2]).await), "others are not held up");
    // the same sign-in goes on later: nothing came of it yet
    stage.at(61);
    assert!(is_refused(again().await));
    assert_eq!(issuer.asked(), 22);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_26_who_finds_every_place_taken_waits_for_one() {
    let issuer = Refusing::start(false).await;
    let stage = at(&issuer.url).await;
    let brings = |last: u8| {
        let backend = stage.backend.clone();
        async move {
            let (cookies, returned) = begun(&backend).await;
            browser::finish(&backend, &cookies, &returned, [192, 0, 2, last].into()).await
        }
    };
    let held: Vec<_> = (0..32).map(|n| tokio::spawn(brings(n))).collect();
    let taken = async {
        while issuer.asked() < 32 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(4), taken).await.unwrap();
    let mut late = Box::pin(brings(99));
    let early = tokio::time::timeout(Duration::from_millis(200), &mut late).await;
    assert!(early.is_err(), "it waits");
    assert_eq!(issuer.asked(), 32);
    issuer.may.send(true).unwrap();
    assert!(is_refused(late.await));
    for one in held {
        assert!(is_refused(one.await.unwrap()));
    }
}
