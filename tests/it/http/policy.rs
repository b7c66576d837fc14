//! The policy folder of a backend that runs: broken, mended, edited.

use jit::policy::small;

use super::caller::new_request;
use super::stage::{Stage, eventually, put, replace_in};

#[tokio::test(flavor = "multi_thread")]
async fn broken_policy_is_said_and_the_old_one_stays() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let well = stage.nobody().get("/readyz").await.is(200);
    let catalogue = stage.folder().join("policy/catalogue.toml");
    let good = std::fs::read_to_string(&catalogue).unwrap();
    put(&catalogue, &format!("{good}\n[[target]]\nname = 1\n"));
    let anybody = stage.nobody();
    let ready = || async { anybody.get("/readyz").await };
    eventually("a policy that is not valid", || async {
        !ready().await.body["policy_error"].is_null()
    })
    .await;
    let broken = ready().await.is(503);
    assert!(
        broken.body["policy_error"].as_str().unwrap().contains("catalogue.toml"),
        "{broken}"
    );
    assert_eq!(broken.body["policy_hash"], well.body["policy_hash"]);
    alice.post("/v1/requests", &new_request("prod-admin")).await.is(201);
    put(&catalogue, &good);
    eventually("a policy that is valid again", || async {
        ready().await.body["policy_error"].is_null()
    })
    .await;
    let mended = ready().await.is(200);
    // the issuer's first key may have been seen meanwhile
    for name in ["ready", "policy", "policy_error", "policy_hash"] {
        assert_eq!(mended.body[name], well.body[name], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn edited_policy_is_in_force_soon() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let (anybody, before) = (stage.nobody(), stage.nobody().get("/readyz").await.is(200));
    let catalogue = stage.folder().join("policy/catalogue.toml");
    replace_in(&catalogue, "name = \"prod-admin\"", "name = \"prod-root\"");
    let edited = || async { anybody.get("/readyz").await.body["policy_hash"] != before.body["policy_hash"] };
    eventually("the edit", edited).await;
    alice.post("/v1/requests", &new_request("prod-root")).await.is(201);
    let gone = alice.post("/v1/requests", &new_request("prod-admin")).await.is(404);
    gone.refuses("target.not_found");
    eventually("evidence of the load", || async {
        stage.count("policy.loaded").await == 2
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn folder_that_is_gone_is_said_and_the_old_policy_stays() {
    let stage = Stage::open().await;
    let alice = stage.sign_in("alice").await;
    let (policy, away) = (stage.folder().join("policy"), stage.folder().join("away"));
    std::fs::rename(&policy, &away).unwrap();
    let anybody = stage.nobody();
    eventually("a backend that is not ready", || async {
        anybody.get("/readyz").await.status == 503
    })
    .await;
    alice.post("/v1/requests", &new_request("prod-admin")).await.is(201);
    std::fs::rename(&away, &policy).unwrap();
    eventually("a backend that is ready", || async {
        anybody.get("/readyz").await.status == 200
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn small_bundle_is_written_once_and_never_over_an_edit() {
    let stage = Stage::open().await;
    for (path, text) in small::FILES {
        assert_eq!(
            std::fs::read_to_string(stage.folder().join("policy").join(path)).unwrap(),
            *text
        );
    }
    let catalogue = stage.folder().join("policy/catalogue.toml");
    replace_in(&catalogue, "Admin in payments-prod", "Admin, edited");
    let edited = std::fs::read_to_string(&catalogue).unwrap();
    let stage = stage.again(|_| {}).await;
    assert_eq!(std::fs::read_to_string(&catalogue).unwrap(), edited);
    let targets = stage.sign_in("alice").await.get("/v1/targets?q=edited").await.is(200);
    assert_eq!(targets.body["targets"][0]["title"], "Admin, edited");
}
