//! Durable filings a second through the store, beside raw commits of the same rows by plain sqlx.
//! `cargo bench --bench commits [-- SECONDS]`. Refuses another disk or other pragmas for the yardstick.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration as Span, Instant};

use jit::domain::{
    Binding, Body, Case, Change, DeviceId, Duration, Event, Filing, Frozen, GrantId, Partition, Person, PersonId,
    Reason, RequestId, Road, RoleBinding, Row, TargetName, Timestamp, Trace, Workflow, apply,
};
use jit::server::store::{Audit as _, Commits as _, SqliteStore};
use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, SqliteConnection, SqlitePool};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Tasks that commit at once.
const COMMITTERS: [u64; 3] = [1, 8, 64];

/// Numbers the filings of the whole run.
static NEXT: AtomicU64 = AtomicU64::new(1);

fn now() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000)
}

fn alice() -> PersonId {
    PersonId::from_bits(1)
}

/// Filing number `n`, each on a target of its own.
fn filing(n: u64) -> Result<Change, Failure> {
    let body = Body {
        schema: Body::SCHEMA.to_owned(),
        id: RequestId::from_bits(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        requester: alice(),
        beneficiary: alice(),
        target: TargetName::parse(&format!("target-{n}"))?,
        binding: Binding::Role(RoleBinding {
            partition: Partition::Aws,
            account: "111122223333".to_owned(),
            account_name: "prod".to_owned(),
            role_arn: "arn:aws:iam::111122223333:role/admin".to_owned(),
            region: "eu-central-1".to_owned(),
            road: Road::AssumeRole,
            session: Duration::from_secs(3600)?,
            chain: false,
            trace: Trace::Session,
            never: vec!["iam:*".to_owned()],
            kill: None,
        }),
        duration: Duration::from_secs(7200)?,
        start: None,
        reason: Reason::parse("payments are stuck, see the incident channel")?,
        ticket: None,
        only: Vec::new(),
        extends: None,
        user: None,
        pre_existing: false,
        through_group: false,
        workload: None,
    };
    let workflow = Workflow {
        name: "one".to_owned(),
        stages: Vec::new(),
        expires_after: Duration::from_secs(3600)?,
        activate_within: Duration::from_secs(600)?,
    };
    let frozen = Frozen {
        workflow,
        cap: Duration::from_secs(14_400)?,
        risk: 2,
        environment: "production".to_owned(),
        bundle_hash: "b".repeat(64),
        account: None,
        same_access: Vec::new(),
        started_by: Vec::new(),
    };
    let filing = Filing {
        body,
        frozen,
        device: DeviceId::parse(&"d".repeat(43))?,
        automatic: false,
        grant: GrantId::from_bits(n),
    };
    Ok(apply(now(), &Case::default(), &Event::File(Box::new(filing)))?)
}

/// A store at `path` with the one person of the run.
async fn opened(path: &Path) -> Result<SqliteStore, Failure> {
    let store = SqliteStore::open(path).await?;
    let person = Person {
        id: alice(),
        issuer: "local".to_owned(),
        subject: "alice".to_owned(),
        name: "alice".to_owned(),
        since: now(),
        workload: None,
    };
    let seen = Change {
        rows: vec![Row::Person(person)],
        ..Change::default()
    };
    store.commit(&seen).await?;
    Ok(store)
}

/// The rows of one filing as they lie in the file, to be written again by hand.
struct RawRows {
    body: String,
    frozen: String,
    digest: String,
    payload: String,
}

impl RawRows {
    fn of(change: &Change) -> Result<Self, Failure> {
        let request = change.request().ok_or("a filing has a request")?;
        let event = change.event.as_ref().ok_or("a filing has evidence")?;
        Ok(Self {
            body: serde_json::to_string(&request.body)?,
            frozen: serde_json::to_string(&request.frozen)?,
            digest: request.digest.to_string(),
            payload: event.payload.to_string(),
        })
    }

    /// One transaction: request, event, payload, effect.
    async fn commit(&self, connection: &mut SqliteConnection, n: i64) -> Result<(), Failure> {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
        sqlx::query(
            "INSERT INTO requests (id, requester_id, beneficiary_id, target, body, digest, frozen, state, automatic,
                filed_at, filed_from, expires_at, closed_at, version)
            VALUES ($1, $2, $2, $3, $4, $5, $6, 'pending', 0, $7, $8, $7, NULL, 1)",
        )
        .bind(format!("req_{n:012}"))
        .bind(alice().as_str().to_owned())
        .bind(format!("target-{n}"))
        .bind(&self.body)
        .bind(&self.digest)
        .bind(&self.frozen)
        .bind(now().millis())
        .bind("d".repeat(43))
        .execute(&mut *connection)
        .await?;
        sqlx::query(
            "INSERT INTO audit_events (seq, ts, type, actor, request, bundle_hash, payload_hash, leaf_hash)
            SELECT COALESCE(MAX(seq), 0) + 1, $1, 'request.filed', $2, $3, $4, $4, $4 FROM audit_events",
        )
        .bind(now().millis())
        .bind(alice().as_str().to_owned())
        .bind(format!("req_{n:012}"))
        .bind(&self.digest)
        .execute(&mut *connection)
        .await?;
        sqlx::query("INSERT INTO audit_payloads (seq, salt, payload) SELECT MAX(seq), $1, $2 FROM audit_events")
            .bind(&self.digest)
            .bind(&self.payload)
            .execute(&mut *connection)
            .await?;
        sqlx::query("INSERT INTO outbox (kind, request_id, urgency, due_at) VALUES ('expire', $1, 1, $2)")
            .bind(format!("req_{n:012}"))
            .bind(now().millis())
            .execute(&mut *connection)
            .await?;
        sqlx::query("COMMIT").execute(&mut *connection).await?;
        Ok(())
    }
}

