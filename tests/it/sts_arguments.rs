//! What STS receives, and what comes of its answers, good and bad. STS is our own mock here: it writes down the call
//! and plays what no stand-in plays.

use std::time::Duration;

use jit::domain::{Duration as Length, Road, Trace};
use jit::server::provider::{Minter, Provider, ProviderError};

use crate::aws_access::{access, in_seconds, keyless, now, provider};
use crate::harness::{StsAnswer, StsRecorder};

#[tokio::test]
async fn sts_receives_time_box_names_tag_and_duration() {
    let sts = StsRecorder::start();
    let access = access(in_seconds(7200));
    let credential = provider(&sts.url).mint(now(), &access).await.unwrap();
    assert!(credential.expires_at <= in_seconds(3600) && credential.expires_at >= in_seconds(3500));
    let calls = sts.calls();
    assert_eq!(calls.len(), 1);
    for (name, value) in [
        ("Action", "AssumeRole"),
        ("RoleArn", "arn:aws:iam::111111111111:role/jit/jit-prod-admin"),
        ("RoleSessionName", "alice@0123456789ab"),
        ("SourceIdentity", "usr_0123456789ab"),
        ("DurationSeconds", "3600"),
        ("Tags.member.1.Key", "jit:request"),
        ("Tags.member.1.Value", "req_0123456789ab"),
        ("TransitiveTagKeys.member.1", ""),
    ] {
        assert_eq!(calls[0].param(name), value, "{name}");
    }
    let end = access.ends_at.whole_second().to_string();
    assert_eq!(
        calls[0].policy()["Statement"][0]["Condition"]["DateLessThan"]["aws:CurrentTime"],
        end
    );
}

#[tokio::test]
async fn sts_receives_token_and_no_signature_on_the_keyless_road() {
    let sts = StsRecorder::start();
    let mut access = access(in_seconds(7200));
    access.binding.road = Road::WebIdentity;
    drop(keyless(&sts.url).mint(now(), &access).await.unwrap());
    let calls = sts.calls();
    assert_eq!(calls.len(), 1);
    for (name, value) in [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("RoleArn", "arn:aws:iam::111111111111:role/jit/jit-prod-admin"),
        ("RoleSessionName", "alice@0123456789ab"),
        ("DurationSeconds", "3600"),
        // both stand in the token
        ("SourceIdentity", ""),
        ("Tags.member.1.Key", ""),
    ] {
        assert_eq!(calls[0].param(name), value, "{name}");
    }
    let token: serde_json::Value = serde_json::from_str(calls[0].param("WebIdentityToken")).unwrap();
    assert_eq!(
        (&token["sub"], &token["aud"]),
        (
            &"jit:aws/aws/111111111111/jit/jit-prod-admin:usr_0123456789ab".into(),
            &"sts.amazonaws.com".into()
        )
    );
    assert_eq!(
        token["claims"]["https://aws.amazon.com/source_identity"],
        "usr_0123456789ab"
    );
    let end = access.ends_at.whole_second().to_string();
    let policy = calls[0].policy();
    assert_eq!(
        policy["Statement"][1]["Condition"]["DateGreaterThanEquals"]["aws:CurrentTime"],
        end
    );
    assert_eq!(calls[0].authorization, "", "a call without a key is not signed");
}

#[tokio::test]
async fn sts_receives_the_fence_of_our_issuer_on_both_roads() {
    let sts = StsRecorder::start();
    let mut access = access(in_seconds(7200));
    for road in [Road::AssumeRole, Road::WebIdentity] {
        access.binding.road = road;
        drop(provider(&sts.url).mint(now(), &access).await.unwrap());
    }
    let calls = sts.calls();
    assert_eq!(calls[1].param("Action"), "AssumeRoleWithWebIdentity");
    for call in &calls {
        let fence = &call.policy()["Statement"][3];
        assert_eq!(
            (&fence["Effect"], &fence["Resource"][2]),
            (
                &"Deny".into(),
                &"arn:aws:iam::*:oidc-provider/jit.acme.example/Prod".into()
            )
        );
    }
}

#[tokio::test]
async fn long_session_needs_no_own_identity_on_the_keyless_road() {
    let sts = StsRecorder::start();
    let mut long = access(in_seconds(43_200));
    long.binding.road = Road::WebIdentity;
    long.binding.session = Length::from_secs(14_400).unwrap();
    drop(keyless(&sts.url).mint(now(), &long).await.unwrap());
    let calls = sts.calls();
    assert_eq!((calls.len(), calls[0].param("DurationSeconds")), (1, "14400"));
}

