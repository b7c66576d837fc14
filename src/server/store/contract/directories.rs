//! What directories push.

use std::collections::BTreeMap;

use super::*;
use crate::domain::directory::members_changed;
use crate::domain::{DirectoryGroup, DirectoryUser};
use crate::server::store::{By, StoreError};

on_every_store! {
    user_is_found_by_id_by_name_and_by_subject
    second_user_of_one_name_or_subject_conflicts
    user_is_replaced_at_its_version_only
    user_who_was_deleted_is_still_known_to_have_left
    users_come_in_pages
    directories_are_those_that_anybody_was_ever_in
    members_keep_since_when_they_are_in
    group_that_is_gone_holds_nobody
    second_group_of_one_name_conflicts
}

fn a_user(id: &str, name: &str, subject: Option<&str>) -> DirectoryUser {
    DirectoryUser {
        source: "acme".to_owned(),
        id: id.to_owned(),
        external_id: subject.map(str::to_owned),
        user_name: name.to_owned(),
        active: true,
        details: json!({ "displayName": name }).as_object().unwrap().clone(),
        created_at: at(1),
        changed_at: at(2),
        joined_at: at(3),
        returned_at: None,
        deleted_at: None,
        version: 1,
    }
}

fn a_group(id: &str, name: &str) -> DirectoryGroup {
    DirectoryGroup {
        source: "acme".to_owned(),
        id: id.to_owned(),
        external_id: Some(format!("ext-{id}")),
        name: name.to_owned(),
        created_at: at(1),
        changed_at: at(2),
        named_at: at(3),
        deleted_at: None,
        version: 1,
    }
}

fn user_row(user: &DirectoryUser) -> Change {
    change(Row::DirectoryUser(Box::new(user.clone())))
}

fn group_row(group: &DirectoryGroup) -> Change {
    change(Row::DirectoryGroup(Box::new(group.clone())))
}

async fn conflicts(store: &Tried, change: &Change) {
    let refused = store.commit(change).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
}

async fn user_is_found_by_id_by_name_and_by_subject(store: &Tried) {
    let ana = a_user("1", "Ana@acme.example", Some("00uA"));
    store.commit(&user_row(&ana)).await.unwrap();
    for by in [By::Id("1"), By::Name("ana@ACME.example"), By::ExternalId("00uA")] {
        assert_eq!(
            store.directory_user("acme", by).await.unwrap(),
            Some(ana.clone()),
            "{by:?}"
        );
        assert_eq!(store.directory_user("other", by).await.unwrap(), None, "{by:?}");
    }
    for by in [By::Id("2"), By::Name("ana"), By::ExternalId("00ua")] {
        assert_eq!(store.directory_user("acme", by).await.unwrap(), None, "{by:?}");
    }
    assert_eq!(store.directory_user_known("acme", "00uA").await.unwrap(), Some(ana));
    assert_eq!(store.directory_user_known("other", "00uA").await.unwrap(), None);
}

async fn second_user_of_one_name_or_subject_conflicts(store: &Tried) {
    store.commit(&user_row(&a_user("1", "ana", Some("a")))).await.unwrap();
    conflicts(store, &user_row(&a_user("2", "ANA", Some("b")))).await;
    conflicts(store, &user_row(&a_user("2", "bea", Some("a")))).await;
    conflicts(store, &user_row(&a_user("1", "cy", Some("c")))).await;
    // nobody is joined by nothing, and another directory has people of its own
    store.commit(&user_row(&a_user("3", "cy", None))).await.unwrap();
    store.commit(&user_row(&a_user("4", "dora", None))).await.unwrap();
    let elsewhere = DirectoryUser {
        source: "other".to_owned(),
        ..a_user("5", "ana", Some("a"))
    };
    store.commit(&user_row(&elsewhere)).await.unwrap();
}

async fn user_is_replaced_at_its_version_only(store: &Tried) {
    let ana = a_user("1", "ana", Some("a"));
    store.commit(&user_row(&ana)).await.unwrap();
    let next = DirectoryUser {
        active: false,
        user_name: "ana2".to_owned(),
        returned_at: Some(at(9)),
        version: 2,
        ..ana
    };
    store.commit(&user_row(&next)).await.unwrap();
    conflicts(store, &user_row(&next)).await;
    assert_eq!(
        store.directory_user("acme", By::Name("ana2")).await.unwrap(),
        Some(next)
    );
    assert_eq!(store.directory_user("acme", By::Name("ana")).await.unwrap(), None);
}

