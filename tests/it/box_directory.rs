//! A directory pushes people and groups into a backend that runs from its file, and they see what follows at a terminal.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use jit::config::ServerFile;
use serde_json::{Value, json};

use crate::box_serve_config::{Machine, production};
use crate::docs_blocks::{blocks, read};
use crate::harness::SealedBox;
use crate::shown::held;

const TOKEN: &str = "c0ffeec0ffeec0ffeec0ffeec0ffeec0ffee";

/// The file with a directory of the backend's own people.
fn with_directory() -> String {
    production()
        + "\n[[directory]]\nname = \"acme\"\nissuer = \"local\"\ngroups = [\"jit-*\"]\n\
        token = { file = \"scim.token\" }\nuntil = \"2099-06-30T00:00:00Z\"\n"
}

/// Status and body of a call with `token`.
#[track_caller]
fn push(url: &str, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let body = body.to_string();
    let head = format!(
        "{method} /scim/v2{path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
        Content-Type: application/scim+json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

#[test]
fn who_leaves_the_directory_is_out_at_their_terminal() {
    let machine = Machine::new();
    machine.write("scim.token", &format!("{TOKEN}\n"), 0o600);
    let catalogue = machine.etc.join("policy/security/catalogue.toml");
    let text = fs::read_to_string(&catalogue).unwrap();
    let members = "[group.payments]\nmembers = [\"local:bob\"]";
    assert!(text.contains(members));
    let fed = "[group.payments]\ndirectory = { source = \"acme\", name = \"jit-payments\" }";
    fs::write(&catalogue, text.replace(members, fed)).unwrap();
    let served = machine.say(&with_directory()).start(&["--dev"]);
    let url = served.hello["url"].as_str().unwrap().to_owned();
    let people = served.hello["people"].as_array().unwrap();
    let bob = people.iter().find(|person| person["name"] == "bob").unwrap();
    let terminal = SealedBox::new();
    let login = ["login", "--server", &url, "--identity", "bob", "--code"];
    let code = bob["code"].as_str().unwrap();
    drop(terminal.jit(&[&login[..], &[code]].concat()).exits(0));
    let groups = || {
        let shown = terminal.jit(&["whoami", "-o", "json"]).exits(0);
        serde_json::from_str::<Value>(&shown.stdout).unwrap()["groups"].clone()
    };
    assert_eq!(groups(), json!(["engineering"]));
    let user = json!({ "userName": "bob@acme.example", "externalId": "bob" });
    assert_eq!(push(&url, "another", "POST", "/Users", &user).0, 401);
    let (status, user) = push(&url, TOKEN, "POST", "/Users", &user);
    assert_eq!(status, 201, "{user}");
    let group = json!({ "displayName": "jit-payments", "members": [{ "value": user["id"] }] });
    assert_eq!(push(&url, TOKEN, "POST", "/Groups", &group).0, 201);
    assert_eq!(groups(), json!(["engineering", "payments"]));
    let path = format!("/Users/{}", user["id"].as_str().unwrap());
    let leave = json!({ "Operations": [{ "op": "replace", "path": "active", "value": false }] });
    assert_eq!(push(&url, TOKEN, "PATCH", &path, &leave).0, 200);
    held("directory_session_of_who_left_is_over", &terminal.jit(&["whoami"]));
    // whose directory has them as gone does not come in with a code either
    let gone = json!({ "userName": "alice@acme.example", "externalId": "alice", "active": false });
    assert_eq!(push(&url, TOKEN, "POST", "/Users", &gone).0, 201);
    let alice = people.iter().find(|person| person["name"] == "alice").unwrap();
    let code = alice["code"].as_str().unwrap();
    let login = ["login", "--server", &url, "--identity", "alice", "--code", code];
    held("directory_sign_in_of_who_left_is_refused", &terminal.jit(&login));
    let log = served.stop().stderr;
    assert!(!log.contains(TOKEN) && !log.contains("panicked"), "{log}");
}

#[test]
fn directory_that_cannot_be_right_exits_three() {
    let machine = Machine::new();
    let whole = with_directory();
    machine.say(&whole);
    machine.write("scim.token", TOKEN, 0o644);
    held("directory_open_token_exits_three", &machine.serve(&[]).run().exits(3));
    machine.write("scim.token", "hunter2", 0o600);
    held("directory_short_token_exits_three", &machine.serve(&[]).run().exits(3));
    machine.write("scim.token", TOKEN, 0o600);
    let twice = "until = \"2099-06-30T00:00:00Z\"\nnext_token = { file = \"scim.token\" }\n\
        next_until = \"2099-12-31T00:00:00Z\"";
    let twice = whole.replace("until = \"2099-06-30T00:00:00Z\"", twice);
    let run = machine.say(&twice).serve(&[]).run();
    held("directory_token_twice_exits_three", &run.exits(3));
    for (name, from, to) in [
        ("unknown_issuer", "\"local\"", "\"https://acme.okta.com\""),
        ("no_end", "until = \"2099-06-30T00:00:00Z\"\n", ""),
        ("no_groups", "groups = [\"jit-*\"]", "groups = []"),
    ] {
        assert!(whole.contains(from), "{name}");
        let run = machine.say(&whole.replacen(from, to, 1)).serve(&[]).run();
        held(&format!("directory_{name}_exits_three"), &run.exits(3));
    }
}

#[test]
fn example_of_the_page_is_read() {
    let page = read("docs/directory.md");
    let examples: Vec<String> = blocks(&page)
        .into_iter()
        .filter(|block| block.language == "toml")
        .map(|block| block.text)
        .collect();
    let sign_in = "\n[[sign_in]]\nname = \"acme\"\nissuer = \"https://acme.okta.com\"\nclient_id = \"0oa1\"\n\
        client_secret = { file = \"client.secret\" }\n\n";
    let whole = production() + sign_in + &examples[0];
    let file = ServerFile::parse(&whole, Path::new("/etc/jit/jit.toml"), Path::new("/etc/jit")).unwrap();
    assert_eq!(file.directories.len(), 1);
    assert_eq!(examples.len(), 2);
}
