//! The life of the keys that we sign with as issuer: made, published, in use, retired, removed.
//! Owns when each step is due, from the keys and the time alone. Refuses every other input.

use super::id::KeyId;
use super::issuer_key::IssuerKey;
use super::time::{Duration, Timestamp};

/// A key is published this long before it signs: whoever keeps a copy of our keys has it by then. In seconds.
pub const AHEAD_S: i64 = 24 * 3600;
/// The next key is made this long before it is to take over: a day to be published, a day to be known. In seconds.
pub const LEAD_S: i64 = 2 * AHEAD_S;
/// No key is used for less: the next one is made and known before. In seconds.
pub const SHORTEST_PERIOD_S: u32 = 3 * 86_400;
/// A token lives this long. In seconds.
pub const TOKEN_S: u32 = 120;
/// A key stays published this long after its last token: for clocks that are behind ours. In seconds.
pub const AFTER_S: i64 = 300;

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Made, and not seen published so far.
    Made,
    /// Published, and not long enough to sign.
    Published,
    /// What signs now.
    InUse,
    /// It signed, and stays published until its last token is over.
    Retired,
    /// Gone.
    Removed,
}

impl KeyState {
    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Published => "published",
            Self::InUse => "in use",
            Self::Retired => "retired",
            Self::Removed => "removed",
        }
    }
}

/// What is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// Make the next key.
    Make,
    /// This key signs nothing any more.
    Retire(KeyId),
    /// Nobody needs this key any more.
    Remove(KeyId),
}

