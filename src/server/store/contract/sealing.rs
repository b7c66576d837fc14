//! The check value of the sealing key.

use super::*;
use crate::domain::{SealingCheck, sealing::set_sealing_key};
use crate::server::store::StoreError;

on_every_store! {
    sealing_check_is_set_once_and_read_back
    sealing_check_is_replaced_at_its_version_only
    sealing_check_is_not_in_the_evidence
}

async fn sealing_check_is_set_once_and_read_back(store: &Tried) {
    assert_eq!(store.sealing_check().await.unwrap(), None);
    store
        .commit(&set_sealing_key(at(1), None, "v1.a".to_owned()))
        .await
        .unwrap();
    let again = store.commit(&set_sealing_key(at(2), None, "v1.b".to_owned())).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
    let standing = store.sealing_check().await.unwrap().unwrap();
    assert_eq!((standing.sealed.as_deref(), standing.at), (Some("v1.a"), at(1)));
}

async fn sealing_check_is_replaced_at_its_version_only(store: &Tried) {
    store
        .commit(&set_sealing_key(at(1), None, "v1.a".to_owned()))
        .await
        .unwrap();
    let first = store.sealing_check().await.unwrap();
    let gone = SealingCheck::after(first.as_ref(), at(2), None);
    store.commit(&change(Row::SealingCheck(gone.clone()))).await.unwrap();
    let late = store
        .commit(&set_sealing_key(at(3), first.as_ref(), "v1.b".to_owned()))
        .await;
    assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
    assert_eq!(store.sealing_check().await.unwrap(), Some(gone));
}

async fn sealing_check_is_not_in_the_evidence(store: &Tried) {
    store
        .commit(&set_sealing_key(at(1), None, "v1.secret".to_owned()))
        .await
        .unwrap();
    let line = store.evidence(0, 100).await.unwrap().pop().unwrap();
    assert_eq!(line.kind, "sealing_key.set");
    assert!(!line.payload.unwrap().to_string().contains("secret"));
}
