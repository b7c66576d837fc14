//! The identity providers of this backend, and the sign-ins that are being finished.
//! Owns that one is finished once at a time. Refuses to remember it afterwards: the store does.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use super::device_sign_ins::DeviceSignIns;
use super::on_its_way::Cookies;
use super::relying_party::{RelyingParty, SignInSettings};
use crate::config::SealingKey;
use crate::network::Network;

/// The identity providers of this backend.
pub struct SignIns {
    parties: Vec<RelyingParty>,
    /// What browsers keep meanwhile.
    pub cookies: Cookies,
    finishing: Mutex<HashSet<String>>,
    /// Machines without a browser that wait.
    pub devices: DeviceSignIns,
}

/// A sign-in that is being finished.
pub struct Finishing<'a> {
    all: &'a Mutex<HashSet<String>>,
    state: String,
}

impl SignIns {
    /// With `settings`, over `network`; cookies are sealed under a key made of `key`, for browsers that call `origin`.
    pub fn new(settings: &[SignInSettings], network: &Network, key: &SealingKey, origin: &str) -> Self {
        let party = |one: &SignInSettings| RelyingParty::new(one.clone(), network.clone());
        Self {
            parties: settings.iter().map(party).collect(),
            cookies: Cookies::new(key, origin),
            finishing: Mutex::default(),
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

    /// Begins to finish the sign-in of `state`, unless that is under way: a code is exchanged once.
    pub fn finish(&self, state: &str) -> Option<Finishing<'_>> {
        let mut finishing = self.finishing.lock().unwrap_or_else(PoisonError::into_inner);
        finishing.insert(state.to_owned()).then(|| Finishing {
            all: &self.finishing,
            state: state.to_owned(),
        })
    }
}

impl Drop for Finishing<'_> {
    fn drop(&mut self) {
        let mut finishing = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        finishing.remove(&self.state);
    }
}
