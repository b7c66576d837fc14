//! Our own mock of STS: writes down what it received and answers as told. For what no stand-in shows or plays.
//! Refuses to judge: whether a session policy holds is asked of ministack.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};
use percent_encoding::percent_decode_str;

use super::sts_answer::{StsAnswer, render};

/// One call as it arrived.
#[derive(Clone, Debug)]
pub struct StsCall {
    /// The form's fields, decoded: `Action`, `RoleArn`, `Policy`, `Tags.member.1.Key`, ...
    pub params: BTreeMap<String, String>,
    /// The `Authorization` header, empty when there was none.
    pub authorization: String,
    /// When it had arrived.
    pub at: Timestamp,
}

impl StsCall {
    /// A field, empty when it was not sent.
    pub fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    /// The session policy.
    #[track_caller]
    pub fn policy(&self) -> serde_json::Value {
        serde_json::from_str(self.param("Policy")).unwrap()
    }
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    calls: Vec<StsCall>,
    next: VecDeque<StsAnswer>,
    always: Option<StsAnswer>,
    released: bool,
}

/// The mock, on a free loopback port until the test binary ends.
pub struct StsRecorder {
    /// What `AWS_ENDPOINT_URL_STS` is set to.
    pub url: String,
    shared: Arc<Shared>,
}

impl StsRecorder {
    /// Starts it; it grants until told otherwise.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared::default());
        let served = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&served);
                // A client that hangs up in the middle is part of some tests.
                std::thread::spawn(move || drop(serve(stream, &shared)));
            }
        });
        Self { url, shared }
    }

    /// Answers every later call so, after those of [`Self::then`].
    pub fn answer(&self, answer: StsAnswer) {
        self.shared.state.lock().unwrap().always = Some(answer);
    }

    /// Answers one more call so.
    pub fn then(&self, answer: StsAnswer) {
        self.shared.state.lock().unwrap().next.push_back(answer);
    }

    /// Lets every held call go on, now and later.
    pub fn release(&self) {
        self.shared.state.lock().unwrap().released = true;
        self.shared.changed.notify_all();
    }

    /// What has arrived so far.
    pub fn calls(&self) -> Vec<StsCall> {
        self.shared.state.lock().unwrap().calls.clone()
    }

    /// What has arrived once there are at least `count` calls.
    #[track_caller]
    pub fn wait_for_calls(&self, count: usize, limit: Duration) -> Vec<StsCall> {
        let state = self.shared.state.lock().unwrap();
        let (state, waited) = self
            .shared
            .changed
            .wait_timeout_while(state, limit, |state| state.calls.len() < count)
            .unwrap();
        assert!(
            !waited.timed_out(),
            "{} calls to STS within {limit:?}, wanted {count}",
            state.calls.len()
        );
        state.calls.clone()
    }
}

fn serve(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut length, mut authorization) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("authorization:") {
            authorization = value.trim().to_owned();
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let call = StsCall {
        params: form(&String::from_utf8_lossy(&body)),
        authorization,
        at: Timestamp::now(),
    };
    let (answer, number) = take_answer(shared, &call);
    if answer == StsAnswer::Held {
        let state = shared.state.lock().unwrap();
        drop(shared.changed.wait_while(state, |state| !state.released).unwrap());
    }
    write_answer(stream, &answer, &call, number)
}

fn take_answer(shared: &Shared, call: &StsCall) -> (StsAnswer, usize) {
    let mut state = shared.state.lock().unwrap();
    state.calls.push(call.clone());
    shared.changed.notify_all();
    let always = state.always.clone().unwrap_or(StsAnswer::Grant);
    (state.next.pop_front().unwrap_or(always), state.calls.len())
}

fn write_answer(mut stream: TcpStream, answer: &StsAnswer, call: &StsCall, number: usize) -> std::io::Result<()> {
    let (status, body) = render(answer, call, number);
    let ahead = if let StsAnswer::ClockAhead(by) = answer {
        by.as_secs().cast_signed()
    } else {
        0
    };
    let now = Timestamp::from_second(Timestamp::now().as_second() + ahead).unwrap();
    // RFC 9110, section 5.6.7: IMF-fixdate.
    let date = now.to_zoned(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT");
    let sent = if *answer == StsAnswer::Half {
        &body[..body.len() / 2]
    } else {
        &body[..]
    };
    let location = if *answer == StsAnswer::Redirect {
        "Location: /elsewhere\r\n"
    } else {
        ""
    };
    write!(
        stream,
        "HTTP/1.1 {status} Answer\r\nDate: {date}\r\n{location}Content-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{sent}",
        body.len()
    )
}

/// `application/x-www-form-urlencoded`, as the query protocol sends it.
fn form(body: &str) -> BTreeMap<String, String> {
    let decode = |text: &str| {
        percent_decode_str(&text.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    body.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (decode(key), decode(value)))
        .collect()
}
