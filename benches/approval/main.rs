//! From an approver's yes to credentials in the hands of who waits, beside the provider's own time;
//! with nobody else waiting, with 1,000 others, and with `jit request` itself. `cargo bench --bench approval [-- ROUNDS]`.
//! Refuses a round whose provider was asked otherwise than twice: once to verify, once to mint.

mod caller;
#[path = "../../tests/it/harness/device.rs"]
mod device;
mod program;
mod sts;

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration as Span;

use jit::server::dev::{self, Data};
use jit::server::provider::aws::AwsSettings;
use jit::server::service::sign_in::issue_code;
use jit::server::{open, serve_on};
use jit::wire::paths;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;

use caller::{Caller, Failure};
use program::Machine;
use sts::Sts;

/// How long the stand-in for STS takes for each call.
const STS_TAKES: Span = Span::from_millis(20);
/// Others that wait, and the most that one person may.
const OTHERS: usize = 1_000;
const WAITS_A_PERSON: usize = 50;
/// Long enough for a wait to be parked: what is measured is the wake-up, not a race.
const PARKED: Span = Span::from_millis(30);

/// Rounds with the real client.
const PROGRAMS: usize = 40;

/// What one round took.
struct Round {
    whole: Span,
    provider: Span,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let rounds = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(120);
    let folder = tempfile::tempdir()?;
    let sts = Sts::start(STS_TAKES).await?;
    let data = Data::take(&folder.path().join("data"))?;
    let crowd: Vec<String> = (0..OTHERS / WAITS_A_PERSON).map(|n| format!("waiter-{n}")).collect();
    let_in(&data.dir, &crowd)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let aws = AwsSettings {
        endpoint: Some(sts.url.clone()),
        ..AwsSettings::default()
    };
    let opened = open(dev::settings(&data, address, aws.with_keys("test", "test")).await?).await?;
    let backend = opened.backend.clone();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(serve_on(opened, listener, async move {
        // an ended bench stops it too
        let _ = stopped.await;
    }));
    let sign_in =
        async |name: &str| Caller::sign_in(address, name, &issue_code(&backend, name).await.map_err(said)?).await;
    let (mut alice, mut bob) = (sign_in("alice").await?, sign_in("bob").await?);

    let code = issue_code(&backend, "alice").await.map_err(said)?;
    let home = folder.path().join("alice");
    let machine =
        tokio::task::block_in_place(|| Machine::sign_in(&home, &format!("http://{address}"), "alice", &code))?;
    let alone = measure(&mut alice, &mut bob, &sts, rounds).await?;
    let mut programs = Vec::new();
    for _ in 0..rounds.min(PROGRAMS) {
        programs.push(program::once(&machine, &mut alice, &mut bob, &sts).await?);
    }
    let mut waiting = JoinSet::new();
    for name in &crowd {
        let mut person = sign_in(name).await?;
        let request = person.file("prod-readonly", 1800).await?;
        for _ in 0..WAITS_A_PERSON {
            let (mut one, request) = (person.beside().await?, request.clone());
            waiting.spawn(async move { one.wait_for_ever(&request).await });
        }
    }
    let crowded = measure(&mut alice, &mut bob, &sts, rounds).await?;
    let still = waiting.len();
    if let Some(ended) = waiting.try_join_next() {
        return Err(format!("somebody stopped waiting: {ended:?}").into());
    }
    waiting.abort_all();
    // nobody may listen any more
    let _ = stop.send(());
    drop((alice, bob));
    serving.await??;
    let crowd = format!("{still} others wait");
    Ok(report(&[
        ("nobody else waits", alone),
        (&crowd, crowded),
        ("jit request, to its end", programs),
    ])?)
}

fn said(failure: jit::server::failure::Failure) -> Failure {
    failure.problem.title.into()
}

/// Makes everybody of `crowd` an engineer in the bundle that `serve --dev` wrote.
fn let_in(data: &Path, crowd: &[String]) -> io::Result<()> {
    let file = data.join("policy/security/catalogue.toml");
    let text = std::fs::read_to_string(&file)?;
    let members: String = crowd.iter().map(|name| format!("\"local:{name}\", ")).collect();
    std::fs::write(
        &file,
        text.replacen("\"local:alice\", ", &format!("\"local:alice\", {members}"), 1),
    )
}

async fn measure(alice: &mut Caller, bob: &mut Caller, sts: &Sts, rounds: usize) -> Result<Vec<Round>, Failure> {
    let mut done = Vec::new();
    // the first one opens connections and is thrown away
    for round in 0..=rounds {
        let one = once(alice, bob, sts).await?;
        if round > 0 {
            done.push(one);
        }
    }
    Ok(done)
}

/// Files, waits as a client does, is approved by somebody else, obtains credentials; then gives them back.
async fn once(alice: &mut Caller, bob: &mut Caller, sts: &Sts) -> Result<Round, Failure> {
    let request = alice.file("prod-admin", 1800).await?;
    let id = text(&request, "id")?;
    let decision = json!({ "verdict": "approve", "digest": request["digest"] });
    let path = paths::with_id(paths::DECISIONS, &id);
    let mut waiter = alice.beside().await?;
    let parked = tokio::spawn(async move {
        let active = waiter.until_active(request).await?;
        let grant = text(&active["grant"], "id")?;
        let minted = waiter
            .post(&paths::with_id(paths::CREDENTIALS, &grant), &json!({}))
            .await?;
        text(&minted, "secret_access_key")?;
        Ok::<_, Failure>((Instant::now(), grant))
    });
    tokio::time::sleep(PARKED).await;
    let before = sts.seen();
    let start = Instant::now();
    bob.post(&path, &decision).await?;
    let (end, grant) = parked.await??;
    let after = sts.seen();
    if after.calls - before.calls != 2 {
        return Err(format!("{} calls to the provider in one round", after.calls - before.calls).into());
    }
    alice.post(&paths::with_id(paths::END, &grant), &json!({})).await?;
    alice.until_ended(&id).await?;
    Ok(Round {
        whole: end - start,
        provider: after.busy - before.busy,
    })
}

fn text(value: &Value, key: &str) -> Result<String, Failure> {
    let text = value[key].as_str().ok_or_else(|| format!("no {key} in {value}"))?;
    Ok(text.to_owned())
}

fn report(runs: &[(&str, Vec<Round>)]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "decision to credentials, milliseconds; STS takes {STS_TAKES:?} a call, two calls"
    )?;
    writeln!(
        out,
        "{:24} {:>6} {:>8} {:>8} {:>13} {:>11} {:>11}",
        "", "rounds", "p50", "p99", "provider p50", "beside p50", "beside p99"
    )?;
    for (name, rounds) in runs {
        let at = |share: usize, pick: fn(&Round) -> Span| {
            let mut all: Vec<Span> = rounds.iter().map(pick).collect();
            all.sort_unstable();
            let place = (all.len() * share / 100).min(all.len().saturating_sub(1));
            all.get(place).copied().unwrap_or_default().as_secs_f64() * 1000.0
        };
        let beside = |round: &Round| round.whole.saturating_sub(round.provider);
        writeln!(
            out,
            "{name:24} {:>6} {:>8.1} {:>8.1} {:>13.1} {:>11.1} {:>11.1}",
            rounds.len(),
            at(50, |r| r.whole),
            at(99, |r| r.whole),
            at(50, |r| r.provider),
            at(50, beside),
            at(99, beside)
        )?;
    }
    Ok(())
}
