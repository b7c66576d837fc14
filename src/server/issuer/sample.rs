//! Settings and keys that the tests of this room play with.

use std::sync::Arc;

use super::{IssuerSettings, make};
use crate::config::{IssuerUrl, SealingKey};
use crate::domain::{IssuerKey, Timestamp};
use crate::random::Random;

/// An issuer whose sealing key is 32 times `byte`.
pub fn settings(byte: u8) -> IssuerSettings {
    let url = IssuerUrl::parse("https://jit.acme.example").unwrap();
    IssuerSettings::new(url, Arc::new(SealingKey::new([byte; 32])))
}

/// A new key.
pub fn key(settings: &IssuerSettings, number: u64) -> IssuerKey {
    make(&Random::default(), settings, number, Timestamp::from_millis(0)).unwrap()
}
