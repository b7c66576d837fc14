//! `jit setup --all` with 2,000 targets and a configuration of 5 MB: from nothing, with nothing to do, and undone.
//! `cargo build --release && cargo bench --bench profiles [-- COUNT]`.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const TARGETS: usize = 2_000;
const LARGE: usize = 5 * 1024 * 1024;

/// A backend that runs; killed when it goes.
struct Serving(Child, Value);

impl Drop for Serving {
    fn drop(&mut self) {
        // already gone is as good
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn main() -> io::Result<()> {
    let count = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(10);
    // target/release/deps/profiles-… → target/release
    let own = std::env::current_exe()?;
    let jit: PathBuf = own
        .ancestors()
        .nth(2)
        .map(|release| release.join("jit"))
        .unwrap_or_default();
    let folder = tempfile::tempdir()?;
    let home = folder.path();
    drop(serve(&jit, home)?);
    let catalogue = home.join("data/policy/catalogue.toml");
    let mut targets = fs::read_to_string(&catalogue)?;
    for n in 0..TARGETS {
        targets.push_str(&format!(
            "\n[[target]]\nname = \"many-{n}\"\ntitle = \"One of many\"\naccount = \"dev\"\nrisk = 0\napprovers = [\"engineering\"]\n\
             max_duration = \"1h\"\ndefault_duration = \"1h\"\n\
             provider = {{ kind = \"aws\", road = \"assume-role\", role = \"jit/jit-many-{n}\", session = \"1h\" }}\n"
        ));
    }
    fs::write(&catalogue, targets)?;
    let serving = serve(&jit, home)?;
    let alice = serving.1["people"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|person| person["name"] == "alice");
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let code = text(alice.and_then(|alice| alice.get("code")));
    let url = text(serving.1.get("url"));
    run(
        &jit,
        home,
        &["login", "--server", &url, "--identity", "alice", "--code", &code],
    )?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "jit setup, {TARGETS} targets and more, {count} runs each, milliseconds"
    )?;
    writeln!(out, "{:44} {:>8} {:>8}", "", "p50", "max")?;
    let mine = "[profile mine]\nregion = eu-west-1\n# a line of a comment, as people write them\n";
    for (name, text) in [
        ("an empty configuration", String::new()),
        ("one of 5 MB", mine.repeat(LARGE / mine.len())),
    ] {
        let config = home.join(".aws/config");
        fs::create_dir_all(home.join(".aws"))?;
        let mut took = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..count {
            fs::write(&config, &text)?;
            for (at, args) in [
                &["setup", "--all", "-y"][..],
                &["setup", "--all", "-y"],
                &["setup", "--undo", "-y"],
            ]
            .into_iter()
            .enumerate()
            {
                took[at].push(run(&jit, home, args)?);
            }
            if fs::read_to_string(&config)? != text {
                return Err(io::Error::other("undo did not restore the configuration"));
            }
        }
        for (what, all) in ["--all", "--all again", "--undo"].iter().zip(&mut took) {
            all.sort_unstable();
            let ms = |place: usize| all.get(place).map_or(f64::NAN, |took| took.as_secs_f64() * 1000.0);
            writeln!(
                out,
                "{:44} {:>8.0} {:>8.0}",
                format!("{what}, {name}"),
                ms(all.len() / 2),
                ms(all.len() - 1)
            )?;
        }
    }
    Ok(())
}

fn sealed(jit: &Path, home: &Path) -> Command {
    let mut command = Command::new(jit);
    command
        .env_clear()
        .stdin(Stdio::null())
        .env("HOME", home)
        .env("JIT_KEYRING", "file");
    command.envs([
        ("JIT_STATE_DIR", home.join("state")),
        ("JIT_CACHE_DIR", home.join("cache")),
    ]);
    command.envs([
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
    ]);
    command
}

fn serve(jit: &Path, home: &Path) -> io::Result<Serving> {
    let mut child = sealed(jit, home)
        .args(["serve", "--dev", "-o", "json", "--listen", "127.0.0.1:0", "--data"])
        .arg(home.join("data"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or_else(|| io::Error::other("no stdout"))?).read_line(&mut line)?;
    let hello = serde_json::from_str(&line)?;
    Ok(Serving(child, hello))
}

fn run(jit: &Path, home: &Path, args: &[&str]) -> io::Result<Duration> {
    let start = Instant::now();
    let output = sealed(jit, home).args(args).output()?;
    let took = start.elapsed();
    match output.status.success() {
        true => Ok(took),
        false => Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned())),
    }
}
