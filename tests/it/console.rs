//! `jit console`: what AWS's federation endpoint is sent, played by our own mock of it, and what becomes of the address.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use jit::client::{Federation, Keys, Page, session_s};
use jit::config::{Environment, NetworkSettings};
use jit::domain::{Partition, Road, Timestamp};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};

use super::harness::{BackendPlan, RawServer, StsRecorder};

/// A call as it arrived: its first line and its body.
type Seen = Arc<Mutex<Vec<(String, String)>>>;

/// Our own mock of `signin.aws.amazon.com/federation`.
fn endpoint(answer: &'static str) -> (String, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Seen::default();
    let sink = Arc::clone(&seen);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut first, mut length) = (String::new(), 0);
            reader.read_line(&mut first).unwrap();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let body = String::from_utf8(body).unwrap();
            sink.lock().unwrap().push((first.trim().to_owned(), body));
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                answer.len()
            );
            stream.write_all((head + answer).as_bytes()).unwrap();
        }
    });
    (url, seen)
}

fn keys() -> Keys {
    Keys {
        access_key_id: "ASIAEXAMPLEEXAMPLE".into(),
        secret_access_key: SecretString::from("se&cr=et/+"),
        session_token: SecretString::from("to+ken=="),
        expires_at: Timestamp::from_millis(3_600_000),
        account: "111111111111".into(),
        renews: true,
    }
}

fn settings() -> NetworkSettings {
    NetworkSettings::find(&Environment::of(|_| None))
}

#[test]
fn console_posts_keys_in_the_body_and_nowhere_else() {
    let (url, seen) = endpoint("{\"SigninToken\":\"tok/en+\"}");
    let page = Page::new(Some("s3"), Some("us-gov-west-1")).unwrap();
    let federation = Federation::at(url, Partition::AwsUsGov);
    let address = federation.sign_in(&settings(), &keys(), &page, Some(900)).unwrap();
    let (first, body) = seen.lock().unwrap()[0].clone();
    assert_eq!(first, "POST /federation HTTP/1.1");
    let fields: Vec<(&str, String)> = body
        .split('&')
        .filter_map(|field| field.split_once('='))
        .map(|(name, value)| (name, percent_decode_str(value).decode_utf8().unwrap().into_owned()))
        .collect();
    assert_eq!(fields[0], ("Action", "getSigninToken".to_owned()));
    assert_eq!(fields[2], ("SessionDuration", "900".to_owned()));
    let session: serde_json::Value = serde_json::from_str(&fields[1].1).unwrap();
    assert_eq!(
        session,
        serde_json::json!({"sessionId": "ASIAEXAMPLEEXAMPLE", "sessionKey": "se&cr=et/+", "sessionToken": "to+ken=="})
    );
    assert_eq!(
        address.expose_secret(),
        "https://signin.amazonaws-us-gov.com/federation?Action=login&Destination=https%3A%2F%2Fconsole.amazonaws-us-gov.com%2Fs3%2Fhome%3Fregion%3Dus-gov-west-1&SigninToken=tok%2Fen%2B"
    );
}

#[test]
fn console_session_never_outlives_the_keys() {
    let at = |millis| Timestamp::from_millis(millis);
    // chained or not is not known on this road: AWS ends it with the keys
    assert_eq!(session_s(Some(Road::AssumeRole), &keys(), at(7_200_000), at(0)), None);
    // a token's session is none of a chain: as long as the keys, and never shorter than AWS takes
    assert_eq!(
        session_s(Some(Road::WebIdentity), &keys(), at(7_200_000), at(1_000_000)),
        Some(2_600)
    );
    assert_eq!(
        session_s(Some(Road::WebIdentity), &keys(), at(7_200_000), at(2_701_000)),
        None
    );
    // keys of a permission set live on after the grant: the page ends with the grant, if AWS gives so short a session
    assert_eq!(session_s(None, &keys(), at(7_200_000), at(0)), Some(3_600));
    assert_eq!(session_s(None, &keys(), at(1_800_000), at(0)), Some(1_800));
    assert_eq!(session_s(None, &keys(), at(60_000), at(0)), Some(900));
    assert_eq!(session_s(None, &keys(), at(2_800_000), at(2_701_000)), None);
    let day = Keys {
        expires_at: at(86_400_000),
        ..keys()
    };
    assert_eq!(
        session_s(Some(Road::WebIdentity), &day, at(172_800_000), at(0)),
        Some(43_200)
    );
    let (url, seen) = endpoint("{\"SigninToken\":\"t\"}");
    let federation = Federation::at(url, Partition::Aws);
    drop(
        federation
            .sign_in(&settings(), &keys(), &Page::default(), None)
            .unwrap(),
    );
    assert!(!seen.lock().unwrap()[0].1.contains("SessionDuration"));
}

#[test]
fn attack_16_hostile_federation_endpoint_is_no_sign_in() {
    for answer in [
        "{\"SigninToken\":\"\"}",
        "{\"SigninToken\":\"a\\nb\"}",
        "{\"SigninToken\":\"\\u001b[2J\"}",
        "{}",
        "<html>",
    ] {
        let (url, _) = endpoint(answer);
        let failed = Federation::at(url, Partition::Aws)
            .sign_in(&settings(), &keys(), &Page::default(), None)
            .unwrap_err();
        assert_eq!(failed.exit.code(), 9, "{answer}");
        assert!(!failed.to_string().contains("ASIA"));
    }
    let elsewhere = RawServer::redirecting("https://evil.example/");
    let failed = Federation::at(elsewhere.url, Partition::Aws)
        .sign_in(&settings(), &keys(), &Page::default(), None)
        .unwrap_err();
    assert_eq!(failed.exit.code(), 9);
}

#[test]
fn console_without_a_grant_or_with_a_bad_page_asks_nobody() {
    let sts = StsRecorder::start();
    let backend = BackendPlan::with_aws(&sts.url).start();
    let alice = backend.machine_of("alice");
    let none = alice.jit(&["console", "prod-admin", "--print"]).exits(10);
    assert_eq!(none.stdout, "");
    assert!(none.stderr.contains("jit request prod-admin"), "{none}");
    drop(alice.jit(&["console", "prod-admin", "--service", "s3/../x"]).exits(2));
    drop(
        alice
            .jit(&["console", "prod-admin", "--region", "a@evil.example"])
            .exits(2),
    );
}
