//! What answers is down, junk, half an answer, a redirect, or another version: exit 8 or 3, never a hang.

use std::io::{Read, Write};
use std::net::TcpListener;

use super::harness::{Backend, BackendPlan, SealedBox, StsRecorder};
use super::shown::held;

/// A server that gives every caller this answer and closes.
fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4096];
            // whatever arrives first is the head: that is enough
            drop(stream.read(&mut request));
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    url
}

fn login(url: &str) -> super::harness::Run {
    let mut machine = SealedBox::new();
    machine.redact(url.to_owned(), "SERVER");
    machine.jit(&["login", "--server", url, "--identity", "alice", "--code", "AAAA"])
}

#[test]
fn answers_of_no_backend_exit_eight() {
    let answers = [
        ("junk", "<html>hello</html>"),
        (
            "web_page",
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi",
        ),
        (
            "half_an_answer",
            "HTTP/1.1 200 OK\r\njit-version: 0.1.0\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{",
        ),
        (
            "redirect",
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\njit-version: 0.1.0\r\ncontent-length: 0\r\n\r\n",
        ),
        (
            "other_json",
            "HTTP/1.1 200 OK\r\njit-version: 0.1.0\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
        ),
        (
            "bad_problem",
            "HTTP/1.1 500 No\r\njit-version: 0.1.0\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n[]",
        ),
    ];
    for (name, answer) in answers {
        held(
            &format!("answer_{name}_exits_eight"),
            &login(&answering(answer)).exits(8),
        );
    }
}

#[test]
fn backend_of_another_version_exits_three() {
    let other =
        "HTTP/1.1 200 OK\r\njit-version: 9.0.0\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    held("other_version_exits_three", &login(&answering(other)).exits(3));
    let old = "HTTP/1.1 426 Old\r\njit-version: 9.0.0\r\ncontent-type: application/problem+json\r\ncontent-length: 67\r\n\r\n{\"code\":\"version.too_old\",\"status\":426,\"title\":\"jit 0.1.0 is old\"} ";
    held("too_old_version_exits_three", &login(&answering(old)).exits(3));
}

#[test]
fn backend_that_is_down_exits_eight() {
    let sts = StsRecorder::start();
    let mut backend: Backend = BackendPlan::with_aws(&sts.url).start();
    let alice = backend.machine_of("alice");
    backend.kill();
    held("backend_down_exits_eight", &alice.jit(&["status"]).exits(8));
    held(
        "backend_down_fails_aws_tools_in_one_line",
        &alice.jit(&["credential-process", "prod-admin"]).exits(8),
    );
    held("logout_without_backend_exits_eight", &alice.jit(&["logout"]).exits(8));
    drop(alice.jit(&["status"]).exits(4));
}

#[test]
fn attack_16_hostile_problem_runs_and_moves_nothing() {
    let hostile = "HTTP/1.1 404 No\r\njit-version: 0.1.0\r\ncontent-type: application/problem+json\r\nconnection: close\r\n\r\n{\"code\":\"target.not_found\",\"status\":404,\"title\":\"$(touch x)\\u001b[2J\\nx\\u202e\",\"hint\":\"rm -rf ~\",\"nearest\":[\"$(touch x)\"]}";
    held("attack_16_hostile_problem", &login(&answering(hostile)).exits(10));
}
