//! Tokens signed a second: as the issuer gives them (key looked up, evidence on the disk), as bytes alone, and the bare
//! signature of the library, in turns of one run.
//! `cargo bench --bench tokens [-- SECONDS]`. Refuses a yardstick of another run.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration as Span, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use jit::clock::Clock;
use jit::config::{IssuerUrl, SealingKey};
use jit::server::issuer::token::{self, Saying};
use jit::server::issuer::{IssuerSettings, Published, open_key};
use jit::server::provider::{Statement, TokenSigner};
use jit::server::service::issuer::Issuer;
use jit::server::store::SqliteStore;
use serde_json::json;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Turns of each: a busy moment of the machine hits all of them.
const TURNS: u32 = 5;

/// How often `work` is done in `span`, a second.
fn rate(span: Span, mut work: impl FnMut() -> Result<(), Failure>) -> Result<f64, Failure> {
    let (began, mut count) = (Instant::now(), 0_u32);
    while began.elapsed() < span {
        work()?;
        count += 1;
    }
    Ok(f64::from(count) / began.elapsed().as_secs_f64())
}

/// The same for many tasks at once.
async fn rate_of_tasks(span: Span, tasks: u32, issuer: &Arc<Issuer>, clock: &Arc<Clock>) -> Result<f64, Failure> {
    let began = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..tasks {
        let (issuer, clock) = (issuer.clone(), clock.clone());
        running.spawn(async move {
            let mut count = 0_u32;
            while began.elapsed() < span {
                issuer.sign(clock.now(), &statement()).await?;
                count += 1;
            }
            Ok::<u32, jit::server::provider::ProviderError>(count)
        });
    }
    let mut all = 0;
    while let Some(count) = running.join_next().await {
        all += count??;
    }
    Ok(f64::from(all) / began.elapsed().as_secs_f64())
}

fn statement() -> Statement {
    let claims = json!({
        "https://aws.amazon.com/source_identity": "usr_000000000001",
        "https://aws.amazon.com/tags": { "principal_tags": { "jit:request": ["req_000000000001"] } },
    });
    Statement {
        subject: "jit:aws/aws/111111111111/jit-prod-admin:usr_000000000001".to_owned(),
        audience: "sts.amazonaws.com".to_owned(),
        claims: claims.as_object().cloned().unwrap_or_default(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let seconds: u64 = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(5);
    let span = Span::from_secs(seconds) / TURNS;
    let folder = tempfile::tempdir()?;
    let store = Arc::new(SqliteStore::open(&folder.path().join("jit.db")).await?);
    let clock = Clock::real();
    let url = IssuerUrl::parse("https://jit.acme.example")?;
    let settings = IssuerSettings::new(url, Arc::new(SealingKey::new([7; 32])));
    let issuer = Arc::new(Issuer::new(settings.clone(), store, clock.clone()));
    issuer.advance().await?;
    let keys = issuer.keys().await?;
    let seen = Published {
        keys: keys.iter().map(|key| key.id.clone()).collect(),
        is_whole: true,
        differences: Vec::new(),
    };
    issuer.note(seen).await?;
    let open = open_key(&settings.sealing_key, &keys[0])?;
    let bare = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
    let statement = statement();
    let saying = Saying {
        issuer: settings.url.as_str(),
        subject: &statement.subject,
        audience: &statement.audience,
        id: "0123456789abcdef0123456789abcdef",
        claims: &statement.claims,
    };
    let message = [7_u8; 600];
    let random = SystemRandom::new();
    let (mut raw, mut bytes, mut one, mut many) = (0.0, 0.0, 0.0, 0.0);
    for _ in 0..TURNS {
        raw += rate(span, || Ok(bare.sign(&random, &message).map(drop)?))?;
        bytes += rate(span, || Ok(token::sign(&open, clock.now(), &saying).map(drop)?))?;
        one += rate_of_tasks(span, 1, &issuer, &clock).await?;
        many += rate_of_tasks(span, 64, &issuer, &clock).await?;
    }
    let mut out = std::io::stdout();
    writeln!(out, "| what | a second | x bare signature |\n| --- | --- | --- |")?;
    for (what, rate) in [
        ("bare ECDSA P-256 signature (aws-lc-rs), one thread", raw),
        ("token alone, one thread", bytes),
        ("token with its evidence on the disk, one task", one),
        ("the same, 64 tasks at once", many),
    ] {
        writeln!(out, "| {what} | {:.0} | {:.2} |", rate / f64::from(TURNS), rate / raw)?;
    }
    Ok(())
}
