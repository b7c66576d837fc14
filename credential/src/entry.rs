//! A cached credential: line 1 is what the hit needs, the rest is the JSON for stdout as it is.
//! Owns the format and when a credential is served. Refuses to look into the JSON.

use std::fmt;

use crate::guard::LARGEST;
use crate::problem::Problem;

/// First word of a file. A change that an older version would misread takes the next number.
const VERSION: &str = "jit-cache/1";
/// No line 1 of ours is longer.
const LONGEST_LINE: usize = 2048;
/// Under this remainder the AWS tools begin to ask at every signed request, in milliseconds.
const BAND_MS: u64 = 15 * 60 * 1000;

/// The JSON for stdout. Secret: `Debug` shows `****`.
#[derive(Clone, PartialEq, Eq)]
pub struct Json {
    bytes: Vec<u8>,
    start: usize,
}

impl Json {
    /// What goes to stdout, with its newline.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

/// Whether a credential has all of a target's access, or less by `--only`. Never stand for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// All that the target gives.
    Full,
    /// Narrowed by `--only`.
    Narrowed,
}

/// When a new credential is worth a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    /// From this instant on, milliseconds since the epoch.
    After(u64),
    /// Never: the grant ends with this credential, so a new one would end no later.
    Never,
}

impl Refresh {
    /// Worth it when under 15 min and under half of the lifetime remain and the new one would end
    /// later: the AWS tools ask at every signed request then. Milliseconds since the epoch, all by one clock.
    pub fn plan(minted_at_ms: u64, expires_at_ms: u64, grant_ends_at_ms: u64) -> Self {
        if grant_ends_at_ms <= expires_at_ms {
            return Refresh::Never;
        }
        let half = expires_at_ms.saturating_sub(minted_at_ms) / 2;
        Refresh::After(expires_at_ms.saturating_sub(half.min(BAND_MS)))
    }
}

/// Line 1: what can be known of a credential without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// When it dies, milliseconds since the epoch by this machine's clock: the writer takes the offset
    /// to the backend's clock into account, the hit does not know it.
    pub expires_at_ms: u64,
    /// When a new one is worth a call, by the same clock.
    pub refresh: Refresh,
    /// The grant it comes from: `[a-z0-9_]`, at most 64.
    pub grant: String,
    /// All of the target's access, or less.
    pub reach: Reach,
}

/// What a credential is good for at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Serve it.
    Fresh,
    /// Still works; fetch a new one, and serve this where that fails.
    Stale,
    /// Past its end.
    Dead,
}

impl Facts {
    /// What the credential is good for at `now_ms`.
    pub fn state(&self, now_ms: u64) -> State {
        match self.refresh {
            _ if now_ms >= self.expires_at_ms => State::Dead,
            Refresh::After(at_ms) if now_ms >= at_ms => State::Stale,
            Refresh::After(_) | Refresh::Never => State::Fresh,
        }
    }
}

/// A credential as it lies in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Line 1.
    pub facts: Facts,
    /// The rest.
    pub json: Json,
}

impl Entry {
    /// Takes the JSON as it shall be printed; a missing newline at its end is added.
    ///
    /// # Errors
    /// `Unfit` for what is no JSON object, is too long for a credential process, or has an odd grant id.
    pub fn new(facts: Facts, json: &[u8]) -> Result<Self, Problem> {
        let json = json.trim_ascii();
        if !json.starts_with(b"{") || !json.ends_with(b"}") {
            return Err(Problem::Unfit("no JSON object"));
        }
        if json.len() > 60_000 {
            return Err(Problem::Unfit("longer than 60,000 bytes"));
        }
        if !is_grant(&facts.grant) {
            return Err(Problem::Unfit("odd grant id"));
        }
        let bytes = [json, b"\n"].concat();
        Ok(Entry {
            facts,
            json: Json { bytes, start: 0 },
        })
    }

