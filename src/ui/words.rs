//! Times, spans and ids as people read them.
//! Owns the local time zone. Refuses to know what time it is.

use std::sync::OnceLock;

use jiff::tz::TimeZone;

use crate::domain::id::{GrantId, RequestId};
use crate::domain::time::Timestamp;

/// The time zone of this machine.
const LOCAL: &str = "/etc/localtime";
/// Where others lie, by their names.
const ZONES: &str = "/usr/share/zoneinfo";

/// Writes times as seen at `now` in a time zone.
#[derive(Clone, Debug)]
pub struct TimeWords {
    now: Timestamp,
    named: Option<String>,
    zone: OnceLock<TimeZone>,
}

impl TimeWords {
    /// Seen at `now`, where this machine is, or where `TZ` says, which `named` is. The zone is read with the first time
    /// of day that is written.
    pub const fn local(now: Timestamp, named: Option<String>) -> Self {
        Self {
            now,
            named,
            zone: OnceLock::new(),
        }
    }

    #[cfg(test)]
    pub(super) fn utc(now: Timestamp) -> Self {
        Self {
            now,
            named: None,
            zone: OnceLock::from(TimeZone::UTC),
        }
    }

    /// Whether `instant` is still to come.
    pub fn is_to_come(&self, instant: Timestamp) -> bool {
        instant > self.now
    }

    /// `15:44` today, `12 Nov 15:44` this year or within half a year, else with the year.
    pub fn at(&self, instant: Timestamp) -> String {
        let zoned = |t: Timestamp| {
            let stamp = jiff::Timestamp::from_millisecond(t.millis()).unwrap_or_default();
            stamp.to_zoned(self.zone().clone())
        };
        let (then, now) = (zoned(instant), zoned(self.now));
        if then.date() == now.date() {
            then.strftime("%H:%M").to_string()
        } else if instant.since(self.now).max(self.now.since(instant)) < 180 * 86_400 {
            then.strftime("%-d %b %H:%M").to_string()
        } else {
            then.strftime("%-d %b %Y").to_string()
        }
    }

    /// The zone of this machine.
    pub fn zone(&self) -> &TimeZone {
        self.zone.get_or_init(|| {
            let file = of_its_file(self.named.as_deref());
            // what no file says, such as the rules that TZ may hold
            file.unwrap_or_else(TimeZone::system)
        })
    }

    /// `22 Nov 09:00 UTC+01`: where it matters by which clock.
    pub fn at_offset(&self, instant: Timestamp) -> String {
        let stamp = jiff::Timestamp::from_millisecond(instant.millis()).unwrap_or_default();
        let offset = self.zone().to_offset(stamp);
        let shown = if offset.is_zero() {
            String::new()
        } else {
            offset.to_string()
        };
        format!("{} UTC{shown}", self.at(instant))
    }

    /// The zone that `TZ` names, where nobody knows one of that name: times are read as UTC then.
    pub fn unknown_zone(&self) -> Option<&str> {
        self.named.as_deref().filter(|_| self.zone().is_unknown())
    }

