//! When something is to start, as people write it: `14:30`, `tomorrow 09:00`, `2026-01-31 14:30`, RFC 3339.
//! Owns what a clock that is put forward or back makes of it. Refuses to know the time and the zone: both come in.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use super::time::Timestamp;

/// The forms, for a hint.
pub const FORMS: &str = "write it as 14:30, \"tomorrow 09:00\", \"2026-01-31 14:30\" or 2026-01-31T14:30:00Z";

/// A start that can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// When.
    pub at: Timestamp,
    /// The time comes twice that day, and the first one is meant: its offset.
    pub first_of_two: Option<String>,
}

/// Why what was written is no start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadStart {
    /// It cannot be read.
    #[error("`{0}` is no time")]
    Unreadable(String),
    /// It is over.
    #[error("{0} is past")]
    Past(String),
    /// Clocks are put forward over it.
    #[error("{given} does not exist on {date}: clocks are put forward")]
    Gap {
        /// As it was written.
        given: String,
        /// On which day.
        date: String,
        /// The last time before it.
        before: String,
        /// The first one after it.
        after: String,
    },
}

impl BadStart {
    /// What to write instead.
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable(_) => FORMS.to_owned(),
            Self::Past(given) if time_of_day(given).is_some() => format!("try: --at \"tomorrow {given}\""),
            Self::Past(_) => "leave --at out to start at once".to_owned(),
            Self::Gap { before, after, .. } => format!("the nearest are {before} and {after}"),
        }
    }
}

