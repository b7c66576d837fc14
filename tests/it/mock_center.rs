//! Our own mock of a backend that has given a permission set of a stand-in for Identity Center: what the client does
//! after that is its own. Signed in at a real one first, which this takes the place of.

use std::path::Path;
use std::sync::{Arc, Mutex};

use jit::domain::Timestamp;
use jit::domain::digest::Digest;
use serde_json::{Value, json};

use super::mock_answers::{answer, request};
use crate::harness::{BackendPlan, IdentityCenter, RawServer, SealedBox};

/// The one target, and what it is of.
pub const TARGET: &str = "ic-billing";
pub const ACCOUNT: &str = "111122223333";
pub const REQUEST: &str = "req_000000000001";
pub const SESSION_S: i64 = 3_600;

/// What the backend believes, for a test to change.
pub struct Believed {
    /// `pending`, `active`, `revoking`, `ended`; `unlisted` for one that is live and not among what is open.
    pub state: &'static str,
    /// When access was given, and ends.
    pub given_at: Timestamp,
    pub ends_at: Timestamp,
    /// Since when it is there, where it was given anew in between.
    pub given_anew_at: Option<Timestamp>,
    /// When it was seen to be over.
    pub ended_at: Option<Timestamp>,
    /// Whether access is there all the same: from before, or by another grant.
    pub pre_existing: bool,
    pub also_held: bool,
    /// What the binding says.
    pub start_url: String,
    pub region: String,
    person: String,
    /// The Identity Center user.
    user: String,
    version: u32,
}

/// A machine of alice's, and the backend that it talks to.
pub struct Granted {
    pub machine: SealedBox,
    pub server: RawServer,
    believed: Arc<Mutex<Believed>>,
}

pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
}

pub fn seconds(at: Timestamp, secs: i64) -> Timestamp {
    Timestamp::from_millis(at.millis() + secs * 1000)
}

/// Identity Center with alice and bob, and a permission set that nobody has yet.
pub fn center() -> IdentityCenter {
    IdentityCenter::start(&json!({
        "accounts": [{"id": ACCOUNT, "name": "payments"}],
        "permission_sets": [{"name": "Billing", "session": "PT1H"}],
        "users": [{"name": "alice"}, {"name": "bob"}],
    }))
}

/// Gives `user` the permission set, as a backend would have.
pub fn assign(center: &IdentityCenter, user: &str) {
    drop(center.control(&json!({
        "assign": [{"permission_set": "Billing", "account": ACCOUNT, "user": user}],
    })));
}

impl Granted {
    /// Alice's, whose grant began just now and ends in two hours.
    #[track_caller]
    pub fn start(center: &IdentityCenter) -> Self {
        let mut backend = BackendPlan::with_aws("http://127.0.0.1:9").start();
        let mut machine = backend.machine_of("alice");
        let me = machine.jit(&["whoami", "-o", "json"]).exits(0).json();
        let url = backend.url().to_owned();
        backend.kill();
        let given_at = now();
        let word = |name: &str| center.made[name].as_str().unwrap().to_owned();
        let believed = Arc::new(Mutex::new(Believed {
            state: "active",
            given_at,
            ends_at: seconds(given_at, 7_200),
            given_anew_at: None,
            ended_at: None,
            pre_existing: false,
            also_held: false,
            start_url: word("start_url"),
            region: word("region"),
            person: me["person"]["id"].as_str().unwrap().to_owned(),
            user: center.made["users"]["alice"].as_str().unwrap().to_owned(),
            version: 1,
        }));
        let seen = Arc::clone(&believed);
        let server = RawServer::in_place_of(&url, move |line| seen.lock().unwrap().answer(line));
        machine.set_env("AWS_ENDPOINT_URL_SSO", &center.url);
        machine.set_env("AWS_ENDPOINT_URL_SSO_OIDC", &center.url);
        machine.redact(center.url.clone(), "CENTER");
        Self {
            machine,
            server,
            believed,
        }
    }

