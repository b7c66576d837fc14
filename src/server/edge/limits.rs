//! How often and how much somebody may call. Refuses to remember who has been quiet, and more than a fixed number.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use crate::domain::{PersonId, Timestamp};

/// Waits of one person at the same time.
pub const MOST_WAITS: u32 = 50;
/// Open requests of one person.
pub const MOST_OPEN_REQUESTS: u32 = 20;
/// Wrong codes from one network within [`CODE_WINDOW_MS`].
const MOST_WRONG_CODES: u32 = 5;
const CODE_WINDOW_MS: i64 = 60_000;
/// The same of codes that identity providers refused. Nobody guesses them: this is how often a network has us call one for
/// nothing, and few enough that no provider minds.
const MOST_REFUSED_CODES: u32 = 20;
/// Calls a second, and how many may be saved up.
const CALLS_PER_S: i64 = 100;
const MOST_SAVED_CALLS: i64 = 500;
/// Callers and networks that are remembered at once. Beyond it those who have been quiet are forgotten; where
/// nobody has, those are who did least, which lets each of them call a little more.
const MOST_REMEMBERED: usize = 50_000;

#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// Thousandths of a call.
    saved: i64,
    at_ms: i64,
}

/// By network: how many, and since when.
type Counts = Mutex<HashMap<IpAddr, (u32, i64)>>;

/// Who may call how often.
#[derive(Debug, Default)]
pub struct Limits {
    calls: Mutex<HashMap<String, Bucket>>,
    waits: Mutex<HashMap<PersonId, u32>>,
    wrong_codes: Counts,
    refused_codes: Counts,
}

/// One wait that counts while it is held.
#[derive(Debug)]
pub struct Waiting<'a> {
    limits: &'a Limits,
    person: PersonId,
}

impl Limits {
    /// Counts a call of `who`.
    ///
    /// # Errors
    /// Seconds to wait before the next one.
    pub fn call(&self, who: &str, now: Timestamp) -> Result<(), u32> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let full = MOST_SAVED_CALLS * 1000;
        if calls.len() >= MOST_REMEMBERED && !calls.contains_key(who) {
            calls.retain(|_, b| {
                b.saved
                    .saturating_add((now.millis() - b.at_ms).saturating_mul(CALLS_PER_S))
                    < full
            });
            // a sweep that frees little would come back with every call: those go that have most left
            if calls.len() > MOST_REMEMBERED / 2 {
                let mut all: Vec<(String, Bucket)> = calls.drain().collect();
                all.sort_unstable_by_key(|(_, bucket)| bucket.saved);
                all.truncate(MOST_REMEMBERED / 2);
                calls.extend(all);
            }
        }
        let bucket = calls.entry(who.to_owned()).or_insert(Bucket {
            saved: full,
            at_ms: now.millis(),
        });
        let gained = (now.millis() - bucket.at_ms).max(0).saturating_mul(CALLS_PER_S);
        bucket.saved = bucket.saved.saturating_add(gained).min(full);
        bucket.at_ms = now.millis();
        if bucket.saved < 1000 {
            return Err(1);
        }
        bucket.saved -= 1000;
        Ok(())
    }

    /// Counts a call from `address` of whoever is nobody yet.
    ///
    /// # Errors
    /// Seconds to wait before the next one.
    pub fn call_from(&self, address: IpAddr, now: Timestamp) -> Result<(), u32> {
        self.call(&network(address).to_string(), now)
    }

    /// The same of whoever signs in there, apart from those who try tokens.
    ///
    /// # Errors
    /// Seconds to wait before the next one.
    pub fn sign_in_from(&self, address: IpAddr, now: Timestamp) -> Result<(), u32> {
        self.call(&format!("sign-in {}", network(address)), now)
    }

    /// The same of who tries tokens of directories there.
    ///
    /// # Errors
    /// Seconds to wait before the next one.
    pub fn directory_at(&self, address: IpAddr, now: Timestamp) -> Result<(), u32> {
        self.call(&format!("directory at {}", network(address)), now)
    }

    /// Begins a wait of `person`, unless there are too many.
    pub fn wait(&self, person: &PersonId) -> Option<Waiting<'_>> {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waits.entry(person.clone()).or_insert(0);
        if *count >= MOST_WAITS {
            return None;
        }
        *count += 1;
        Some(Waiting {
            limits: self,
            person: person.clone(),
        })
    }

    /// Whether `address` may try a code now.
    ///
    /// # Errors
    /// Seconds to wait before the next try.
    pub fn may_try_code(&self, address: IpAddr, now: Timestamp) -> Result<(), u32> {
        may(&self.wrong_codes, MOST_WRONG_CODES, address, now)
    }

    /// Counts a wrong code.
    pub fn wrong_code(&self, address: IpAddr, now: Timestamp) {
        count(&self.wrong_codes, address, now);
    }

    /// Whether a code that a browser at `address` brought may be taken to its identity provider now.
    ///
    /// # Errors
    /// Seconds to wait before the next one.
    pub fn may_exchange(&self, address: IpAddr, now: Timestamp) -> Result<(), u32> {
        may(&self.refused_codes, MOST_REFUSED_CODES, address, now)
    }

    /// Counts a code that its identity provider refused.
    pub fn refused_code(&self, address: IpAddr, now: Timestamp) {
        count(&self.refused_codes, address, now);
    }
}

