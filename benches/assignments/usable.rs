//! From an approver's yes until access is there and whoever waits for it is told.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use jit::server::dev::{self, Data};
use jit::server::provider::aws::AwsSettings;
use jit::server::service::sign_in::issue_code;
use jit::server::{open, serve_on};
use jit::wire::paths;
use serde_json::json;
use tokio::net::TcpListener;

use crate::caller::{Caller, Failure};
use crate::center::TAKES_MS;
use crate::house;

const ROUNDS: usize = 10;
/// Long enough for a wait to be parked.
const PARKED: Duration = Duration::from_millis(50);

pub async fn measure() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let center = house::center(1)?;
    let data = Data::take(&folder.path().join("data"))?;
    house::write_policy(&data.dir.join("policy"), &center, 1, "prod")?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let aws = AwsSettings {
        endpoint: Some(center.url()),
        ..AwsSettings::default()
    };
    let opened = open(dev::settings(&data, address, aws.with_keys("test", "test")).await?).await?;
    let backend = opened.backend.clone();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(serve_on(opened, listener, async move {
        // an ended bench stops it too
        let _ = stopped.await;
    }));
    let sign_in = async |name: &str| {
        let code = issue_code(&backend, name)
            .await
            .map_err(|failure| failure.problem.title)?;
        Caller::sign_in(address, name, &code).await
    };
    let (mut alice, mut bob) = (sign_in("alice").await?, sign_in("bob").await?);
    let mut whole = Vec::new();
    // the first one opens connections and is thrown away
    for round in 0..=ROUNDS {
        let took = once(&mut alice, &mut bob, &house::target(round % house::PLACES)).await?;
        if round > 0 {
            whole.push(took);
        }
    }
    let _ = stop.send(());
    drop((alice, bob));
    serving.await??;
    Ok(report(whole)?)
}

async fn once(alice: &mut Caller, bob: &mut Caller, target: &str) -> Result<Duration, Failure> {
    let request = alice.file(target, 1800).await?;
    let id = request["id"].as_str().ok_or("no id")?.to_owned();
    let decision = json!({ "verdict": "approve", "digest": request["digest"] });
    let mut waiter = alice.beside().await?;
    let parked = tokio::spawn(async move {
        let active = waiter.until_active(request).await?;
        Ok::<_, Failure>((
            Instant::now(),
            active["grant"]["id"].as_str().ok_or("no grant")?.to_owned(),
        ))
    });
    tokio::time::sleep(PARKED).await;
    let start = Instant::now();
    bob.post(&paths::with_id(paths::DECISIONS, &id), &decision).await?;
    let (end, grant) = parked.await??;
    alice.post(&paths::with_id(paths::END, &grant), &json!({})).await?;
    alice.until_ended(&id).await?;
    Ok(end - start)
}

fn report(mut whole: Vec<Duration>) -> io::Result<()> {
    whole.sort_unstable();
    let ms = |at: usize| whole.get(at).map_or(0, Duration::as_millis);
    let (p50, most, own) = (
        ms(whole.len() / 2),
        ms(whole.len().saturating_sub(1)),
        u128::from(TAKES_MS),
    );
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "approval to assignment, milliseconds; AWS takes {TAKES_MS} for a change"
    )?;
    writeln!(
        out,
        "rounds {}, p50 {p50}, most {most}; beside AWS's own: p50 {}, most {}",
        whole.len(),
        p50.saturating_sub(own),
        most.saturating_sub(own)
    )
}