#[tokio::test]
async fn token_that_aws_refuses_says_where_to_look() {
    let sts = StsRecorder::start();
    sts.then(StsAnswer::InvalidToken);
    let mut access = access(in_seconds(60));
    access.binding.road = Road::WebIdentity;
    let error = keyless(&sts.url).verify(now(), &access.into()).await.unwrap_err();
    assert!(
        !error.is_transient() && error.to_string().contains("jit aws check"),
        "{error}"
    );
}

#[tokio::test]
async fn trace_decides_what_travels() {
    let sts = StsRecorder::start();
    let mut access = access(in_seconds(60));
    for trace in [Trace::Off, Trace::Transitive] {
        access.binding.trace = trace;
        drop(provider(&sts.url).mint(now(), &access).await.unwrap());
    }
    let calls = sts.calls();
    assert_eq!(
        (calls[0].param("SourceIdentity"), calls[0].param("Tags.member.1.Key")),
        ("", "")
    );
    assert_eq!(calls[1].param("TransitiveTagKeys.member.1"), "jit:request");
    assert_eq!(calls[1].param("DurationSeconds"), "900");
}

#[tokio::test]
async fn each_refusal_becomes_its_own_error() {
    let sts = StsRecorder::start();
    let provider = provider(&sts.url);
    for (answer, words) in [
        (StsAnswer::AccessDenied, "assumed-role/jit/backend is not authorized"),
        (StsAnswer::DurationTooLong, "3600 s are longer than"),
        (StsAnswer::PolicyTooLarge, "137%"),
        (StsAnswer::Throttled, "throttled"),
        (StsAnswer::ExpiredToken, "own AWS credentials have expired"),
        (StsAnswer::InternalFailure, "500"),
        (StsAnswer::Junk, "no answer"),
        (StsAnswer::Half, "no answer"),
        (StsAnswer::Redirect, "redirects are not followed"),
    ] {
        sts.then(answer.clone());
        let error = provider.mint(now(), &access(in_seconds(7200))).await.unwrap_err();
        assert!(error.to_string().contains(words), "{answer:?}: {error}");
        let unknown = !matches!(
            answer,
            StsAnswer::AccessDenied | StsAnswer::DurationTooLong | StsAnswer::PolicyTooLarge | StsAnswer::ExpiredToken
        );
        assert_eq!(error.is_transient(), unknown, "{answer:?}");
    }
    assert_eq!(sts.calls().len(), 9, "a call was repeated, or a redirect followed");
}

#[tokio::test]
async fn credential_of_a_foreign_clock_is_thrown_away() {
    let sts = StsRecorder::start();
    let provider = provider(&sts.url);
    sts.then(StsAnswer::ClockAhead(Duration::from_secs(120)));
    let error = provider
        .verify(now(), &access(in_seconds(3600)).into())
        .await
        .unwrap_err();
    assert!(matches!(error, ProviderError::Clock { offset_s: 115..=121 }), "{error}");
    sts.then(StsAnswer::ClockAhead(Duration::from_secs(20)));
    assert!(provider.mint(now(), &access(in_seconds(3600))).await.is_ok());
}

#[tokio::test]
async fn silent_sts_is_given_up_in_time() {
    let sts = StsRecorder::start();
    sts.then(StsAnswer::Held);
    let began = std::time::Instant::now();
    let error = provider(&sts.url)
        .mint(now(), &access(in_seconds(3600)))
        .await
        .unwrap_err();
    assert!(
        matches!(error, ProviderError::Unreachable(_)) && began.elapsed() < Duration::from_secs(9),
        "{error}"
    );
    sts.release();
}

#[tokio::test]
async fn unreachable_sts_is_named_with_its_region() {
    let error = provider("http://127.0.0.1:9")
        .mint(now(), &access(in_seconds(3600)))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, ProviderError::Unreachable(text) if text.contains("us-east-1")),
        "{error}"
    );
}

#[tokio::test]
async fn long_session_is_cut_to_an_hour_where_own_identity_is_unknown() {
    let sts = StsRecorder::start();
    // The mock answers GetCallerIdentity with something else, so the provider cannot know that it may have more.
    sts.then(StsAnswer::Junk);
    let mut long = access(in_seconds(43_200));
    long.binding.session = Length::from_secs(14_400).unwrap();
    drop(provider(&sts.url).mint(now(), &long).await.unwrap());
    let calls = sts.calls();
    let asked: Vec<&str> = calls.iter().map(|call| call.param("Action")).collect();
    assert_eq!(asked, ["GetCallerIdentity", "AssumeRole"]);
    assert_eq!(calls[1].param("DurationSeconds"), "3600");
}