    /// The file's bytes. `whose` is `ORIGIN/IDENTITY/TARGET` as encoded: a file that was moved, linked
    /// or copied to another account or target is not served there.
    pub(crate) fn to_bytes(&self, whose: &str) -> Vec<u8> {
        let Facts {
            expires_at_ms,
            refresh,
            grant,
            reach,
        } = &self.facts;
        let refresh = match refresh {
            Refresh::After(at_ms) => at_ms.to_string(),
            Refresh::Never => "never".to_owned(),
        };
        let reach = match reach {
            Reach::Full => "full",
            Reach::Narrowed => "narrowed",
        };
        let json = self.json.as_bytes();
        let line = format!(
            "{VERSION} {} {expires_at_ms} {refresh} {grant} {reach} {whose}\n",
            json.len()
        );
        [line.as_bytes(), json].concat()
    }

    /// Reads a file's bytes, strictly: whatever is not exactly what `to_bytes` makes is a miss.
    pub(crate) fn from_bytes(bytes: Vec<u8>, whose: &str) -> Result<Self, Problem> {
        let head = &bytes[..bytes.len().min(LONGEST_LINE)];
        let end = head.iter().position(|b| *b == b'\n').ok_or(Problem::Damaged)?;
        let line = std::str::from_utf8(&head[..end]).map_err(|_| Problem::Damaged)?;
        let (length, facts, owner) = line_one(line)?;
        let start = end + 1;
        let json = &bytes[start..];
        if json.len() as u64 != length || !json.starts_with(b"{") || !json.ends_with(b"}\n") {
            return Err(Problem::Damaged);
        }
        if owner != whose {
            return Err(Problem::Misplaced);
        }
        Ok(Entry {
            facts,
            json: Json { bytes, start },
        })
    }
}

fn line_one(line: &str) -> Result<(u64, Facts, &str), Problem> {
    let mut fields = line.split(' ');
    let mut next = || fields.next().ok_or(Problem::Damaged);
    let version = next()?;
    if version != VERSION {
        let newer = version
            .strip_prefix("jit-cache/")
            .and_then(number)
            .is_some_and(|n| n > 1);
        return Err(if newer { Problem::Newer } else { Problem::Damaged });
    }
    let length = number(next()?).filter(|n| *n <= LARGEST).ok_or(Problem::Damaged)?;
    let expires_at_ms = number(next()?).ok_or(Problem::Damaged)?;
    let refresh = match next()? {
        "never" => Refresh::Never,
        at_ms => Refresh::After(number(at_ms).ok_or(Problem::Damaged)?),
    };
    let grant = next()?;
    let reach = match next()? {
        "full" => Reach::Full,
        "narrowed" => Reach::Narrowed,
        _ => return Err(Problem::Damaged),
    };
    let owner = next()?;
    if !is_grant(grant) || fields.next().is_some() {
        return Err(Problem::Damaged);
    }
    Ok((
        length,
        Facts {
            expires_at_ms,
            refresh,
            grant: grant.to_owned(),
            reach,
        },
        owner,
    ))
}

