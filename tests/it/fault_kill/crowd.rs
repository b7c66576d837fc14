//! People who ask, decide, mint and give back without pause, and try again whatever a kill cuts off.
//! Owns what they were told. Refuses to guess: what got no whole answer was not told.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::api::{Answer, Caller};
use super::seeded::Seeded;

/// No call goes unanswered for longer, however often it is cut off.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a client was just told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// 201: a request is filed.
    Filed,
    /// A decision counts.
    Decided,
    /// Credentials.
    Minted,
    /// A grant is being given back.
    Dropped,
}

/// Everything that was answered whole.
#[derive(Default)]
pub struct Told {
    /// Requests.
    pub requests: BTreeSet<String>,
    /// (request, who decided).
    pub decisions: BTreeSet<(String, String)>,
    /// (grant, access key id).
    pub keys: BTreeSet<(String, String)>,
}

/// What the people share.
pub struct Play {
    /// What they were told.
    pub told: Mutex<Told>,
    moments: Mutex<Sender<Moment>>,
    is_over: AtomicBool,
    starts: Mutex<u32>,
    started: Condvar,
}

impl Play {
    /// Tells of each moment through `moments`.
    pub fn new(moments: Sender<Moment>) -> Self {
        Self {
            told: Mutex::default(),
            moments: Mutex::new(moments),
            is_over: AtomicBool::new(false),
            starts: Mutex::default(),
            started: Condvar::new(),
        }
    }

    /// The backend is there again.
    pub fn is_up(&self) {
        *self.starts.lock().unwrap() += 1;
        self.started.notify_all();
    }

    /// Nobody begins anything new.
    pub fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }

    fn happened(&self, moment: Moment) {
        // Nobody listens any more once the last kill is over.
        let _ = self.moments.lock().unwrap().send(moment);
    }

    /// Tries `call` until there is a whole answer that is no passing trouble.
    #[track_caller]
    fn answered(&self, call: impl Fn() -> io::Result<Answer>) -> Answer {
        let begun = Instant::now();
        loop {
            let last = match call() {
                Ok(answer) if answer.status < 500 && answer.status != 429 => return answer,
                other => format!("{other:?}"),
            };
            assert!(begun.elapsed() < PATIENCE, "no answer within {PATIENCE:?}: {last}");
            let starts = self.starts.lock().unwrap();
            drop(self.started.wait_timeout(starts, Duration::from_millis(20)).unwrap());
        }
    }
}

/// One person and one target: asked for again and again.
pub struct Lane<'a> {
    /// The play.
    pub play: &'a Play,
    /// Who asks.
    pub who: Caller,
    /// For what.
    pub target: &'static str,
    /// Who decides, stage by stage; nobody where it is automatic.
    pub approvers: Vec<Caller>,
    /// Its own choices.
    pub random: Seeded,
}

impl Lane<'_> {
    /// Rounds until the play is over.
    pub fn run(mut self) {
        let mut round = 0;
        while !self.play.is_over.load(Ordering::SeqCst) {
            round += 1;
            let key = format!("{}-{}-{round}", self.who.name, self.target);
            self.round(&key);
        }
    }

    fn round(&mut self, key: &str) {
        let duration_s = 2 + self.random.below(9);
        let body = json!({"target": self.target, "duration_s": duration_s, "reason": format!("round {key}")});
        let filed = self.play.answered(|| self.who.post("/v1/requests", key, &body));
        assert!(matches!(filed.status, 200 | 201), "{filed:?}");
        let request = filed.body["request"].clone();
        let id = word(&request, "id");
        self.play.told.lock().unwrap().requests.insert(id.clone());
        self.play.happened(Moment::Filed);
        if request["state"] == "pending" && self.random.once_in(8) {
            let path = format!("/v1/requests/{id}/cancel");
            let gone = self
                .play
                .answered(|| self.who.post(&path, &format!("{key}-cancel"), &json!({})));
            assert_eq!(gone.status, 200, "{gone:?}");
            return;
        }
        if request["state"] == "pending" && !self.decide(&request, key) {
            return;
        }
        self.hold(&id, key);
    }

    /// Has everybody decide whose turn it is; false where one said no.
    fn decide(&mut self, request: &Value, key: &str) -> bool {
        let id = word(request, "id");
        let path = format!("/v1/requests/{id}/decisions");
        for (turn, approver) in self.approvers.clone().iter().enumerate() {
            let verdict = if self.random.once_in(8) { "deny" } else { "approve" };
            let body = json!({"verdict": verdict, "digest": request["digest"], "comment": "as agreed"});
            let answer = self
                .play
                .answered(|| approver.post(&path, &format!("{key}-{turn}"), &body));
            assert_eq!(answer.status, 200, "{answer:?}");
            let told = (id.clone(), approver.id.clone());
            self.play.told.lock().unwrap().decisions.insert(told);
            self.play.happened(Moment::Decided);
            if self.random.once_in(4) {
                // a second thought, under another key: it must not count
                let again = self
                    .play
                    .answered(|| approver.post(&path, &format!("{key}-{turn}-again"), &body));
                assert_eq!(again.status, 409, "{again:?}");
            }
            if verdict == "deny" {
                return false;
            }
        }
        true
    }

    /// Waits for the grant, mints, and gives back, lets it end, or goes on to ask for more at once.
    fn hold(&mut self, id: &str, key: &str) {
        let live = self.wait(id, &["active", "revoking", "ended", "failed"]);
        let grant = live["grant"].clone();
        for _ in 0..self.random.below(3) {
            self.mint(&grant);
        }
        match self.random.below(6) {
            0 | 1 => {
                let path = format!("/v1/grants/{}/end", word(&grant, "id"));
                let given = self
                    .play
                    .answered(|| self.who.post(&path, &format!("{key}-end"), &json!({})));
                assert!(given.status == 200 || given.code() == "grant.not_live", "{given:?}");
                self.play.happened(Moment::Dropped);
                self.wait(id, &["ended"]);
            }
            2 => {}
            _ => drop(self.wait(id, &["ended", "failed"])),
        }
    }

    fn mint(&self, grant: &Value) {
        let id = word(grant, "id");
        let path = format!("/v1/grants/{id}/credentials");
        let minted = self.play.answered(|| self.who.post(&path, "minted-anew", &json!({})));
        if minted.code() == "grant.not_live" {
            return;
        }
        assert_eq!(minted.status, 200, "{minted:?}");
        let time = |name| word(&minted.body, name).parse::<jiff::Timestamp>().unwrap();
        assert!(time("expires_at") <= time("grant_ends_at"), "{id} outlived");
        let key = word(&minted.body, "access_key_id");
        self.play.told.lock().unwrap().keys.insert((id, key));
        self.play.happened(Moment::Minted);
    }

    /// The request once its grant is in one of `states`.
    fn wait(&self, id: &str, states: &[&str]) -> Value {
        let path = format!("/v1/requests/{id}");
        let begun = Instant::now();
        let mut view = self.play.answered(|| self.who.get(&path)).body;
        loop {
            if view["grant"]["state"]
                .as_str()
                .is_some_and(|state| states.contains(&state))
            {
                return view;
            }
            assert!(begun.elapsed() < PATIENCE, "not {states:?} within {PATIENCE:?}: {view}");
            let known = word(&view, "version");
            let seen = self.play.answered(|| self.who.get_changed(&path, &known));
            if seen.status == 200 {
                view = seen.body;
            }
        }
    }
}

#[track_caller]
fn word(value: &Value, name: &str) -> String {
    let word = value[name].as_str();
    word.unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}
