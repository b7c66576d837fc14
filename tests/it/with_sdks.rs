//! Every AWS SDK that can be had here, on a profile that `jit setup` wrote: how often it runs the process, what wins
//! over it in silence, what it shows of a failure. `docs/sdks.md` has the table, which is compared with what is seen.

use std::fs;
use std::path::Path;

use crate::docs_blocks::{TOP, read, section_is_current};
use crate::harness::{Backend, BackendPlan, Counted, MiniStack, Sdk, SealedBox};

/// As many calls as each program makes at each age of a credential.
const CALLS: usize = 5;
/// Minutes left.
const LEFT: [&str; 3] = ["60m", "14m", "9m"];
/// The account and the key of somebody's static keys at the stand-in.
const OTHER: &str = "333333333333";
const HEAD: &str = "\
| program | version | runs of the process for 5 calls with 60, 14, 9 minutes left | runs for 1 failing call | shows our line | keys in `~/.aws/credentials` | keys in the profile | `sso_*` in the profile | keys in the environment |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
";

struct Stage {
    aws: MiniStack,
    _backend: Backend,
    alice: SealedBox,
    counted: Counted,
}

impl Stage {
    fn new() -> Self {
        let aws = MiniStack::of_its_own();
        let backend = BackendPlan::with_aws(&aws.url).start();
        let alice = backend.machine_of("alice");
        let counted = Counted::set_up(&alice, "dev-admin", &["-y"]);
        Self {
            aws,
            _backend: backend,
            alice,
            counted,
        }
    }

    fn elevate(&self, duration: &str) {
        // nothing is held the first time
        drop(self.alice.jit(&["drop", "dev-admin"]));
        let ask = ["request", "dev-admin", "--for", duration, "--reason", "count the runs"];
        drop(self.alice.jit(&ask).exits(0));
    }

    /// Who AWS says that a program is: `jit`, `other`, or `neither`.
    fn winner(&self, sdk: &Sdk, env: &[(&str, &str)]) -> &'static str {
        let seen = self.counted.calls_with(&self.alice, sdk, &self.aws.url, 1, env);
        let line = seen.lines.first().map_or("", String::as_str);
        match line {
            // the common runtime says the key instead of the identity
            _ if line.starts_with("done ") && (line.contains(":assumed-role/jit-dev-admin/") || seen.runs > 0) => "jit",
            _ if line.starts_with("done ") && line.contains(OTHER) => "**they win**",
            _ if line.starts_with("done ") => panic!("{}: {seen:?}", sdk.name),
            _ => "**it fails**",
        }
    }
}

/// The credential of the target is not in the cache any more.
fn forget(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            forget(&path);
        } else if path.ends_with("dev-admin") {
            fs::remove_file(path).unwrap();
        }
    }
}

/// The cells of a row, but for name and version.
type Cells = Vec<String>;

#[test]
fn sdks_do_what_the_table_of_the_page_says() {
    let sdks = Sdk::all("sdks_do_what_the_table_of_the_page_says");
    let stage = Stage::new();
    let mut rows: Vec<Cells> = vec![Vec::new(); sdks.len()];
    let runs = runs_at_each_age(&stage, &sdks);
    let winners = who_wins(&stage, &sdks);
    let failures = failures(&stage, &sdks);
    for (at, row) in rows.iter_mut().enumerate() {
        row.push(runs[at].join(", "));
        row.extend(failures[at].clone());
        row.extend(winners[at].clone());
    }
    compare(&sdks, &rows);
}

fn compare(sdks: &[Sdk], rows: &[Cells]) {
    let page = read("docs/sdks.md");
    let section = page.split_once("<!-- generated: sdks -->\n").expect("the table").1;
    let table = section.split_once("<!-- end -->").expect("the end of the table").0;
    let seen: Vec<Seen> = sdks.iter().zip(rows).map(|(sdk, cells)| Seen::of(sdk, cells)).collect();
    section_is_current("docs/sdks.md", "sdks", &merged(table, &seen));
}

/// What was seen of a program.
struct Seen<'a> {
    name: &'a str,
    version: &'a str,
    is_pinned: bool,
    cells: String,
}

impl<'a> Seen<'a> {
    fn of(sdk: &'a Sdk, cells: &Cells) -> Self {
        Self {
            name: sdk.name,
            version: &sdk.version,
            is_pinned: sdk.is_pinned,
            cells: cells.join(" | "),
        }
    }
}

