//! Many grants that end in one minute: the real `jit serve`, on a store in which they are live, beside a stand-in that keeps
//! AWS's quota. How long it takes, in which order, what it costs.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jit::clock::Clock;
use jit::server::backend::{Backend, Caller, Parts};
use jit::server::dev::{self, Data};
use jit::server::identity::device::DeviceKey;
use jit::server::provider::aws::{AwsProvider, AwsSettings};
use jit::server::service::{file, sign_in};
use jit::server::store::SqliteStore;
use jit::server::{policy_folder, worker};
use jit::wire::{NewRequest, NewSession, PublicKey};
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Row as _};
use tokio::task::JoinSet;

use crate::caller::Failure;
use crate::center::Center;
use crate::house;
use crate::instantly::Instantly;

/// Grants that begin while the others end: taking goes first.
const LATER: usize = 10;
/// Everything ends within so many seconds.
const WITHIN_S: usize = 60;

/// `jit serve` as a process; killed when it goes.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        // gone already is as good
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

pub async fn measure(count: usize) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let people = house::people(count);
    let center = house::center(people)?;
    let dir = folder.path().join("data");
    let begun = Instant::now();
    let first_end = fill(&dir, &center, people, count).await?;
    let filled = begun.elapsed();
    given(&center, people)?;
    let serving = serve(&dir, &center.url())?;
    let process = Process(serving.0.id());
    let database = dir.join("jit.db");
    let mut reading = SqliteConnectOptions::new()
        .filename(&database)
        .read_only(true)
        .connect()
        .await?;
    let left = until(first_end).saturating_sub(Duration::from_secs(2));
    tokio::time::sleep(left).await;
    let (idle, cpu_before) = (process.status("VmRSS:")?, process.cpu()?);
    center.control(&json!({"reset_record": true}))?;
    tokio::time::sleep(until(first_end)).await;
    let start = Instant::now();
    let mut most = idle;
    // what was to begin later begins when the last has ended
    let took = loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        most = most.max(process.status("VmRSS:")?);
        if open(&mut reading, "'active', 'revoking'", first_end).await? == 0 {
            break start.elapsed();
        }
    };
    let cpu = process.cpu()?.saturating_sub(cpu_before);
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{count} grants that end within a minute; filled in {} s",
        filled.as_secs()
    )?;
    writeln!(out, "all taken away after     {:>9.1} s", took.as_secs_f64())?;
    writeln!(
        out,
        "processor time           {:>9.1} s, {:.2} ms a grant",
        cpu.as_secs_f64(),
        cpu.as_secs_f64() * 1000.0 / count as f64
    )?;
    writeln!(
        out,
        "resident before, most    {:>9.1} MiB, {:.1} MiB",
        mib(idle),
        mib(most)
    )?;
    let view = center.view()?;
    calls(&mut out, &view)?;
    order(&mut out, &view, &mut reading).await?;
    let left = view["assignments"].as_array().map_or(0, Vec::len);
    let begun = open(&mut reading, "'active'", 0).await?;
    writeln!(out, "left in Identity Center  {left:>9}, of which {begun} began later")?;
    if left > LATER {
        return Err(format!("{left} assignments are left").into());
    }
    Ok(())
}

