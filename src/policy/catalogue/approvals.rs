//! Whether a workflow can ever be satisfied, and whether one is weaker than another.
//! Owns the counting. Refuses to know where workflows are written.

use std::collections::{BTreeMap, BTreeSet};

use super::Member;
use super::groups::Feed;
use crate::domain::{Stage, Workflow};

/// Why nobody can satisfy `workflow`, if so. One person counts once, in one stage.
/// Who is in a group that a directory feeds is not known here: a stage that such a group may decide can be.
pub(super) fn unsatisfiable(
    workflow: &Workflow,
    groups: &BTreeMap<String, BTreeSet<Member>>,
    feeds: &BTreeMap<String, Feed>,
) -> Option<String> {
    let mut taken: BTreeMap<&Member, usize> = BTreeMap::new();
    let mut wanted: Vec<BTreeSet<&Member>> = Vec::new();
    let is_counted = |stage: &&Stage| !stage.groups.iter().any(|group| feeds.contains_key(group));
    for stage in workflow.stages.iter().filter(is_counted) {
        let people: BTreeSet<&Member> = stage.groups.iter().filter_map(|g| groups.get(g)).flatten().collect();
        if people.len() < stage.approvals as usize {
            return Some(format!(
                "stage `{}` of workflow `{}` wants approvals: {}, its groups have members: {}",
                stage.name,
                workflow.name,
                stage.approvals,
                people.len()
            ));
        }
        for _ in 0..stage.approvals {
            wanted.push(people.clone());
        }
    }
    for seat in 0..wanted.len() {
        if !seated(seat, &wanted, &mut taken, &mut BTreeSet::new()) {
            return Some(format!(
                "the stages of workflow `{}` share too few people: one person counts once, in one stage",
                workflow.name
            ));
        }
    }
    None
}

/// Finds somebody for `seat`, moving others where they have an alternative (bipartite matching).
fn seated<'a>(
    seat: usize,
    wanted: &[BTreeSet<&'a Member>],
    taken: &mut BTreeMap<&'a Member, usize>,
    tried: &mut BTreeSet<&'a Member>,
) -> bool {
    for person in &wanted[seat] {
        if !tried.insert(person) {
            continue;
        }
        let free = match taken.get(person).copied() {
            Some(other) => seated(other, wanted, taken, tried),
            None => true,
        };
        if free {
            taken.insert(person, seat);
            return true;
        }
    }
    false
}

/// The stage of `floor` that `workflow` has no match for: same groups or fewer, as many approvals or more.
pub(super) fn lacking<'a>(workflow: &Workflow, floor: &'a Workflow) -> Option<&'a Stage> {
    let mut used = BTreeSet::new();
    floor.stages.iter().find(|demand| {
        let met = workflow.stages.iter().enumerate().find(|(at, stage)| {
            !used.contains(at)
                && stage.approvals >= demand.approvals
                && stage.groups.iter().all(|group| demand.groups.contains(group))
        });
        match met {
            Some((at, _)) => {
                used.insert(at);
                false
            }
            None => true,
        }
    })
}

/// A stage that waits for itself, through others or not.
pub(super) fn cycle(stages: &[Stage]) -> Option<&Stage> {
    let mut done: BTreeSet<&str> = BTreeSet::new();
    loop {
        let before = done.len();
        for stage in stages {
            if stage.after.iter().all(|name| done.contains(name.as_str())) {
                done.insert(&stage.name);
            }
        }
        if done.len() == before {
            return stages.iter().find(|stage| !done.contains(stage.name.as_str()));
        }
    }
}