async fn user_who_was_deleted_is_still_known_to_have_left(store: &Tried) {
    let ana = a_user("1", "ana", Some("a"));
    store.commit(&user_row(&ana)).await.unwrap();
    let gone = DirectoryUser {
        deleted_at: Some(at(9)),
        version: 2,
        ..ana
    };
    store.commit(&user_row(&gone)).await.unwrap();
    for by in [By::Id("1"), By::Name("ana"), By::ExternalId("a")] {
        assert_eq!(store.directory_user("acme", by).await.unwrap(), None, "{by:?}");
    }
    assert_eq!(store.directory_users("acme", None, 10).await.unwrap(), []);
    assert_eq!(store.directory_user_known("acme", "a").await.unwrap(), Some(gone));
    let again = a_user("2", "ana", Some("a"));
    store.commit(&user_row(&again)).await.unwrap();
    assert_eq!(
        store.directory_user_known("acme", "a").await.unwrap(),
        Some(again.clone())
    );
    let gone_again = DirectoryUser {
        deleted_at: Some(at(20)),
        version: 2,
        ..again
    };
    store.commit(&user_row(&gone_again)).await.unwrap();
    assert_eq!(store.directory_user_known("acme", "a").await.unwrap(), Some(gone_again));
}

async fn users_come_in_pages(store: &Tried) {
    for id in ["3", "1", "2"] {
        store
            .commit(&user_row(&a_user(id, &format!("u{id}"), None)))
            .await
            .unwrap();
    }
    let ids = |users: Vec<DirectoryUser>| users.into_iter().map(|user| user.id).collect::<Vec<_>>();
    assert_eq!(ids(store.directory_users("acme", None, 2).await.unwrap()), ["1", "2"]);
    assert_eq!(ids(store.directory_users("acme", Some("2"), 2).await.unwrap()), ["3"]);
    assert_eq!(store.directory_users("other", None, 2).await.unwrap(), []);
}

async fn directories_are_those_that_anybody_was_ever_in(store: &Tried) {
    assert_eq!(store.directory_sources().await.unwrap(), Vec::<String>::new());
    for (id, source) in [("1", "other"), ("2", "acme"), ("3", "other")] {
        let user = DirectoryUser {
            source: source.to_owned(),
            ..a_user(id, id, None)
        };
        store.commit(&user_row(&user)).await.unwrap();
    }
    // who has left is why it is asked
    let gone = DirectoryUser {
        deleted_at: Some(at(9)),
        version: 2,
        ..a_user("2", "2", None)
    };
    store.commit(&user_row(&gone)).await.unwrap();
    assert_eq!(store.directory_sources().await.unwrap(), ["acme", "other"]);
}

async fn members_keep_since_when_they_are_in(store: &Tried) {
    let group = a_group("g", "payments");
    let wanted =
        |ids: &[&str]| -> BTreeMap<String, bool> { ids.iter().map(|id| ((*id).to_owned(), *id == "inner")).collect() };
    let first = members_changed(at(5), "g", &[], &wanted(&["1", "inner"]));
    let rows = vec![
        Row::DirectoryGroup(Box::new(group.clone())),
        Row::DirectoryMembers(Box::new(first)),
    ];
    store.commit(&changes(rows)).await.unwrap();
    let present = store.directory_members("g").await.unwrap();
    let second = members_changed(at(8), "g", &present, &wanted(&["1", "2"]));
    store
        .commit(&change(Row::DirectoryMembers(Box::new(second))))
        .await
        .unwrap();
    let members: Vec<_> = store
        .directory_members("g")
        .await
        .unwrap()
        .into_iter()
        .map(|member| (member.id, member.is_group, member.since))
        .collect();
    assert_eq!(
        members,
        [("1".to_owned(), false, at(5)), ("2".to_owned(), false, at(8))]
    );
    assert_eq!(store.directory_groups_of("1").await.unwrap(), [(group.clone(), at(5))]);
    assert_eq!(store.directory_groups_of("inner").await.unwrap(), []);
    assert_eq!(store.directory_groups("acme", None, 10).await.unwrap(), [group]);
}

async fn group_that_is_gone_holds_nobody(store: &Tried) {
    let group = a_group("g", "payments");
    let members = members_changed(at(5), "g", &[], &BTreeMap::from([("1".to_owned(), false)]));
    let rows = vec![
        Row::DirectoryGroup(Box::new(group.clone())),
        Row::DirectoryMembers(Box::new(members)),
    ];
    store.commit(&changes(rows)).await.unwrap();
    let gone = DirectoryGroup {
        deleted_at: Some(at(9)),
        version: 2,
        ..group
    };
    store.commit(&group_row(&gone)).await.unwrap();
    assert_eq!(store.directory_groups_of("1").await.unwrap(), []);
    assert_eq!(store.directory_groups("acme", None, 10).await.unwrap(), []);
    for by in [By::Id("g"), By::Name("payments"), By::ExternalId("ext-g")] {
        assert_eq!(store.directory_group("acme", by).await.unwrap(), None, "{by:?}");
    }
}

async fn second_group_of_one_name_conflicts(store: &Tried) {
    let group = a_group("g", "payments");
    store.commit(&group_row(&group)).await.unwrap();
    conflicts(store, &group_row(&a_group("h", "Payments"))).await;
    let same_id = DirectoryGroup {
        external_id: group.external_id.clone(),
        ..a_group("h", "other")
    };
    conflicts(store, &group_row(&same_id)).await;
    for by in [By::Id("g"), By::Name("PAYMENTS"), By::ExternalId("ext-g")] {
        assert_eq!(
            store.directory_group("acme", by).await.unwrap(),
            Some(group.clone()),
            "{by:?}"
        );
    }
}
