//! Memberships.

use super::*;
use crate::domain::{Assignment, AssignmentRoad, FoundBy, Instance, Membership, MembershipState, Scope};
use crate::server::store::StoreError;

on_every_store! {
    membership_is_part_of_its_case
    membership_is_replaced_at_its_version_only
    second_membership_of_one_name_conflicts
    membership_keeps_what_it_is_of
    memberships_in_use_come_in_pages
    access_that_remains_is_counted_once
    memberships_of_others_are_found_by_their_place
    place_is_known_by_its_last_look
}

fn an_assignment(account: &str) -> Assignment {
    Assignment {
        road: AssignmentRoad::IdentityCenter,
        partition: Partition::Aws,
        account: account.to_owned(),
        account_name: "prod".to_owned(),
        instance: Instance {
            arn: "arn:aws:sso:::instance/ssoins-1111111111111111".to_owned(),
            identity_store: "d-1111111111".to_owned(),
            region: "eu-central-1".to_owned(),
            start_url: "https://d-1111111111.awsapps.com/start".to_owned(),
            found_by: FoundBy::UserName,
            pattern: "{name}".to_owned(),
            people: "local".to_owned(),
        },
        permission_set_arn: "arn:aws:sso:::permissionSet/ssoins-1111111111111111/ps-1111111111111111".to_owned(),
        permission_set: "Billing".to_owned(),
        session: duration(3600),
        chosen: None,
    }
}

fn a_membership(account: &str, leases: Vec<GrantId>) -> Membership {
    let assignment = an_assignment(account);
    Membership {
        name: assignment.membership("user-1"),
        binding: Binding::Assignment(assignment),
        user: "user-1".to_owned(),
        state: MembershipState::Absent,
        pre_existing: false,
        leases,
        busy_until: None,
        busy_by: None,
        since: at(1),
        version: 1,
    }
}

fn row(membership: &Membership) -> Change {
    change(Row::Membership(Box::new(membership.clone())))
}

async fn membership_is_part_of_its_case(store: &Tried) {
    let membership = a_membership("111122223333", vec![grant_id(1)]);
    let body = Body {
        binding: membership.binding.clone(),
        user: Some(membership.user.clone()),
        ..a_body(1, ALICE, "ic-billing")
    };
    let request = request_of(body);
    store.commit(&filed(&request)).await.unwrap();
    let before = store.case(request.id()).await.unwrap().unwrap();
    assert_eq!(before.membership, None);
    store.commit(&row(&membership)).await.unwrap();
    let case = store.case(request.id()).await.unwrap().unwrap();
    assert_eq!(case.request.as_ref().map(|read| &read.body), Some(&request.body));
    assert!(case.is_bound());
    assert_eq!(case.membership, Some(membership));
}

async fn membership_is_replaced_at_its_version_only(store: &Tried) {
    let first = a_membership("111122223333", vec![grant_id(1)]);
    store.commit(&row(&first)).await.unwrap();
    let second = Membership {
        pre_existing: true,
        busy_until: Some(at(60)),
        busy_by: Some(grant_id(1)),
        ..first.at(at(2), MembershipState::Giving)
    };
    store.commit(&row(&second)).await.unwrap();
    let late = store.commit(&row(&first.at(at(3), MembershipState::Taking))).await;
    assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
    assert_eq!(store.membership(&first.name).await.unwrap(), Some(second));
}

async fn second_membership_of_one_name_conflicts(store: &Tried) {
    let first = a_membership("111122223333", vec![grant_id(1)]);
    store.commit(&row(&first)).await.unwrap();
    let other = store
        .commit(&row(&a_membership("111122223333", vec![grant_id(2)])))
        .await;
    assert!(matches!(other, Err(StoreError::Conflict)), "{other:?}");
    assert_eq!(store.membership(&first.name).await.unwrap(), Some(first));
}

