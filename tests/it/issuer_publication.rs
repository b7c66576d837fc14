//! Looking at what is published as issuer, at servers that do not play along.

use std::net::TcpListener;

use jit::config::IssuerUrl;
use jit::network::Network;
use jit::server::publication::look_once;

use crate::harness::RawServer;

/// What a look at `url` finds wrong.
fn differences(url: &str) -> Vec<String> {
    let url = IssuerUrl::of_loopback(url).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let published = runtime.block_on(look_once(&Network::default(), &url, &[]));
    assert_eq!(published.keys, []);
    published.differences
}

#[track_caller]
fn says(url: &str, words: &str) {
    let found = differences(url);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|one| one.contains(words)), "no {words:?} in {found:?}");
}

#[test]
fn attack_26_answer_that_is_too_large_is_not_read() {
    let huge = format!("{{\"keys\":[\"{}\"]}}", "x".repeat(1 << 20));
    says(
        &RawServer::answering(200, "application/json", &huge).url,
        "is larger than 64 KiB",
    );
}

#[test]
fn attack_26_answer_that_does_not_come_is_given_up() {
    // nobody accepts: the connection stands, and nothing is ever said
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    says(&format!("http://{}", silent.local_addr().unwrap()), "no answer in time");
}

#[test]
fn redirect_is_an_answer_and_never_followed() {
    let elsewhere = RawServer::answering(200, "application/json", "{}");
    let server = RawServer::redirecting(&elsewhere.url);
    says(&server.url, "answers 307");
    assert_eq!(elsewhere.requests(), Vec::<String>::new());
}

#[test]
fn what_is_not_there_or_not_ours_is_named() {
    says(&RawServer::answering(404, "text/html", "<html>").url, "answers 404");
    let page = RawServer::answering(200, "text/html", "<html>");
    let found = differences(&page.url).join("\n");
    assert!(
        found.contains("is no JSON") && found.contains("is no key set"),
        "{found}"
    );
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    says(&format!("http://{gone}"), "cannot be fetched");
}