    /// Changes what the backend believes.
    pub fn change(&self, change: impl FnOnce(&mut Believed)) {
        let mut believed = self.believed.lock().unwrap();
        change(&mut believed);
        let before = believed.ended_at;
        believed.ended_at = (believed.state == "ended").then(|| before.unwrap_or_else(now));
        believed.version += 1;
    }

    /// Signs in with a code, approved by whoever sits at the browser.
    #[track_caller]
    pub fn signs_in(&self, center: &IdentityCenter, user: &str) {
        drop(center.control(&json!({"settings": {"browser": user}})));
        drop(
            self.machine
                .jit(&["login", "--identity-center", TARGET, "--no-browser"])
                .exits(0),
        );
        drop(center.control(&json!({"settings": {"browser": null}})));
    }

    /// `BROWSER` for a browser that opens one page, follows it, and ends.
    pub fn browser(&self) -> String {
        let script = self.machine.home().join("browser.py");
        let text = "import sys, urllib.request\nurllib.request.urlopen(sys.argv[1], timeout=20).read()\n";
        std::fs::write(&script, text).unwrap();
        format!(
            "{} {} %s",
            crate::harness::venv_program("python").display(),
            script.display()
        )
    }

    /// The file of the only token in the shared cache.
    #[track_caller]
    pub fn token_file(&self) -> std::path::PathBuf {
        let folder = self.machine.home().join(".aws/sso/cache");
        let tokens: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| std::fs::read_to_string(path).unwrap().contains("accessToken"))
            .collect();
        assert_eq!(tokens.len(), 1, "{tokens:?}");
        tokens[0].clone()
    }

    #[track_caller]
    pub fn token(&self) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.token_file()).unwrap()).unwrap()
    }
}

impl Believed {
    fn binding(&self) -> Value {
        json!({
            "road": "identity-center", "partition": "aws", "account": ACCOUNT, "account_name": "payments",
            "instance": {
                "arn": "arn:aws:sso:::instance/ssoins-1111111111111111", "identity_store": "d-1111111111",
                "region": self.region, "start_url": self.start_url, "found_by": "user-name", "pattern": "{name}",
            },
            "permission_set_arn": "arn:aws:sso:::permissionSet/ssoins-1111111111111111/ps-1111111111111111",
            "permission_set": "Billing", "session_s": SESSION_S,
        })
    }

    fn body(&self) -> String {
        json!({
            "schema": "jit/request-body/1", "id": REQUEST, "requester": self.person, "beneficiary": self.person,
            "target": TARGET, "binding": self.binding(), "duration_s": 7200, "start": null, "reason": "the books",
            "ticket": null, "only": [], "user": self.user,
        })
        .to_string()
    }

    fn grant(&self) -> Value {
        let begun_by = match self.state {
            "revoking" => now(),
            _ => self.ended_at.unwrap_or(self.ends_at),
        };
        json!({
            "id": "grt_000000000001", "request": REQUEST, "target": TARGET,
            "beneficiary": {"id": self.person, "name": "alice"}, "state": self.state, "only": [],
            "pre_existing": self.pre_existing, "also_held": self.also_held,
            "activated_at": self.given_at.to_string(), "given_at": self.given_anew_at.map(|at| at.to_string()), "ends_at": self.ends_at.to_string(),
            "last_credential_at": seconds(begun_by, SESSION_S).to_string(), "renews": true,
            "ended_at": self.ended_at.map(|at| at.to_string()), "cause": null, "detail": null,
            "attempts": 0, "last_error": null, "next_attempt_at": null, "end_is_enforced": false,
        })
    }

    fn request(&self) -> Value {
        let mut all = request();
        let alice = json!({"id": self.person, "name": "alice"});
        let body = self.body();
        let own = json!({
            "version": self.version.to_string(), "digest": Digest::of(body.as_bytes()), "body": body,
            "requester": alice, "beneficiary": alice, "target": TARGET, "title": "Billing", "account_name": "payments",
            "account": ACCOUNT, "role_arn": "arn:aws:sso:::permissionSet/ssoins-1111111111111111/ps-1111111111111111",
            "duration_s": 7200, "reason": "the books", "only": [], "automatic": true, "decisions": [],
            "grant": self.grant(), "filed_at": self.given_at.to_string(),
        });
        all.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        all
    }