/// Live grants of everybody on everything, and some that begin later: when the first ends, in milliseconds since 1970.
async fn fill(dir: &Path, center: &Center, people: usize, count: usize) -> Result<i64, Failure> {
    let data = Data::take(dir)?;
    house::write_policy(&dir.join("policy"), center, people, "dev")?;
    let aws = AwsSettings::default().with_keys("test", "test");
    let settings = dev::settings(&data, ([127, 0, 0, 1], 1).into(), aws.clone()).await?;
    let bundle = Arc::new(policy_folder::load(&settings.policy_dir, false)?);
    let store = Arc::new(SqliteStore::open(&settings.database).await?);
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let backend = Backend::new(Parts {
        settings,
        store,
        aws: Arc::new(AwsProvider::new(aws, None)),
        identity_center: Arc::new(Instantly::new()),
        issuer: None,
        clock: Clock::real_after(None),
        bundle: bundle.clone(),
        stopping: stopping.clone(),
    });
    policy_folder::record(&backend, &bundle, None).await.map_err(said)?;
    let working = tokio::spawn(worker::run(backend.clone(), stopping));
    // filing and giving take so long on a slow machine
    let first_end = backend.now().millis() / 1000 + 40 + i64::try_from(count / 40)?;
    let mut filing = JoinSet::new();
    for person in 0..people {
        let caller = signed_in(&backend, &house::name(person)).await?;
        let backend = backend.clone();
        let mine = house::PLACES.min(count - person * house::PLACES);
        filing.spawn(async move {
            for place in 0..mine {
                let end = first_end + i64::try_from((person * house::PLACES + place) % WITHIN_S).unwrap_or(0);
                let seconds = u32::try_from(end - backend.now().millis() / 1000).unwrap_or(1);
                file_one(&backend, &caller, house::target(place), seconds, None).await?;
            }
            Ok::<_, String>(())
        });
        while filing.len() >= 32 {
            filing.join_next().await.ok_or("nobody files")???;
        }
    }
    while let Some(filed) = filing.join_next().await {
        filed??;
    }
    let alice = signed_in(&backend, "alice").await?;
    for place in 0..LATER {
        let start = jit::domain::Timestamp::from_millis((first_end + 5) * 1000);
        file_one(&backend, &alice, house::target(place), 3_600, Some(start)).await?;
    }
    while backend.store.left().await? != left_at_rest(count) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if backend.now().millis() > first_end * 1000 {
            return Err("the first grant ended before all were given".into());
        }
    }
    let _ = stop.send(true);
    working.await?;
    Ok(first_end * 1000)
}

/// An end for each that is live, a beginning for each that is not.
fn left_at_rest(count: usize) -> u64 {
    u64::try_from(count + LATER).unwrap_or(u64::MAX)
}

async fn file_one(
    backend: &Backend,
    caller: &Caller,
    target: String,
    duration_s: u32,
    start: Option<jit::domain::Timestamp>,
) -> Result<(), String> {
    let new = NewRequest {
        target,
        duration_s,
        reason: "measuring how fast it ends".to_owned(),
        start,
        ..NewRequest::default()
    };
    let filed = file::file(backend, caller, &new, None).await;
    filed.map(drop).map_err(|failure| failure.problem.title)
}

async fn signed_in(backend: &Backend, name: &str) -> Result<Caller, Failure> {
    let address = [127, 0, 0, 1].into();
    let new = NewSession {
        name: name.to_owned(),
        code: sign_in::issue_code(backend, name).await.map_err(said)?,
        key_storage: "file".into(),
        verifier: None,
    };
    // the generator of P-256: a public key that everybody may have
    let key = DeviceKey::of(&PublicKey {
        crv: "P-256".into(),
        kty: "EC".into(),
        x: "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY".into(),
        y: "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU".into(),
    });
    let key = key.ok_or("no key of P-256")?;
    let opened = sign_in::open(backend, &new, &key, address).await.map_err(said)?;
    sign_in::caller(backend, &opened.token, address).await.map_err(said)
}

fn said(failure: jit::server::failure::Failure) -> Failure {
    failure.problem.title.into()
}

/// Has the stand-in hold what the store says was given.
fn given(center: &Center, people: usize) -> Result<(), Failure> {
    for person in 0..people {
        let one = |place| json!({"permission_set": "Admin", "account": house::account(place), "user": house::user(&house::name(person))});
        let all: Vec<Value> = (0..house::PLACES).map(one).collect();
        center.control(&json!({"assign": all}))?;
    }
    Ok(())
}

