//! Too much of something: what the limits say, and to whom they do not apply.

use jit::config::ForwardedHeader;
use reqwest::Method;
use serde_json::json;

use super::caller::Answer;
use super::oidc_house::{Terminal, at};
use super::stage::Stage;
use super::tls::behind;

#[tokio::test(flavor = "multi_thread")]
async fn calls_beyond_the_rate_are_told_to_wait() {
    let stage = Stage::open().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let alice = alice.clone();
            tokio::spawn(async move {
                for _ in 0..2_000 {
                    let answer = alice.get("/v1/me").await;
                    if answer.status == 429 {
                        return Some(answer);
                    }
                }
                None
            })
        })
        .collect();
    for call in calls {
        let refused = call.await.unwrap().expect("a limit").refuses("rate.limited");
        assert_eq!(refused.header("retry-after"), "1");
    }
    bob.get("/v1/me").await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_tokens_is_slowed_down_for_who_guesses() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let guess = jit::wire::token::encode(&[9; 32]);
    let guesser = stage.with_token(Some(&guess));
    let mut slowed = None;
    for _ in 0..20_000 {
        let answer = guesser.get("/v1/me").await;
        if answer.status == 429 {
            slowed = Some(answer);
            break;
        }
    }
    slowed.expect("a limit").refuses("rate.limited");
    alice.get("/v1/me").await.is(200);
}

/// Everybody behind a proxy on the backend's machine has one address.
#[tokio::test(flavor = "multi_thread")]
async fn attack_26_guessed_tokens_keep_nobodys_first_call_out() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let guess = jit::wire::token::encode(&[9; 32]);
    let guessers: Vec<_> = (0..4)
        .map(|_| {
            let guesser = stage.with_token(Some(&guess));
            tokio::spawn(async move {
                loop {
                    guesser.get("/v1/me").await;
                }
            })
        })
        .collect();
    let guesser = stage.with_token(Some(&guess));
    super::stage::eventually("the address has no call left", || async {
        guesser.get("/v1/me").await.status == 429
    })
    .await;
    // so begins every command: it has no nonce yet
    for _ in 0..50 {
        let (url, token) = (format!("{}/v1/me", alice.url), alice.token.as_deref());
        let proof = alice.device.proof("GET", &url, token, "AAAAAAAAAAA");
        let call = alice.bare(Method::GET, "/v1/me").header("dpop", proof);
        let call = call.header("authorization", format!("DPoP {}", token.unwrap()));
        Answer::of(call).await.is(401).refuses("session.nonce");
        alice.get("/v1/me").await.is(200);
    }
    // nor jobs and machines from signing in
    let token = json!({ "token": "a.b.c", "key_storage": "file" });
    let machine = json!({ "challenge": "c".repeat(43), "machine": "m" });
    for (path, body) in [("/v1/workload-sessions", token), ("/v1/device-sign-ins", machine)] {
        let answer = stage.nobody().post(path, &body).await;
        assert!(answer.status < 429, "{path}: {answer}");
    }
    guessers.into_iter().for_each(|guesser| guesser.abort());
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_26_proofs_of_nobody_are_limited_before_they_are_checked() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let anybody = stage.nobody();
    let mut slowed = None;
    for _ in 0..20_000 {
        let call = anybody
            .bare(Method::POST, "/v1/sessions")
            .header("dpop", "no.proof.atall");
        let answer = Answer::of(call).await;
        if answer.status == 429 {
            slowed = Some(answer);
            break;
        }
        answer.is(401).refuses("session.proof");
    }
    slowed.expect("a limit").refuses("rate.limited");
    // who tries that takes nothing from those who call, nor from those who try tokens
    alice.get("/v1/me").await.is(200);
    stage.nobody().get("/v1/me").await.is(401).refuses("session.unknown");
}

/// Whoever rents a machine has a /64 of IPv6: as many addresses as they like.
#[tokio::test(flavor = "multi_thread")]
async fn attack_26_network_of_ipv6_is_slowed_down_as_one_caller() {
    let stage = Stage::open_with(behind(ForwardedHeader::XForwardedFor)).await;
    let guesser = stage.with_token(Some(&jit::wire::token::encode(&[9; 32])));
    for (network, method, path) in [
        ("2001:db8:0:1", Method::GET, "/v1/me"),
        ("2001:db8:0:2", Method::GET, "/sign-in"),
        ("2001:db8:0:3", Method::POST, "/v1/sessions"),
        ("2001:db8:0:4", Method::POST, "/v1/device-sign-ins"),
        ("2001:db8:0:5", Method::GET, "/scim/v2/Users"),
    ] {
        let from = |host: u16| {
            let call = guesser.bare(method.clone(), path).bearer_auth("guessed");
            call.header("x-forwarded-for", format!("{network}::{host:x}"))
        };
        let mut slowed = false;
        for host in 1..20_000 {
            if Answer::of(from(host)).await.status == 429 {
                slowed = true;
                break;
            }
        }
        assert!(slowed, "{path}");
        let other = from(1).header("x-forwarded-for", "2001:db8:0:9::1");
        assert_ne!(Answer::of(other).await.status, 429, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_26_network_of_ipv6_takes_the_places_of_one_address() {
    let stage = Stage::open_with(|settings| {
        let mut party = at("acme", "https://acme.example");
        party.provider.device = true;
        settings.sign_in.push(party);
        behind(ForwardedHeader::XForwardedFor)(settings);
    })
    .await;
    let asks = async |address: String| {
        let terminal = Terminal::of(&stage);
        let body = json!({ "challenge": terminal.challenge(), "machine": "m" });
        let call = terminal.caller.call(Method::POST, "/v1/device-sign-ins").json(&body);
        Answer::of(call.header("x-forwarded-for", address)).await.status
    };
    for host in 1..=20 {
        assert_eq!(asks(format!("2001:db8::{host:x}")).await, 201);
    }
    assert_eq!(asks("2001:db8::ffff".to_owned()).await, 429);
    assert_eq!(asks("2001:db8:0:1::1".to_owned()).await, 201);
}
