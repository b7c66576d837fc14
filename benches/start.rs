//! Starting: `jit serve --dev` to its first line and to `/readyz`, its memory when idle, what the binary weighs,
//! and what a command of the client costs beside `/bin/true` and `curl`.
//! `cargo build --release && cargo bench --bench start [-- COUNT]`. Says what it had to leave out.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How often the backend is started on a new folder, and again on the same one.
const STARTS: usize = 15;
/// What is cached, as `jit request` leaves it.
const CREDENTIAL: &str = r#"{"Version":1,"AccessKeyId":"ASIAEXAMPLEEXAMPLE","SecretAccessKey":"s","SessionToken":"t","Expiration":"2100-01-01T00:00:00Z","AccountId":"111111111111"}"#;
/// Nothing happens for so long before memory is read.
const IDLE: Duration = Duration::from_secs(5);
const GIVE_UP: Duration = Duration::from_secs(20);

/// A backend that runs; killed when it goes.
struct Serving {
    child: Child,
    hello: Value,
    first_line: Duration,
    ready: Duration,
}

impl Drop for Serving {
    fn drop(&mut self) {
        // already gone is as good
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn main() -> io::Result<()> {
    let count = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(200);
    // target/release/deps/start-… → target/release
    let own = std::env::current_exe()?;
    let jit = own
        .ancestors()
        .nth(2)
        .map(|release| release.join("jit"))
        .unwrap_or_default();
    let folder = tempfile::tempdir()?;
    let mut out = io::stdout().lock();
    starts(&mut out, &jit, folder.path())?;
    let serving = serve(&jit, &folder.path().join("idle"))?;
    std::thread::park_timeout(IDLE);
    weight(&mut out, &jit, serving.child.id())?;
    commands(&mut out, &jit, folder.path(), &serving, count)
}

fn serve(jit: &Path, data: &Path) -> io::Result<Serving> {
    let start = Instant::now();
    let mut child = sealed(jit, data)
        .args(["serve", "--dev", "-o", "json", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or_else(|| io::Error::other("no stdout"))?).read_line(&mut line)?;
    let first_line = start.elapsed();
    let hello: Value = serde_json::from_str(&line)?;
    let address = hello["url"]
        .as_str()
        .unwrap_or_default()
        .trim_start_matches("http://")
        .to_owned();
    while !is_ready(&address) {
        if start.elapsed() > GIVE_UP {
            return Err(io::Error::other("the backend was not ready in time"));
        }
    }
    let ready = start.elapsed();
    Ok(Serving {
        child,
        hello,
        first_line,
        ready,
    })
}

fn is_ready(address: &str) -> bool {
    let ask = || -> io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        write!(
            stream,
            "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200 "))
}

fn starts(out: &mut impl Write, jit: &Path, folder: &Path) -> io::Result<()> {
    let (mut new, mut again) = (Vec::new(), Vec::new());
    for n in 0..STARTS {
        let data = folder.join(format!("data-{n}"));
        new.push(serve(jit, &data)?);
        drop(new.last_mut().map(|serving| serving.child.kill()));
        // the folder is free once the process is gone
        drop(new.last_mut().map(|serving| serving.child.wait()));
        again.push(serve(jit, &data)?);
        drop(again.last_mut().map(|serving| serving.child.kill()));
    }
    writeln!(out, "jit serve --dev, {STARTS} starts each, milliseconds")?;
    writeln!(
        out,
        "{:34} {:>8} {:>8} {:>8} {:>8}",
        "", "line p50", "max", "ready p50", "max"
    )?;
    for (name, runs) in [("new folder", &new), ("same folder again, after kill -9", &again)] {
        let line = spread(runs.iter().map(|s| s.first_line).collect());
        let ready = spread(runs.iter().map(|s| s.ready).collect());
        let ms = |t: Duration| t.as_secs_f64() * 1000.0;
        writeln!(
            out,
            "{name:34} {:>8.0} {:>8.0} {:>9.0} {:>8.0}",
            ms(line.0),
            ms(line.1),
            ms(ready.0),
            ms(ready.1)
        )?;
    }
    Ok(())
}

/// The middle and the largest.
fn spread(mut all: Vec<Duration>) -> (Duration, Duration) {
    all.sort_unstable();
    let at = |place: usize| all.get(place).copied().unwrap_or_default();
    (at(all.len() / 2), at(all.len().saturating_sub(1)))
}

fn weight(out: &mut impl Write, jit: &Path, pid: u32) -> io::Result<()> {
    writeln!(out, "\nweight, MiB")?;
    let mib = |bytes: u64| format!("{:.1}", bytes as f64 / (1024.0 * 1024.0));
    match fs::read_to_string(format!("/proc/{pid}/status")) {
        Ok(status) => {
            for (key, name) in [
                ("VmRSS:", "resident, idle for 5 s"),
                ("VmHWM:", "resident, most so far"),
            ] {
                let line = status
                    .lines()
                    .find_map(|line| line.strip_prefix(key))
                    .unwrap_or_default();
                let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(0);
                writeln!(out, "{name:34} {:>8}", mib(kib * 1024))?;
            }
        }
        Err(error) => writeln!(out, "left out: memory: {error}")?,
    }
    for name in ["jit", "jit-credential", "../static/release/jit-credential"] {
        match fs::metadata(jit.with_file_name(name)) {
            Ok(file) => writeln!(out, "{name:34} {:>8}", mib(file.len()))?,
            Err(error) => writeln!(out, "left out: {name}: {error}")?,
        }
    }
    Ok(())
}

/// A command with nothing of this machine but its own folders below `home`.
fn sealed(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .stdin(Stdio::null())
        .envs([("HOME", home), ("JIT_STATE_DIR", &home.join("state"))]);
    command
        .env("JIT_CACHE_DIR", home.join("cache"))
        .env("JIT_KEYRING", "file");
    command
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_REGION", "us-east-1");
    command
}

/// A program, its arguments, what its figure is divided by, and how long each run took.
struct Row {
    name: &'static str,
    program: PathBuf,
    args: Vec<String>,
    beside: usize,
    took: Vec<Duration>,
}

fn commands(out: &mut impl Write, jit: &Path, folder: &Path, serving: &Serving, count: usize) -> io::Result<()> {
    let home = folder.join("alice");
    fs::create_dir(&home)?;
    let url = serving.hello["url"].as_str().unwrap_or_default().to_owned();
    sign_in(jit, &home, serving, &url)?;
    fill_cache(&home, &url)?;
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let row = |name, program: &Path, args, beside| Row {
        name,
        program: program.to_owned(),
        args,
        beside,
        took: Vec::new(),
    };
    let readyz = format!("-sS -o /dev/null {url}/readyz");
    let mut rows = vec![
        row("/bin/true", Path::new("/bin/true"), Vec::new(), 0),
        row("jit has, from the cache", jit, words("has prod-admin"), 0),
        row("jit env, from the cache", jit, words("env prod-admin --shell sh"), 0),
        row("jit shell-init bash", jit, words("shell-init bash"), 0),
        row("curl of /readyz", Path::new("/usr/bin/curl"), words(&readyz), 4),
        row("jit status", jit, words("status"), 4),
        row("jit --version", jit, words("--version"), 0),
        row(
            "jit exec, from the cache",
            jit,
            words("exec prod-admin -- /bin/true"),
            0,
        ),
    ];
    writeln!(out, "\ncommands, {count} runs each, in turn; microseconds")?;
    writeln!(out, "{:34} {:>8} {:>8} {:>8}", "", "p50", "p99", "ratio")?;
    for _ in 0..count {
        for row in &mut rows {
            let start = Instant::now();
            let status = sealed(&row.program, &home)
                .args(&row.args)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            row.took.push(start.elapsed());
            if !status.is_ok_and(|status| status.success()) {
                row.took.clear();
            }
        }
    }
    let p50s: Vec<Duration> = rows.iter().map(|row| spread(row.took.clone()).0).collect();
    for row in &mut rows {
        row.took.sort_unstable();
        if row.took.len() < count {
            writeln!(out, "left out: {} fails ({})", row.name, row.program.display())?;
            continue;
        }
        let at = |share: usize| row.took.get(row.took.len() * share / 100).copied().unwrap_or_default();
        let beside = p50s.get(row.beside).copied().unwrap_or_default().as_secs_f64();
        let ratio = if beside > 0.0 {
            at(50).as_secs_f64() / beside
        } else {
            f64::NAN
        };
        writeln!(
            out,
            "{:34} {:>8} {:>8} {ratio:>8.2}",
            row.name,
            at(50).as_micros(),
            at(99).as_micros()
        )?;
    }
    writeln!(out, "ratio: to /bin/true; of curl and jit status to curl")
}

fn sign_in(jit: &Path, home: &Path, serving: &Serving, url: &str) -> io::Result<()> {
    let people = serving.hello["people"].as_array().cloned().unwrap_or_default();
    let alice = people.iter().find(|person| person["name"] == "alice");
    let code = alice.and_then(|person| person["code"].as_str()).unwrap_or_default();
    let login = sealed(jit, home)
        .args(["login", "--server", url, "--identity", "alice", "--code", code])
        .output()?;
    if login.status.success() {
        return Ok(());
    }
    Err(io::Error::other(String::from_utf8_lossy(&login.stderr).into_owned()))
}

/// A credential as `jit request` would have left it.
fn fill_cache(home: &Path, url: &str) -> io::Result<()> {
    let origin = hot::Origin::parse(url).map_err(|_| io::Error::other("no origin"))?;
    let account = hot::Account::new(origin, "alice").map_err(|_| io::Error::other("no account"))?;
    let facts = hot::Facts {
        expires_at_ms: hot::now_ms() + 3_600_000,
        refresh: hot::Refresh::Never,
        grant: "grt_0123456789ab".into(),
        reach: hot::Reach::Full,
    };
    let entry = hot::Entry::new(facts, CREDENTIAL.as_bytes()).map_err(|_| io::Error::other("no entry"))?;
    let cache = hot::Cache::at(home.join("cache"));
    cache
        .write(&account, "prod-admin", &entry)
        .map_err(|_| io::Error::other("the cache cannot be written"))
}