fn serve(dir: &Path, center: &str) -> Result<Serving, Failure> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_jit"))
        .args(["serve", "--dev", "-o", "json", "--listen", "127.0.0.1:0", "--data"])
        .arg(dir)
        .env_clear()
        .env("HOME", dir)
        .env("AWS_ENDPOINT_URL", center)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(fs::File::create(dir.with_extension("log"))?)
        .spawn()?;
    let mut hello = String::new();
    BufReader::new(child.stdout.take().ok_or("no stdout")?).read_line(&mut hello)?;
    Ok(Serving(child))
}

/// How long until an instant of the real clock.
fn until(millis: i64) -> Duration {
    let now = Clock::real_after(None).now().millis();
    Duration::from_millis(u64::try_from(millis - now).unwrap_or(0))
}

/// A process, as Linux shows it.
struct Process(u32);

impl Process {
    fn status(&self, key: &str) -> Result<u64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(key))
            .ok_or("no such line")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    /// Ticks are hundredths of a second on every Linux.
    fn cpu(&self) -> Result<Duration, Failure> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0))?;
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let ticks = |at: usize| {
            fields
                .get(at)
                .and_then(|text| text.parse::<u64>().ok())
                .ok_or("no times")
        };
        Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
    }
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

/// Grants in one of `states` that were given before `first_end`; all of them where that is 0.
async fn open(reading: &mut SqliteConnection, states: &'static str, first_end: i64) -> Result<i64, Failure> {
    let text = format!("SELECT COUNT(*) FROM grants WHERE state IN ({states}) AND ($1 = 0 OR activated_at < $1)");
    let row = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(first_end)
        .fetch_one(reading)
        .await?;
    Ok(row.try_get(0)?)
}

fn calls(out: &mut impl Write, view: &Value) -> io::Result<()> {
    for (operation, outcomes) in view["outcomes"].as_object().into_iter().flatten() {
        writeln!(out, "    {operation:44} {outcomes}")?;
    }
    writeln!(
        out,
        "busiest second           {:>9} calls of sso-admin",
        view["busiest_second"]
    )
}

/// How far the deletions left the order of the ends, and when the first creation came.
async fn order(out: &mut impl Write, view: &Value, reading: &mut SqliteConnection) -> Result<(), Failure> {
    let rows = sqlx::query("SELECT requests.body AS body, grants.ends_at AS ends_at FROM grants JOIN requests ON requests.id = grants.request_id")
        .fetch_all(reading)
        .await?;
    let mut ends = BTreeMap::new();
    for row in rows {
        let body: Value = serde_json::from_str(row.try_get("body")?)?;
        let ends_at: Option<i64> = row.try_get("ends_at")?;
        let key = (
            body["binding"]["account"].as_str().unwrap_or_default().to_owned(),
            body["user"].as_str().unwrap_or_default().to_owned(),
        );
        ends.insert(key, ends_at.unwrap_or(0));
    }
    let all = view["calls"].as_array().ok_or("no calls")?;
    let of = |operation: &'static str| {
        all.iter()
            .filter(move |call| call["operation"] == operation && call["outcome"] == "ok")
    };
    let (mut newest, mut late) = (0, 0);
    for call in of("DeleteAccountAssignment") {
        let word = |name: &str| call[name].as_str().unwrap_or_default().to_owned();
        let ended = ends
            .get(&(word("account"), word("principal_id")))
            .copied()
            .ok_or_else(|| format!("nobody ended {call}"))?;
        newest = newest.max(ended);
        late = late.max(newest - ended);
    }
    writeln!(
        out,
        "oldest first             {:>9.1} s out of order at most",
        late as f64 / 1000.0
    )?;
    let at = |call: Option<&Value>| call.and_then(|call| call["at_ms"].as_f64()).unwrap_or(0.0) / 1000.0;
    let (first, last) = (
        of("CreateAccountAssignment").next(),
        at(of("DeleteAccountAssignment").next_back()),
    );
    write!(out, "taking before giving         last deletion at {last:.1} s, ")?;
    match first {
        Some(first) => writeln!(out, "first creation at {:.1} s", at(Some(first)))?,
        None => writeln!(out, "no creation before")?,
    }
    Ok(())
}