/// The table with these rows in their places. Rows of programs that are missing here stay as they are, and so does the
/// version of what is the system's.
fn merged(table: &str, seen: &[Seen<'_>]) -> String {
    let mut lines: Vec<String> = table.lines().skip(HEAD.lines().count()).map(str::to_owned).collect();
    for program in seen {
        let begins = format!("| {} | ", program.name);
        let at = lines.iter().position(|line| line.starts_with(&begins));
        let written = at.and_then(|at| lines[at][begins.len()..].split(" | ").next());
        let version = written.filter(|_| !program.is_pinned).unwrap_or(program.version);
        let line = format!("{begins}{version} | {} |", program.cells);
        match at {
            Some(at) => lines[at] = line,
            None => lines.push(line),
        }
    }
    lines.iter().fold(HEAD.to_owned(), |text, line| text + line + "\n")
}

#[test]
fn row_of_a_program_that_is_missing_stays() {
    let table = format!("{HEAD}| boto3 | 1 | old |\n| aws-sdk-php | 3 | as it was |\n| aws CLI v2 | 2.9 | old |\n");
    let seen = |name, version, is_pinned| Seen {
        name,
        version,
        is_pinned,
        cells: "new".to_owned(),
    };
    let now = merged(
        &table,
        &[
            seen("aws CLI v2", "2.31", false),
            seen("boto3", "2", true),
            seen("another", "1", true),
        ],
    );
    let rows =
        "| boto3 | 2 | new |\n| aws-sdk-php | 3 | as it was |\n| aws CLI v2 | 2.9 | new |\n| another | 1 | new |\n";
    assert_eq!(now, format!("{HEAD}{rows}"));
    assert_eq!(merged(&table, &[]), table);
}

fn runs_at_each_age(stage: &Stage, sdks: &[Sdk]) -> Vec<Vec<String>> {
    let mut runs = vec![Vec::new(); sdks.len()];
    for left in LEFT {
        stage.elevate(left);
        for (sdk, runs) in sdks.iter().zip(&mut runs) {
            // the first run of each is a miss, the others are hits
            forget(&stage.alice.home().join(".cache/jit"));
            let seen = stage.counted.calls(&stage.alice, sdk, &stage.aws.url, CALLS);
            seen.all_done(sdk.name, CALLS);
            runs.push(seen.runs.to_string());
        }
    }
    runs
}

fn who_wins(stage: &Stage, sdks: &[Sdk]) -> Vec<Cells> {
    let aws = stage.alice.home().join(".aws");
    let (config, credentials) = (aws.join("config"), aws.join("credentials"));
    let ours = fs::read_to_string(&config).unwrap();
    let keys = format!("aws_access_key_id = {OTHER}\naws_secret_access_key = test\n");
    let sso = format!(
        "sso_start_url = http://127.0.0.1:1/\nsso_region = us-east-1\nsso_account_id = {OTHER}\nsso_role_name = x\n"
    );
    let mut cells = vec![Vec::new(); sdks.len()];
    let mut ask = |env: &[(&str, &str)]| {
        for (sdk, cells) in sdks.iter().zip(&mut cells) {
            cells.push(stage.winner(sdk, env).to_owned());
        }
    };
    fs::write(&credentials, format!("[jit-dev-admin]\n{keys}")).unwrap();
    ask(&[]);
    fs::remove_file(&credentials).unwrap();
    for more in [&keys, &sso] {
        fs::write(&config, format!("{ours}{more}")).unwrap();
        ask(&[]);
    }
    fs::write(&config, ours).unwrap();
    ask(&[("AWS_ACCESS_KEY_ID", OTHER), ("AWS_SECRET_ACCESS_KEY", "test")]);
    cells
}

/// Nothing is held any more: runs for one call, and whether the one line can be read by whoever ran the program.
fn failures(stage: &Stage, sdks: &[Sdk]) -> Vec<Cells> {
    drop(stage.alice.jit(&["drop", "dev-admin"]).exits(0));
    let failing = |sdk: &Sdk| {
        let seen = stage.counted.calls(&stage.alice, sdk, &stage.aws.url, 1);
        let failed = seen.lines.first().is_none_or(|line| line.starts_with("failed "));
        assert!(failed, "{}: {seen:?}", sdk.name);
        let ours = "no live grant for dev-admin: run  jit request dev-admin";
        // where a program puts a line together again, two blanks became one
        let in_error = seen
            .lines
            .iter()
            .any(|line| line.contains(&ours.replace("  ", " ")) || line.contains(ours));
        let on_stderr = seen.stderr.matches(ours).count();
        assert!(on_stderr <= seen.runs, "{}: {seen:?}", sdk.name);
        let shown = match (in_error, on_stderr) {
            (true, _) => "in its error",
            (false, 0) => "no",
            (false, _) => "on stderr",
        };
        vec![seen.runs.to_string(), shown.to_owned()]
    };
    sdks.iter().map(failing).collect()
}

#[test]
fn programs_at_once_on_a_cold_cache_make_one_mint() {
    let sdks = Sdk::all("programs_at_once_on_a_cold_cache_make_one_mint");
    let stage = Stage::new();
    stage.elevate("60m");
    // to check, and what the request itself fetched
    let before = stage.aws.calls_of("sts", 2);
    forget(&stage.alice.home().join(".cache/jit"));
    let twenty: Vec<Sdk> = sdks.iter().cycle().take(20).cloned().collect();
    for (name, said) in stage.counted.at_once(&stage.alice, &twenty, &stage.aws.url) {
        assert!(said.starts_with("done "), "{name}: {said}");
    }
    // the common runtime signs nothing
    let signed = twenty.iter().filter(|sdk| sdk.name != "AWS common runtime").count();
    assert_eq!(stage.aws.calls_of("sts", before + signed + 1), before + signed + 1);
}

#[test]
fn every_program_of_the_tests_has_its_row() {
    let page = read("docs/sdks.md");
    for folder in fs::read_dir(Path::new(TOP).join("tests/sdks")).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        assert!(
            page.contains(&format!("`tests/sdks/{name}`")),
            "{name} is not on the page"
        );
    }
}
