//! The issuers of workloads' tokens, and what a token of theirs says of who brings it.
//! Owns which issuer's rules a token has to follow, and who started a job. Refuses tokens of issuers that are not set up;
//! `sub` of GitHub's, which says names that change hands, is not looked at.

use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;

use super::believed::{Disbelief, IssuerKeys};
use super::discovery;
use super::fetch::{FetchError, Place};
use super::kept::Kept;
use super::token::{Claims, Rules, TokenError, named_issuer};
use crate::clock::Clock;
use crate::config::WorkloadIssuer;
use crate::domain::digest::canonical;
use crate::domain::{Digest, StartedBy, Timestamp, WorkloadKind};
use crate::network::Network;

/// Tokens that are looked at in the same instant; whoever comes then is told to try again.
const MOST: usize = 64;
/// The longest id of an account that is kept.
const LONGEST_ID: usize = 100;

/// The issuers of workloads' tokens.
pub struct Workloads {
    issuers: Vec<Issuer>,
    network: Network,
    room: Semaphore,
}

struct Issuer {
    settings: WorkloadIssuer,
    audience: String,
    keys_at: Kept<Place>,
    keys: IssuerKeys,
}

/// What a token says, all of it believed.
#[derive(Clone, Debug, PartialEq)]
pub struct Brought {
    /// Its issuer.
    pub issuer: String,
    /// What that is.
    pub kind: WorkloadKind,
    /// What a workload may be enrolled by.
    pub claims: Map<String, Value>,
    /// `sub`, where it means something.
    pub subject: Option<String>,
    /// Who started the job.
    pub started_by: StartedBy,
    /// The token works before this instant.
    pub ends_at: Timestamp,
    /// What tells it apart from every other token, hashed.
    pub once: String,
}

/// Why a token is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkloadError {
    /// It is none, or of nobody who is set up.
    #[error("no issuer of workloads here made this token")]
    NoIssuer,
    /// Its issuer is not there, or says what it should not.
    #[error("{name}: {why}")]
    Issuer {
        /// Which.
        name: String,
        /// What.
        why: FetchError,
    },
    /// It is wrong.
    #[error("{name}: {why}")]
    Token {
        /// Whose it says it is.
        name: String,
        /// What.
        why: TokenError,
    },
    /// Too many at once.
    #[error("too many tokens are looked at")]
    Busy,
}

impl Workloads {
    /// Those that `settings` set up, over `network`; tokens are for `origin` where nothing else is said.
    pub fn new(settings: &[WorkloadIssuer], network: &Network, origin: &str) -> Self {
        let issuer = |one: &WorkloadIssuer| Issuer {
            settings: one.clone(),
            audience: one.audience.clone().unwrap_or_else(|| origin.to_owned()),
            keys_at: Kept::default(),
            keys: IssuerKeys::default(),
        };
        Self {
            issuers: settings.iter().map(issuer).collect(),
            network: network.clone(),
            room: Semaphore::new(MOST),
        }
    }

    /// Name, issuer, kind and audience of each.
    pub fn known(&self) -> impl Iterator<Item = (&WorkloadIssuer, &str)> {
        self.issuers.iter().map(|one| (&one.settings, one.audience.as_str()))
    }

    /// What `token` says.
    ///
    /// # Errors
    /// [`WorkloadError`].
    pub async fn prove(&self, clock: &Clock, token: &str) -> Result<Brought, WorkloadError> {
        let _place = self.room.try_acquire().map_err(|_| WorkloadError::Busy)?;
        let named = named_issuer(token).ok_or(WorkloadError::NoIssuer)?;
        let issuer = self.issuers.iter().find(|one| one.settings.issuer == named);
        let issuer = issuer.ok_or(WorkloadError::NoIssuer)?;
        let believed = issuer.believed(clock, &self.network, token).await;
        let brought = believed.and_then(|claims| Ok(issuer.brought(token, claims)?));
        let name = || issuer.settings.name.clone();
        brought.map_err(|why| match why {
            Disbelief::Issuer(why) => WorkloadError::Issuer { name: name(), why },
            Disbelief::Token(why) => WorkloadError::Token { name: name(), why },
        })
    }
}

impl Issuer {
    async fn believed(&self, clock: &Clock, network: &Network, token: &str) -> Result<Claims, Disbelief> {
        let issuer = self.settings.issuer.as_str();
        let fetch = async {
            let place = Place::at(network, discovery::address(issuer)?)?;
            discovery::keys_of(issuer, &place.get().await?, network)
        };
        let rules = Rules {
            issuer,
            audience: &self.audience,
            is_for_client: false,
            algorithms: &self.settings.algorithms,
        };
        let keys_at = self.keys_at.get(clock, fetch).await?.value;
        self.keys.believed(clock, &keys_at, token, &rules).await
    }

    fn brought(&self, token: &str, claims: Claims) -> Result<Brought, TokenError> {
        let (kind, issuer) = (self.settings.kind, claims.issuer);
        let jti = claims.others.get("jti").and_then(Value::as_str);
        let apart = match (jti.filter(|jti| !jti.is_empty()), kind) {
            (Some(jti), _) => jti.to_owned(),
            // those have one always
            (None, WorkloadKind::Github | WorkloadKind::Aws) => return Err(TokenError::Unreadable),
            // whoever has the token has it with this signature or with another that fits as well
            (None, WorkloadKind::Generic) => token.rsplit_once('.').map_or(token, |(signed, _)| signed).to_owned(),
        };
        let once = Digest::of(&canonical(&json!([issuer, jti.is_some(), apart]))).to_string();
        let started_by = self.started_by(&claims.others);
        let mut said = claims.others;
        let subject = match kind {
            WorkloadKind::Github => None,
            WorkloadKind::Aws | WorkloadKind::Generic => {
                said.insert("sub".to_owned(), json!(claims.subject));
                Some(claims.subject)
            }
        };
        Ok(Brought {
            issuer,
            kind,
            claims: said,
            subject,
            started_by,
            ends_at: claims.ends_at,
            once,
        })
    }

