//! A cache in a folder of its own, and the helper in a sealed box on top of it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use hot::{Account, Cache, Entry, Facts, Origin, Outcome, Program, Reach, Refresh};

/// An instant in 2027, milliseconds since the epoch.
pub const NOW: u64 = 1_800_000_000_000;
pub const MIN: u64 = 60_000;
pub const SERVER: &str = "https://jit.acme.example";

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A folder that goes with the value, with a cache in it.
pub struct Place {
    pub folder: PathBuf,
    pub cache: Cache,
}

impl Place {
    pub fn new() -> Self {
        let name = format!("{}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        // On the file system of the program itself, so that the program can be linked into it.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        let cache = Cache::at(folder.join("cache"));
        Place { folder, cache }
    }

    /// With a full credential of an hour for alice's prod.
    pub fn holding() -> Self {
        let place = Place::new();
        place
            .cache
            .write(&account("alice"), "prod", &entry("alice-prod", NOW + 60 * MIN))
            .unwrap();
        place
    }

    pub fn file(&self) -> PathBuf {
        self.cache.path(&account("alice"), "prod").unwrap()
    }

    /// The hit in process, with nothing in the environment but the cache and `set`.
    pub fn hit_with(&self, args: &[&str], set: &[(&str, &str)], now_ms: u64) -> Outcome {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        let env = |name: &str| match set.iter().find(|(set, _)| *set == name) {
            Some((_, value)) => Some(OsString::from(value)),
            None => (name == "JIT_CACHE_DIR").then(|| self.cache.root().as_os_str().to_owned()),
        };
        hot::hit(Program::Helper, &args, &env, now_ms)
    }

    /// The hit for alice's prod.
    pub fn hit(&self, now_ms: u64) -> Outcome {
        self.hit_with(&["prod", "--server", SERVER, "--identity", "alice"], &[], now_ms)
    }

    /// The real helper, with nothing in the environment but the cache.
    pub fn helper(&self, program: &Path, args: &[&str]) -> Output {
        self.command(program).args(args).output().unwrap()
    }

    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("JIT_CACHE_DIR", self.cache.root())
            .current_dir(&self.folder);
        command
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub fn account(identity: &str) -> Account {
    account_at(SERVER, identity)
}

pub fn account_at(server: &str, identity: &str) -> Account {
    Account::new(Origin::parse(server).unwrap(), identity).unwrap()
}

/// A credential whose JSON says whose it is; refreshed in its last 15 minutes.
pub fn entry(says: &str, expires_at_ms: u64) -> Entry {
    let refresh = Refresh::After(expires_at_ms - 15 * MIN);
    let facts = Facts {
        expires_at_ms,
        refresh,
        grant: "grt_1".into(),
        reach: Reach::Full,
    };
    Entry::new(
        facts,
        format!(r#"{{"Version":1,"SecretAccessKey":"{says}"}}"#).as_bytes(),
    )
    .unwrap()
}

/// What an outcome prints; panics on any other.
pub fn printed(outcome: Outcome) -> String {
    match outcome {
        Outcome::Print(json) => String::from_utf8(json.as_bytes().to_vec()).unwrap(),
        other => panic!("not printed: {other:?}"),
    }
}

/// The refusal's line and exit code; panics on any other.
pub fn refused(outcome: Outcome) -> (String, u8) {
    match outcome {
        Outcome::Refuse { message, exit } => (message, exit),
        other => panic!("not refused: {other:?}"),
    }
}

pub fn helper_path() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_jit-credential"))
}