/// What `text` means at `now` in `zone`.
///
/// # Errors
/// [`BadStart`].
pub fn parse(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Start, BadStart> {
    let given = text.trim();
    let unreadable = || BadStart::Unreadable(given.chars().take(40).collect());
    let start = match given.strip_prefix("tomorrow") {
        Some(rest) if rest.starts_with(' ') => {
            let date = today(now, zone)
                .and_then(|date| date.tomorrow().ok())
                .ok_or_else(unreadable)?;
            on_day(given, rest.trim(), now, zone, date)?
        }
        _ if time_of_day(given).is_some() => on_day(given, given, now, zone, today(now, zone).ok_or_else(unreadable)?)?,
        _ if let Some((date, time)) = date_and_time(given) => on_day(given, time, now, zone, date)?,
        _ => Start {
            at: Timestamp::parse(given).map_err(|_| unreadable())?,
            first_of_two: None,
        },
    };
    match start.at <= now {
        true => Err(BadStart::Past(given.to_owned())),
        false => Ok(start),
    }
}

/// `H:MM` or `HH:MM`.
fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let is_number = |part: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !is_number(hour, 1..=2) || !is_number(minute, 2..=2) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

/// A day and a time of day, with a blank or a `T` between them: on the local clock.
fn date_and_time(text: &str) -> Option<(Date, &str)> {
    let (date, time) = text.split_once([' ', 'T'])?;
    let time = time.trim_start();
    // the short forms only: whoever writes seconds or an offset writes RFC 3339
    let date = (date.len() == 10).then(|| date.parse().ok())??;
    time_of_day(time).map(|_| (date, time))
}

fn today(now: Timestamp, zone: &TimeZone) -> Option<Date> {
    let now = jiff::Timestamp::from_millisecond(now.millis()).ok()?;
    Some(now.to_zoned(zone.clone()).date())
}

/// `time` on `date`, on the clock of `zone`.
fn on_day(given: &str, time: &str, now: Timestamp, zone: &TimeZone, date: Date) -> Result<Start, BadStart> {
    let unreadable = || BadStart::Unreadable(given.chars().take(40).collect());
    let time = time_of_day(time).ok_or_else(unreadable)?;
    let wall = date.to_datetime(time);
    let at = |offset: Offset| offset.to_timestamp(wall).map_err(|_| unreadable());
    let (instant, first_of_two) = match zone.to_ambiguous_timestamp(wall).offset() {
        AmbiguousOffset::Unambiguous { offset } => (at(offset)?, None),
        AmbiguousOffset::Fold { before, after } => match at(before)? {
            // the first of the two is over: the other one is meant
            first if first.as_millisecond() <= now.millis() => (at(after)?, None),
            first => (first, Some(format!("UTC{before}"))),
        },
        AmbiguousOffset::Gap { before, .. } => {
            let (last, first) = around(at(before)?, zone).ok_or_else(unreadable)?;
            let shown = |time: DateTime| time.strftime("%H:%M").to_string();
            return Err(BadStart::Gap {
                given: shown(wall),
                date: date.to_string(),
                before: shown(last),
                after: shown(first),
            });
        }
    };
    Ok(Start {
        at: Timestamp::from_millis(instant.as_millisecond()),
        first_of_two,
    })
}

/// The last minute before clocks were put forward, and the first one after, seen from `late` in the hour that follows.
fn around(late: jiff::Timestamp, zone: &TimeZone) -> Option<(DateTime, DateTime)> {
    let second = jiff::SignedDuration::from_secs(1);
    let transition = zone.preceding(late.checked_add(second).ok()?).next()?.timestamp();
    let last = transition.checked_sub(jiff::SignedDuration::from_mins(1)).ok()?;
    Some((zone.to_datetime(last), zone.to_datetime(transition)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    /// What `text` means at `now` in Berlin.
    fn read(text: &str, now: &str) -> Result<String, BadStart> {
        let start = parse(text, Timestamp::parse(now).unwrap(), &berlin())?;
        let twice = start
            .first_of_two
            .map_or_else(String::new, |offset| format!(" first, {offset}"));
        Ok(format!("{}{twice}", start.at))
    }

    #[test]
    fn start_is_read_on_the_local_clock() {
        let now = "2026-11-21T12:00:00Z";
        for (text, expected) in [
            ("14:30", "2026-11-21T13:30:00Z"),
            ("tomorrow 09:00", "2026-11-22T08:00:00Z"),
            ("tomorrow  9:00", "2026-11-22T08:00:00Z"),
            (" 23:59 ", "2026-11-21T22:59:00Z"),
            ("2026-12-24 18:00", "2026-12-24T17:00:00Z"),
            ("2026-12-24T18:00", "2026-12-24T17:00:00Z"),
            ("2026-12-24T18:00:00Z", "2026-12-24T18:00:00Z"),
            ("2026-12-24T18:00:00+01:00", "2026-12-24T17:00:00Z"),
        ] {
            assert_eq!(read(text, now).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn start_that_cannot_be_read_is_refused_with_the_forms() {
        for text in [
            "",
            "soon",
            "24:00",
            "14:70",
            "1430",
            "14:3",
            "tomorrow",
            "tomorrow soon",
            "tomorrow24:00",
            "-1:30",
            "2026-12-24",
            "2026-02-30 09:00",
            "24.12.2026 09:00",
        ] {
            let bad = read(text, "2026-11-21T12:00:00Z").unwrap_err();
            assert!(matches!(bad, BadStart::Unreadable(_)), "{text}: {bad}");
            assert!(bad.hint().contains("tomorrow 09:00"));
        }
    }

    #[test]
    fn start_that_comes_again_after_clocks_went_back_is_to_come() {
        let read = |now| read("02:30", now);
        assert_eq!(
            read("2026-10-25T00:15:00Z").as_deref(),
            Ok("2026-10-25T00:30:00Z first, UTC+02")
        );
        assert_eq!(read("2026-10-25T00:45:00Z").as_deref(), Ok("2026-10-25T01:30:00Z"));
        assert!(matches!(read("2026-10-25T01:45:00Z"), Err(BadStart::Past(_))));
    }

    #[test]
    fn start_in_the_past_is_refused() {
        let now = "2026-11-21T12:00:00Z";
        let bad = read("13:00", now).unwrap_err();
        assert_eq!(
            (bad.to_string().as_str(), bad.hint().as_str()),
            ("13:00 is past", "try: --at \"tomorrow 13:00\"")
        );
        for text in ["2026-11-21 13:00", "2026-11-21T12:00:00Z", "2020-01-01T00:00:00Z"] {
            assert!(matches!(read(text, now), Err(BadStart::Past(_))), "{text}");
        }
    }

    #[test]
    fn start_in_the_hour_that_does_not_exist_names_the_nearest() {
        for (text, now) in [
            ("02:30", "2026-03-29T00:30:00Z"),
            ("tomorrow 02:00", "2026-03-28T12:00:00Z"),
            ("2026-03-29 02:30", "2026-03-01T12:00:00Z"),
        ] {
            let bad = read(text, now).unwrap_err();
            assert!(
                bad.to_string()
                    .ends_with("does not exist on 2026-03-29: clocks are put forward"),
                "{bad}"
            );
            assert_eq!(bad.hint(), "the nearest are 01:59 and 03:00");
        }
        assert_eq!(
            read("03:00", "2026-03-29T00:30:00Z").as_deref(),
            Ok("2026-03-29T01:00:00Z")
        );
    }

    #[test]
    fn start_that_comes_twice_is_the_first_one() {
        let read = read("tomorrow 02:30", "2026-10-24T12:00:00Z");
        assert_eq!(read.as_deref(), Ok("2026-10-25T00:30:00Z first, UTC+02"));
    }
}