async fn membership_keeps_what_it_is_of(store: &Tried) {
    let first = a_membership("111122223333", vec![grant_id(1)]);
    store.commit(&row(&first)).await.unwrap();
    let other = Membership {
        user: "user-2".to_owned(),
        binding: Binding::Assignment(an_assignment("444455556666")),
        ..first.at(at(2), MembershipState::There)
    };
    store.commit(&row(&other)).await.unwrap();
    let read = store.membership(&first.name).await.unwrap().unwrap();
    assert_eq!((&read.user, &read.binding), (&first.user, &first.binding));
    assert_eq!(read.state, MembershipState::There);
}

/// Through a group, from before, and both at once; the fourth is gone with its end.
async fn access_that_remains_is_counted_once(store: &Tried) {
    for (n, through_group) in [(1, true), (2, false), (3, true), (4, false)] {
        let request = request_of(Body {
            binding: Binding::Assignment(an_assignment(&n.to_string().repeat(12))),
            user: Some("user-1".to_owned()),
            // what somebody writes is no field
            reason: Reason::parse("\"through_group\":true, he said").unwrap(),
            through_group,
            ..a_body(n, ALICE, &format!("target-{n}"))
        });
        store.commit(&filed(&request)).await.unwrap();
        store.commit(&change(Row::Grant(a_grant(n, &request)))).await.unwrap();
    }
    for n in [2, 3] {
        let before = Membership {
            pre_existing: true,
            ..a_membership(&n.to_string().repeat(12), vec![grant_id(n)])
        };
        store.commit(&row(&before)).await.unwrap();
    }
    for scope in [Scope::All, Scope::Person(person(ALICE))] {
        let under = store.open_under(&scope, None, at(0)).await.unwrap();
        assert_eq!((under.grants, under.remaining), (4, 3), "{scope}");
    }
}

async fn memberships_in_use_come_in_pages(store: &Tried) {
    let held = a_membership("111111111111", vec![grant_id(1)]);
    let over = a_membership("222222222222", vec![]);
    let left = Membership {
        state: MembershipState::Taking,
        ..a_membership("333333333333", vec![])
    };
    for one in [&left, &over, &held] {
        store.commit(&row(one)).await.unwrap();
    }
    let page = store.memberships(None, 1).await.unwrap();
    assert_eq!(page, std::slice::from_ref(&held));
    assert_eq!(store.memberships(Some(&held.name), 10).await.unwrap(), [left]);
}

async fn memberships_of_others_are_found_by_their_place(store: &Tried) {
    let of = |account: &str, user: &str, state| Membership {
        name: an_assignment(account).membership(user),
        user: user.to_owned(),
        state,
        ..a_membership(account, vec![])
    };
    let here = "111111111111";
    let (mark, one) = (
        of(here, "", MembershipState::Foreign),
        of(here, "user-1", MembershipState::Foreign),
    );
    let (ours, two) = (
        of(here, "user-2", MembershipState::There),
        of(here, "user-3", MembershipState::Foreign),
    );
    let elsewhere = ["000000000000", "111111111112"].map(|account| of(account, "user-1", MembershipState::Foreign));
    for each in [&mark, &one, &ours, &two].into_iter().chain(&elsewhere) {
        store.commit(&row(each)).await.unwrap();
    }
    let place = an_assignment(here).memberships();
    assert_eq!(mark.name, place);
    let page = store.foreign(&place, None, 1).await.unwrap();
    assert_eq!(page, std::slice::from_ref(&one), "without the mark");
    assert_eq!(store.foreign(&place, Some(&one.name), 10).await.unwrap(), [two]);
}

async fn place_is_known_by_its_last_look(store: &Tried) {
    let [here, there] = ["111111111111", "222222222222"].map(|account| an_assignment(account).memberships());
    assert_eq!(store.looked_at(&here).await.unwrap(), None);
    for second in [1, 2] {
        store.note_looked(&here, at(second)).await.unwrap();
    }
    assert_eq!(store.looked_at(&here).await.unwrap(), Some(at(2)));
    assert_eq!(store.looked_at(&there).await.unwrap(), None);
}