fn is_grant(grant: &str) -> bool {
    (1..=64).contains(&grant.len())
        && grant
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// A decimal number as `to_string` writes it: no sign, no leading zero, no more digits than instants have.
pub(crate) fn number(digits: &str) -> Option<u64> {
    let plain = (1..=16).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && (digits.len() == 1 || !digits.starts_with('0'));
    if plain { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOSE: &str = "https%3A%2F%2Fh/alice/prod";
    const MIN: u64 = 60_000;

    fn entry() -> Entry {
        let facts = Facts {
            expires_at_ms: 5000,
            refresh: Refresh::After(4000),
            grant: "grt_a1".into(),
            reach: Reach::Full,
        };
        Entry::new(facts, br#"{"Version":1}"#).unwrap()
    }

    fn read_back(line: &str) -> Result<Entry, Problem> {
        Entry::from_bytes(format!("{line}\n{{}}\n").into_bytes(), WHOSE)
    }

    #[test]
    fn file_reads_back_as_written() {
        for (refresh, reach) in [(Refresh::Never, Reach::Narrowed), (Refresh::After(7), Reach::Full)] {
            let mut entry = entry();
            entry.facts.refresh = refresh;
            entry.facts.reach = reach;
            let read = Entry::from_bytes(entry.to_bytes(WHOSE), WHOSE).unwrap();
            assert_eq!(read.facts, entry.facts);
            assert_eq!(read.json.as_bytes(), b"{\"Version\":1}\n");
        }
    }

    #[test]
    fn attack_25_torn_file_is_a_miss_at_every_length() {
        let whole = entry().to_bytes(WHOSE);
        for length in 0..whole.len() {
            let torn = Entry::from_bytes(whole[..length].to_vec(), WHOSE);
            assert!(torn.is_err_and(|p| p.is_miss()), "{length} of {}", whole.len());
        }
    }

    #[test]
    fn longer_file_is_a_miss() {
        let longer = [entry().to_bytes(WHOSE), b"}\n".to_vec()].concat();
        assert!(matches!(Entry::from_bytes(longer, WHOSE), Err(Problem::Damaged)));
    }

    #[test]
    fn newer_version_is_a_miss_of_its_own() {
        assert!(matches!(read_back("jit-cache/2 anything at all"), Err(Problem::Newer)));
        assert!(matches!(
            read_back("jit-cache/x 3 5 never g full w"),
            Err(Problem::Damaged)
        ));
    }

    #[test]
    fn line_one_is_read_strictly() {
        assert!(read_back(&format!("jit-cache/1 3 5 never g full {WHOSE}")).is_ok());
        for line in [
            "",
            "jit-cache/1",
            "jit-cache/1 3 5 never g full",
            "jit-cache/1 3 5 never g some W",
            "jit-cache/1 3 5 soon g full W",
            "jit-cache/1 +3 5 never g full W",
            "jit-cache/1 03 5 never g full W",
            "jit-cache/1 3 -5 never g full W",
            "jit-cache/1 3 5 never G full W",
            "jit-cache/1 3 5 never g full W x",
            "jit-cache/1  3 5 never g full W",
            "jit-cache/1 3 99999999999999999 never g full W",
            "jit-cache/1 2 5 never g full W",
        ] {
            let line = line.replace('W', WHOSE);
            assert!(matches!(read_back(&line), Err(Problem::Damaged)), "{line}");
        }
    }

    #[test]
    fn attack_17_file_of_another_account_is_not_served() {
        let bytes = entry().to_bytes("https%3A%2F%2Fh/bob/prod");
        assert!(matches!(Entry::from_bytes(bytes, WHOSE), Err(Problem::Misplaced)));
    }

    #[test]
    fn refresh_waits_for_fifteen_minutes_and_half_life() {
        assert_eq!(Refresh::plan(0, 60 * MIN, 240 * MIN), Refresh::After(45 * MIN));
        assert_eq!(
            Refresh::plan(0, 15 * MIN, 240 * MIN),
            Refresh::After(15 * MIN - 15 * MIN / 2)
        );
        assert_eq!(Refresh::plan(0, 60 * MIN, 60 * MIN), Refresh::Never);
        assert_eq!(Refresh::plan(0, 15 * MIN, 10 * MIN), Refresh::Never);
    }

    #[test]
    fn state_changes_exactly_at_its_instants() {
        let facts = entry().facts;
        let states = [3999, 4000, 4999, 5000].map(|now| facts.state(now));
        assert_eq!(states, [State::Fresh, State::Stale, State::Stale, State::Dead]);
        let last = Facts {
            refresh: Refresh::Never,
            ..facts
        };
        assert_eq!([4999, 5000].map(|now| last.state(now)), [State::Fresh, State::Dead]);
    }

    #[test]
    fn secrets_are_hidden_from_debug() {
        assert!(format!("{:?}", entry()).contains("****"));
        assert!(!format!("{:?}", entry()).contains("Version"));
    }

    #[test]
    fn what_is_no_credential_is_not_taken() {
        let facts = entry().facts;
        let long = format!("{{{}}}", " ".repeat(60_000));
        for json in ["", "[]", "{", "x}", &long] {
            assert!(
                matches!(Entry::new(facts.clone(), json.as_bytes()), Err(Problem::Unfit(_))),
                "{}",
                json.len()
            );
        }
        let odd = Facts {
            grant: "a b".into(),
            ..facts
        };
        assert!(matches!(Entry::new(odd, b"{}"), Err(Problem::Unfit(_))));
    }
}
