//! What it costs to know who calls: a proof of a device beside the bare check of its signature; calls a second of somebody
//! who is signed in beside calls of nobody, plain and through TLS; and sign-ins a minute. In turns of one run.
//! `cargo bench --bench calls [-- SECONDS]`. The callers run on the same machine, so a call's figure has both ends in it.
//! Refuses a call that was answered otherwise than well.

mod connection;
#[path = "../../tests/it/harness/device.rs"]
mod device;
mod house;

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration as Span, Instant};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jit::server::identity::proof::Expected;
use jit::server::identity::verify;
use jit::wire::paths;
use tokio::task::JoinSet;

use device::Device;
use house::{House, Person};

/// Whatever goes wrong ends the bench.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Turns of each: a busy moment of the machine hits all of them.
const TURNS: u32 = 5;
/// Connections at once.
const CONNECTIONS: usize = 16;
/// People who call by turns: one person alone is slowed.
const PEOPLE: usize = 512;
/// Sign-ins that are counted.
const SIGN_INS: usize = 1_000;

/// What is called.
#[derive(Clone, Copy)]
enum Way {
    /// Nobody asks whether it lives, on connections that are kept.
    Nobody,
    /// Somebody asks who they are, on connections that are kept.
    Kept,
    /// The same, on a connection of its own for each call, as commands do.
    Alone,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let seconds: u64 = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(10);
    let span = Span::from_secs(seconds) / TURNS;
    let folder = tempfile::tempdir()?;
    let plain = Arc::new(House::open(&folder.path().join("plain"), false).await?);
    let tls = Arc::new(House::open(&folder.path().join("tls"), true).await?);
    let mut out = io::stdout();
    proofs(&mut out, span)?;
    writeln!(
        out,
        "\n| calls | plain, /s | TLS, /s | TLS to plain |\n| --- | --- | --- | --- |"
    )?;
    let (at_plain, at_tls) = (people(&plain).await?, people(&tls).await?);
    for (what, way) in [
        ("nobody, `/livez`, connections kept", Way::Nobody),
        ("signed in, `/v1/me`, connections kept", Way::Kept),
        ("signed in, `/v1/me`, a connection a call", Way::Alone),
    ] {
        let (mut without, mut with) = (0.0, 0.0);
        for _ in 0..TURNS {
            without += calls(&plain, &at_plain, way, span).await?;
            with += calls(&tls, &at_tls, way, span).await?;
        }
        let turns = f64::from(TURNS);
        writeln!(
            out,
            "| {what} | {:.0} | {:.0} | {:.2} |",
            without / turns,
            with / turns,
            with / without
        )?;
    }
    writeln!(
        out,
        "\n| sign-ins with a code | plain, a minute | TLS, a minute |\n| --- | --- | --- |"
    )?;
    let (without, with) = (sign_ins(&plain).await?, sign_ins(&tls).await?);
    writeln!(
        out,
        "| {SIGN_INS} people, {CONNECTIONS} at once, a new device each | {without:.0} | {with:.0} |"
    )?;
    for house in [plain, tls] {
        Arc::try_unwrap(house)
            .map_err(|_| "somebody calls still")?
            .stop()
            .await?;
    }
    Ok(())
}

