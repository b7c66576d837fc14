//! What a commit leaves for the worker, and how urgent that is.
//! Owns the order: what takes away goes before what gives. Refuses to say how it is done.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::id::{GrantId, PersonId, RequestId};
use super::lock::Scope;

/// Work that a commit leaves for the worker. Stored in the outbox; done at least once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Let a pending request die.
    Expire {
        /// Which.
        request: RequestId,
    },
    /// Ask policy again and enter `granting`.
    Activate {
        /// Which.
        grant: GrantId,
    },
    /// Call the provider and verify.
    Give {
        /// Which.
        grant: GrantId,
    },
    /// End the grant: its time is over. Committed together with `ends_at`: it is the intent to revoke.
    End {
        /// Which.
        grant: GrantId,
    },
    /// Take access away that is no membership: credentials, which are not renewed.
    Take {
        /// Which.
        grant: GrantId,
    },
    /// Let go of a membership: where nobody else holds it, the provider is called to take it away.
    LetGo {
        /// Which.
        grant: GrantId,
    },
    /// Shut out the sessions of a grant that ended early.
    Kill {
        /// Which.
        grant: GrantId,
    },
    /// Stop naming them: the last of them is over by itself.
    Unkill {
        /// Which.
        grant: GrantId,
    },
    /// Tell that a grant ends soon.
    Warn {
        /// Which.
        grant: GrantId,
    },
    /// Find every grant that was there when a lock was set, and have each ended.
    Sweep {
        /// On what.
        scope: Scope,
    },
    /// End one of them.
    Stop {
        /// Which.
        grant: GrantId,
        /// On what the lock was set.
        scope: Scope,
    },
    /// Take away a membership that nobody here gave.
    Oust {
        /// Its name.
        membership: String,
    },
    /// Find every grant of somebody who has left, and have each ended.
    Depart {
        /// Who.
        person: PersonId,
    },
    /// End one of them.
    Recall {
        /// Which.
        grant: GrantId,
    },
}

impl Effect {
    /// The word stored beside it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Expire { .. } => "expire",
            Self::Activate { .. } => "activate",
            Self::Give { .. } => "give",
            Self::End { .. } => "end",
            Self::Take { .. } => "take",
            Self::LetGo { .. } => "let_go",
            Self::Kill { .. } => "kill",
            Self::Unkill { .. } => "unkill",
            Self::Warn { .. } => "warn",
            Self::Sweep { .. } => "sweep",
            Self::Stop { .. } => "stop",
            Self::Oust { .. } => "oust",
            Self::Depart { .. } => "depart",
            Self::Recall { .. } => "recall",
        }
    }

    /// Urgencies of what calls nobody: it waits for nothing but the database.
    pub const AT_ONCE: RangeInclusive<u8> = 0..=2;
    /// Urgencies of what shuts sessions out.
    pub const SHUTTING_OUT: RangeInclusive<u8> = 3..=4;
    /// Urgencies of what a system with a quota takes back.
    pub const LETTING_GO: RangeInclusive<u8> = 5..=5;
    /// Urgencies of what gives something.
    pub const GIVING: RangeInclusive<u8> = 6..=6;
    /// All of them.
    #[cfg(test)]
    pub const ALL: RangeInclusive<u8> = 0..=6;

    /// What is taken away goes before what is given: 0 is first. Ten thousand memberships that a system with a quota takes
    /// back in twenty minutes, and a role that AWS does not let us reach, keep no lock from being carried out, no deadline
    /// from being met and no session from being shut out.
    pub const fn urgency(&self) -> u8 {
        match self {
            Self::Sweep { .. } | Self::Stop { .. } | Self::Depart { .. } | Self::Recall { .. } => 0,
            Self::End { .. } | Self::Take { .. } => 1,
            Self::Expire { .. } | Self::Warn { .. } => 2,
            Self::Kill { .. } => 3,
            Self::Unkill { .. } => 4,
            Self::LetGo { .. } | Self::Oust { .. } => 5,
            Self::Activate { .. } | Self::Give { .. } => 6,
        }
    }

    /// Whether it ends something.
    pub fn is_ending(&self) -> bool {
        !Self::GIVING.contains(&self.urgency())
    }
}
