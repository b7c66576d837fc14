//! People and groups as a directory pushes them: who is there, who is in which group, and since when that counts.
//! Owns how long a membership has counted. Refuses names and mail as identity: somebody is joined by their issuer's subject.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::change::{Actor, Change, Effect, Row};
use super::id::PersonId;
use super::person::Session;
use super::time::Timestamp;

/// Groups in groups count up to this many levels.
pub const DEPTH: usize = 5;

/// Somebody, as a directory has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryUser {
    /// The directory.
    pub source: String,
    /// Our id of them; random.
    pub id: String,
    /// The subject by which their issuer names them; who has none is nobody here.
    pub external_id: Option<String>,
    /// As the directory calls them: unique in it, whatever its case.
    pub user_name: String,
    /// Whether they are still there.
    pub active: bool,
    /// Name, display name and mail: shown, never compared.
    pub details: Map<String, Value>,
    /// When they came.
    pub created_at: Timestamp,
    /// When they were changed last.
    pub changed_at: Timestamp,
    /// Since when they are joined by that subject.
    pub joined_at: Timestamp,
    /// When they came back after having left.
    pub returned_at: Option<Timestamp>,
    /// When they were deleted.
    pub deleted_at: Option<Timestamp>,
    /// Version of the row; 1 when new.
    pub version: u64,
}

impl DirectoryUser {
    /// Whether they may do anything.
    pub fn is_there(&self) -> bool {
        self.active && self.deleted_at.is_none()
    }

    /// That whoever was joined by `self` has left, where `next` in its place joins somebody else or nobody: they are known
    /// to have left, as who was deleted is, until the directory says otherwise. `id` is of this row.
    pub fn left_behind(&self, next: &Self, id: String) -> Option<Self> {
        let is_other = self.external_id.is_some() && self.external_id != next.external_id;
        is_other.then(|| Self {
            id,
            active: false,
            details: Map::new(),
            changed_at: next.changed_at,
            deleted_at: Some(next.changed_at),
            version: 1,
            ..self.clone()
        })
    }

    /// Nothing that they are in counts from before this.
    pub fn counts_since(&self) -> Timestamp {
        self.returned_at
            .map_or(self.joined_at, |returned| returned.max(self.joined_at))
    }
}

/// A group, as a directory has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryGroup {
    /// The directory.
    pub source: String,
    /// Our id of it; random.
    pub id: String,
    /// The directory's own.
    pub external_id: Option<String>,
    /// Its name: unique in the directory, whatever its case.
    pub name: String,
    /// When it came.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// Since when it is called by that name and that id.
    pub named_at: Timestamp,
    /// Whether it is gone.
    pub deleted_at: Option<Timestamp>,
    /// Version of the row; 1 when new. Every change of its members is one of it.
    pub version: u64,
}

/// Who or what is in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryMember {
    /// Our id of the person or group.
    pub id: String,
    /// Whether it is a group.
    pub is_group: bool,
    /// Since when.
    pub since: Timestamp,
}

/// A change of who is in a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembersChange {
    /// The group.
    pub group: String,
    /// Who joins; who is in it already stays since then.
    pub added: Vec<DirectoryMember>,
    /// Who leaves.
    pub removed: Vec<String>,
}

/// A group that somebody is in, directly or through other groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldGroup {
    /// The directory.
    pub source: String,
    /// The directory's own id of it.
    pub external_id: Option<String>,
    /// Its name; none where the directory may not give it.
    pub name: Option<String>,
    /// Since when.
    pub since: Timestamp,
}

/// What directories know of somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Whether they are still there. Whom no directory knows is.
    pub active: bool,
    /// When they came back after having left: sessions from before that do not count.
    pub returned_at: Option<Timestamp>,
    /// Their groups.
    pub held: Vec<HeldGroup>,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            active: true,
            returned_at: None,
            held: Vec::new(),
        }
    }
}

impl Known {
    /// Whether `session` counts.
    pub fn lets_in(&self, session: &Session) -> bool {
        self.active && self.returned_at.is_none_or(|returned| session.created_at >= returned)
    }
}

/// The groups above somebody, level by level, each since the earliest instant at which an unbroken way led to it.
#[derive(Debug, Default)]
pub struct Ascent {
    found: BTreeMap<String, (DirectoryGroup, Timestamp)>,
}

impl Ascent {
    /// Takes what is directly above `below`, which has counted since `since`; gives those that are to be looked above next.
    pub fn step(&mut self, since: Timestamp, above: &[(DirectoryGroup, Timestamp)]) -> Vec<(String, Timestamp)> {
        let mut next = Vec::new();
        for (group, joined) in above {
            let counts = since.max(*joined).max(group.named_at);
            let known = self.found.get(&group.id).map(|(_, since)| *since);
            if known.is_none_or(|known| counts < known) {
                self.found.insert(group.id.clone(), (group.clone(), counts));
                next.push((group.id.clone(), counts));
            }
        }
        next
    }

    /// All of them.
    pub fn groups(self) -> impl Iterator<Item = (DirectoryGroup, Timestamp)> {
        self.found.into_values()
    }
}

/// Somebody who loses what they have here.
#[derive(Clone, Debug)]
pub struct Bound {
    /// Who they are here.
    pub person: PersonId,
    /// Their sessions that are not over.
    pub sessions: Vec<Session>,
}

/// The subjects of those who lose what they have here once `next` stands in the place of `before`: who left, and who is not
/// meant any more.
pub fn losers<'a>(before: Option<&'a DirectoryUser>, next: &'a DirectoryUser) -> Vec<&'a str> {
    let is_other = before.is_none_or(|before| before.external_id != next.external_id);
    let was = before.filter(|before| before.is_there() && (is_other || !next.is_there()));
    let is = Some(next).filter(|next| is_other && !next.is_there());
    let subjects = was.into_iter().chain(is).filter_map(|user| user.external_id.as_deref());
    subjects.collect()
}

