//! Identities of one human count as one: for no-self, and for who has decided already.

use super::apply;
use super::table::{cell, pending};
use crate::domain::case::Case;
use crate::domain::event::{Event, Vote};
use crate::domain::samples::{at, person, stage, vote};
use crate::domain::workload::Behind;

fn by(case: &Case, who: u64, same: &[u64]) -> Event {
    let digest = case.request.as_ref().unwrap().digest.clone();
    Event::Decide(Box::new(Vote {
        same_human: same.iter().copied().map(person).collect(),
        ..vote(who, &digest, 7)
    }))
}

#[test]
fn attack_03_second_identity_of_who_asks_decides_nothing() {
    let case = pending(stage("team", 1, &[]));
    // person 1 asks and benefits
    assert_eq!(
        cell(apply(at(0), &case, &by(&case, 5, &[4, 1]))),
        "no: policy.own_request"
    );
    assert_eq!(
        cell(apply(at(0), &case, &by(&case, 5, &[4]))),
        "approved scheduled +activate"
    );
}

#[test]
fn attack_03_second_identity_of_who_started_a_job_decides_nothing() {
    let mut case = pending(stage("team", 1, &[]));
    let decides = |case: &Case, behind: Behind| {
        let Event::Decide(vote) = by(case, 5, &[4]) else {
            panic!("a vote")
        };
        cell(apply(at(0), case, &Event::Decide(Box::new(Vote { behind, ..*vote }))))
    };
    assert_eq!(decides(&case, Behind::Known(vec![person(4)])), "no: policy.own_request");
    assert_eq!(
        decides(&case, Behind::Known(vec![person(6)])),
        "approved scheduled +activate"
    );
    // whose it was when it was filed counts as well, whoever it is now
    case.request.as_mut().unwrap().frozen.started_by = vec![person(4)];
    assert_eq!(decides(&case, Behind::Nobody), "no: policy.own_request");
}

#[test]
fn attack_03_two_identities_of_one_approver_are_one_vote() {
    let mut case = pending(stage("team", 2, &[]));
    let first = apply(at(0), &case, &by(&case, 5, &[6])).unwrap();
    case.request = first.request().cloned();
    case.decisions = first
        .rows
        .iter()
        .filter_map(|row| match row {
            crate::domain::change::Row::Decision(decision) => Some(decision.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(case.decisions.len(), 1);
    let second = cell(apply(at(1), &case, &by(&case, 6, &[5])));
    assert_eq!(second, "no: request.already_decided");
    assert_eq!(
        cell(apply(at(1), &case, &by(&case, 7, &[]))),
        "approved scheduled +activate"
    );
}