/// What signs, or will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signs<'a> {
    /// This key, now.
    Now(&'a IssuerKey),
    /// This key, from then on.
    From(&'a IssuerKey, Timestamp),
    /// This key, so many seconds after it is seen published.
    OnceSeen(&'a IssuerKey, i64),
    /// A key that is not made yet, as soon as it is seen published.
    NextMade,
}

/// All keys of a store, as the issuer at one address sees them.
#[derive(Clone, Copy, Debug)]
pub struct KeyLife<'a> {
    issuer: &'a str,
    keys: &'a [IssuerKey],
}

fn later(at: Timestamp, secs: i64) -> Timestamp {
    Timestamp::from_millis(at.millis().saturating_add(secs * 1000))
}

impl<'a> KeyLife<'a> {
    /// The life of `keys` for the issuer at the address `issuer`.
    pub const fn new(issuer: &'a str, keys: &'a [IssuerKey]) -> Self {
        Self { issuer, keys }
    }

    fn is_ours(&self, key: &IssuerKey) -> bool {
        key.issuer == self.issuer
    }

    /// Whether `key` signs now or may come to it.
    fn may_sign(&self, key: &IssuerKey) -> bool {
        self.is_ours(key) && key.retired_at.is_none() && key.removed_at.is_none()
    }

    /// Whether no other key could have signed when `key` was made. Nobody can hold an older copy of our keys that
    /// works without it, so there is nothing to wait for.
    fn is_first(&self, key: &IssuerKey) -> bool {
        let ended = |other: &IssuerKey| match (other.retired_at, other.removed_at) {
            (Some(retired), Some(removed)) => Some(retired.min(removed)),
            (retired, removed) => retired.or(removed),
        };
        let stood = |other: &IssuerKey| {
            other.issuer == key.issuer && other.number < key.number && ended(other).is_none_or(|at| at > key.made_at)
        };
        !self.keys.iter().any(stood)
    }

    /// How long `key` is to be known before it signs, in seconds.
    fn ahead(&self, key: &IssuerKey) -> i64 {
        if self.is_first(key) { 0 } else { AHEAD_S }
    }

    /// From when on `key` may sign; none while nobody has seen it published.
    pub fn usable_from(&self, key: &IssuerKey) -> Option<Timestamp> {
        key.published_at.map(|published| later(published, self.ahead(key)))
    }

    /// The keys that could sign at `now`.
    fn usable(self, now: Timestamp) -> impl Iterator<Item = &'a IssuerKey> {
        let is_usable =
            move |key: &&IssuerKey| self.may_sign(key) && self.usable_from(key).is_some_and(|from| from <= now);
        self.keys.iter().filter(is_usable)
    }

    /// The key that signs at `now`: the oldest of those that could. The next one takes over once it is retired.
    pub fn signing(&self, now: Timestamp) -> Option<&'a IssuerKey> {
        self.usable(now).min_by_key(|key| key.number)
    }

    /// The key that is to sign next, where one was made already.
    pub fn next(&self, now: Timestamp) -> Option<&'a IssuerKey> {
        let after = self.signing(now).map_or(0, |key| key.number);
        let waits = |key: &&IssuerKey| self.may_sign(key) && key.number > after;
        self.keys.iter().filter(waits).max_by_key(|key| key.number)
    }

    /// What signs at `now`, or will.
    pub fn signs(&self, now: Timestamp) -> Signs<'a> {
        if let Some(key) = self.signing(now) {
            return Signs::Now(key);
        }
        let Some(next) = self.next(now) else {
            return Signs::NextMade;
        };
        match self.usable_from(next) {
            Some(from) => Signs::From(next, from),
            None => Signs::OnceSeen(next, self.ahead(next)),
        }
    }

    /// The keys that everybody has to be able to fetch: also those whose tokens may still be good.
    pub fn to_publish(self) -> impl Iterator<Item = &'a IssuerKey> {
        self.keys
            .iter()
            .filter(move |key| self.is_ours(key) && key.removed_at.is_none())
    }

    /// Where `key` is in its life at `now`.
    pub fn state(&self, now: Timestamp, key: &IssuerKey) -> KeyState {
        let signing = self.signing(now).map(|signing| signing.number);
        if key.removed_at.is_some() {
            KeyState::Removed
        } else if !self.may_sign(key) || signing.is_some_and(|signing| signing > key.number) {
            KeyState::Retired
        } else if signing == Some(key.number) {
            KeyState::InUse
        } else if key.published_at.is_some() {
            KeyState::Published
        } else {
            KeyState::Made
        }
    }

    /// When `key` was, or will be, used for `period`; none while it cannot sign.
    pub fn use_ends(&self, key: &IssuerKey, period: Duration) -> Option<Timestamp> {
        if !self.may_sign(key) {
            return key.retired_at;
        }
        self.usable_from(key).map(|from| from.plus(period))
    }

    /// When nobody needs `key` any more; none before it is retired.
    pub fn removable_from(key: &IssuerKey) -> Option<Timestamp> {
        key.retired_at
            .map(|retired| later(retired, i64::from(TOKEN_S) + AFTER_S))
    }

    /// The keys that wait their time: a look that does not find one of them begins it anew.
    pub fn waiting(self, now: Timestamp) -> impl Iterator<Item = &'a IssuerKey> {
        let signing = self.signing(now).map(|key| key.number);
        let waits = move |key: &&IssuerKey| self.may_sign(key) && Some(key.number) != signing;
        self.keys.iter().filter(waits)
    }

    /// What is due at `now` where a key is to be used for `period`, and `seen` are the keys that the last look found
    /// published: none other takes over.
    pub fn due(&self, now: Timestamp, period: Duration, seen: &[KeyId]) -> Vec<Due> {
        let mut due = Vec::new();
        if self.is_next_due(now, period) {
            due.push(Due::Make);
        }
        let successors = self.usable(now).filter(|key| seen.contains(&key.id));
        let successor = successors.map(|key| key.number).max().unwrap_or(0);
        for key in self.keys.iter().filter(|key| key.removed_at.is_none()) {
            let is_over = !self.is_ours(key) || key.number < successor;
            match Self::removable_from(key) {
                None if is_over => due.push(Due::Retire(key.id.clone())),
                Some(from) if from <= now => due.push(Due::Remove(key.id.clone())),
                _ => {}
            }
        }
        due
    }

    fn is_next_due(&self, now: Timestamp, period: Duration) -> bool {
        // one that waits is enough, however short the period
        if self.waiting(now).next().is_some() {
            return false;
        }
        let Some(signing) = self.signing(now) else { return true };
        self.usable_from(signing)
            .is_some_and(|from| later(from.plus(period), -LEAD_S) <= now)
    }
}

#[cfg(test)]
mod tests;
