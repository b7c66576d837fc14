//! What is live, and which targets there are, in plain files that shells read by themselves: a prompt and a completion
//! start no process. A line a target; names and numbers only.
//! Refuses to fail a command: a machine that cannot write goes on without them.

use std::path::PathBuf;
use std::time::Duration;

use hot::Account;

use super::account::Client;
use super::aws_profile::Profile;
use super::state::StateLock;
use crate::domain::text::TargetName;
use crate::domain::time::Timestamp;
use crate::error::Result;
use crate::wire::{GrantView, RequestView, TargetView};

/// `NAME END PROFILE ACCOUNT` a line; the end in seconds since 1970 by this machine's clock.
const LIVE: &str = "live";
/// `NAME ACCOUNT` a line.
const TARGETS: &str = "targets";

/// How often the lock is tried, and the time in between.
const TRIES: usize = 50;
const PAUSE: Duration = Duration::from_millis(2);

/// Ends nearer than this are one: the two were told by clocks that were compared at different times.
const WELL_S: i64 = 60;

/// A live grant as a shell reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    target: TargetName,
    ends_at_s: i64,
    profile: String,
    account: String,
}

impl Line {
    /// What we wrote; anything else is left out.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let (target, ends_at, profile, account) = (words.next()?, words.next()?, words.next()?, words.next()?);
        Some(Self {
            target: TargetName::parse(target).ok()?,
            ends_at_s: ends_at.parse().ok()?,
            profile: profile.to_owned(),
            account: account.to_owned(),
        })
    }

    fn text(&self) -> String {
        format!("{} {} {} {}\n", self.target, self.ends_at_s, self.profile, self.account)
    }
}

impl Client {
    /// The file of what is live and the one of the targets' names, there or not.
    pub fn shell_files(&self) -> (PathBuf, PathBuf) {
        (self.state.path().join(LIVE), self.state.path().join(TARGETS))
    }

    /// All open requests of an account were seen just now: what is not live among them is not live.
    pub fn note_open(&self, account: &Account, offset_ms: i64, open: &[RequestView]) {
        let grants = open.iter().filter_map(|request| request.grant.as_ref());
        let active = grants.clone().filter(|grant| grant.state == "active");
        self.keep_only(account, &active.map(|grant| grant.id.as_str()).collect::<Vec<_>>());
        let seen: Vec<_> = grants.filter_map(live).collect();
        self.note(account, |_| true, &seen, offset_ms);
    }

    /// All open grants of an account on one target were seen just now.
    pub fn note_grants(&self, account: &Account, offset_ms: i64, target: &TargetName, open: &[GrantView]) {
        let seen: Vec<_> = open
            .iter()
            .filter_map(live)
            .filter(|(name, _)| name == target)
            .collect();
        self.note(account, |line| line.target == *target, &seen, offset_ms);
    }

    /// A target is live until `ends_at`.
    pub(super) fn note_live(&self, account: &Account, offset_ms: i64, target: &TargetName, ends_at: Timestamp) {
        let seen = [(target.clone(), ends_at)];
        self.note(account, |line| line.target == *target, &seen, offset_ms);
    }

    /// Whether `target` was seen to be held for well longer than a credential that dies at `expires_at_ms`, by this
    /// machine's clock: it was extended after that one was minted.
    pub(super) fn goes_on_after(&self, account: &Account, target: &TargetName, expires_at_ms: u64) -> bool {
        let text = self.state.read(LIVE).ok().flatten().unwrap_or_default();
        let (own, dies_s) = (
            account.folder(),
            i64::try_from(expires_at_ms / 1000).unwrap_or(i64::MAX),
        );
        String::from_utf8_lossy(&text)
            .lines()
            .filter_map(Line::parse)
            .any(|line| line.account == own && line.target == *target && line.ends_at_s > dies_s.saturating_add(WELL_S))
    }

    /// Nothing of an account is known any more.
    pub(super) fn forget_live(&self, account: &Account) {
        self.note(account, |_| true, &[], 0);
        self.note_targets(account, &[]);
    }

    /// All targets that an account may ask for.
    pub fn note_targets(&self, account: &Account, targets: &[TargetView]) {
        let own = account.folder();
        let own_name = |target: &TargetView| target.accounts.is_none().then(|| target.name.clone());
        let in_many = |target: &TargetView| {
            let accounts = target.accounts.iter().flat_map(|accounts| &accounts.members);
            accounts.map(|one| one.target.clone()).collect::<Vec<_>>()
        };
        let names = targets
            .iter()
            .flat_map(|target| own_name(target).into_iter().chain(in_many(target)));
        let names: Vec<TargetName> = names.filter_map(|name| TargetName::parse(&name).ok()).collect();
        self.rewrite(TARGETS, |old| {
            let others = old.lines().filter(|line| {
                let words: Vec<&str> = line.split(' ').collect();
                matches!(words[..], [name, account] if account != own && TargetName::parse(name).is_ok())
            });
            let others = others.map(|line| format!("{line}\n"));
            names
                .iter()
                .map(|name| format!("{name} {own}\n"))
                .chain(others)
                .collect()
        });
    }

