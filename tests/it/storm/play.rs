//! Who has what before the storm, what they do in it, and what must be there afterwards.

use super::Deed;
use super::house::{House, PEOPLE, PLACES};

/// What is there before us and is never ours: a person and a place whose fate is `Given`.
pub const PRE_EXISTING: (usize, usize) = (0, 1);
/// One for each person and place.
pub const CELLS: usize = PEOPLE * PLACES;

/// What becomes of somebody's access to one place, which two targets give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// One grant, given back.
    Dropped,
    /// One grant, given.
    Given,
    /// One grant is given back while the other is given.
    Handed,
    /// Two grants, one is given back.
    Kept,
    /// Two grants, both are given back.
    Emptied,
    /// Two grants, both are given.
    Doubled,
    /// One grant, given and given back at once.
    Withdrawn,
}

const FATES: [Fate; 7] = [
    Fate::Dropped,
    Fate::Given,
    Fate::Handed,
    Fate::Kept,
    Fate::Emptied,
    Fate::Doubled,
    Fate::Withdrawn,
];

impl Fate {
    /// Whether the assignment is there before.
    pub fn is_there_before(self) -> bool {
        self.live_before().contains(&true)
    }

    /// Whether it is there afterwards.
    pub fn is_there_after(self) -> bool {
        self.live_after().contains(&true)
    }

    /// Which of the two grants are live before.
    fn live_before(self) -> [bool; 2] {
        match self {
            Self::Dropped | Self::Handed => [true, false],
            Self::Kept | Self::Emptied => [true, true],
            Self::Given | Self::Doubled | Self::Withdrawn => [false, false],
        }
    }

    /// Which are live afterwards.
    fn live_after(self) -> [bool; 2] {
        match self {
            Self::Given => [true, false],
            Self::Handed | Self::Kept => [false, true],
            Self::Doubled => [true, true],
            Self::Dropped | Self::Emptied | Self::Withdrawn => [false, false],
        }
    }
}

/// A request that was filed.
pub struct Asked {
    /// Whose.
    pub person: usize,
    /// Its id.
    pub id: String,
    /// What an approver says yes to.
    pub digest: String,
}

/// One person's access to one place.
pub struct Cell {
    pub person: usize,
    pub place: usize,
    pub fate: Fate,
    /// The requests for the two targets, as far as this fate needs them.
    asked: [Option<Asked>; 2],
}

impl Cell {
    /// Files what its fate needs.
    pub fn file(house: &House, person: usize, place: usize) -> Self {
        let fate = FATES[(person * PLACES + place) % FATES.len()];
        let (before, after) = (fate.live_before(), fate.live_after());
        let asked = [(0, "one"), (1, "two")].map(|(at, word)| {
            let is_used = before[at] || after[at] || (fate == Fate::Withdrawn && at == 0);
            is_used.then(|| house.file(person, &format!("{word}-{place}")))
        });
        Self {
            person,
            place,
            fate,
            asked,
        }
    }

    fn those(&self, which: [bool; 2]) -> impl Iterator<Item = &Asked> {
        let picked = self.asked.iter().zip(which).filter(|(_, is_meant)| *is_meant);
        picked.filter_map(|(asked, _)| asked.as_ref())
    }

    pub fn live_before(&self) -> impl Iterator<Item = &Asked> {
        self.those(self.fate.live_before())
    }

    pub fn live_after(&self) -> impl Iterator<Item = &Asked> {
        self.those(self.fate.live_after())
    }

    /// What is done in the storm.
    pub fn deeds(&self) -> Vec<Deed<'_>> {
        if self.fate == Fate::Withdrawn {
            return self.those([true, false]).map(Deed::Withdraw).collect();
        }
        let (before, after) = (self.fate.live_before(), self.fate.live_after());
        let ends = [before[0] && !after[0], before[1] && !after[1]];
        let begins = [after[0] && !before[0], after[1] && !before[1]];
        let ends = self.those(ends).map(Deed::Drop);
        ends.chain(self.those(begins).map(Deed::Approve)).collect()
    }

    /// Its holder is told the same as is there.
    #[track_caller]
    pub fn is_told(&self, house: &House) {
        for (asked, is_live) in self.asked.iter().zip(self.fate.live_after()) {
            let Some(asked) = asked else { continue };
            let grant = house.grant(asked);
            let wanted = if is_live { "active" } else { "ended" };
            assert_eq!(
                grant["state"], wanted,
                "{:?} of {} in {}: {grant}",
                self.fate, self.person, self.place
            );
        }
    }
}
