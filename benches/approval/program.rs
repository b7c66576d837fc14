//! The same with the real client: `jit request` waits as a process of its own, and has ended when it holds credentials.
//! Refuses a process that ends otherwise than well.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use jit::wire::paths;
use serde_json::json;
use tokio::time::Instant;

use crate::caller::{Caller, Failure};
use crate::sts::Sts;
use crate::{Round, text};

/// A machine of its own with the client on it.
pub struct Machine {
    home: PathBuf,
}

impl Machine {
    /// Signs in below `home`.
    pub fn sign_in(home: &Path, server: &str, name: &str, code: &str) -> Result<Self, Failure> {
        std::fs::create_dir(home)?;
        let machine = Self { home: home.to_owned() };
        let signed_in = machine
            .jit(&["login", "--server", server, "--identity", name, "--code", code])
            .output()?;
        if signed_in.status.success() {
            return Ok(machine);
        }
        Err(String::from_utf8_lossy(&signed_in.stderr).into_owned().into())
    }

    fn jit(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jit"));
        command
            .args(args)
            .env_clear()
            .env("HOME", &self.home)
            .env("JIT_KEYRING", "file");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }
}

/// Files by a process, which waits; approved by somebody else; until the process has ended.
pub async fn once(machine: &Machine, alice: &mut Caller, bob: &mut Caller, sts: &Sts) -> Result<Round, Failure> {
    let mut child = machine
        .jit(&[
            "request",
            "prod-admin",
            "--for",
            "30m",
            "--reason",
            "measuring how fast it goes",
        ])
        .spawn()?;
    let (child, id) = tokio::task::spawn_blocking(move || waiting(&mut child).map(|id| (child, id))).await??;
    let request = bob.look(&id).await?;
    let decision = json!({ "verdict": "approve", "digest": request["digest"] });
    // long enough for its wait to be parked
    tokio::time::sleep(crate::PARKED).await;
    let ended = tokio::task::spawn_blocking(move || end(child));
    let before = sts.seen();
    let start = Instant::now();
    bob.post(&paths::with_id(paths::DECISIONS, &id), &decision).await?;
    let end = ended.await??;
    let after = sts.seen();
    let grant = text(&alice.look(&id).await?["grant"], "id")?;
    alice.post(&paths::with_id(paths::END, &grant), &json!({})).await?;
    alice.until_ended(&id).await?;
    Ok(Round {
        whole: end - start,
        provider: after.busy - before.busy,
    })
}

/// The request's id, once the process says that it waits.
fn waiting(child: &mut Child) -> Result<String, Failure> {
    let mut lines = BufReader::new(child.stderr.as_mut().ok_or("no stderr")?);
    let mut said = String::new();
    while !said.contains("jit wait") {
        if lines.read_line(&mut said)? == 0 {
            return Err(said.into());
        }
    }
    let id = said.split_whitespace().next().unwrap_or_default();
    Ok(id.to_owned())
}

fn end(mut child: Child) -> Result<Instant, Failure> {
    let status = child.wait()?;
    let end = Instant::now();
    if status.success() {
        return Ok(end);
    }
    let mut said = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut said)?;
    }
    Err(said.into())
}