    fn started_by(&self, claims: &Map<String, Value>) -> StartedBy {
        let text = |claim: &str| match claims.get(claim)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => number.as_u64().map(|number| number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        let is_id = |id: &String| (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
        let account = |claim: &str| text(claim).filter(is_id).map_or(StartedBy::Unknown, StartedBy::Account);
        match (self.settings.kind, self.settings.started_by.as_deref()) {
            // who starts a job once more stands nowhere: `actor_id` stays that of the first attempt
            (WorkloadKind::Github, _) if text("run_attempt").as_deref() != Some("1") => StartedBy::Unknown,
            (WorkloadKind::Github, _) => account("actor_id"),
            (WorkloadKind::Aws | WorkloadKind::Generic, Some(claim)) => account(claim),
            (WorkloadKind::Aws | WorkloadKind::Generic, None) => StartedBy::Nobody,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TokenAlgorithm;

    fn issuer(kind: WorkloadKind, started_by: Option<&str>) -> Issuer {
        let settings = WorkloadIssuer {
            name: "ci".into(),
            issuer: "https://ci.example".into(),
            kind,
            audience: None,
            algorithms: vec![TokenAlgorithm::Es256],
            started_by: started_by.map(str::to_owned),
        };
        let mut all = Workloads::new(&[settings], &Network::default(), "https://jit.example");
        all.issuers.remove(0)
    }

    fn claims(others: Value) -> Claims {
        Claims {
            issuer: "https://ci.example".into(),
            subject: "repo:acme/payments:ref:refs/heads/main".into(),
            ends_at: Timestamp::from_millis(1),
            auth_time: None,
            amr: Vec::new(),
            acr: None,
            nonce: None,
            others: others.as_object().unwrap().clone(),
        }
    }

    fn started(kind: WorkloadKind, claim: Option<&str>, others: Value) -> StartedBy {
        issuer(kind, claim).started_by(others.as_object().unwrap())
    }

    #[test]
    fn job_was_started_by_the_account_of_its_first_attempt() {
        let account = |id: &str| StartedBy::Account(id.into());
        for (others, by) in [
            (json!({ "actor_id": "583231", "run_attempt": "1" }), account("583231")),
            (json!({ "actor_id": "583231", "run_attempt": "2" }), StartedBy::Unknown),
            (json!({ "actor_id": "583231" }), StartedBy::Unknown),
            (json!({ "actor": "octocat", "run_attempt": "1" }), StartedBy::Unknown),
            (json!({ "actor_id": "", "run_attempt": "1" }), StartedBy::Unknown),
            (json!({ "actor_id": "1 2", "run_attempt": "1" }), StartedBy::Unknown),
        ] {
            assert_eq!(started(WorkloadKind::Github, None, others.clone()), by, "{others}");
        }
        let gitlab = |others| started(WorkloadKind::Generic, Some("user_id"), others);
        assert_eq!(gitlab(json!({ "user_id": "7" })), account("7"));
        assert_eq!(gitlab(json!({ "user_id": 7 })), account("7"));
        assert_eq!(gitlab(json!({ "user_login": "root" })), StartedBy::Unknown);
        assert_eq!(
            started(WorkloadKind::Generic, None, json!({ "user_id": "7" })),
            StartedBy::Nobody
        );
    }

    #[test]
    fn subject_of_github_is_not_looked_at() {
        let others = json!({ "jti": "j", "repository_id": "74" });
        let github = issuer(WorkloadKind::Github, None).brought("a.b.c", claims(others.clone()));
        let github = github.unwrap();
        assert!(github.subject.is_none() && !github.claims.contains_key("sub"));
        let generic = issuer(WorkloadKind::Generic, None).brought("a.b.c", claims(others));
        assert_eq!(generic.unwrap().claims["sub"], "repo:acme/payments:ref:refs/heads/main");
    }

    #[test]
    fn token_is_known_again_by_its_id_or_by_what_was_signed() {
        let once = |kind, token: &str, others| issuer(kind, None).brought(token, claims(others)).map(|it| it.once);
        let generic = |token: &str, others| once(WorkloadKind::Generic, token, others).unwrap();
        assert_eq!(
            generic("a.b.c", json!({ "jti": "j" })),
            generic("x.y.z", json!({ "jti": "j" }))
        );
        assert_ne!(
            generic("a.b.c", json!({ "jti": "j" })),
            generic("a.b.c", json!({ "jti": "k" }))
        );
        // an ECDSA signature has a twin that verifies as well
        assert_eq!(generic("a.b.c", json!({})), generic("a.b.d", json!({})));
        assert_ne!(generic("a.b.c", json!({})), generic("a.d.c", json!({})));
        assert_ne!(generic("a.b.c", json!({})), generic("x.y.z", json!({ "jti": "a.b" })));
        for kind in [WorkloadKind::Github, WorkloadKind::Aws] {
            assert_eq!(once(kind, "a.b.c", json!({})), Err(TokenError::Unreadable));
        }
    }
}
