//! A stand-in for STS that takes a known time for every `AssumeRole` and counts. Refuses to judge what it is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration as Span;

use jit::clock::Clock;
use jit::domain::Timestamp;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::caller::Failure;

/// Calls so far, and the time that they took.
#[derive(Clone, Copy)]
pub struct Seen {
    /// How many.
    pub calls: u64,
    /// From the last byte of a call to the last byte of its answer, summed.
    pub busy: Span,
}

#[derive(Default)]
struct Counts {
    calls: AtomicU64,
    busy_ns: AtomicU64,
}

/// The stand-in, until the bench ends.
pub struct Sts {
    /// Where it listens.
    pub url: String,
    counts: Arc<Counts>,
}

impl Sts {
    /// Starts it.
    pub async fn start(takes: Span) -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // a connection that the client closes ends its task
                tokio::spawn(serve(stream, takes, Arc::clone(&shared)));
            }
        });
        Ok(Self { url, counts })
    }

    /// What it has seen.
    pub fn seen(&self) -> Seen {
        Seen {
            calls: self.counts.calls.load(Ordering::SeqCst),
            busy: Span::from_nanos(self.counts.busy_ns.load(Ordering::SeqCst)),
        }
    }
}

async fn serve(stream: TcpStream, takes: Span, counts: Arc<Counts>) -> Result<(), Failure> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
            if line.is_empty() {
                break;
            }
        }
        stream.read_exact(&mut vec![0; length]).await?;
        let start = Instant::now();
        counts.calls.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(takes).await;
        let answer = answer();
        stream.write_all(answer.as_bytes()).await?;
        stream.flush().await?;
        let busy = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        counts.busy_ns.fetch_add(busy, Ordering::SeqCst);
    }
}

/// The shape of the AWS STS API reference, `AssumeRole`.
fn answer() -> String {
    let now = Clock::real_after(None).now();
    let until = Timestamp::from_millis(now.millis() + 3_600_000).whole_second();
    let body = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><AssumedRoleUser>\
         <AssumedRoleId>AROABENCH00000000000:x</AssumedRoleId><Arn>arn:aws:sts::111111111111:assumed-role/x/x</Arn>\
         </AssumedRoleUser><Credentials><AccessKeyId>ASIABENCH00000000000</AccessKeyId>\
         <SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>{until}</Expiration>\
         </Credentials></AssumeRoleResult><ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></AssumeRoleResponse>"
    );
    let date = jiff::Timestamp::from_millisecond(now.millis())
        .map(|at| at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        .unwrap_or_default();
    format!(
        "HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