    /// Replaces the lines of `account` that `is_known` says, by what was seen.
    fn note(
        &self,
        account: &Account,
        is_known: impl Fn(&Line) -> bool,
        seen: &[(TargetName, Timestamp)],
        offset_ms: i64,
    ) {
        let (own, now_s) = (account.folder(), self.clock.now().millis() / 1000);
        let files = self.aws_files();
        self.rewrite(LIVE, |old| {
            let old = old.lines().filter_map(Line::parse);
            let mut lines: Vec<Line> = old.filter(|line| line.account != own || !is_known(line)).collect();
            for (target, ends_at) in seen {
                let ends_at_s = ends_at.millis().saturating_sub(offset_ms) / 1000;
                // several grants on one target: the last end counts
                match lines
                    .iter_mut()
                    .find(|line| line.account == own && line.target == *target)
                {
                    Some(line) => line.ends_at_s = line.ends_at_s.max(ends_at_s),
                    None => lines.push(Line {
                        target: target.clone(),
                        ends_at_s,
                        profile: files.profile_of(target).unwrap_or_else(|| Profile::name_of(target)),
                        account: own.clone(),
                    }),
                }
            }
            lines.retain(|line| line.ends_at_s > now_s);
            lines.sort_by(|a, b| (a.ends_at_s, a.target.as_str()).cmp(&(b.ends_at_s, b.target.as_str())));
            lines.iter().map(Line::text).collect()
        });
    }

    /// The state's lock, if it is free within a moment: what shells read is worth no wait.
    fn short_lock(&self) -> Result<Option<StateLock>> {
        for _ in 0..TRIES {
            if let Some(lock) = self.state.try_lock()? {
                return Ok(Some(lock));
            }
            std::thread::park_timeout(PAUSE);
        }
        Ok(None)
    }

    /// Writes a file anew where that changes it.
    fn rewrite(&self, name: &str, new: impl FnOnce(&str) -> String) {
        let written = || -> Result<()> {
            let Some(lock) = self.short_lock()? else {
                return Ok(());
            };
            let old = self.state.read(name)?.unwrap_or_default();
            let old = String::from_utf8_lossy(&old);
            let new = new(&old);
            if new == old {
                return Ok(());
            }
            self.state.write(name, new.as_bytes(), &lock)
        };
        if let Err(error) = written() {
            tracing::warn!(%error, file = name, "what shells read was not written");
        }
    }
}

/// Target and end of a grant that is live.
fn live(grant: &GrantView) -> Option<(TargetName, Timestamp)> {
    let target = TargetName::parse(&grant.target).ok()?;
    (grant.state == "active").then_some((target, grant.ends_at?))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hot::Origin;

    use super::*;
    use crate::clock::Clock;
    use crate::config::Environment;

    fn client(folder: &std::path::Path) -> (Client, Account, Account) {
        let folder = folder.to_owned();
        let env = Environment::of(|name| match name {
            "HOME" | "JIT_STATE_DIR" | "JIT_CACHE_DIR" => Some(folder.join(name).into()),
            _ => None,
        });
        let clock = Clock::manual(Timestamp::from_millis(1_000_000));
        let account = |name| Account::new(Origin::parse("https://h").unwrap(), name).unwrap();
        (
            Client::open(&env, None, None, Arc::clone(&clock)).unwrap(),
            account("alice"),
            account("bob"),
        )
    }

    fn name(text: &str) -> TargetName {
        TargetName::parse(text).unwrap()
    }

    fn read(client: &Client) -> String {
        std::fs::read_to_string(client.shell_files().0).unwrap()
    }

    #[test]
    fn live_file_has_a_line_for_each_target() {
        let temp = tempfile::tempdir().unwrap();
        let (client, alice, bob) = client(temp.path());
        client.note_live(&alice, 10_000, &name("prod"), Timestamp::from_millis(9_000_000));
        client.note_live(&bob, 0, &name("dev"), Timestamp::from_millis(2_000_000));
        let (a, b) = (alice.folder(), bob.folder());
        let both = format!("dev 2000 jit-dev {b}\nprod 8990 jit-prod {a}\n");
        assert_eq!(read(&client), both);
        // nothing is open for alice: bob's stays
        client.note_open(&alice, 0, &[]);
        assert_eq!(read(&client), format!("dev 2000 jit-dev {b}\n"));
        // what is over goes with the next write
        client.note_live(&bob, 0, &name("dev"), Timestamp::from_millis(900_000));
        assert_eq!(read(&client), "");
    }

    #[test]
    fn grant_that_was_extended_goes_on_after_its_credential() {
        let temp = tempfile::tempdir().unwrap();
        let (client, alice, bob) = client(temp.path());
        let goes_on = |account: &Account, target: &str| client.goes_on_after(account, &name(target), 4_000_000);
        assert!(!goes_on(&alice, "prod"));
        client.note_live(&alice, 0, &name("prod"), Timestamp::from_millis(4_030_000));
        assert!(!goes_on(&alice, "prod"));
        client.note_live(&alice, 0, &name("prod"), Timestamp::from_millis(9_000_000));
        assert!(goes_on(&alice, "prod"));
        assert!(!goes_on(&bob, "prod") && !goes_on(&alice, "dev"));
        client.note_open(&alice, 0, &[]);
        assert!(!goes_on(&alice, "prod"));
    }

    #[test]
    fn attack_16_line_that_is_none_of_ours_is_not_kept() {
        let temp = tempfile::tempdir().unwrap();
        let (client, alice, _) = client(temp.path());
        client.note_live(&alice, 0, &name("prod"), Timestamp::from_millis(9_000_000));
        let ours = read(&client);
        let hostile = format!("$(touch x) 9 x y\nprod `x` x y\n\u{1b}[2J\n{ours}");
        std::fs::write(client.shell_files().0, hostile).unwrap();
        client.note_live(&alice, 0, &name("prod"), Timestamp::from_millis(9_000_000));
        assert_eq!(read(&client), ours);
    }
}
