//! A whole backend in this process: its store on disk, its worker, its interface on a port, and Identity Center behind
//! faults. Refuses AWS's own pace: at 18 calls a second, throttled, the storm would take a quarter of an hour.

use std::io::{Error, ErrorKind};
use std::path::Path;
use std::time::Duration;

use jit::server::provider::aws::AwsSettings;
use jit::server::provider::identity_center::Quota;
use jit::server::service::sign_in::issue_code;
use jit::server::{self, dev};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::play::{Asked, Cell, Fate, PRE_EXISTING};
use crate::fault_kill::api::{Answer, Caller};
use crate::fault_kill::tables::Tables;
use crate::harness::{IdentityCenter, LIMIT, wait_until};

/// People; each may hold something in each place.
pub const PEOPLE: usize = 14;
/// A place is a permission set in an account.
pub const PLACES: usize = 10;
/// The permission sets.
const SETS: [&str; 2] = ["Admin", "ReadOnly"];
/// As many creations at once as AWS allows, and ten times its pace.
const QUOTA: Quota = Quota {
    calls_per_second: 200,
    creations_at_once: 10,
    patience: Duration::from_secs(25),
};

/// The name of a person.
pub fn name(person: usize) -> String {
    format!("person-{person}")
}

fn account(place: usize) -> String {
    format!("{:012}", 333_300_000_000 + place / SETS.len())
}

/// What the stand-in calls a membership.
fn membership(place: usize, who: &str) -> String {
    format!("{} {} {who}", account(place), SETS[place % SETS.len()])
}

/// A running backend, who is signed in, and the stand-in that it calls.
pub struct House {
    pub center: IdentityCenter,
    people: Vec<Caller>,
    bob: Caller,
    runtime: Runtime,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
    data: dev::Data,
    _folder: TempDir,
}

impl House {
    /// Everybody signed in, nothing asked for.
    pub fn open() -> Self {
        let users: Vec<Value> = (0..PEOPLE)
            .map(|n| json!({ "name": name(n) }))
            .chain([json!({"name": "mallory"})])
            .collect();
        let accounts = (0..PLACES).step_by(SETS.len());
        let accounts: Vec<Value> = accounts
            .map(|place| json!({"id": account(place), "name": format!("a{place}")}))
            .collect();
        let center = IdentityCenter::start(&json!({
            "organization": {"management": "999999999999"},
            "accounts": accounts,
            "permission_sets": SETS.map(|set| json!({"name": set, "session": "PT1H"})),
            "users": users,
        }));
        let folder = tempfile::Builder::new().prefix("jit-storm-").tempdir().unwrap();
        let data = dev::Data::take(folder.path()).unwrap();
        write_policy(&folder.path().join("policy"), &center);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let aws = AwsSettings {
            endpoint: Some(center.url.clone()),
            ..AwsSettings::default()
        };
        let (stop, stopped) = oneshot::channel();
        let (serving, people, bob) = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let mut settings = dev::settings(&data, address, aws.with_keys("test", "test"))
                .await
                .unwrap();
            settings.identity_center = QUOTA;
            let opened = server::open(settings).await.unwrap();
            let backend = opened.backend.clone();
            let serving = tokio::spawn(server::serve_on(opened, listener, async { drop(stopped.await) }));
            let sign_in = async |who: String| {
                let code = issue_code(&backend, &who).await.unwrap();
                let signing_in = move || Caller::sign_in(&format!("http://{address}"), &who, &code);
                tokio::task::spawn_blocking(signing_in).await.unwrap()
            };
            let mut people = Vec::new();
            for person in 0..PEOPLE {
                people.push(sign_in(name(person)).await);
            }
            (serving, people, sign_in("bob".to_owned()).await)
        });
        Self {
            center,
            people,
            bob,
            runtime,
            stop,
            serving,
            data,
            _folder: folder,
        }
    }

    /// Somebody else's assignments, and one of a person of ours from before.
    pub fn others_are_there(&self) {
        let one = |place: usize, who: &str| json!({"permission_set": SETS[place % SETS.len()], "account": account(place), "user": who});
        let (person, place) = PRE_EXISTING;
        self.center
            .control(&json!({"assign": [one(0, "mallory"), one(3, "mallory"), one(place, &name(person))]}));
    }

    /// What is assigned is exactly what was there before us, and what `is_there` says of ours.
    #[track_caller]
    pub fn shows(&self, cells: &[Cell], is_there: impl Fn(Fate) -> bool) {
        let (person, place) = PRE_EXISTING;
        let mut wanted = vec![
            membership(0, "mallory"),
            membership(3, "mallory"),
            membership(place, &name(person)),
        ];
        let ours = cells
            .iter()
            .filter(|cell| is_there(cell.fate) && (cell.person, cell.place) != PRE_EXISTING);
        wanted.extend(ours.map(|cell| membership(cell.place, &name(cell.person))));
        wanted.sort();
        assert_eq!(self.center.assignments(), wanted);
    }

    /// Waits until the worker has nothing left to do now.
    #[track_caller]
    pub fn settled(&self, what: &str, limit: Duration) {
        wait_until(what, limit, || {
            let tables = Tables::read(&self.data.database());
            let is_later = |kind: &str| ["end", "warn", "expire"].contains(&kind);
            let is_under_way = |state: &str| ["scheduled", "granting", "revoking"].contains(&state);
            let is_busy = tables.outbox.iter().any(|left| !is_later(&left.kind))
                || tables.grants.iter().any(|grant| is_under_way(&grant.state));
            (!is_busy).then_some(())
        });
    }

    /// Files a request of `person`; nobody has decided on it yet.
    pub fn file(&self, person: usize, target: &str) -> Asked {
        let body = json!({"target": target, "duration_s": 3_600, "reason": "before the storm"});
        let key = format!("file-{target}");
        let filed = answered(|| self.people[person].post("/v1/requests", &key, &body));
        assert_eq!(filed.status, 201, "{filed:?}");
        let request = &filed.body["request"];
        assert_eq!(request["state"], "pending", "{request}");
        let text = |name: &str| request[name].as_str().unwrap().to_owned();
        Asked {
            person,
            id: text("id"),
            digest: text("digest"),
        }
    }

    pub fn approve(&self, asked: &Asked) {
        let body = json!({"verdict": "approve", "digest": asked.digest});
        let path = format!("/v1/requests/{}/decisions", asked.id);
        let done = answered(|| self.bob.post(&path, &asked.id, &body));
        assert_eq!(done.status, 200, "{done:?}");
    }

    pub fn drop_grant(&self, asked: &Asked) {
        let grant = self.grant(asked)["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/grants/{grant}/end");
        let done = answered(|| self.people[asked.person].post(&path, &grant, &json!({})));
        assert_eq!(done.status, 200, "{done:?}");
    }

    /// The grant as its holder is told of it.
    pub fn grant(&self, asked: &Asked) -> Value {
        let path = format!("/v1/requests/{}", asked.id);
        let seen = answered(|| self.people[asked.person].get(&path));
        assert_eq!(seen.status, 200, "{seen:?}");
        seen.body["grant"].clone()
    }

    /// Stops it as an operator does: what its store holds then.
    pub fn close(self) -> Tables {
        self.stop.send(()).unwrap();
        self.runtime.block_on(async {
            let ended = tokio::time::timeout(LIMIT, self.serving).await;
            ended.expect("the backend stops").unwrap().unwrap();
        });
        Tables::read(&self.data.database())
    }
}

