//! Many at once: nothing is lost, exactly one wins.

use super::*;
use crate::server::store::StoreError;

on_every_store! {
    commits_at_once_are_all_kept
    exactly_one_of_two_updates_wins
    exactly_one_of_many_filings_on_a_target_wins
    claims_at_once_never_share_a_row
}

/// Runs every change in a task of its own.
async fn at_once(store: &Tried, changes: Vec<Change>) -> Vec<Result<(), StoreError>> {
    let mut tasks = tokio::task::JoinSet::new();
    for change in changes {
        let store = Arc::clone(&store.store);
        tasks.spawn(async move { store.commit(&change).await });
    }
    tasks.join_all().await
}

async fn commits_at_once_are_all_kept(store: &Tried) {
    let filings = (1..=50).map(|n| {
        let request = a_request(n, ALICE, &format!("target-{n}"));
        filed(&request).with_effect(
            at(5),
            Effect::Expire {
                request: request.id().clone(),
            },
        )
    });
    let answers = at_once(store, filings.collect()).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(store.pending(100).await.unwrap().len(), 50);
    assert_eq!(store.left().await.unwrap(), 50);
    let numbers: Vec<u64> = store
        .evidence(0, 100)
        .await
        .unwrap()
        .iter()
        .map(|line| line.seq)
        .collect();
    assert_eq!(numbers, (1..=53).collect::<Vec<_>>());
}

fn won(answers: &[Result<(), StoreError>]) -> usize {
    let lost = answers
        .iter()
        .filter(|answer| matches!(answer, Err(StoreError::Conflict)));
    let won = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(won + lost.count(), answers.len(), "{answers:?}");
    won
}

async fn exactly_one_of_two_updates_wins(store: &Tried) {
    for n in 1..=20 {
        let request = a_request(n, ALICE, &format!("target-{n}"));
        store.commit(&filed(&request)).await.unwrap();
        let denied = Request {
            state: RequestState::Denied,
            ..approved(&request)
        };
        let both = [approved(&request), denied].map(|next| change(Row::Request(Box::new(next))));
        assert_eq!(won(&at_once(store, both.to_vec()).await), 1);
    }
    assert_eq!(store.evidence(0, 100).await.unwrap().len(), 3 + 40);
}

async fn exactly_one_of_many_filings_on_a_target_wins(store: &Tried) {
    let filings = (1..=20).map(|n| filed(&a_request(n, ALICE, "prod-admin")));
    assert_eq!(won(&at_once(store, filings.collect()).await), 1);
    assert_eq!(store.pending(100).await.unwrap().len(), 1);
}

async fn claims_at_once_never_share_a_row(store: &Tried) {
    let effects = (1..=40).map(|n| (at(1), end_of(n))).collect();
    store
        .commit(&Change {
            effects,
            ..Change::default()
        })
        .await
        .unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for worker in 0..8 {
        let store = Arc::clone(&store.store);
        tasks.spawn(async move {
            store
                .claim(&format!("w{worker}"), at(2), at(9), Effect::ALL, 7)
                .await
                .unwrap()
        });
    }
    let mut rows: Vec<_> = tasks.join_all().await.into_iter().flatten().map(|row| row.id).collect();
    rows.sort();
    rows.dedup();
    assert_eq!(rows.len(), 40);
}
