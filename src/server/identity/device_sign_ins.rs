//! Machines without a browser that wait for somebody to sign them in (RFC 8628): in memory, for five minutes.
//! Owns the codes that people type. Refuses to store them: whoever asks is nobody yet, and costs nothing.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::domain::{DeviceId, Duration, Timestamp};
use crate::random::Random;

/// A machine waits so long, in seconds.
pub const LIFE_S: u32 = 300;
/// It asks whether it is signed in no more often than so, in seconds.
pub const INTERVAL_S: u32 = 5;
/// Machines that wait at once; whoever comes then takes the place of one.
const MOST: usize = 1_000;
/// The same from one network, as limits count it; whoever comes then tries again later.
const MOST_OF_NETWORK: usize = 20;

/// A machine that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// What the person types, without the dash.
    pub user_code: String,
    /// SHA-256 of what it signs in with, as codes are kept.
    pub code_hash: String,
    /// Its device.
    pub device: DeviceId,
    /// What it alone can prove to have made (RFC 7636).
    pub challenge: String,
    /// What it calls itself. It may call itself anything.
    pub machine: String,
    /// Where it called from.
    pub address: IpAddr,
    /// When.
    pub asked_at: Timestamp,
    /// It waits before this instant.
    pub until: Timestamp,
}

/// What a machine that asks is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Nothing is known of that code.
    Unknown,
    /// Nobody has signed it in yet.
    Pending,
    /// It asks too often: after so many seconds.
    TooSoon(u32),
    /// Somebody said no.
    Denied,
}

/// What a person said of a machine.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Nothing,
    /// Something that is being stored.
    Something,
    No,
}

struct Entry {
    waiting: Waiting,
    network: IpAddr,
    said: Said,
    asked_at: Option<Timestamp>,
    interval_s: u32,
}

/// All that wait at this process.
#[derive(Default)]
pub struct DeviceSignIns {
    entries: Mutex<HashMap<String, Entry>>,
}

impl DeviceSignIns {
    /// Has a machine wait; none where too many of its network do. Where too many do in all, one of the network that has most
    /// waits no longer, the oldest of them: who asks from many places keeps nobody out.
    pub fn begin(&self, random: &Random, now: Timestamp, asks: Asks) -> Option<Waiting> {
        let mut entries = self.lock(now);
        let of_network = entries.values().filter(|entry| entry.network == asks.network);
        if of_network.count() >= MOST_OF_NETWORK {
            return None;
        }
        if entries.len() >= MOST {
            give_up_one(&mut entries);
        }
        let user_code = random.user_code();
        if entries.contains_key(&user_code) {
            return None;
        }
        let waiting = Waiting {
            user_code: user_code.clone(),
            code_hash: asks.code_hash,
            device: asks.device,
            challenge: asks.challenge,
            machine: asks.machine,
            address: asks.address,
            asked_at: now,
            until: now.plus(Duration::from_secs(LIFE_S).ok()?),
        };
        let entry = Entry {
            waiting: waiting.clone(),
            network: asks.network,
            said: Said::Nothing,
            asked_at: None,
            interval_s: INTERVAL_S,
        };
        entries.insert(user_code, entry);
        Some(waiting)
    }

    /// The one whose code was typed so, while nobody has answered it.
    pub fn typed(&self, typed: &str, now: Timestamp) -> Option<Waiting> {
        let entries = self.lock(now);
        let entry = entries
            .get(&as_typed(typed))
            .filter(|entry| entry.said == Said::Nothing)?;
        Some(entry.waiting.clone())
    }

    /// What a machine is told that asks with the code of `code_hash`, from `device`. One that asks too often has to wait
    /// longer from then on (RFC 8628, section 3.5).
    pub fn asked(&self, code_hash: &str, device: &DeviceId, now: Timestamp) -> Asked {
        let mut entries = self.lock(now);
        let is_it = |entry: &&mut Entry| entry.waiting.code_hash == code_hash && entry.waiting.device == *device;
        let Some(entry) = entries.values_mut().find(is_it) else {
            return Asked::Unknown;
        };
        if entry.said == Said::No {
            return Asked::Denied;
        }
        let before = entry.asked_at.replace(now);
        if before.is_some_and(|before| now.since(before) + 1 < entry.interval_s) {
            entry.interval_s = (entry.interval_s + INTERVAL_S).min(60);
            return Asked::TooSoon(entry.interval_s);
        }
        Asked::Pending
    }

    /// The one that somebody says yes or no to, while nobody else does: the first of two answers counts.
    pub fn answer(&self, user_code: &str, now: Timestamp) -> Option<Waiting> {
        let mut entries = self.lock(now);
        let entry = entries.get_mut(user_code).filter(|entry| entry.said == Said::Nothing)?;
        entry.said = Said::Something;
        Some(entry.waiting.clone())
    }

    /// Somebody said no.
    pub fn deny(&self, user_code: &str, now: Timestamp) {
        self.says(user_code, now, Said::No);
    }

    /// What somebody said could not be stored.
    pub fn wait_on(&self, user_code: &str, now: Timestamp) {
        self.says(user_code, now, Said::Nothing);
    }

    fn says(&self, user_code: &str, now: Timestamp, said: Said) {
        if let Some(entry) = self.lock(now).get_mut(user_code) {
            entry.said = said;
        }
    }

    /// It is signed in.
    pub fn done(&self, user_code: &str, now: Timestamp) {
        self.lock(now).remove(user_code);
    }

    /// All that still wait.
    fn lock(&self, now: Timestamp) -> MutexGuard<'_, HashMap<String, Entry>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, entry| now < entry.waiting.until);
        entries
    }
}

