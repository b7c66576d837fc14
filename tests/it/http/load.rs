//! Too much of something: what the limits say, and to whom they do not apply.

use super::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn calls_beyond_the_rate_are_told_to_wait() {
    let stage = Stage::open().await;
    let (alice, bob) = (stage.sign_in("alice").await, stage.sign_in("bob").await);
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let alice = alice.clone();
            tokio::spawn(async move {
                for _ in 0..2_000 {
                    let answer = alice.get("/v1/me").await;
                    if answer.status == 429 {
                        return Some(answer);
                    }
                }
                None
            })
        })
        .collect();
    for call in calls {
        let refused = call.await.unwrap().expect("a limit").refuses("rate.limited");
        assert_eq!(refused.header("retry-after"), "1");
    }
    bob.get("/v1/me").await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_tokens_is_slowed_down_for_who_guesses() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let guess = jit::wire::token::encode(&[9; 32]);
    let guesser = stage.with_token(Some(&guess));
    let mut slowed = None;
    for _ in 0..20_000 {
        let answer = guesser.get("/v1/me").await;
        if answer.status == 429 {
            slowed = Some(answer);
            break;
        }
    }
    slowed.expect("a limit").refuses("rate.limited");
    alice.get("/v1/me").await.is(200);
}
