//! Groups that a directory feeds, and humans with several identities, as the catalogue writes them.

use serde_json::json;

use super::workloads::{DEPLOY, IN, job};
use super::{files, loaded, person, said};
use crate::domain::{HeldGroup, Known, Person, Timestamp};
use crate::policy::{Bundle, Groups, small};

const PAYMENTS: &str = "[group.payments]\nmembers = [\"local:bob\"]\n";

/// The security layer with `new` in the place of who is in payments.
fn edited(new: &str) -> String {
    let security = small::FILES[1].1;
    assert!(security.contains(PAYMENTS));
    security.replacen(PAYMENTS, new, 1)
}

fn found(new: &str) -> Vec<String> {
    let loaded = Bundle::load(&files(&[("security/catalogue.toml", &edited(new))]));
    loaded.map_or_else(|found| said(&found), |_| Vec::new())
}

fn held(source: &str, name: Option<&str>, id: Option<&str>) -> Known {
    Known {
        held: vec![HeldGroup {
            source: source.into(),
            external_id: id.map(str::to_owned),
            name: name.map(str::to_owned),
            since: Timestamp::from_millis(7),
        }],
        ..Known::default()
    }
}

#[test]
fn group_of_a_directory_feeds_the_one_that_names_it() {
    let by_name = "[group.payments]\ndirectory = { source = \"acme\", name = \"Payments\" }\n";
    let by_id = "[group.payments]\ndirectory = { source = \"acme\", external_id = \"1a\" }\n";
    let groups = |text: &str, known: &Known| {
        let bundle = loaded(&[("security/catalogue.toml", &edited(text))]);
        bundle
            .catalogue()
            .groups_of_person(&person("bob"), known)
            .names()
            .to_vec()
    };
    let both = held("acme", Some("Payments"), Some("1a"));
    assert_eq!(groups(by_name, &both), ["engineering", "payments"]);
    assert_eq!(groups(by_id, &both), ["engineering", "payments"]);
    for (text, known) in [
        (by_name, held("other", Some("Payments"), None)),
        (by_name, held("acme", Some("payments"), None)),
        (by_name, held("acme", None, Some("Payments"))),
        (by_id, held("acme", Some("1a"), None)),
        (by_id, Known::default()),
    ] {
        assert_eq!(groups(text, &known), ["engineering"], "{text} {known:?}");
    }
}

#[test]
fn workflow_of_a_fed_group_can_be_satisfied_by_people_nobody_knows_yet() {
    let fed = "[group.payments]\ndirectory = { source = \"acme\", name = \"p\" }\n";
    assert_eq!(found(fed), Vec::<String>::new());
}

#[test]
fn group_of_two_sources_is_refused() {
    let fed = "directory = { source = \"acme\", name = \"p\" }\n";
    for (text, expected) in [
        (
            format!("{PAYMENTS}{fed}"),
            "group `payments` has two sources: members, and a directory",
        ),
        (
            format!("[group.payments]\n{fed}[group.other]\n{fed}"),
            "groups `other` and `payments` are fed by one group",
        ),
        (
            "[group.payments]\n".to_owned(),
            "group `payments` has neither members nor a directory",
        ),
        (
            "[group.payments]\ndirectory = { source = \"acme\" }\n".to_owned(),
            "group `payments` names no group of a directory",
        ),
        (
            "[group.payments]\ndirectory = { source = \"acme\", name = \"p\", external_id = \"1\" }\n".to_owned(),
            "group `payments` names no group of a directory",
        ),
        (
            "[group.payments]\ndirectory = { source = \"\", name = \"p\" }\n".to_owned(),
            "group `payments` names no group of a directory",
        ),
    ] {
        let found = found(&text);
        assert!(found.iter().any(|line| line.contains(expected)), "{text}: {found:?}");
    }
}

#[test]
fn attack_24_directory_puts_no_job_in_a_group() {
    let fed = edited("[group.payments]\ndirectory = { source = \"acme\", name = \"jit-payments\" }\n");
    let bundle = loaded(&[("security/catalogue.toml", &fed), (IN, DEPLOY)]);
    let known = held("acme", Some("jit-payments"), None);
    let groups = |who: &Person| bundle.catalogue().groups_of_person(who, &known);
    assert!(groups(&person("bob")).names().contains(&"payments".to_owned()));
    let mut job = job();
    let claims = json!({
        "repository_id": "74", "repository_owner_id": "65", "environment": "production", "event_name": "push",
        "job_workflow_ref": "acme/payments/.github/workflows/deploy.yml@refs/heads/main",
    });
    job.workload.as_mut().unwrap().claims = claims.as_object().unwrap().clone();
    assert_eq!(groups(&job), Groups::from(vec!["deploy".to_owned()]));
}

#[test]
fn human_has_two_identities_and_is_one() {
    let human = |identities: &str| format!("[human.ana]\nidentities = [{identities}]\n\n{PAYMENTS}");
    let text = human("\"local:alice\", \"https://idp.example 00u1\"");
    let bundle = loaded(&[("security/catalogue.toml", &edited(&text))]);
    let same = |issuer: &str, subject: &str| bundle.catalogue().same_human(issuer, subject);
    assert_eq!(
        same("local", "alice"),
        [("https://idp.example".to_owned(), "00u1".to_owned())]
    );
    assert_eq!(
        same("https://idp.example", "00u1"),
        [("local".to_owned(), "alice".to_owned())]
    );
    assert_eq!(same("local", "bob"), []);
    for (text, expected) in [
        (human("\"local:alice\""), "`ana` has fewer than two identities"),
        (human("\"local:alice\", \"alice\""), "`alice` is no member"),
        (
            format!(
                "[human.bea]\nidentities = [\"local:alice\", \"local:bob\"]\n{}",
                human("\"local:alice\", \"local:carol\"")
            ),
            "`alice` is named as two humans",
        ),
        (
            human("").replace("[]\n", "[]\naccounts = [\"https://ci.example 7\"]\n"),
            "`ana` has no identity",
        ),
    ] {
        let found = found(&text);
        assert!(found.iter().any(|line| line.contains(expected)), "{text}: {found:?}");
    }
    let beside = Bundle::load(&files(&[(
        "team.toml",
        "[human.x]\nidentities = [\"local:a\", \"local:b\"]\n",
    )]));
    let found = said(&beside.unwrap_err());
    assert!(found[0].contains("human `x` stands outside security/"), "{found:?}");
}