/// Commits a second: `committers` tasks, each one after the other, for `span`.
async fn rate<F, A>(committers: u64, span: Span, commit: F) -> Result<f64, Failure>
where
    F: Fn(u64) -> A + Send + Sync + 'static,
    A: Future<Output = Result<(), Failure>> + Send,
{
    let commit = Arc::new(commit);
    let start = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..committers {
        let commit = Arc::clone(&commit);
        tasks.spawn(async move {
            let mut done = 0_u32;
            while start.elapsed() < span {
                commit(NEXT.fetch_add(1, Ordering::Relaxed)).await?;
                done += 1;
            }
            Ok::<_, Failure>(done)
        });
    }
    let mut done = 0;
    while let Some(task) = tasks.join_next().await {
        done += task??;
    }
    Ok(f64::from(done) / start.elapsed().as_secs_f64())
}

/// The pragmas of the store.
async fn raw_pool(path: &Path, connections: u32) -> Result<SqlitePool, Failure> {
    drop(opened(path).await?);
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Span::from_secs(30))
        .disable_statement_logging();
    let pool = SqlitePoolOptions::new().max_connections(connections);
    Ok(pool.acquire_timeout(Span::from_secs(60)).connect_with(options).await?)
}

async fn raw(folder: &Path, name: &str, committers: u64, connections: u32, span: Span) -> Result<f64, Failure> {
    let pool = raw_pool(&folder.join(name), connections).await?;
    let rows = Arc::new(RawRows::of(&filing(1)?)?);
    rate(committers, span, move |n| {
        let (pool, rows) = (pool.clone(), Arc::clone(&rows));
        async move { rows.commit(&mut *pool.acquire().await?, i64::try_from(n)?).await }
    })
    .await
}

async fn store(folder: &Path, name: &str, committers: u64, span: Span) -> Result<f64, Failure> {
    let store = Arc::new(opened(&folder.join(name)).await?);
    let first = NEXT.load(Ordering::Relaxed);
    let committed = Arc::clone(&store);
    let per_s = rate(committers, span, move |n| {
        let store = Arc::clone(&committed);
        async move { Ok(store.commit(&filing(n)?).await?) }
    })
    .await?;
    let filed = NEXT.load(Ordering::Relaxed) - first;
    match store.evidence(filed - 1, 2).await?.as_slice() {
        [last] if last.seq == filed => Ok(per_s),
        lines => Err(format!("{filed} filings, evidence ends with {lines:?}").into()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let seconds: f64 = args.find_map(|arg| arg.parse().ok()).unwrap_or(2.0);
    let span = Span::from_secs_f64(seconds);
    let folder = tempfile::tempdir_in(std::env::current_dir()?.join("target")).or_else(|_| tempfile::tempdir())?;
    let mut lines = Vec::new();
    for committers in COMMITTERS {
        // the yardstick in turn with what it measures, because the machine is shared; one task is where raw is best
        let one = raw(folder.path(), &format!("raw-{committers}"), 1, 1, span).await?;
        let ours = store(folder.path(), &format!("store-{committers}"), committers, span).await?;
        let many = u32::try_from(committers.min(8))?;
        let each = raw(folder.path(), &format!("raw-each-{committers}"), committers, many, span).await?;
        lines.push((committers, one, each, ours));
    }
    report(&lines)?;
    Ok(())
}

fn report(lines: &[(u64, f64, f64, f64)]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "durable filings a second (request, evidence, payload, effect; WAL, synchronous=FULL)"
    )?;
    writeln!(
        out,
        "{:>10} {:>20} {:>22} {:>8} {:>12}",
        "committers", "raw, one task", "raw, 8 connections", "store", "store / raw"
    )?;
    for (committers, one, each, ours) in lines {
        let ratio = ours / one;
        writeln!(
            out,
            "{committers:>10} {one:>20.0} {each:>22.0} {ours:>8.0} {ratio:>11.2}x"
        )?;
    }
    let figures = lines.iter().map(|(committers, one, each, ours)| {
        json!({ "committers": committers, "raw_per_s": one.round(), "raw_8_per_s": each.round(), "store_per_s": ours.round() })
    });
    writeln!(out, "{}", json!(figures.collect::<Vec<_>>()))
}