    /// `text` with the instants in it, as a backend writes them, as `at` has them.
    pub fn in_words(&self, text: &str) -> String {
        let words = text.split(' ').map(|word| match Timestamp::parse(word) {
            Ok(instant) => self.at(instant),
            Err(_) => word.to_owned(),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    /// How long until `instant`: `1h 12m`.
    pub fn left(&self, instant: Timestamp) -> String {
        span(instant.since(self.now))
    }

    /// How long since `instant`: `4 min ago`.
    pub fn ago(&self, instant: Timestamp) -> String {
        match self.now.since(instant) {
            secs @ 0..60 => format!("{secs} s ago"),
            secs @ 60..3_600 => format!("{} min ago", secs / 60),
            secs @ 3_600..86_400 => format!("{} h ago", secs / 3_600),
            secs => format!("{} d ago", secs / 86_400),
        }
    }
}

/// The zone from its one file. Looking its name up would list every folder of zones first, which takes longer than all
/// else that a command does that reads the cache.
fn of_its_file(named: Option<&str>) -> Option<TimeZone> {
    let is_plain = |name: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/_+-".contains(c);
        !name.starts_with('/') && name.chars().all(plain)
    };
    let path = match named {
        None => LOCAL.to_owned(),
        Some(name) if is_plain(name) => format!("{ZONES}/{name}"),
        Some(_) => return None,
    };
    TimeZone::tzif(named.unwrap_or_default(), &std::fs::read(path).ok()?).ok()
}

/// A length of time in two units at most: `1h 12m`, `45s`.
pub fn span(secs: u32) -> String {
    let (days, hours, minutes) = (secs / 86_400, secs / 3_600 % 24, secs / 60 % 60);
    let parts = match (days, hours, minutes) {
        (0, 0, 0) => return format!("{secs}s"),
        (0, 0, m) => [(m, "m"), (0, "")],
        (0, h, m) => [(h, "h"), (m, "m")],
        (d, h, _) => [(d, "d"), (h, "h")],
    };
    let shown: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    shown.join(" ")
}

/// An id cut to what is unique enough to type; whatever is no id is not shown as one.
pub fn short_id(id: &str) -> String {
    let is_id = RequestId::parse(id).is_ok() || GrantId::parse(id).is_ok();
    if is_id {
        id[..10].to_owned()
    } else {
        "(no id)".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> TimeWords {
        TimeWords::utc(Timestamp::parse("2026-11-21T12:00:00Z").unwrap())
    }

    #[test]
    fn time_of_another_day_has_its_date() {
        let at = |text| words().at(Timestamp::parse(text).unwrap());
        assert_eq!(at("2026-11-21T15:44:10Z"), "15:44");
        assert_eq!(at("2026-11-12T09:05:00Z"), "12 Nov 09:05");
        assert_eq!(at("2025-01-02T09:05:00Z"), "2 Jan 2025");
    }

    #[test]
    fn instant_in_a_message_is_read_by_the_same_clock() {
        let said =
            words().in_words("prod ends at 2026-11-21T15:44:10.123Z at the latest (4h from 2026-11-12T09:05:00Z)");
        assert_eq!(said, "prod ends at 15:44 at the latest (4h from 2026-11-12T09:05:00Z)");
        let others = "PAY-311  since 2026-11-21, 15:44Z";
        assert_eq!(words().in_words(others), others);
    }

    #[test]
    fn start_names_the_clock_that_it_is_read_by() {
        let now = Timestamp::parse("2026-11-21T12:00:00Z").unwrap();
        let later = Timestamp::parse("2026-11-22T08:00:00Z").unwrap();
        assert_eq!(words().at_offset(later), "22 Nov 08:00 UTC");
        let berlin = TimeWords::local(now, Some("CET-1CEST,M3.5.0,M10.5.0/3".to_owned()));
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        drop(berlin.zone.set(zone));
        assert_eq!(berlin.at_offset(later), "22 Nov 09:00 UTC+01");
        assert_eq!(berlin.unknown_zone(), None);
    }

    #[test]
    fn spans_have_two_units_at_most() {
        let spans: Vec<String> = [0, 45, 60, 4_320, 3_600, 90_061, 86_400].map(span).into();
        assert_eq!(spans, ["0s", "45s", "1m", "1h 12m", "1h", "1d 1h", "1d"]);
    }

    #[test]
    fn what_is_past_is_said_in_one_unit() {
        let ago = |text| words().ago(Timestamp::parse(text).unwrap());
        assert_eq!(ago("2026-11-21T11:59:19Z"), "41 s ago");
        assert_eq!(ago("2026-11-21T11:56:00Z"), "4 min ago");
        assert_eq!(ago("2026-11-19T11:56:00Z"), "2 d ago");
    }

    #[test]
    fn attack_16_what_is_no_id_is_not_shown() {
        assert_eq!(short_id("req_7h3kq2v0a1b2"), "req_7h3kq2");
        assert_eq!(short_id("$(touch x)"), "(no id)");
    }
}
