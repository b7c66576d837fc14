//! In front of an AWS stand-in: passes every call on as it is signed, and plays a fault in place of some.
//! Refuses to read answers: whatever the stand-in says goes back.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// What becomes of a call that is not passed on and answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Too many calls.
    Throttled,
    /// HTTP 500.
    Failed,
    /// The connection is cut before anything was done.
    Cut,
    /// It is done, and the connection is cut before the answer.
    CutAfter,
    /// The role's inline policies would pass their limit.
    Full,
    /// It is done after another call of the same action that carries more; where none comes, after a while.
    Late,
}

/// A late call waits so long for another.
const LATE: Duration = Duration::from_secs(2);

#[derive(Default)]
struct State {
    faults: VecDeque<(String, Fault)>,
    calls: Vec<String>,
    /// Action and body of each call that was done, in that order.
    done: Vec<(String, String)>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// The proxy, on a free loopback port until the test binary ends.
pub struct AwsProxy {
    /// What stands for the stand-in's address.
    pub url: String,
    shared: Arc<Shared>,
}

impl AwsProxy {
    /// In front of what listens at `upstream`: `http://127.0.0.1:PORT`.
    pub fn before(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let shared = Arc::new(Shared::default());
        let passing = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (shared, upstream) = (Arc::clone(&passing), upstream.clone());
                // A client that hangs up in the middle is part of some tests.
                std::thread::spawn(move || drop(pass(stream, &upstream, &shared)));
            }
        });
        Self { url, shared }
    }

    /// The next call of `action` that has not been given one gets this fault.
    pub fn then(&self, action: &str, fault: Fault) {
        self.shared
            .state
            .lock()
            .unwrap()
            .faults
            .push_back((action.to_owned(), fault));
    }

    /// How often `action` was called.
    pub fn calls_of(&self, action: &str) -> usize {
        let state = self.shared.state.lock().unwrap();
        state.calls.iter().filter(|call| *call == action).count()
    }

    /// The bodies of `action`'s calls that the stand-in answered, as they stand on the wire, in that order.
    pub fn done(&self, action: &str) -> Vec<String> {
        let state = self.shared.state.lock().unwrap();
        let of_action = state.done.iter().filter(|(of, _)| of == action);
        of_action.map(|(_, body)| body.clone()).collect()
    }
}

fn pass(client: TcpStream, upstream: &str, shared: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.trim_end().is_empty() {
            break;
        }
        head.extend_from_slice(line.as_bytes());
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let text = String::from_utf8_lossy(&body).into_owned();
    let action = text.split('&').find_map(|pair| pair.strip_prefix("Action="));
    let action = action.unwrap_or_default();
    let fault = take_fault(&shared.state, action);
    match fault {
        Some(Fault::Cut) => return client.shutdown(Shutdown::Both),
        Some(Fault::Throttled) => return refuse(client, 400, "Throttling", "Rate exceeded"),
        Some(Fault::Failed) => return refuse(client, 500, "ServiceFailure", "It is our fault"),
        Some(Fault::Full) => {
            let said = "Maximum policy size of 10240 bytes exceeded for role";
            return refuse(client, 409, "LimitExceeded", said);
        }
        Some(Fault::Late) => wait_for_more(shared, action, text.len()),
        Some(Fault::CutAfter) | None => {}
    }
    let mut server = TcpStream::connect(upstream)?;
    server.write_all(&head)?;
    server.write_all(b"Connection: close\r\n\r\n")?;
    server.write_all(&body)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    let done = (action.to_owned(), text.clone());
    shared.state.lock().unwrap().done.push(done);
    shared.changed.notify_all();
    if fault == Some(Fault::CutAfter) {
        return client.shutdown(Shutdown::Both);
    }
    let mut client = client;
    client.write_all(&answer)?;
    client.shutdown(Shutdown::Both)
}

/// Until a call of `action` was done whose body is longer than `length`.
fn wait_for_more(shared: &Shared, action: &str, length: usize) {
    let more = |(of, body): &(String, String)| of == action && body.len() > length;
    let state = shared.state.lock().unwrap();
    let waited = shared
        .changed
        .wait_timeout_while(state, LATE, |state| !state.done.iter().any(more));
    drop(waited.unwrap());
}

fn take_fault(state: &Mutex<State>, action: &str) -> Option<Fault> {
    let mut state = state.lock().unwrap();
    state.calls.push(action.to_owned());
    let at = state.faults.iter().position(|(of, _)| of == action)?;
    state.faults.remove(at).map(|(_, fault)| fault)
}

fn refuse(mut client: TcpStream, status: u16, code: &str, message: &str) -> std::io::Result<()> {
    let body = format!(
        r#"<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>"#
    );
    let length = body.len();
    write!(
        client,
        "HTTP/1.1 {status} Answer\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}
