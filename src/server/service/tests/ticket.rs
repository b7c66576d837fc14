//! The ticket of a request: kept, covered by the digest, shown, and refused where it cannot be one.

use super::{code, view};
use crate::server::service::inbox;
use crate::server::stage::{Stage, new_request};
use crate::wire::NewRequest;

fn with_ticket(key: &str) -> NewRequest {
    NewRequest {
        ticket: Some(key.into()),
        ..new_request("prod-admin", 3600)
    }
}

#[tokio::test]
async fn ticket_is_kept_and_shown_to_who_decides() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let filed = stage.file_as(&alice, &with_ticket("PAY-311")).await.unwrap().request;
    assert_eq!(filed.ticket.as_deref(), Some("PAY-311"));
    let waiting = inbox::inbox(&stage.backend, &bob).await.unwrap().requests;
    assert_eq!(waiting[0].ticket.as_deref(), Some("PAY-311"));
    assert!(waiting[0].body.contains(r#""ticket":"PAY-311""#), "{}", waiting[0].body);
    assert_eq!(view(&stage, &alice, &filed.id).await.ticket.as_deref(), Some("PAY-311"));
}

#[tokio::test]
async fn what_cannot_be_a_ticket_is_refused() {
    let stage = Stage::new().await;
    let alice = stage.sign_in("alice").await;
    let long = "P".repeat(101);
    for key in [
        "",
        " ",
        "PAY 311",
        "PAY-311\n",
        "PAY\u{202e}311",
        "\u{1b}[2J",
        "PÄY-1",
        long.as_str(),
    ] {
        let refused = stage.file_as(&alice, &with_ticket(key)).await;
        assert_eq!(code(refused), "usage.ticket", "{key:?}");
    }
    assert!(stage.backend.store.pending(10).await.unwrap().is_empty());
}
