//! Our own mock of a server that is no jit backend, or a broken one: answers the bytes that the test gives.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The mock, on a free loopback port until the test binary ends.
pub struct RawServer {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl RawServer {
    /// Answers each request with what `answer` makes of its first line (`GET /v1/me HTTP/1.1`), then closes.
    pub fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1:0", move |line, _| answer(line))
    }

    /// The same at the address of a server that is gone: whoever trusted that one meets this one.
    pub fn in_place_of(url: &str, answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::seeing_proofs(url, move |line, _| answer(line))
    }

    /// The same, which is told the proof of each request, too.
    pub fn seeing_proofs(url: &str, answer: impl Fn(&str, &str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::at(url.trim_start_matches("http://"), answer)
    }

    fn at(address: &str, answer: impl Fn(&str, &str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                // A client that hangs up early is part of some tests.
                std::thread::spawn(move || drop(serve(stream, &seen, |line, proof| answer(line, proof))));
            }
        });
        Self { url, requests }
    }

    /// Always the same status and body.
    pub fn answering(status: u16, content_type: &str, body: &str) -> Self {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} Answer\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        let answer = format!("{head}{body}").into_bytes();
        Self::start(move |_| answer.clone())
    }

    /// Cuts the connection after half of a JSON answer.
    pub fn cutting_answers() -> Self {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{\"id\":\"req_";
        Self::start(move |_| answer.to_vec())
    }

    /// Sends every request to `location`.
    pub fn redirecting(location: &str) -> Self {
        let answer =
            format!("HTTP/1.1 307 Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        Self::start(move |_| answer.clone().into_bytes())
    }

    /// The first lines of what has arrived.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<String>>,
    answer: impl Fn(&str, &str) -> Vec<u8>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let (mut length, mut proof) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if let Some((_, value)) = line
            .split_once(':')
            .filter(|(name, _)| name.eq_ignore_ascii_case("dpop"))
        {
            value.trim().clone_into(&mut proof);
        }
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.is_empty() {
            break;
        }
    }
    // Unread bytes would turn our close into a reset.
    reader.read_exact(&mut vec![0; length])?;
    let first = first.trim_end().to_owned();
    seen.lock().unwrap().push(first.clone());
    stream.write_all(&answer(&first, &proof))
}