fn give_up_one(entries: &mut HashMap<String, Entry>) {
    let mut counts: HashMap<IpAddr, usize> = HashMap::new();
    for entry in entries.values() {
        *counts.entry(entry.network).or_default() += 1;
    }
    let weight = |entry: &Entry| (counts.get(&entry.network), Reverse(entry.waiting.asked_at));
    let heaviest = entries.iter().max_by_key(|(_, entry)| weight(entry));
    if let Some(code) = heaviest.map(|(code, _)| code.clone()) {
        entries.remove(&code);
    }
}

/// A machine that asks to be signed in.
pub struct Asks {
    /// SHA-256 of what it signs in with.
    pub code_hash: String,
    /// Its device.
    pub device: DeviceId,
    /// What it alone can prove to have made.
    pub challenge: String,
    /// What it calls itself.
    pub machine: String,
    /// Where it calls from.
    pub address: IpAddr,
    /// What limits count that as.
    pub network: IpAddr,
}

/// As people type it.
fn as_typed(text: &str) -> String {
    let kept = text.chars().filter(char::is_ascii_alphabetic).take(32);
    kept.map(|c| c.to_ascii_uppercase()).collect()
}

impl Waiting {
    /// The code as it is shown.
    pub fn shown_code(&self) -> String {
        let (front, back) = self.user_code.split_at_checked(4).unwrap_or((&self.user_code, ""));
        format!("{front}-{back}")
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    fn asks(hash: &str, last: u8) -> Asks {
        Asks {
            code_hash: hash.to_owned(),
            device: DeviceId::parse(&"d".repeat(43)).unwrap(),
            challenge: "c".to_owned(),
            machine: "m".to_owned(),
            address: Ipv4Addr::new(127, 0, 0, last).into(),
            network: Ipv4Addr::new(127, 0, 0, last).into(),
        }
    }

    #[test]
    fn machine_waits_until_its_time_is_over() {
        let (all, random) = (DeviceSignIns::default(), Random::default());
        let one = all.begin(&random, at(0), asks("h", 1)).unwrap();
        let typed = format!(" {} ", one.shown_code().to_lowercase());
        assert_eq!(all.typed(&typed, at(299)), Some(one.clone()));
        assert_eq!(all.typed(&typed, at(300)), None);
        assert_eq!(all.asked("h", &one.device, at(300)), Asked::Unknown);
    }

    #[test]
    fn machine_that_asks_too_often_waits_longer() {
        let (all, random) = (DeviceSignIns::default(), Random::default());
        let one = all.begin(&random, at(0), asks("h", 1)).unwrap();
        let asked = |second| all.asked("h", &one.device, at(second));
        assert_eq!(asked(5), Asked::Pending);
        assert_eq!(asked(10), Asked::Pending);
        assert_eq!(asked(11), Asked::TooSoon(10));
        assert_eq!(asked(16), Asked::TooSoon(15));
        assert_eq!(asked(31), Asked::Pending);
        let other = DeviceId::parse(&"e".repeat(43)).unwrap();
        assert_eq!(all.asked("h", &other, at(40)), Asked::Unknown);
        // of two answers the first counts; one that was not stored is no answer
        assert!(all.answer(&one.user_code, at(40)).is_some());
        assert_eq!(all.answer(&one.user_code, at(40)), None);
        assert_eq!(all.typed(&one.user_code, at(40)), None);
        all.wait_on(&one.user_code, at(40));
        assert!(all.answer(&one.user_code, at(41)).is_some());
        all.deny(&one.user_code, at(41));
        assert_eq!(asked(50), Asked::Denied);
        assert_eq!(all.typed(&one.user_code, at(50)), None);
    }

    #[test]
    fn attack_26_machines_that_wait_are_bounded() {
        let (all, random) = (DeviceSignIns::default(), Random::default());
        let begun = |last, many: usize| {
            let each = (0..many).filter_map(|n| all.begin(&random, at(0), asks(&format!("{last}-{n}"), last)));
            each.count()
        };
        assert_eq!(begun(1, 30), MOST_OF_NETWORK);
        let others: usize = (2..=60).map(|last| begun(last, 20)).sum();
        assert_eq!(others, 59 * 20);
        assert_eq!(all.lock(at(0)).len(), MOST);
    }

    #[test]
    fn attack_26_one_network_of_ipv6_waits_as_one() {
        let (all, random) = (DeviceSignIns::default(), Random::default());
        // two addresses of one network, as who counts says it
        let from = |bits: u128| Asks {
            address: Ipv6Addr::from_bits((0x2001_0db8 << 96) + bits).into(),
            network: Ipv6Addr::from_bits((0x2001_0db8 << 96) + (bits >> 64 << 64)).into(),
            ..asks("h", 1)
        };
        let begun = (0..21).filter_map(|host| all.begin(&random, at(0), from(host)));
        assert_eq!(begun.count(), MOST_OF_NETWORK);
        assert!(all.begin(&random, at(0), from(1 << 64)).is_some());
    }

    #[test]
    fn attack_26_machine_of_a_quiet_network_waits_on_in_a_crowd() {
        let (all, random) = (DeviceSignIns::default(), Random::default());
        let honest = all.begin(&random, at(0), asks("h", 1)).unwrap();
        let of_crowd = |last: u8, n: i64| all.begin(&random, at(n), asks(&format!("{last}-{n}"), last));
        let first = of_crowd(2, 1).unwrap();
        for last in 2..=60 {
            for n in 2..=20 {
                of_crowd(last, n).unwrap();
            }
        }
        assert_eq!(all.typed(&honest.user_code, at(21)), Some(honest));
        assert_eq!(all.typed(&first.user_code, at(21)), None);
        assert!(all.begin(&random, at(21), asks("h2", 61)).is_some());
    }
}