/// Proofs that are checked a second, beside their signatures alone.
fn proofs(out: &mut impl Write, span: Span) -> Result<(), Failure> {
    let (device, names, token) = (Device::new(), ["jit.acme.example".to_owned()], "jit_0123456789abcdef");
    let proof = device.proof("GET", "https://jit.acme.example/v1/me", Some(token), "nonce");
    let expected = Expected {
        method: "GET",
        names: &names,
        path: paths::ME,
        token: Some(token),
    };
    let (text, signature) = proof.rsplit_once('.').ok_or("no signature")?;
    let signature = URL_SAFE_NO_PAD.decode(signature)?;
    let mut point = vec![4];
    for coordinate in ["x", "y"] {
        point.extend(URL_SAFE_NO_PAD.decode(device.jwk()[coordinate].as_str().unwrap_or_default())?);
    }
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    let (mut bare, mut whole) = (0.0, 0.0);
    for _ in 0..TURNS {
        bare += rate(span, || Ok(key.verify(text.as_bytes(), &signature)?))?;
        whole += rate(span, || Ok(verify(&proof, &expected).map(drop)?))?;
    }
    let turns = f64::from(TURNS);
    writeln!(out, "| one thread | a second | x bare check |\n| --- | --- | --- |")?;
    writeln!(out, "| bare ECDSA P-256 check (aws-lc-rs) | {:.0} | 1 |", bare / turns)?;
    writeln!(
        out,
        "| proof of a device | {:.0} | {:.2} |",
        whole / turns,
        whole / bare
    )?;
    Ok(())
}

/// How often `work` is done in `span`, a second.
fn rate(span: Span, mut work: impl FnMut() -> Result<(), Failure>) -> Result<f64, Failure> {
    let (began, mut count) = (Instant::now(), 0_u32);
    while began.elapsed() < span {
        work()?;
        count += 1;
    }
    Ok(f64::from(count) / began.elapsed().as_secs_f64())
}

async fn people(house: &Arc<House>) -> Result<Arc<Vec<Person>>, Failure> {
    let names: Vec<String> = (0..PEOPLE).map(|n| format!("caller-{n}")).collect();
    let mut connection = house.connect().await?;
    let mut people = Vec::new();
    for (name, code) in house.codes(&names).await? {
        people.push(house.sign_in(&mut connection, &name, &code).await?);
    }
    Ok(Arc::new(people))
}

/// Calls a second.
async fn calls(house: &Arc<House>, people: &Arc<Vec<Person>>, way: Way, span: Span) -> Result<f64, Failure> {
    let began = Instant::now();
    let mut running = JoinSet::new();
    for lane in 0..CONNECTIONS {
        let (house, people) = (house.clone(), people.clone());
        running.spawn(async move {
            let (mut connection, mut count) = (house.connect().await?, 0_u32);
            let mut callers = people.iter().skip(lane).step_by(CONNECTIONS).cycle();
            while began.elapsed() < span {
                let caller = callers.next().ok_or("nobody calls")?;
                let call = match way {
                    Way::Nobody => format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", paths::LIVEZ, house.address),
                    Way::Kept | Way::Alone => house.call("GET", paths::ME, &caller.device, Some(&caller.token), ""),
                };
                if matches!(way, Way::Alone) {
                    connection = house.connect().await?;
                }
                match connection.call(&call).await? {
                    (200, _) => count += 1,
                    (status, body) => return Err(format!("{status} {}", String::from_utf8_lossy(&body)).into()),
                }
            }
            Ok::<u32, Failure>(count)
        });
    }
    let mut all = 0;
    while let Some(count) = running.join_next().await {
        all += count??;
    }
    Ok(f64::from(all) / began.elapsed().as_secs_f64())
}

/// Sign-ins a minute.
async fn sign_ins(house: &Arc<House>) -> Result<f64, Failure> {
    let names: Vec<String> = (0..SIGN_INS).map(|n| format!("newcomer-{n}")).collect();
    let codes = Arc::new(house.codes(&names).await?);
    let began = Instant::now();
    let mut running = JoinSet::new();
    for lane in 0..CONNECTIONS {
        let (house, codes) = (house.clone(), codes.clone());
        running.spawn(async move {
            for (name, code) in codes.iter().skip(lane).step_by(CONNECTIONS) {
                let mut connection = house.connect().await?;
                house.sign_in(&mut connection, name, code).await?;
            }
            Ok::<(), Failure>(())
        });
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok(SIGN_INS as f64 / began.elapsed().as_secs_f64() * 60.0)
}
