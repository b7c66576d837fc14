//! Tokens of jobs that should open nothing, and an issuer that is down, slow or lies.

use std::time::Instant;

use jit::domain::WorkloadKind;
use reqwest::Method;
use serde_json::{Value, json};

use super::caller::Answer;
use super::workload_house::{House, at, enrolled};
use crate::harness::{Device, MockGitHub};

const NOT_ENROLLED: &str = "no workload is enrolled for this token";

#[tokio::test(flavor = "multi_thread")]
async fn attack_24_only_what_is_enrolled_signs_in() {
    let house = House::open().await;
    let merge = "refs/pull/7/merge";
    for (what, claims) in [
        (
            "a fork's pull request",
            json!({ "event_name": "pull_request", "ref": merge, "head_ref": "x", "base_ref": "main" }),
        ),
        (
            "a pull request that runs in the base",
            json!({ "event_name": "pull_request_target" }),
        ),
        ("what follows another workflow", json!({ "event_name": "workflow_run" })),
        ("a comment", json!({ "event_name": "issue_comment" })),
        ("an event that nobody listed", json!({ "event_name": "schedule" })),
        ("no event", json!({ "event_name": null })),
        ("several events", json!({ "event_name": ["push"] })),
        (
            "a repository that was deleted and made again",
            json!({ "repository_id": "700000009" }),
        ),
        (
            "an owner whose name was taken over",
            json!({ "repository_owner_id": "4568" }),
        ),
        ("another branch", json!({ "ref": "refs/heads/mine" })),
        ("a tag of that name", json!({ "ref": "refs/tags/main" })),
        (
            "another workflow",
            json!({ "job_workflow_ref": "acme/payments/.github/workflows/test.yml@refs/heads/main" }),
        ),
        (
            "the workflow as another branch has it",
            json!({ "job_workflow_ref": "acme/payments/.github/workflows/deploy.yml@refs/heads/mine" }),
        ),
        ("no environment", json!({ "environment": null })),
        ("another environment", json!({ "environment": "Production" })),
        (
            "right names under other ids",
            json!({ "repository_id": "1", "repository_owner_id": "2", "sub": "repo:acme/payments:environment:production" }),
        ),
        ("ids that are numbers", json!({ "repository_id": 700_000_001 })),
    ] {
        let refused = house.refused(&claims).await;
        assert_eq!(refused.body["title"], NOT_ENROLLED, "{what}");
    }
    assert_eq!(house.stage.count("session.opened").await, 0);
    // what its token says is told to whoever holds it, and nothing of what is enrolled
    let refused = house
        .refused(&json!({ "ref": "refs/heads/mine", "repository_id": "1" }))
        .await;
    assert_eq!(
        refused.body["hint"],
        "who owns the policy enrols by what it says: event_name push, environment production, job_workflow_ref \
         acme/payments/.github/workflows/deploy.yml@refs/heads/main, ref refs/heads/mine, repository_id 1, repository_owner_id 4567"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_24_same_ids_at_another_issuer_are_nobody() {
    // a server of GitHub's of somebody else's, which is set up too: ids are its own to choose
    let other = MockGitHub::start();
    let house = House::open_with(|issuer| {
        vec![
            at("github", issuer, WorkloadKind::Github),
            at("other", &other.issuer, WorkloadKind::Github),
        ]
    })
    .await;
    let origin = format!("http://{}", house.stage.address);
    let theirs = other.token(&origin, &json!({}), "").await;
    let refused = house.brings(&theirs).await.is(401);
    assert_eq!(refused.body["title"], NOT_ENROLLED);
    // it says that it is the first one, and signs with its own key
    let lying = other.token(&origin, &json!({ "iss": house.github.issuer }), "").await;
    let refused = house.brings(&lying).await.is(401);
    assert_eq!(refused.body["title"], "github: no key of its issuer signed it");
    // one that nobody set up
    let stranger = MockGitHub::start();
    let refused = house
        .brings(&stranger.token(&origin, &json!({}), "").await)
        .await
        .is(401);
    assert_eq!(refused.body["title"], "no issuer of workloads here made this token");
    // the same issuer, set up as another kind than what is enrolled
    let house = House::open_with(|issuer| vec![at("github", issuer, WorkloadKind::Generic)]).await;
    assert_eq!(house.refused(&json!({})).await.body["title"], NOT_ENROLLED);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_18_token_of_a_job_opens_one_session() {
    let house = House::open().await;
    let token = house.token(&json!({})).await;
    let device = Device::new();
    house.brings_from(device.clone(), &token).await.1.is(201);
    for device in [device, Device::new()] {
        let (_, again) = house.brings_from(device, &token).await;
        assert_eq!(again.is(401).body["title"], "that token opened a session already");
    }
    // nor at once
    let (at_once, mut opened) = (house.token(&json!({})).await, 0);
    let (one, two, three) = tokio::join!(house.brings(&at_once), house.brings(&at_once), house.brings(&at_once));
    for answer in [one, two, three] {
        opened += usize::from(answer.status == 201);
        assert!(matches!(answer.status, 201 | 401), "{answer}");
    }
    assert_eq!(opened, 1);
    // nor after a restart, on the same database
    let issuers = vec![at("github", &house.github.issuer, WorkloadKind::Github)];
    let address = house.stage.address;
    let stage = house
        .stage
        .again(|settings| {
            settings.workload_issuers = issuers;
            settings.workload_issuers[0].audience = Some(format!("http://{address}"));
        })
        .await;
    let body = json!({ "token": token, "key_storage": "file" });
    let again = stage.nobody().post("/v1/workload-sessions", &body).await.is(401);
    assert_eq!(again.body["title"], "that token opened a session already");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_18_leaked_token_of_a_job_is_no_session() {
    let house = House::open().await;
    let token = house.token(&json!({})).await;
    let nobody = house.stage.nobody();
    for scheme in ["Bearer", "DPoP"] {
        let call = nobody
            .bare(Method::GET, "/v1/me")
            .header("authorization", format!("{scheme} {token}"));
        assert_eq!(Answer::of(call).await.status, 401);
    }
    // nor without a device
    let bare = nobody
        .bare(Method::POST, "/v1/workload-sessions")
        .json(&json!({ "token": token, "key_storage": "file" }));
    Answer::of(bare).await.is(401).refuses("session.proof");
    // and its session is one of its device alone
    let job = house.job(&json!({})).await;
    let elsewhere = super::caller::Caller {
        device: Device::new(),
        ..job
    };
    elsewhere.get("/v1/me").await.is(401).refuses("session.proof");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_18_tokens_that_nobodys_private_key_signed_open_nothing() {
    let house = House::open().await;
    let allowed = "github: it is signed in a way that is not allowed here";
    for (how, why) in [
        ("none", allowed),
        ("hs256", allowed),
        ("other", "github: its signature is wrong"),
    ] {
        let token = house.made(&json!({}), how).await;
        let refused = house.brings(&token).await.is(401).refuses("session.token_invalid");
        assert_eq!(refused.body["title"], why, "{how}");
    }
    for text in ["", "x", "a.b.c", "..", &"a".repeat(40_000)] {
        let refused = house.brings(text).await.is(401);
        assert_eq!(refused.body["title"], "no issuer of workloads here made this token");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn token_for_another_time_or_another_audience_is_refused() {
    let house = House::open().await;
    let now = house.stage.backend.now().millis() / 1000;
    let early = "github: it is from the future: the clocks differ";
    for (claims, why) in [
        // the runner's clock, or ours, ten minutes off
        (
            json!({ "iat": now - 600, "nbf": now - 600, "exp": now - 300 }),
            "github: it has ended, or the clocks differ",
        ),
        (json!({ "iat": now + 600, "nbf": now + 600, "exp": now + 900 }), early),
        (json!({ "iat": now + 600, "nbf": null, "exp": now + 900 }), early),
        (json!({ "exp": null }), "github: it cannot be read"),
        (json!({ "iat": null }), "github: it cannot be read"),
        (json!({ "jti": null }), "github: it cannot be read"),
        (json!({ "aud": "sts.amazonaws.com" }), "github: it is for somebody else"),
        (json!({ "aud": null }), "github: it cannot be read"),
        (
            json!({ "aud": ["sts.amazonaws.com", format!("http://{}", house.stage.address)] }),
            "github: it is for somebody else",
        ),
    ] {
        assert_eq!(house.refused(&claims).await.body["title"], why, "{claims}");
    }
    // within what clocks may differ
    house.job(&json!({ "iat": now + 20, "nbf": now + 20 })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn key_that_was_changed_is_fetched_anew() {
    let house = House::open().await;
    house.job(&json!({})).await;
    let token = house.made(&json!({}), "new").await;
    house.brings(&token).await.is(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn issuer_that_lies_or_is_down_is_named() {
    let long = json!({ "keys": 300_000 });
    for (lies, why) in [
        (
            json!({ "discovery": { "issuer": "https://evil.example" } }),
            "its discovery document is of another issuer",
        ),
        (
            json!({ "discovery": { "jwks_uri": "http://keys.example/k" } }),
            "its jwks_uri is not encrypted",
        ),
        (
            json!({ "discovery": { "jwks_uri": null } }),
            "its discovery document cannot be read",
        ),
        (json!({ "status": 503 }), "it answers 503"),
        (long, "its answer is too large"),
    ] {
        let house = House::open().await;
        let token = house.token(&json!({})).await;
        house.github.lie(&lies).await;
        let refused = house.brings(&token).await.is(503).refuses("session.issuer");
        assert_eq!(refused.body["title"], format!("github: {why}"));
        house.stage.sign_in("alice").await.get("/v1/me").await.is(200);
    }
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let house = House::open_with(|_| vec![at("github", &gone, WorkloadKind::Github)]).await;
    let token = house.token(&json!({ "iss": gone })).await;
    let refused = house.brings(&token).await.is(503).refuses("session.issuer");
    let title = refused.body["title"].as_str().unwrap();
    assert!(title.starts_with("github: it does not answer"), "{title}");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_26_slow_issuer_of_jobs_keeps_nobody_else_waiting() {
    let house = House::open().await;
    let token = house.token(&json!({})).await;
    house.github.lie(&json!({ "slow": true })).await;
    let began = Instant::now();
    let asking: Vec<_> = (0..20)
        .map(|_| {
            let (nobody, body) = (house.stage.nobody(), json!({ "token": token, "key_storage": "file" }));
            tokio::spawn(async move { nobody.post("/v1/workload-sessions", &body).await.status })
        })
        .collect();
    house.stage.sign_in("alice").await.get("/v1/me").await.is(200);
    assert!(began.elapsed().as_secs() < 4, "others are served meanwhile");
    for asked in asking {
        assert_eq!(asked.await.unwrap(), 503);
    }
    assert!(began.elapsed().as_secs() < 12, "they wait for one call, not for twenty");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_11_workload_is_in_no_group_whatever_its_issuer_says() {
    let house = House::open().await;
    // a token that says what a person of security would, and is called as one
    let job = house
        .job(&json!({ "groups": ["security"], "email": "carol@acme.example", "preferred_username": "carol" }))
        .await;
    let me = job.get("/v1/me").await.is(200).body;
    assert_eq!((&me["groups"], &me["person"]["name"]), (&json!([]), &json!("deploy")));
    // a workload that has the name of a group, or of a person
    let named = enrolled(&house.github.issuer).replace("workload.deploy", "workload.security");
    house.write("50-workloads.cedar", "// nothing is permitted yet\n").await;
    house.write("security/50-workloads.toml", &named).await;
    house.write("50-workloads.cedar", "@id(\"x\")\npermit (principal in Jit::Workload::\"security\", action == Jit::Action::\"workloadRequest\", resource);\n").await;
    let job = house.job(&json!({})).await;
    assert_eq!(job.get("/v1/me").await.is(200).body["groups"], json!([]));
    let alice = house.stage.sign_in("alice").await;
    let filed = alice.file("prod-admin").await;
    job.look(&filed).await.is(404);
    let groups: &Value = &house.stage.sign_in("carol").await.get("/v1/me").await.is(200).body["groups"].clone();
    assert!(groups.as_array().unwrap().contains(&json!("security")));
}

#[tokio::test(flavor = "multi_thread")]
async fn token_that_fits_two_workloads_is_of_neither() {
    let house = House::open().await;
    let one = enrolled(&house.github.issuer);
    let two = one
        .split("[human")
        .next()
        .unwrap()
        .replace("workload.deploy", "workload.release");
    house
        .write("security/50-workloads.toml", &format!("{one}\n{two}"))
        .await;
    let refused = house.refused(&json!({})).await;
    assert_eq!(refused.body["title"], "several enrolled workloads fit this token");
}
