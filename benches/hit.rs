//! A hit through `jit-credential` and through `jit credential-process` against `/bin/true`, spawned in turn.
//! `cargo build --release && cargo bench --bench hit [-- COUNT]`. Refuses to measure what is no hit.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hot::{Account, Cache, Entry, Facts, Origin, Reach, Refresh};

const SERVER: &str = "https://jit.acme.example";
const TARGET: &str = "prod-admin";
const HIT: [&str; 5] = [TARGET, "--server", SERVER, "--identity", "alice"];

/// A program, what it is called with, and how long each run took.
struct Row {
    name: &'static str,
    program: PathBuf,
    args: Vec<&'static str>,
    took: Vec<Duration>,
}

fn main() -> io::Result<()> {
    let mut args = std::env::args_os().skip(1);
    let count = args.find_map(|arg| arg.to_str()?.parse().ok()).unwrap_or(1000);
    let folder = tempfile::tempdir()?;
    let root = folder.path().join("cache");
    let json = fill(&root);
    let mut out = io::stdout().lock();
    let mut rows = Vec::new();
    for row in candidates()? {
        match said(&row, &root) {
            Ok(bytes) if row.args.is_empty() || bytes == json => rows.push(row),
            Ok(_) => writeln!(out, "left out: {} gave no hit ({})", row.name, row.program.display())?,
            Err(error) => writeln!(out, "left out: {}: {error} ({})", row.name, row.program.display())?,
        }
    }
    for _ in 0..count {
        for row in &mut rows {
            let start = Instant::now();
            let status = command(row, &root).stdout(Stdio::null()).spawn()?.wait()?;
            row.took.push(start.elapsed());
            if !status.success() {
                return Err(io::Error::other(format!("{} failed", row.name)));
            }
        }
    }
    report(&mut out, &mut rows, count)
}

/// What can be measured: the yardstick first, then what lies in the target folder.
fn candidates() -> io::Result<Vec<Row>> {
    // target/release/deps/hit-… → target/release
    let own = std::env::current_exe()?;
    let release = own.ancestors().nth(2).map(Path::to_owned).unwrap_or_default();
    let row = |name, program, args: &[&'static str]| Row {
        name,
        program,
        args: args.to_vec(),
        took: Vec::new(),
    };
    let process = [&["credential-process"], HIT.as_slice()].concat();
    Ok(vec![
        row("/bin/true", "/bin/true".into(), &[]),
        row(
            "jit-credential (static PIE)",
            release.join("../static/release/jit-credential"),
            &HIT,
        ),
        row("jit-credential (shared profile)", release.join("jit-credential"), &HIT),
        row("jit credential-process", release.join("jit"), &process),
    ])
}

/// A cache with one credential of a common size; gives what a hit prints.
fn fill(root: &Path) -> Vec<u8> {
    let account = Account::new(Origin::parse(SERVER).expect("an origin"), "alice").expect("a name");
    let expires_at_ms = hot::now_ms() + 3_600_000;
    let facts = Facts {
        expires_at_ms,
        refresh: Refresh::Never,
        grant: "grt_0123456789ab".into(),
        reach: Reach::Full,
    };
    let json = format!(r#"{{"Version":1,"SessionToken":"{}"}}"#, "t".repeat(1100));
    let entry = Entry::new(facts, json.as_bytes()).expect("a JSON object");
    Cache::at(root)
        .write(&account, TARGET, &entry)
        .expect("a folder of our own");
    entry.json.as_bytes().to_vec()
}

fn command(row: &Row, root: &Path) -> Command {
    let mut command = Command::new(&row.program);
    command
        .args(&row.args)
        .env_clear()
        .env("JIT_CACHE_DIR", root)
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn said(row: &Row, root: &Path) -> io::Result<Vec<u8>> {
    Ok(command(row, root).output()?.stdout)
}

fn report(out: &mut impl Write, rows: &mut [Row], count: usize) -> io::Result<()> {
    writeln!(out, "{count} runs each, in turn; microseconds")?;
    writeln!(
        out,
        "{:34} {:>8} {:>8} {:>8} {:>7}",
        "", "p50", "p99", "x true", "reloc."
    )?;
    let mut yardstick = None;
    for row in rows {
        row.took.sort();
        let at = |share: usize| row.took.get(row.took.len() * share / 100).copied().unwrap_or_default();
        let p50 = at(50).as_secs_f64();
        let ratio = p50 / *yardstick.get_or_insert(p50);
        let relocations = relocations(&row.program).map_or_else(|| "-".to_owned(), |count| count.to_string());
        let (p50, p99) = (at(50).as_micros(), at(99).as_micros());
        writeln!(out, "{:34} {p50:>8} {p99:>8} {ratio:>8.2} {relocations:>7}", row.name)?;
    }
    Ok(())
}

/// Relocations that the start of a program has to do: their pages are what a big program's start costs.
fn relocations(program: &Path) -> Option<u64> {
    let mut bytes = Vec::new();
    File::open(program).ok()?.read_to_end(&mut bytes).ok()?;
    let word = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    let half = |at: usize| Some(usize::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
    if !bytes.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    // ELF-64: e_shoff, e_shentsize, e_shnum; a section of type 4 (RELA) has entries of 24 bytes.
    let (table, size, sections) = (usize::try_from(word(0x28)?).ok()?, half(0x3a)?, half(0x3c)?);
    let mut count = 0;
    for at in (0..sections).map(|section| table + section * size) {
        let kind = u32::from_le_bytes(bytes.get(at + 4..at + 8)?.try_into().ok()?);
        if kind == 4 {
            count += word(at + 32)? / 24;
        }
    }
    Some(count)
}
