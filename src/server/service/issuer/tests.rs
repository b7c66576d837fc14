//! Keys of a store played through by the service: what is seen published, what takes over, what a revoke stops.

use secrecy::ExposeSecret;

use super::*;
use crate::server::issuer::sample;
use crate::server::provider::{ProviderError, Statement, TokenSigner};
use crate::server::store::memory::MemoryStore;

const HOUR: i64 = 3600;

/// An issuer on a store of its own.
struct Played {
    issuer: Issuer,
    store: Arc<dyn Store>,
    clock: Arc<Clock>,
}

impl Played {
    /// Its first key signs.
    async fn new() -> Self {
        let clock = Clock::manual(at(0));
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let played = Self {
            issuer: Issuer::new(sample::settings(1), store.clone(), clock.clone()),
            store,
            clock,
        };
        played.issuer.advance().await.unwrap();
        played.look(&[1]).await;
        assert_eq!(played.states().await, ["in use"]);
        played
    }

    async fn keys(&self) -> Vec<IssuerKey> {
        self.issuer.keys().await.unwrap()
    }

    async fn states(&self) -> Vec<&'static str> {
        let keys = self.keys().await;
        let life = self.issuer.life(&keys);
        keys.iter()
            .map(|key| life.state(self.clock.now(), key).as_str())
            .collect()
    }

    /// A look that finds the keys of these numbers, and what follows from it.
    async fn look(&self, numbers: &[u64]) {
        let keys = self.keys().await;
        let is_there = |key: &&IssuerKey| numbers.contains(&key.number);
        let found = Published {
            keys: keys.iter().filter(is_there).map(|key| key.id.clone()).collect(),
            is_whole: true,
            ..Published::default()
        };
        self.noted(found).await;
    }

    async fn noted(&self, found: Published) {
        self.issuer.note(found).await.unwrap();
        self.issuer.advance().await.unwrap();
    }

    async fn kinds(&self) -> Vec<String> {
        let lines = self.store.evidence(0, 1000).await.unwrap();
        lines.into_iter().map(|line| line.kind).collect()
    }
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + secs * 1000)
}

fn statement() -> Statement {
    Statement {
        subject: "jit:aws/aws/111111111111/jit/jit-prod-admin:usr_000000000001".to_owned(),
        audience: "sts.amazonaws.com".to_owned(),
        claims: serde_json::Map::new(),
    }
}

#[tokio::test]
async fn waiting_key_that_is_taken_out_again_begins_anew() {
    let played = Played::new().await;
    played.issuer.rotate(json!({})).await.unwrap();
    played.look(&[1, 2]).await;
    assert_eq!(played.states().await, ["in use", "published"]);
    played.clock.set(at(HOUR));
    // no answer says nothing about what is published
    played.noted(Published::default()).await;
    assert_eq!(played.states().await, ["in use", "published"]);
    played.look(&[1]).await;
    assert_eq!(played.states().await, ["in use", "made"]);
    assert_eq!(played.kinds().await.last().unwrap(), "issuer.key_missed");
    played.clock.set(at(25 * HOUR));
    played.look(&[1]).await;
    assert_eq!(played.states().await, ["in use", "made"]);
    played.look(&[1, 2]).await;
    played.clock.set(at(49 * HOUR));
    played.look(&[1, 2]).await;
    assert_eq!(played.states().await, ["retired", "in use"]);
}

#[tokio::test]
async fn key_takes_over_only_after_a_look_that_saw_it() {
    let played = Played::new().await;
    played.issuer.rotate(json!({})).await.unwrap();
    played.look(&[1, 2]).await;
    played.clock.set(at(30 * HOUR));
    played.noted(Published::default()).await;
    assert_eq!(played.states().await, ["in use", "published"]);
    // a start has not looked so far
    let (settings, clock) = (sample::settings(1), played.clock.clone());
    let started = Issuer::new(settings, played.store.clone(), clock);
    started.advance().await.unwrap();
    assert_eq!(played.states().await, ["in use", "published"]);
    let signed = played.issuer.prepared(played.clock.now(), &statement()).await.unwrap();
    assert_eq!(signed.key, played.keys().await[0].id);
    played.look(&[1, 2]).await;
    assert_eq!(played.states().await, ["retired", "in use"]);
    let signed = played.issuer.prepared(played.clock.now(), &statement()).await.unwrap();
    assert_eq!(signed.key, played.keys().await[1].id);
}

#[tokio::test]
async fn signing_key_that_is_taken_out_goes_on() {
    let played = Played::new().await;
    played.look(&[]).await;
    assert_eq!(played.states().await, ["in use"]);
}

#[tokio::test]
async fn attack_14_key_that_is_revoked_while_it_signs_lets_no_token_out() {
    let played = Played::new().await;
    let now = played.clock.now();
    let prepared = played.issuer.prepared(now, &statement()).await.unwrap();
    let gone = revoke(played.store.as_ref(), &played.clock, None, json!({}))
        .await
        .unwrap();
    let refused = played.issuer.let_out(prepared).await.unwrap_err();
    let words = format!("key {} was revoked just now", gone[0].id);
    assert!(
        matches!(&refused, ProviderError::Unreachable(why) if *why == words),
        "{refused}"
    );
    assert_eq!(
        played.kinds().await.last().unwrap(),
        "issuer.token_signed",
        "it is known all the same"
    );
    let played = Played::new().await;
    let token = played.issuer.sign(now, &statement()).await.unwrap();
    assert_eq!(token.expose_secret().split('.').count(), 3);
}
