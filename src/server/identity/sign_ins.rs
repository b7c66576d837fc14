//! The identity providers of this backend, and what came of the sign-ins that browsers came back from.
//! Owns that each is finished once in this process, and that whoever asks again is told the same. Refuses to remember it
//! past the end of its cookie: no browser can ask then.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::device_sign_ins::DeviceSignIns;
use super::on_its_way::Cookies;
use super::relying_party::{RelyingParty, SignInSettings};
use crate::config::SealingKey;
use crate::domain::Timestamp;
use crate::network::Network;

/// Whenever so many more are remembered, what is over is forgotten.
const MANY: usize = 256;
/// No more are remembered at once: then those go that would end first. Who asks again after one of those is told that it is over.
const MOST: usize = 8_192;

/// By `state`: where its browser goes, and until when it may ask.
type AllEnded = HashMap<String, (Arc<OnceCell<Ended>>, Timestamp)>;

/// Where a sign-in ends, in the browser.
#[derive(Clone, PartialEq, Eq)]
pub enum Ended {
    /// The person is asked whether it is for their terminal; this cookie keeps who they are meanwhile.
    Asked(String),
    /// It goes on to the terminal, at this address.
    Terminal(String),
    /// The person carries this code there.
    Carried(String),
    /// There is none, for this reason.
    Refused(String),
    /// The person said whether the machine whose code they typed is theirs: whether it is signed in.
    Machine(bool),
}

/// The identity providers of this backend.
pub struct SignIns {
    parties: Vec<RelyingParty>,
    /// What browsers keep meanwhile.
    pub cookies: Cookies,
    ended: Mutex<AllEnded>,
    confirmed: Mutex<AllEnded>,
    /// Machines without a browser that wait.
    pub devices: DeviceSignIns,
}

impl SignIns {
    /// With `settings`, over `network`; cookies are sealed under a key made of `key`, for browsers that call `origin`.
    pub fn new(settings: &[SignInSettings], network: &Network, key: &SealingKey, origin: &str) -> Self {
        let party = |one: &SignInSettings| RelyingParty::new(one.clone(), network.clone());
        Self {
            parties: settings.iter().map(party).collect(),
            cookies: Cookies::new(key, origin),
            ended: Mutex::default(),
            confirmed: Mutex::default(),
            devices: DeviceSignIns::default(),
        }
    }

    /// All of them, as the file has them.
    pub fn parties(&self) -> &[RelyingParty] {
        &self.parties
    }

    /// The one that is named; the only one where none is.
    pub fn party(&self, name: Option<&str>) -> Option<&RelyingParty> {
        match (name, self.parties.as_slice()) {
            (Some(name), all) => all.iter().find(|party| party.name() == name),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// The first one of `issuer`.
    pub fn party_at(&self, issuer: &str) -> Option<&RelyingParty> {
        self.parties.iter().find(|party| party.issuer() == issuer)
    }

    /// What came of the sign-in of `state`, which counts before `until`: where its browser goes, once that is known. A code
    /// is exchanged once, however often a browser brings it.
    pub fn ended(&self, state: &str, now: Timestamp, until: Timestamp) -> Arc<OnceCell<Ended>> {
        once(&self.ended, state, now, until)
    }

    /// The same of what came of the "yes" to it: there is one code, however often it is said.
    pub fn confirmed(&self, state: &str, now: Timestamp, until: Timestamp) -> Arc<OnceCell<Ended>> {
        once(&self.confirmed, state, now, until)
    }
}

fn once(all: &Mutex<AllEnded>, state: &str, now: Timestamp, until: Timestamp) -> Arc<OnceCell<Ended>> {
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    if all.len().is_multiple_of(MANY) {
        all.retain(|_, (_, until)| now < *until);
    }
    if all.len() >= MOST && !all.contains_key(state) {
        let mut ends: Vec<Timestamp> = all.values().map(|(_, until)| *until).collect();
        let (_, middle, _) = ends.select_nth_unstable(MOST / 2);
        let middle = *middle;
        // where all end at once, all of them
        all.retain(|_, (_, until)| *until > middle);
    }
    let (cell, _) = all.entry(state.to_owned()).or_insert_with(|| (Arc::default(), until));
    Arc::clone(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_26_ended_sign_ins_are_bounded() {
        let (all, now) = (Mutex::default(), Timestamp::from_millis(0));
        for n in 0..3 * i64::try_from(MOST).unwrap() {
            let until = Timestamp::from_millis(600_000 + n);
            drop(once(&all, &n.to_string(), now, until));
        }
        let mut left = all.into_inner().unwrap();
        assert!((MOST / 2..=MOST).contains(&left.len()), "{}", left.len());
        assert!(left.remove(&(3 * MOST - 1).to_string()).is_some() && !left.contains_key("0"));
    }
}