fn may(counts: &Counts, most: u32, address: IpAddr, now: Timestamp) -> Result<(), u32> {
    let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    let left_ms = |since: i64| since + CODE_WINDOW_MS - now.millis();
    match counts.get(&network(address)) {
        Some((count, since)) if *count >= most && left_ms(*since) > 0 => {
            Err(u32::try_from(left_ms(*since).div_euclid(1000) + 1).unwrap_or(u32::MAX))
        }
        Some((_, since)) if left_ms(*since) <= 0 => {
            counts.remove(&network(address));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn count(counts: &Counts, address: IpAddr, now: Timestamp) {
    let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    if counts.len() >= MOST_REMEMBERED && !counts.contains_key(&network(address)) {
        counts.retain(|_, (_, since)| now.millis() - *since < CODE_WINDOW_MS);
        // a sweep that frees little would come back with every call: those go that have tried least
        if counts.len() > MOST_REMEMBERED / 2 {
            let mut all: Vec<(IpAddr, (u32, i64))> = counts.drain().collect();
            all.sort_unstable_by_key(|(_, tried)| std::cmp::Reverse(*tried));
            all.truncate(MOST_REMEMBERED / 2);
            counts.extend(all);
        }
    }
    counts.entry(network(address)).or_insert((0, now.millis())).0 += 1;
}

/// What one caller has to themselves: an IPv4 address, or the /64 of an IPv6 address.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut waits = self.limits.waits.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = waits.get_mut(&self.person) {
            *count -= 1;
            if *count == 0 {
                waits.remove(&self.person);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_beyond_the_rate_are_told_to_wait() {
        let limits = Limits::default();
        let now = Timestamp::from_millis(1_000_000);
        for _ in 0..MOST_SAVED_CALLS {
            assert_eq!(limits.call("a", now), Ok(()));
        }
        assert_eq!(limits.call("a", now), Err(1));
        assert_eq!(limits.call("b", now), Ok(()));
        assert_eq!(limits.call("a", Timestamp::from_millis(1_000_010)), Ok(()));
    }

    #[test]
    fn waits_count_while_they_are_held() {
        let limits = Limits::default();
        let person = PersonId::from_bits(1);
        let held: Vec<_> = (0..MOST_WAITS).map(|_| limits.wait(&person).unwrap()).collect();
        assert!(limits.wait(&person).is_none());
        drop(held);
        assert!(limits.wait(&person).is_some());
        assert!(limits.waits.lock().unwrap().is_empty());
    }

    #[test]
    fn wrong_codes_stop_further_tries_for_a_while() {
        let limits = Limits::default();
        let (address, now) = (IpAddr::from([127, 0, 0, 1]), Timestamp::from_millis(0));
        for _ in 0..MOST_WRONG_CODES {
            assert_eq!(limits.may_try_code(address, now), Ok(()));
            limits.wrong_code(address, now);
        }
        assert_eq!(limits.may_try_code(address, now), Err(61));
        let later = Timestamp::from_millis(CODE_WINDOW_MS);
        assert_eq!(limits.may_try_code(address, later), Ok(()));
        limits.wrong_code(address, later);
        assert_eq!(limits.may_try_code(address, later), Ok(()));
    }

    #[test]
    fn one_network_of_ipv6_counts_as_one_caller() {
        let (limits, now) = (Limits::default(), Timestamp::from_millis(0));
        for host in 0..u128::from(MOST_WRONG_CODES) {
            limits.wrong_code(Ipv6Addr::from_bits((0x2001_0db8 << 96) + host).into(), now);
        }
        assert!(limits.may_try_code("2001:db8::ffff".parse().unwrap(), now).is_err());
        assert!(limits.may_try_code("2001:db8:0:1::1".parse().unwrap(), now).is_ok());
    }

    #[test]
    fn calls_of_one_network_of_ipv6_count_together() {
        let (limits, now) = (Limits::default(), Timestamp::from_millis(0));
        for host in 0..u128::try_from(MOST_SAVED_CALLS).unwrap() {
            let address = Ipv6Addr::from_bits((0x2001_0db8 << 96) + host);
            assert_eq!(limits.call_from(address.into(), now), Ok(()));
        }
        assert_eq!(limits.call_from("2001:db8::ffff:ffff".parse().unwrap(), now), Err(1));
        assert_eq!(limits.call_from("2001:db8:0:1::1".parse().unwrap(), now), Ok(()));
        assert_eq!(limits.call_from("::ffff:192.0.2.1".parse().unwrap(), now), Ok(()));
        assert_eq!(limits.calls.lock().unwrap().len(), 3);
    }

    #[test]
    fn callers_beyond_number_cost_bounded_memory() {
        let (limits, now) = (Limits::default(), Timestamp::from_millis(0));
        for n in 0..u32::try_from(MOST_REMEMBERED * 2).unwrap() {
            assert_eq!(limits.call(&n.to_string(), now), Ok(()));
            limits.wrong_code(std::net::Ipv4Addr::from_bits(n).into(), now);
        }
        assert!(limits.calls.lock().unwrap().len() <= MOST_REMEMBERED);
        assert!(limits.wrong_codes.lock().unwrap().len() <= MOST_REMEMBERED);
    }

    #[test]
    fn attack_26_who_tried_most_is_not_forgotten_for_a_crowd() {
        let (limits, now) = (Limits::default(), Timestamp::from_millis(0));
        let address = IpAddr::from([192, 0, 2, 1]);
        for _ in 0..MOST_WRONG_CODES {
            limits.wrong_code(address, now);
        }
        for n in 0..u32::try_from(MOST_REMEMBERED * 2).unwrap() {
            limits.wrong_code(std::net::Ipv4Addr::from_bits(n).into(), now);
        }
        assert!(limits.may_try_code(address, now).is_err());
    }

    #[test]
    fn sign_ins_of_one_network_of_ipv6_count_together() {
        let (limits, now) = (Limits::default(), Timestamp::from_millis(0));
        for host in 0..u128::try_from(MOST_SAVED_CALLS).unwrap() {
            let address = IpAddr::from(Ipv6Addr::from_bits((0x2001_0db8 << 96) + host));
            assert_eq!(limits.sign_in_from(address, now), Ok(()));
            assert_eq!(limits.directory_at(address, now), Ok(()));
        }
        let other = "2001:db8::ffff:ffff".parse().unwrap();
        assert_eq!(limits.sign_in_from(other, now), Err(1));
        assert_eq!(limits.directory_at(other, now), Err(1));
        // each of the three by itself
        assert_eq!(limits.call_from(other, now), Ok(()));
    }

    #[test]
    fn refused_codes_hold_up_no_typed_one() {
        let (limits, now) = (Limits::default(), Timestamp::from_millis(0));
        let address = IpAddr::from([192, 0, 2, 1]);
        for _ in 0..MOST_REFUSED_CODES {
            assert_eq!(limits.may_exchange(address, now), Ok(()));
            limits.refused_code(address, now);
        }
        assert_eq!(limits.may_exchange(address, now), Err(61));
        assert_eq!(limits.may_try_code(address, now), Ok(()));
    }
}
