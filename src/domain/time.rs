//! Instants and durations, in the units that the store and the wire use.
//! Owns their parsing and printing. Refuses to know what time it is.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::refusal::Refusal;

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `millis` milliseconds after 1970.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 with any offset.
    ///
    /// # Errors
    /// [`Refusal::BadTime`] for anything else.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        text.parse::<jiff::Timestamp>()
            .map(|t| Self(t.as_millisecond()))
            .map_err(|_| Refusal::BadTime {
                given: text.chars().take(40).collect(),
            })
    }

    /// The instant `duration` later; saturates at the end of time.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::from(duration.secs()) * 1000))
    }

    /// Whole seconds from `earlier` to here, 0 if `earlier` is later.
    pub fn since(self, earlier: Self) -> u32 {
        u32::try_from((self.0.saturating_sub(earlier.0)).max(0) / 1000).unwrap_or(u32::MAX)
    }

    /// The same instant without its fraction of a second. STS and IAM know whole seconds only.
    pub fn whole_second(self) -> Self {
        Self(self.0.div_euclid(1000) * 1000)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339, UTC, `Z`; milliseconds only where there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(t) if self.0.rem_euclid(1000) == 0 => write!(f, "{t:.0}"),
            Ok(t) => write!(f, "{t:.3}"),
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A length of time in whole seconds, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Duration(u32);

/// What nobody means when they type a duration: a year is out of any reach.
const LONGEST_SECS: u64 = 366 * 86_400;

impl Duration {
    /// `secs` seconds.
    ///
    /// # Errors
    /// [`Refusal::BadDuration`] for zero and for more than 366 days.
    pub fn from_secs(secs: u32) -> Result<Self, Refusal> {
        if secs == 0 || u64::from(secs) > LONGEST_SECS {
            return Err(Refusal::BadDuration {
                given: format!("{secs}s"),
            });
        }
        Ok(Self(secs))
    }

    /// Seconds.
    pub const fn secs(self) -> u32 {
        self.0
    }

    /// Reads `30s`, `90m`, `2h`, `1h30m`, `1d`, and ISO 8601's `PT2H`, `P1DT30M`.
    ///
    /// # Errors
    /// [`Refusal::BadDuration`] for anything else, for zero and for more than 366 days.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let bad = || Refusal::BadDuration {
            given: text.chars().take(40).collect(),
        };
        let secs = match text.strip_prefix(['P', 'p']) {
            Some(iso) => iso_secs(iso),
            None => unit_secs(text, &[('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)]),
        };
        let secs = secs.filter(|s| (1..=LONGEST_SECS).contains(s)).ok_or_else(bad)?;
        u32::try_from(secs).map(Self).map_err(|_| bad())
    }
}

fn iso_secs(text: &str) -> Option<u64> {
    let text = text.to_ascii_lowercase();
    let (date, time) = text
        .split_once('t')
        .map_or((text.as_str(), None), |(d, t)| (d, Some(t)));
    let date = if date.is_empty() {
        0
    } else {
        unit_secs(date, &[('d', 86_400)])?
    };
    let time = match time {
        Some(time) => unit_secs(time, &[('h', 3_600), ('m', 60), ('s', 1)])?,
        None => 0,
    };
    date.checked_add(time)
}

/// Sums `<digits><unit>` parts; each unit at most once, in falling order, no spaces.
fn unit_secs(text: &str, mut units: &[(char, u64)]) -> Option<u64> {
    let mut rest = text;
    let mut total = 0_u64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let unit = rest[digits..].chars().next()?;
        let at = units.iter().position(|(u, _)| *u == unit)?;
        let count: u64 = rest[..digits].parse().ok()?;
        total = total.checked_add(count.checked_mul(units[at].1)?)?;
        units = &units[at + 1..];
        rest = &rest[digits + unit.len_utf8()..];
    }
    Some(total)
}

impl fmt::Display for Duration {
    /// The shortest form that `parse` reads back: `1h30m`, `45s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (h, m, s) = (self.0 / 3600, self.0 / 60 % 60, self.0 % 60);
        for (count, unit) in [(h, 'h'), (m, 'm'), (s, 's')] {
            if count > 0 {
                write!(f, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

impl TryFrom<u32> for Duration {
    type Error = Refusal;
    fn try_from(secs: u32) -> Result<Self, Refusal> {
        Self::from_secs(secs)
    }
}

impl From<Duration> for u32 {
    fn from(duration: Duration) -> u32 {
        duration.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duration_reads_every_documented_form() {
        for (text, secs) in [
            ("30s", 30),
            ("90m", 5400),
            ("2h", 7200),
            ("1h30m", 5400),
            ("1d", 86_400),
            ("1d2h3m4s", 93_784),
            ("PT2H", 7200),
            ("P1D", 86_400),
            ("P1DT30M", 88_200),
            ("pt90m", 5400),
        ] {
            assert_eq!(Duration::parse(text).map(Duration::secs), Ok(secs), "{text}");
        }
    }

    #[test]
    fn duration_refuses_what_nobody_means() {
        for text in [
            "",
            "0",
            "0s",
            "-5m",
            "2 hours",
            "1e9d",
            "2",
            "h",
            "1m1h",
            "1h1h",
            "1.5h",
            "99999999999999999999d",
            "P",
            "PT",
            "367d",
            "٣h",
            "1ħ",
            " 1h",
            "1h ",
        ] {
            assert!(Duration::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn duration_prints_what_it_reads() {
        for secs in [1, 59, 60, 61, 3600, 5400, 86_399, 86_400, 90_061] {
            let d = Duration(secs);
            assert_eq!(Duration::parse(&d.to_string()), Ok(d));
        }
    }

    #[test]
    fn timestamp_prints_utc_with_z() {
        assert_eq!(Timestamp::from_millis(0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(Timestamp::from_millis(1_500).to_string(), "1970-01-01T00:00:01.500Z");
        assert_eq!(
            Timestamp::parse("1970-01-01T01:00:00+01:00"),
            Ok(Timestamp::from_millis(0))
        );
    }
}
