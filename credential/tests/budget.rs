//! The hit's budget: instructions under callgrind, at most 5 % above the figures that were committed.
//! `UPDATE=1` writes new figures. Refuses to pass in silence where it cannot measure.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use hot::{Account, Cache, Entry, Facts, Origin, Reach, Refresh};

const BUDGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../benches/budget/hot-path.txt");
const SERVER: &str = "https://jit.acme.example";

/// What one run costs: all of it, and without what any run of this program costs before it begins.
#[derive(Debug, PartialEq)]
struct Cost {
    whole: u64,
    own: u64,
}

#[test]
fn hit_stays_within_its_instruction_budget() {
    let ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    if cfg!(debug_assertions) {
        eprintln!("left out: the budget holds for release builds: cargo test --release -p jit-credential");
        return;
    }
    let Some(cost) = measured() else {
        assert!(!ci, "valgrind is missing: apt-get install valgrind");
        eprintln!("left out: the hot path's budget needs valgrind: apt-get install valgrind");
        return;
    };
    let machine = machine();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(BUDGET, text(&machine, &cost)).unwrap();
    }
    let committed = fs::read_to_string(BUDGET).unwrap();
    let budget = read(&committed);
    if !committed.lines().any(|line| line == format!("machine {machine}")) {
        eprintln!("left out: the hot path's budget was not recorded on {machine}; here: {cost:?}, budget: {budget:?}");
        return;
    }
    eprintln!("hot path: {cost:?}, budget: {budget:?}");
    assert!(
        is_within(cost.whole, budget.whole),
        "whole run: {cost:?}, budget: {budget:?}"
    );
    assert!(
        is_within(cost.own, budget.own),
        "own work: {cost:?}, budget: {budget:?}"
    );
}

#[test]
fn budget_ends_at_five_per_cent() {
    assert!(is_within(105, 100) && !is_within(106, 100));
    let cost = Cost { whole: 7, own: 3 };
    assert_eq!(read(&text("x", &cost)), cost);
}

fn is_within(cost: u64, budget: u64) -> bool {
    cost * 100 <= budget * 105
}

fn text(machine: &str, cost: &Cost) -> String {
    let mut text = String::from(
        "# Instructions of one hit through jit-credential (release profile, callgrind). `own` is `whole` less a\n\
         # run with --version. A test allows 5 % above. New figures: UPDATE=1 cargo test --release -p jit-credential --test budget\n",
    );
    writeln!(text, "machine {machine}\nwhole {}\nown {}", cost.whole, cost.own).unwrap();
    text
}

fn read(committed: &str) -> Cost {
    let figure = |name: &str| {
        let line = committed.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse().unwrap()
    };
    Cost {
        whole: figure("whole "),
        own: figure("own "),
    }
}

/// What the figures depend on beside our code: processor, C library, compiler.
fn machine() -> String {
    let said = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output().ok();
        output.map_or_else(String::new, |o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
    };
    let libc = said("getconf", &["GNU_LIBC_VERSION"]);
    let rustc = said("rustc", &["--version"]);
    let rustc = rustc.split(' ').take(2).collect::<Vec<_>>().join(" ");
    format!("{} {libc} {rustc}", std::env::consts::ARCH)
}

/// `None` where there is no valgrind.
fn measured() -> Option<Cost> {
    Command::new("valgrind").arg("--version").output().ok()?;
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("budget-{}", std::process::id()));
    let account = Account::new(Origin::parse(SERVER).unwrap(), "alice").unwrap();
    let expires_at_ms = hot::now_ms() + 3_600_000;
    let facts = Facts {
        expires_at_ms,
        refresh: Refresh::Never,
        grant: "grt_0123456789ab".into(),
        reach: Reach::Full,
    };
    let json = format!(r#"{{"Version":1,"SessionToken":"{}"}}"#, "t".repeat(1100));
    Cache::at(&root)
        .write(&account, "prod-admin", &Entry::new(facts, json.as_bytes()).unwrap())
        .unwrap();
    let whole = instructions(&root, &["prod-admin", "--server", SERVER, "--identity", "alice"]);
    let start = instructions(&root, &["--version"]);
    fs::remove_dir_all(&root).unwrap();
    Some(Cost {
        whole,
        own: whole - start,
    })
}

fn instructions(root: &Path, args: &[&str]) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env!("CARGO_BIN_EXE_jit-credential"))
        .args(args)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("JIT_CACHE_DIR", root)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && !output.stdout.is_empty(),
        "no hit under valgrind: {said}"
    );
    let figure = said.lines().find_map(|line| line.split("Collected :").nth(1)).unwrap();
    figure.trim().parse().unwrap()
}