/// Tried again while the backend is busy.
#[track_caller]
fn answered(call: impl Fn() -> std::io::Result<Answer>) -> Answer {
    wait_until("an answer", LIMIT, || match call() {
        Ok(answer) if answer.status < 500 && answer.status != 429 => Some(answer),
        Ok(_) => None,
        Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => None,
        Err(error) => panic!("{}", Error::other(error)),
    })
}

/// Everybody may ask for every place by two targets that are the same access; bob approves.
fn write_policy(policy: &Path, center: &IdentityCenter) {
    let made = |pointer: &str| center.made.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let security = policy.join("security/catalogue.toml");
    let members: String = (0..PEOPLE).map(|n| format!("\"local:{}\", ", name(n))).collect();
    let mut text = std::fs::read_to_string(&security).unwrap();
    text = text.replacen("\"local:alice\", ", &format!("\"local:alice\", {members}"), 1);
    text += &format!(
        "\n[identity-center]\ninstance = \"{}\"\nidentity_store = \"{}\"\nregion = \"{}\"\n\
         start_url = \"https://d-1111111111.awsapps.com/start\"\nuser_name = \"{{name}}\"\n",
        made("/instance_arn"),
        made("/identity_store_id"),
        made("/region"),
    );
    for place in (0..PLACES).step_by(SETS.len()) {
        text += &format!(
            "\n[account.a{place}]\nid = \"{}\"\nenvironment = \"prod\"\n",
            account(place)
        );
    }
    std::fs::write(security, text).unwrap();
    let catalogue = policy.join("catalogue.toml");
    let mut text = std::fs::read_to_string(&catalogue).unwrap();
    for place in 0..PLACES {
        let set = SETS[place % SETS.len()];
        let arn = made(&format!("/permission_sets/{set}"));
        let id = arn.rsplit('/').next().unwrap();
        for word in ["one", "two"] {
            text += &format!(
                "\n[[target]]\nname = \"{word}-{place}\"\ntitle = \"{set} in a place\"\naccount = \"a{}\"\nrisk = 1\n\
                 approvers = [\"payments\"]\nmax_duration = \"4h\"\nprovider = {{ kind = \"aws\", \
                 road = \"identity-center\", permission_set = \"{set}\", id = \"{id}\", session = \"1h\" }}\n",
                place - place % SETS.len(),
            );
        }
    }
    std::fs::write(catalogue, text).unwrap();
}
