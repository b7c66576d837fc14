//! Jobs that sign in with tokens of their issuer, ask and receive; and who counts as having asked.

use jit::domain::WorkloadKind;
use serde_json::{Value, json};

use super::workload_house::{House, at, enrolled, enrolled_alone, human};

#[tokio::test(flavor = "multi_thread")]
async fn job_signs_in_asks_and_receives() {
    let house = House::open().await;
    let job = house.job(&json!({})).await;
    let me = job.get("/v1/me").await.is(200).body;
    assert_eq!(
        (&me["person"]["name"], &me["method"], &me["groups"]),
        (&json!("deploy"), &json!("workload"), &json!([]))
    );
    assert_eq!(
        me["workload"],
        json!({ "name": "deploy", "issuer": house.github.issuer, "started_by": "alice" })
    );
    // as long as its token, which lives five minutes
    let ends: jit::domain::Timestamp = serde_json::from_value(me["session_ends_at"].clone()).unwrap();
    let left = ends.since(house.stage.backend.now());
    assert!((200..=300).contains(&left), "{left} s");
    // without a person where policy says so
    let dev = job.file("dev-admin").await;
    assert_eq!(dev["automatic"], true, "{dev}");
    let active = job.until(&dev, |view| view["grant"]["state"] == "active").await;
    job.mint(&active["grant"]).await.is(200);
    // and with one
    let bob = house.stage.sign_in("bob").await;
    let filed = job.file("prod-admin").await;
    assert_eq!(filed["workload"]["started_by"], "alice", "{filed}");
    let waits = bob.get("/v1/inbox").await.is(200).body["requests"].clone();
    assert_eq!(
        (&waits[0]["id"], &waits[0]["workload"]),
        (&filed["id"], &filed["workload"])
    );
    bob.approve(&filed).await.is(200);
    let active = job.until(&filed, |view| view["grant"]["state"] == "active").await;
    job.mint(&active["grant"]).await.is(200);
    // what is kept of it says which run, and never the token
    let lines = house.stage.evidence().await;
    let opened = lines
        .iter()
        .find(|line| line.payload.as_ref().is_some_and(|it| it["details"]["run"].is_object()));
    let details = &opened.unwrap().payload.as_ref().unwrap()["details"];
    assert_eq!(details["run"]["run_id"], "19500000001");
    assert_eq!(details["workload"]["claims"]["event_name"], "push");
    assert_eq!(details["run"].get("sub"), None, "GitHub's says names");
    let filed_line = lines.iter().rfind(|line| line.kind == "request.filed").unwrap();
    let asked = &filed_line.payload.as_ref().unwrap()["details"]["policy"][0];
    assert_eq!(asked["action"]["id"], "workloadRequest", "{asked}");
    assert_eq!(
        asked["entities"][0]["parents"],
        json!([{ "type": "Jit::Workload", "id": "deploy" }])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_03_human_behind_a_job_decides_nothing_on_it() {
    let house = House::open().await;
    let (alice, bob) = (house.stage.sign_in("alice").await, house.stage.sign_in("bob").await);
    // bob may approve prod-admin, and is who started this one
    let job = house.job(&json!({ "actor_id": "583232" })).await;
    let filed = job.file("prod-admin").await;
    assert_eq!(filed["workload"]["started_by"], "bob");
    assert_eq!(filed["stages"][0]["approvers"], json!(["carol"]), "{filed}");
    let refused = bob.approve(&filed).await.is(403);
    refused.refuses("policy.own_request");
    let path = format!("/v1/requests/{}/decisions", filed["id"].as_str().unwrap());
    let no = json!({ "verdict": "deny", "digest": filed["digest"], "comment": "not mine to say" });
    bob.post(&path, &no).await.is(403).refuses("policy.own_request");
    assert_eq!(bob.get("/v1/inbox").await.is(200).body["requests"], json!([]));
    // and no job decides at all
    let carol = house.stage.sign_in("carol").await;
    job.approve(&filed).await.is(403).refuses("access.forbidden");
    let other = house.job(&json!({})).await;
    other.approve(&filed).await.is(403).refuses("access.forbidden");
    other.look(&filed).await.is(404);
    carol.approve(&filed).await.is(200);
    // alice did not start that one, and could decide on nothing of bob's for want of a group: not because it is hers
    let own = other.file("prod-admin").await;
    let refused = alice.approve(&own).await;
    assert!(matches!(refused.status, 403 | 404), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_03_other_identity_of_who_started_a_job_decides_nothing() {
    let house = House::open().await;
    let issuer = &house.github.issuer;
    let carol = house.stage.sign_in("carol").await;
    let job = house.job(&json!({ "actor_id": "583232" })).await;
    let filed = job.file("prod-admin").await;
    // carol is bob as well, as it turns out: nobody is left who could decide
    let one = format!(
        "{}{}",
        enrolled_alone(issuer),
        human(issuer, &["bob", "carol"], &["583232"])
    );
    house.write("security/50-workloads.toml", &one).await;
    let seen = job.look(&filed).await.is(200).body;
    assert_eq!(seen["stages"][0]["approvers"], json!([]), "{seen}");
    assert_eq!(carol.get("/v1/inbox").await.is(200).body["requests"], json!([]));
    carol.approve(&filed).await.is(403).refuses("policy.own_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_03_account_that_is_linked_later_counts_all_the_same() {
    let house = House::open().await;
    let (bob, carol) = (house.stage.sign_in("bob").await, house.stage.sign_in("carol").await);
    // the account is carol's when it is asked, and turns out to be bob's once he has approved
    let issuer = &house.github.issuer;
    let link = |who: &str| format!("{}{}", enrolled_alone(issuer), human(issuer, &[who], &["583231"]));
    house.write("security/50-workloads.toml", &link("dora")).await;
    let job = house.job(&json!({})).await;
    let filed = job.file("prod-owner").await;
    bob.approve(&filed).await.is(200);
    house.write("security/50-workloads.toml", &link("bob")).await;
    let filed = carol.look(&filed).await.is(200).body;
    carol.approve(&filed).await.is(200);
    let ended = job.until(&filed, |view| view["grant"]["state"] == "ended").await;
    assert_eq!(
        ended["grant"]["detail"], "the approval of bob is void: they started the job",
        "{ended}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_03_nobody_approves_what_somebody_unknown_started() {
    let house = House::open().await;
    for (claims, hint) in [
        (
            json!({ "actor_id": "999" }),
            "who owns the policy says whose account that is: [human.NAME] accounts = [\"ISSUER 999\"]",
        ),
        // an attempt after the first may be anybody's
        (
            json!({ "run_attempt": "2" }),
            "start a new run: one that is run again does not say by whom",
        ),
    ] {
        let job = house.job(&claims).await;
        let new = super::caller::new_request("prod-admin");
        let refused = job
            .post("/v1/requests", &new)
            .await
            .is(403)
            .refuses("policy.own_request");
        let said = refused.body["hint"]
            .as_str()
            .unwrap()
            .replace(&house.github.issuer, "ISSUER");
        assert_eq!(said, hint);
        // what nobody approves, it has
        assert_eq!(job.file("dev-admin").await["automatic"], true);
    }
    // the link is taken away while it waits
    let bob = house.stage.sign_in("bob").await;
    let filed = house
        .job(&json!({ "actor_id": "583231" }))
        .await
        .file("prod-admin")
        .await;
    let issuer = &house.github.issuer;
    let without = format!("{}{}", enrolled_alone(issuer), human(issuer, &["bob"], &["583232"]));
    house.write("security/50-workloads.toml", &without).await;
    assert_eq!(bob.get("/v1/inbox").await.is(200).body["requests"], json!([]));
    bob.approve(&filed).await.is(403).refuses("policy.own_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_different_people_share_nothing() {
    let house = House::open().await;
    let (alices, bobs) = (
        house.job(&json!({})).await,
        house.job(&json!({ "actor_id": "583232" })).await,
    );
    let carol = house.stage.sign_in("carol").await;
    let filed = alices.file("prod-admin").await;
    carol.approve(&filed).await.is(200);
    let active = alices.until(&filed, |view| view["grant"]["state"] == "active").await;
    // what was approved for alice's is nothing to bob's
    bobs.mint(&active["grant"]).await.is(404);
    let own = bobs.file("prod-admin").await;
    assert_eq!(own["state"], "pending", "{own}");
    assert_eq!(
        bobs.get("/v1/requests").await.is(200).body["requests"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    // another run of alice's is the same workload
    house
        .job(&json!({ "run_id": "19500000002" }))
        .await
        .mint(&active["grant"])
        .await
        .is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn permit_for_people_is_none_for_a_job_nor_the_other_way_round() {
    let house = House::open().await;
    let job = house.job(&json!({})).await;
    let people_alone = "@id(\"people.all\")\npermit (\n  principal,\n  action in [Jit::Action::\"request\", Jit::Action::\"receive\", Jit::Action::\"autoApprove\", Jit::Action::\"activate\"],\n  resource\n);\n";
    house.write("50-workloads.cedar", people_alone).await;
    let new = super::caller::new_request("dev-admin");
    job.post("/v1/requests", &new).await.is(403).refuses("policy.refused");
    assert_eq!(job.get("/v1/targets").await.is(200).body["targets"], json!([]));
    // and what is permitted to every job is permitted to nobody
    let jobs_alone = "@id(\"jobs.all\")\npermit (\n  principal,\n  action in [Jit::Action::\"workloadRequest\", Jit::Action::\"workloadReceive\"],\n  resource\n);\n";
    house.write("50-workloads.cedar", jobs_alone).await;
    assert_ne!(job.get("/v1/targets").await.is(200).body["targets"], json!([]));
    let dora = house.stage.sign_in("dora").await;
    assert_eq!(dora.get("/v1/targets").await.is(200).body["targets"], json!([]));
    dora.post("/v1/requests", &new).await.is(403).refuses("policy.refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn job_does_nothing_but_ask_and_receive() {
    let house = House::open().await;
    let job = house.job(&json!({})).await;
    for (path, body) in [
        ("/v1/locks", json!({ "on": "all", "reason": "because" })),
        ("/v1/locks/lift", json!({ "on": "all" })),
        (
            "/v1/requests/req_000000000000/decisions",
            json!({ "verdict": "approve", "digest": "x" }),
        ),
    ] {
        job.post(path, &body).await.is(403).refuses("access.forbidden");
    }
    for path in ["/v1/inbox", "/v1/locks"] {
        job.get(path).await.is(403).refuses("access.forbidden");
    }
    let mut new = super::caller::new_request("dev-admin");
    new["on_behalf_of"] = json!("alice");
    job.post("/v1/requests", &new).await.is(403).refuses("policy.refused");
    // somebody else's grant is neither seen nor ended
    let (_, _, active) = house.stage.active().await;
    let grant = active["grant"]["id"].as_str().unwrap().to_owned();
    job.post(
        &format!("/v1/grants/{grant}/end"),
        &json!({ "reason": "because it is" }),
    )
    .await
    .is(404);
    // and nobody asks for it
    let carol = house.stage.sign_in("carol").await;
    new["on_behalf_of"] = json!("deploy");
    carol
        .post("/v1/requests", &new)
        .await
        .is(404)
        .refuses("person.not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn workload_that_is_taken_out_is_nobody_at_once() {
    let house = House::open().await;
    let job = house.job(&json!({})).await;
    let filed = job.file("prod-admin").await;
    let moved = enrolled(&house.github.issuer).replace("700000001", "700000002");
    house.write("security/50-workloads.toml", &moved).await;
    job.get("/v1/me").await.is(401).refuses("session.ended");
    house.refused(&json!({})).await;
    // what was asked before is not given any more
    let bob = house.stage.sign_in("bob").await;
    let view = bob.look(&filed).await.is(200).body;
    bob.approve(&view).await.is(200);
    let ended = bob.until(&view, |view| view["grant"]["state"] == "ended").await;
    assert_eq!(
        ended["grant"]["detail"], "the workload deploy is no longer enrolled",
        "{ended}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn locked_job_does_not_sign_in_again() {
    let house = House::open().await;
    let job = house.job(&json!({})).await;
    let id = job.get("/v1/me").await.is(200).body["person"]["id"].clone();
    let carol = house.stage.sign_in("carol").await;
    let lock = json!({ "on": id, "reason": "its runner was taken over" });
    carol.post("/v1/locks", &lock).await.is(200);
    let again = house.token(&json!({})).await;
    house.brings(&again).await.is(403).refuses("access.locked");
    let new = super::caller::new_request("dev-admin");
    job.post("/v1/requests", &new).await.is(403).refuses("access.locked");
}

#[tokio::test(flavor = "multi_thread")]
async fn job_is_locked_by_the_name_that_people_see() {
    let house = House::open().await;
    let job = house.job(&json!({})).await;
    let carol = house.stage.sign_in("carol").await;
    let lock = |on: &str| json!({ "on": on, "reason": "its runner was taken over" });
    let locked = carol.post("/v1/locks", &lock("deploy")).await.is(200).body;
    let id = job.get("/v1/me").await.body["person"]["id"].clone();
    assert_eq!(locked["lock"]["person"]["id"], id, "{locked}");
    let again = house.token(&json!({})).await;
    house.brings(&again).await.is(403).refuses("access.locked");
    carol.post("/v1/locks/lift", &json!({ "on": "deploy" })).await.is(200);
    // one that somebody else started is another
    let other = house.job(&json!({ "actor_id": "583232" })).await;
    let refused = carol
        .post("/v1/locks", &lock("deploy"))
        .await
        .is(409)
        .refuses("lock.ambiguous");
    let other = other.get("/v1/me").await.body["person"]["id"].clone();
    let detail = refused.body["detail"].as_str().unwrap();
    for (id, account) in [(&id, "583231"), (&other, "583232")] {
        let one = format!("deploy {} (job of account {account})", id.as_str().unwrap());
        assert!(detail.contains(&one), "{detail}");
    }
    carol.post("/v1/locks", &lock(other.as_str().unwrap())).await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_issuer_signs_workloads_in_by_what_its_tokens_say() {
    let house = House::open_with(|issuer| {
        let mut gitlab = at("gitlab", issuer, WorkloadKind::Generic);
        gitlab.audience = Some("jit-of-acme".to_owned());
        gitlab.started_by = Some("user_id".to_owned());
        vec![gitlab]
    })
    .await;
    let issuer = &house.github.issuer;
    let written = format!(
        "[workload.deploy]\nissuer = \"{issuer}\"\nkind = \"generic\"\n\n[workload.deploy.claims]\nsub = \"system:serviceaccount:prod:deploy\"\n\n\
         [workload.deploy.claims.\"kubernetes.io\"]\nnamespace = \"prod\"\n\n[workload.deploy.claims.\"kubernetes.io\".serviceaccount]\nuid = \"u-1\"\n\n\
         [human.ana]\nidentities = [\"local:alice\", \"https://idp.example ana\"]\naccounts = [\"{issuer} 7\"]\n"
    );
    house.write("security/50-workloads.toml", &written).await;
    let says = |namespace: &str, uid: &str| {
        json!({
            "sub": "system:serviceaccount:prod:deploy", "user_id": 7, "jti": null,
            "kubernetes.io": { "namespace": namespace, "pod": { "name": "x" }, "serviceaccount": { "name": "deploy", "uid": uid } },
        })
    };
    let for_us = |claims: Value| {
        let github = &house.github;
        async move { github.token("jit-of-acme", &claims, "").await }
    };
    let token = for_us(says("prod", "u-1")).await;
    let opened = house.brings(&token).await.is(201);
    assert_eq!(opened.body["me"]["workload"]["started_by"], "ana, alice");
    // it has no id: it is known again by what was signed
    house.brings(&token).await.is(401).refuses("session.token_invalid");
    for other in [
        says("dev", "u-1"),
        says("prod", "u-2"),
        json!({ "sub": "system:serviceaccount:prod:deploy" }),
    ] {
        let token = for_us(other).await;
        house.brings(&token).await.is(401).refuses("session.token_invalid");
    }
    // for our address it is not, and what is for several is for none
    house.refused(&says("prod", "u-1")).await;
    let several = json!({ "aud": ["jit-of-acme", "x"], "sub": "system:serviceaccount:prod:deploy" });
    let several = house.github.token("x", &several, "").await;
    let several = house.brings(&several).await.is(401);
    assert_eq!(several.body["title"], "gitlab: it is for somebody else");
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_say_whom_tokens_of_workloads_are_for() {
    let house = House::open().await;
    let methods = super::oidc_house::get(&house.stage, "/v1/sign-in-methods")
        .await
        .is(200)
        .body["methods"]
        .clone();
    assert_eq!(
        methods[1],
        json!({
            "method": "workload", "name": "github", "issuer": house.github.issuer,
            "audience": format!("http://{}", house.stage.address),
        })
    );
}