/// `next` in the place of `before`, by its directory, with `others`. Of `bound`, who lose what they have, the sessions end at
/// once, and the grants as soon as the worker comes by.
pub fn user_changed(
    now: Timestamp,
    before: Option<&DirectoryUser>,
    next: DirectoryUser,
    bound: &[Bound],
    others: Vec<Row>,
) -> Change {
    let kind = match before {
        None => "directory.user_created",
        Some(_) if next.deleted_at.is_some() => "directory.user_deleted",
        Some(_) => "directory.user_changed",
    };
    let actor = Actor::Directory(next.source.clone());
    let mut rows = vec![Row::DirectoryUser(Box::new(next))];
    rows.extend(others);
    let mut effects = Vec::new();
    for one in bound {
        let ended = one.sessions.iter().map(|session| Session {
            ended_at: Some(now),
            version: session.version + 1,
            ..session.clone()
        });
        rows.extend(ended.map(Row::Session));
        let person = one.person.clone();
        effects.push((now, Effect::Depart { person }));
    }
    let left: Vec<&PersonId> = bound.iter().map(|one| &one.person).collect();
    let details = json!({ "left": left });
    let mut change = Change::new(now, kind, actor, None, rows, details);
    change.effects = effects;
    change
}

/// `next` as it shall stand, with `members`, by its directory; `others` are rows of the groups that a deleted one was in.
pub fn group_changed(
    now: Timestamp,
    is_new: bool,
    next: DirectoryGroup,
    members: MembersChange,
    others: Vec<Row>,
) -> Change {
    let kind = match (is_new, next.deleted_at) {
        (true, _) => "directory.group_created",
        (false, Some(_)) => "directory.group_deleted",
        (false, None) => "directory.group_changed",
    };
    let actor = Actor::Directory(next.source.clone());
    let mut rows = vec![Row::DirectoryGroup(Box::new(next))];
    if !members.added.is_empty() || !members.removed.is_empty() {
        rows.push(Row::DirectoryMembers(Box::new(members)));
    }
    rows.extend(others);
    Change::new(now, kind, actor, None, rows, json!({}))
}

/// What makes `wanted` of `present`.
pub fn members_changed(
    now: Timestamp,
    group: &str,
    present: &[DirectoryMember],
    wanted: &BTreeMap<String, bool>,
) -> MembersChange {
    let there: BTreeSet<&str> = present.iter().map(|member| member.id.as_str()).collect();
    let joins = wanted.iter().filter(|(id, _)| !there.contains(id.as_str()));
    let leaves = present.iter().filter(|member| !wanted.contains_key(&member.id));
    MembersChange {
        group: group.to_owned(),
        added: joins
            .map(|(id, is_group)| DirectoryMember {
                id: id.clone(),
                is_group: *is_group,
                since: now,
            })
            .collect(),
        removed: leaves.map(|member| member.id.clone()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::samples::at;

    fn group(id: &str, named_at: i64) -> DirectoryGroup {
        DirectoryGroup {
            source: "acme".into(),
            id: id.into(),
            external_id: None,
            name: id.into(),
            created_at: at(0),
            changed_at: at(0),
            named_at: at(named_at),
            deleted_at: None,
            version: 1,
        }
    }

    fn since(ascent: Ascent) -> Vec<(String, Timestamp)> {
        ascent.groups().map(|(group, since)| (group.id, since)).collect()
    }

    #[test]
    fn membership_counts_since_the_last_link_of_the_first_way() {
        let mut ascent = Ascent::default();
        let next = ascent.step(at(5), &[(group("a", 0), at(10)), (group("b", 0), at(2))]);
        assert_eq!(next, [("a".into(), at(10)), ("b".into(), at(5))]);
        assert_eq!(
            ascent.step(at(10), &[(group("top", 0), at(1))]),
            [("top".into(), at(10))]
        );
        // a way that is older counts instead; one that is younger changes nothing
        assert_eq!(ascent.step(at(5), &[(group("top", 0), at(7))]), [("top".into(), at(7))]);
        assert_eq!(ascent.step(at(5), &[(group("top", 0), at(9))]), []);
        let all = [("a".into(), at(10)), ("b".into(), at(5)), ("top".into(), at(7))];
        assert_eq!(since(ascent), all);
    }

    #[test]
    fn group_that_was_renamed_counts_since_then() {
        let mut ascent = Ascent::default();
        ascent.step(at(0), &[(group("a", 30), at(10))]);
        assert_eq!(since(ascent), [("a".into(), at(30))]);
    }

    #[test]
    fn circle_of_groups_comes_to_an_end() {
        let mut ascent = Ascent::default();
        ascent.step(at(0), &[(group("a", 0), at(1))]);
        ascent.step(at(1), &[(group("b", 0), at(2))]);
        assert_eq!(ascent.step(at(2), &[(group("a", 0), at(0))]), []);
    }

    #[test]
    fn members_that_stay_keep_since_when_they_are_in() {
        let present = ["a", "b"].map(|id| DirectoryMember {
            id: id.into(),
            is_group: false,
            since: at(1),
        });
        let wanted = BTreeMap::from([("b".to_owned(), false), ("c".to_owned(), true)]);
        let change = members_changed(at(9), "g", &present, &wanted);
        assert_eq!(change.removed, ["a"]);
        let joined: Vec<_> = change
            .added
            .iter()
            .map(|one| (one.id.as_str(), one.is_group, one.since))
            .collect();
        assert_eq!(joined, [("c", true, at(9))]);
    }
}