    fn center(&self) -> Value {
        json!({"start_url": self.start_url, "region": self.region, "partition": "aws", "session_s": SESSION_S})
    }

    fn answer(&self, line: &str) -> Vec<u8> {
        let (method, path) = line.split_once(' ').unwrap_or_default();
        let path = path.split([' ', '?']).next().unwrap_or_default();
        let is_live = matches!(self.state, "active" | "unlisted");
        let live = |view: Value| if self.state == "active" { vec![view] } else { Vec::new() };
        match (method, path) {
            (_, "/v1/targets") => answer(
                200,
                &json!({"targets": [{
                    "name": TARGET, "title": "Billing", "aliases": ["books"], "environment": "prod", "risk": 1,
                    "max_duration_s": 7200, "default_duration_s": 3600, "provider": "aws", "account_name": "payments",
                    "account": ACCOUNT, "role_arn": "x", "automatic": true, "stages": [], "chain": true,
                    "identity_center": self.center(),
                }]}),
            ),
            (_, "/v1/dry-run") => answer(
                200,
                &json!({
                    "outcome": "filed", "requester": {"id": self.person, "name": "alice"},
                    "beneficiary": {"id": self.person, "name": "alice"}, "target": TARGET, "title": "Billing",
                    "account_name": "payments", "account": ACCOUNT,
                    "role_arn": "arn:aws:sso:::permissionSet/ssoins-1111111111111111/ps-1111111111111111",
                    "duration_s": 7200, "cap_s": 7200, "session_s": SESSION_S, "only": [], "policies": ["base.request"],
                    "automatic": true, "stages": [], "expires_after_s": 3600, "chain": true,
                    "identity_center": self.center(),
                }),
            ),
            ("POST", "/v1/requests") => answer(201, &json!({"outcome": "filed", "request": self.request()})),
            (_, "/v1/requests") => answer(200, &json!({"requests": live(self.request()), "next": null})),
            (_, "/v1/grants") => answer(200, &json!({"grants": live(self.grant())})),
            (_, path) if path.ends_with("/credentials") && is_live => answer(
                409,
                &json!({
                    "code": "credential.elsewhere", "status": 409,
                    "title": format!("credentials of {TARGET} come from Identity Center"),
                }),
            ),
            (_, path) if path.ends_with("/credentials") => answer(
                409,
                &json!({
                    "code": "grant.not_live", "status": 409, "title": format!("no live grant for {TARGET}"),
                }),
            ),
            (_, path) if path.ends_with("/end") => {
                let mut ended = self.grant();
                ended["state"] = json!("revoking");
                ended["last_credential_at"] = json!(seconds(now(), SESSION_S).to_string());
                answer(200, &ended)
            }
            _ => answer(200, &self.request()),
        }
    }
}

pub fn browser_of(center: &IdentityCenter, user: Value) {
    drop(center.control(&json!({"settings": {"browser": user}})));
}

pub fn count(center: &IdentityCenter, operation: &str) -> u64 {
    center.view()["counts"][operation].as_u64().unwrap_or(0)
}

/// Everything below a folder, as text.
pub fn everything_in(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => text.push_str(&everything_in(&path)),
            false => text.push_str(&String::from_utf8_lossy(&std::fs::read(&path).unwrap())),
        }
    }
    text
}

/// As if the few seconds had passed for which a failure is remembered.
pub fn moments_later(granted: &Granted) {
    fn walk(folder: &Path) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path);
            } else if path.to_str().unwrap().ends_with(".failed") {
                std::fs::remove_file(path).unwrap();
            }
        }
    }
    walk(&granted.machine.home().join(".cache/jit"));
}
