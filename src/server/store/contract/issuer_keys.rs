//! The keys that we sign with as issuer.

use super::*;
use crate::domain::issuer_key::{key_made, key_published, key_removed, key_retired, keys_revoked};
use crate::domain::sealing::set_sealing_key;
use crate::domain::{IssuerKey, KeyId};
use crate::server::store::StoreError;

on_every_store! {
    issuer_key_is_read_back_as_it_was_made
    issuer_key_changes_only_its_life
    issuer_key_of_a_used_number_conflicts
    removed_issuer_key_has_no_private_half
    revoking_every_key_frees_the_sealing_key
    evidence_of_an_issuer_key_has_no_private_half
}

fn a_key(number: u64) -> IssuerKey {
    IssuerKey {
        id: KeyId::parse(&format!("{number:0>43}")).unwrap(),
        number,
        issuer: "https://jit.acme.example".to_owned(),
        x: format!("x{number}"),
        y: format!("y{number}"),
        sealed: Some(format!("v1.private{number}")),
        made_at: at(number.cast_signed()),
        published_at: None,
        retired_at: None,
        removed_at: None,
        version: 1,
    }
}

async fn make(store: &Tried, key: &IssuerKey) -> Result<(), StoreError> {
    store
        .commit(&key_made(at(1), Actor::Backend, key.clone(), json!({})))
        .await
}

async fn only_key(store: &Tried) -> IssuerKey {
    let mut keys = store.issuer_keys().await.unwrap();
    assert_eq!(keys.len(), 1);
    keys.remove(0)
}

async fn issuer_key_is_read_back_as_it_was_made(store: &Tried) {
    assert_eq!(store.issuer_keys().await.unwrap(), []);
    for number in [2, 1] {
        make(store, &a_key(number)).await.unwrap();
    }
    assert_eq!(store.issuer_keys().await.unwrap(), [a_key(1), a_key(2)]);
    let again = make(store, &a_key(1)).await;
    assert!(matches!(again, Err(StoreError::Duplicate)), "{again:?}");
}

async fn issuer_key_changes_only_its_life(store: &Tried) {
    make(store, &a_key(1)).await.unwrap();
    let seen = key_published(at(2), &a_key(1));
    store.commit(&seen).await.unwrap();
    let late = store.commit(&seen).await;
    assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
    let forged = IssuerKey {
        issuer: "https://evil.example".to_owned(),
        x: "evil".to_owned(),
        sealed: Some("v1.evil".to_owned()),
        ..only_key(store).await
    };
    store.commit(&key_retired(at(3), &forged)).await.unwrap();
    let kept = only_key(store).await;
    let wanted = IssuerKey {
        published_at: Some(at(2)),
        retired_at: Some(at(3)),
        version: 3,
        ..a_key(1)
    };
    assert_eq!(kept, wanted);
}

async fn issuer_key_of_a_used_number_conflicts(store: &Tried) {
    make(store, &a_key(1)).await.unwrap();
    let other = IssuerKey { number: 1, ..a_key(2) };
    let second = make(store, &other).await;
    assert!(matches!(second, Err(StoreError::Conflict)), "{second:?}");
}

async fn removed_issuer_key_has_no_private_half(store: &Tried) {
    make(store, &a_key(1)).await.unwrap();
    store.commit(&key_removed(at(9), &a_key(1))).await.unwrap();
    let kept = only_key(store).await;
    assert_eq!((kept.sealed, kept.removed_at), (None, Some(at(9))));
}

async fn revoking_every_key_frees_the_sealing_key(store: &Tried) {
    let set = set_sealing_key(at(1), None, "v1.check".to_owned());
    store.commit(&set).await.unwrap();
    make(store, &a_key(1)).await.unwrap();
    make(store, &a_key(2)).await.unwrap();
    let check = store.sealing_check().await.unwrap();
    let (one, two) = (a_key(1), a_key(2));
    let all = keys_revoked(at(5), Actor::Operator, &[&one, &two], check.as_ref(), json!({}));
    store.commit(&all).await.unwrap();
    let keys = store.issuer_keys().await.unwrap();
    assert!(
        keys.iter()
            .all(|key| key.removed_at == Some(at(5)) && key.sealed.is_none())
    );
    let check = store.sealing_check().await.unwrap().unwrap();
    assert_eq!(check.sealed, None);
    let other = set_sealing_key(at(6), Some(&check), "v1.other".to_owned());
    store.commit(&other).await.unwrap();
}

async fn evidence_of_an_issuer_key_has_no_private_half(store: &Tried) {
    make(store, &a_key(1)).await.unwrap();
    store.commit(&key_published(at(2), &a_key(1))).await.unwrap();
    let lines = store.evidence(3, 10).await.unwrap();
    let kinds: Vec<&str> = lines.iter().map(|line| line.kind.as_str()).collect();
    assert_eq!(kinds, ["issuer.key_made", "issuer.key_published"]);
    for line in &lines {
        let payload = line.payload.as_ref().unwrap().to_string();
        assert!(payload.contains("\"x1\"") && !payload.contains("private"), "{payload}");
    }
}
