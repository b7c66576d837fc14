//! A membership: what somebody has in a system of others for as long as a grant holds a lease on it.
//! Owns whose it is to take away: what was there before us never is, and what another grant holds not yet.

use serde::{Deserialize, Serialize};

use super::id::GrantId;
use super::target::Binding;
use super::time::Timestamp;

/// How a membership stands, as far as we changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MembershipState {
    /// Nothing of ours is there.
    Absent,
    /// The provider is being asked to give it, or was and did not answer: it may be there.
    Giving,
    /// A check found it.
    There,
    /// The provider is being asked to take it away. Nobody may rely on it.
    Taking,
    /// It is there, and not ours: it was when this was first looked at, or before it was asked for. It is never taken away.
    Foreign,
}

impl MembershipState {
    /// As it stands in JSON and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Giving => "giving",
            Self::There => "there",
            Self::Taking => "taking",
            Self::Foreign => "foreign",
        }
    }

    /// Whether something that we made may be there.
    pub const fn may_be_there(self) -> bool {
        match self {
            Self::Giving | Self::There | Self::Taking => true,
            Self::Absent | Self::Foreign => false,
        }
    }
}

/// A membership. Several grants may hold it: of several requests, and of several targets that are bound alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// Its name: one for each user and binding.
    pub name: String,
    /// What is given, as the grant that came first was bound.
    pub binding: Binding,
    /// To whom, as the system knows them.
    pub user: String,
    /// How it stands.
    pub state: MembershipState,
    /// Whether it was there before we were asked. It is never taken away then.
    pub pre_existing: bool,
    /// The grants that hold it, oldest first. It goes when the last one ends.
    pub leases: Vec<GrantId>,
    /// Until when the provider may still act on a call to give or take it: nobody else gives or takes it meanwhile. A call
    /// is bounded, so a worker that died in one is not waited for longer.
    #[serde(default)]
    pub busy_until: Option<Timestamp>,
    /// The grant whose call that is, or was: whoever else comes back says nothing about it. What is being taken away is so
    /// by this one, until it is gone.
    #[serde(default)]
    pub busy_by: Option<GrantId>,
    /// Since when it stands like this.
    pub since: Timestamp,
    /// Version of the row; 1 when new. Whoever joins, leaves, gives or takes changes it, so that two never do so at once.
    pub version: u64,
}

impl Membership {
    /// Whether a grant other than `grant` holds it.
    pub fn is_held_beside(&self, grant: &GrantId) -> bool {
        self.leases.iter().any(|lease| lease != grant)
    }

    /// Whether what somebody saw who began to look at `looked_at` is ours: also what was taken away while they looked.
    pub fn is_ours_since(&self, looked_at: Timestamp) -> bool {
        !self.pre_existing && (self.state.may_be_there() || self.since > looked_at)
    }

    /// Whether a call to give or take it may be under way at `now`.
    pub fn is_busy(&self, now: Timestamp) -> bool {
        self.busy_until.is_some_and(|until| now < until)
    }

    /// Whether the call to give or take it is, or was, that of `grant`.
    pub fn is_called_by(&self, grant: &GrantId) -> bool {
        self.busy_by.as_ref() == Some(grant)
    }

    /// Whether it is being taken away for `grant`, by an effect that goes on until it is.
    pub fn is_taken_for(&self, grant: &GrantId) -> bool {
        self.state == MembershipState::Taking && self.is_called_by(grant)
    }

    /// Whether it is being taken away for no grant: nobody here gave it.
    pub fn is_ousted(&self) -> bool {
        self.state == MembershipState::Taking && self.busy_by.is_none()
    }

    /// Whether something stands in the way of taking it away for `grant`: a call that could give it again, or that another
    /// has begun to take it away.
    pub fn is_in_the_way(&self, now: Timestamp, grant: &GrantId) -> bool {
        match (self.state, &self.busy_by) {
            (MembershipState::Taking, Some(by)) => by != grant,
            (MembershipState::Taking, None)
            | (
                MembershipState::Absent | MembershipState::Giving | MembershipState::There | MembershipState::Foreign,
                _,
            ) => self.is_busy(now),
        }
    }

    /// The same in another state.
    #[must_use]
    pub fn at(&self, now: Timestamp, state: MembershipState) -> Self {
        Self {
            state,
            since: if state == self.state { self.since } else { now },
            version: self.version + 1,
            ..self.clone()
        }
    }

    /// The same with no call under way.
    #[must_use]
    pub fn idle(self) -> Self {
        Self {
            busy_until: None,
            busy_by: None,
            ..self
        }
    }

    /// The same with a call of `grant` under way until `until`.
    #[must_use]
    pub fn called(self, grant: &GrantId, until: Timestamp) -> Self {
        Self {
            busy_until: Some(until),
            busy_by: Some(grant.clone()),
            ..self
        }
    }

    /// The same without the lease of `grant`.
    #[must_use]
    pub fn without(mut self, grant: &GrantId) -> Self {
        self.leases.retain(|lease| lease != grant);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at, binding};
    use super::*;

    #[test]
    fn what_is_taken_away_while_somebody_looks_was_ours() {
        let standing = |state, pre_existing| Membership {
            name: "Admin/1/alice".to_owned(),
            binding: binding(),
            user: "alice".to_owned(),
            state,
            pre_existing,
            leases: Vec::new(),
            busy_until: None,
            busy_by: None,
            since: at(10),
            version: 1,
        };
        let gone = standing(MembershipState::Absent, false);
        assert!(gone.is_ours_since(at(9)), "seen before it went");
        assert!(!gone.is_ours_since(at(10)), "gone by then: it is somebody else's");
        assert!(standing(MembershipState::There, false).is_ours_since(at(20)));
        for state in [MembershipState::There, MembershipState::Absent] {
            assert!(!standing(state, true).is_ours_since(at(9)));
        }
    }
}
