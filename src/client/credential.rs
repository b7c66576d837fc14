//! Credentials: minted by the backend, checked, kept in the cache, printed as AWS tools read them.
//! Refuses credentials of another account or with odd characters, and to say that they live longer than they do.

use hot::{Account, Entry, Facts, Reach, Refresh, State};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::account::{Client, cache_problem};
use super::backend::Backend;
use super::http::foreign;
use super::identity_center::{Told, is_elsewhere};
use super::named::{may_mean, means};
use crate::domain::id::GrantId;
use crate::domain::text::TargetName;
use crate::domain::time::Timestamp;
use crate::error::{Error, Result};
use crate::wire::{GrantView, MintedCredential, RequestView};

/// A credential that was minted just now.
pub struct Minted {
    /// On what.
    pub(super) target: TargetName,
    /// It works before this instant.
    pub expires_at: Timestamp,
    /// The grant ends then.
    pub grant_ends_at: Timestamp,
    /// As the cache keeps it.
    pub(super) entry: Entry,
}

impl Client {
    /// Mints a credential of `grant` and keeps it; `told` hears what takes a while. Where it cannot be kept, it was minted
    /// all the same: that is an error of the cache.
    ///
    /// # Errors
    /// What the backend says; a cache that is refused.
    pub fn fetch(
        &self,
        backend: &Backend,
        account: &Account,
        target: &TargetName,
        grant: &str,
        told: Told<'_>,
    ) -> Result<Minted> {
        let minted = self.minted(backend, target, grant, told)?;
        self.cache
            .write(account, target.as_str(), &minted.entry)
            .map_err(cache_problem)?;
        self.note_live(account, backend.offset_ms(), target, minted.grant_ends_at);
        Ok(minted)
    }

    /// Mints a credential of `grant`, wherever that is done, and checks it.
    fn minted(&self, backend: &Backend, target: &TargetName, grant: &str, told: Told<'_>) -> Result<Minted> {
        let id = GrantId::parse(grant).map_err(|_| foreign(backend.origin(), "its grant has no id"))?;
        let credential = match backend.mint(&id) {
            Err(error) if is_elsewhere(&error) => {
                return self.fetched_there(backend, target, &|_, grant| grant.id == id.as_str(), told);
            }
            minted => minted?,
        };
        if credential.grant != id.as_str() {
            return Err(foreign(backend.origin(), "it answers with another grant"));
        }
        self.checked(backend, &credential)
    }

    /// Mints a credential of the live grant on `target` that ends last, in one call where the backend does it, and checks
    /// it. An account may be called by its name: what is minted says on what it is.
    pub(super) fn minted_on(&self, backend: &Backend, target: &TargetName) -> Result<Minted> {
        let credential = match backend.mint_on(target) {
            Err(error) if is_elsewhere(&error) => {
                let is_meant = |request: &RequestView, _: &GrantView| means(target, request);
                return self.fetched_there(backend, target, &is_meant, &mut |_| {});
            }
            minted => minted?,
        };
        GrantId::parse(&credential.grant).map_err(|_| foreign(backend.origin(), "its grant has no id"))?;
        if !may_mean(target, &credential.target) {
            return Err(foreign(backend.origin(), "it answers with another target"));
        }
        self.checked(backend, &credential)
    }

    pub(super) fn checked(&self, backend: &Backend, credential: &MintedCredential) -> Result<Minted> {
        let now = self.clock.now();
        entry(credential, now, backend.offset_ms()).map_err(|what| foreign(backend.origin(), what))
    }

    /// Takes a target's credential out of the cache.
    ///
    /// # Errors
    /// A cache that is refused.
    pub fn forget(&self, account: &Account, target: &TargetName) -> Result<()> {
        // whoever is fetching right now writes first, then it is removed; without the lock it is removed anyway
        let held = self
            .cache
            .lock(account, target.as_str(), std::time::Duration::from_secs(3));
        let removed = self.cache.remove(account, target.as_str()).map_err(cache_problem);
        drop(held);
        removed
    }

    /// Takes everything out of the cache that is handed out no longer: what of it AWS would still take must not lie there.
    pub fn sweep(&self, account: &Account) {
        let over = |facts: &Facts| facts.state(self.now_ms()) == State::Dead;
        for listed in self.cache.list(account).unwrap_or_default() {
            if listed.facts.is_ok_and(|facts| over(&facts)) {
                self.remove_if(account, &listed.target, &over);
            }
        }
    }

    /// Takes out of the cache what is of a grant on none of `live`: one that was taken early.
    pub(super) fn keep_only(&self, account: &Account, live: &[&str]) {
        let over = |facts: &Facts| !live.contains(&facts.grant.as_str());
        for listed in self.cache.list(account).unwrap_or_default() {
            if listed.facts.is_ok_and(|facts| over(&facts)) {
                self.remove_if(account, &listed.target, &over);
            }
        }
    }

    /// Looks again under the lock; whoever is fetching right now is left alone, and looked at the next time.
    fn remove_if(&self, account: &Account, target: &str, over: &dyn Fn(&Facts) -> bool) {
        let Ok(Some(held)) = self.cache.lock(account, target, std::time::Duration::ZERO) else {
            return;
        };
        if self.cache.read(account, target).is_ok_and(|entry| over(&entry.facts))
            && let Err(problem) = self.cache.remove(account, target)
        {
            tracing::warn!(%problem, "what is over stays in the cache");
        }
        drop(held);
    }

    /// Whether the cache has a credential of `target` that works now.
    pub fn caches(&self, account: &Account, target: &TargetName) -> bool {
        self.cached_reach(account, target).is_some()
    }

    /// Whether it has one with all of the target's access.
    pub fn holds(&self, account: &Account, target: &TargetName) -> bool {
        self.cached_reach(account, target) == Some(Reach::Full)
    }

    fn cached_reach(&self, account: &Account, target: &TargetName) -> Option<Reach> {
        let facts = self.cache.read(account, target.as_str()).ok()?.facts;
        let now_ms = u64::try_from(self.clock.now().millis()).ok()?;
        (now_ms < facts.expires_at_ms).then_some(facts.reach)
    }
}

/// The credential as the cache keeps it, by this machine's clock.
fn entry(credential: &MintedCredential, now: Timestamp, offset_ms: i64) -> std::result::Result<Minted, &'static str> {
    check(credential)?;
    let target = TargetName::parse(&credential.target).map_err(|_| "its credential is of no target")?;
    let local_ms = |t: Timestamp| u64::try_from(t.millis().saturating_sub(offset_ms).max(0)).unwrap_or(0);
    let expires_at = credential.expires_at.whole_second();
    // a session ends at a whole second: one that lives until then is the last, and nothing is renewed after it
    let grant_ends_at = credential.grant_ends_at.whole_second();
    let (expires, ends) = (local_ms(expires_at), local_ms(grant_ends_at));
    let facts = Facts {
        // what lives on after the grant is handed out no longer, although AWS would take it
        expires_at_ms: expires.min(ends),
        refresh: Refresh::plan(u64::try_from(now.millis()).unwrap_or(0), expires, ends),
        grant: credential.grant.clone(),
        reach: if credential.only.is_empty() {
            Reach::Full
        } else {
            Reach::Narrowed
        },
    };
    let json = SecretString::from(process_json(credential, expires_at));
    Ok(Minted {
        target,
        expires_at,
        grant_ends_at,
        entry: Entry::new(facts, json.expose_secret().as_bytes()).map_err(|_| "its credential cannot be kept")?,
    })
}

/// What `credential_process` prints: `Version` is the number 1, `Expiration` has whole seconds and `Z`.
fn process_json(credential: &MintedCredential, expires_at: Timestamp) -> String {
    json!({
        "Version": 1,
        "AccessKeyId": credential.access_key_id,
        "SecretAccessKey": credential.secret_access_key,
        "SessionToken": credential.session_token,
        "Expiration": expires_at.to_string(),
        "AccountId": credential.account,
    })
    .to_string()
}

/// Odd characters would reach config files, headers and terminals.
fn check(credential: &MintedCredential) -> std::result::Result<(), &'static str> {
    let key_fits = (16..=128).contains(&credential.access_key_id.len())
        && credential
            .access_key_id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let account_fits = credential.account.len() == 12 && credential.account.bytes().all(|b| b.is_ascii_digit());
    let secret_fits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    if key_fits && account_fits && secret_fits(&credential.secret_access_key) && secret_fits(&credential.session_token)
    {
        Ok(())
    } else {
        Err("its credential is none")
    }
}

/// No live grant on the target, in the words that a tool shows.
pub(super) fn no_live_grant(target: &TargetName) -> Error {
    use crate::domain::refusal::Code;
    Error::of(Code::GrantNotLive, format!("no live grant for {target}")).try_(format!("jit request {target}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential() -> MintedCredential {
        MintedCredential {
            target: "prod-admin".into(),
            grant: "grt_000000000000".into(),
            access_key_id: "ASIAEXAMPLEEXAMPLE".into(),
            secret_access_key: "abc/+=".into(),
            session_token: "tok".into(),
            expires_at: Timestamp::from_millis(3_600_500),
            account: "111111111111".into(),
            grant_ends_at: Timestamp::from_millis(7_200_000),
            only: Vec::new(),
        }
    }

    #[test]
    fn process_json_is_what_aws_tools_read() {
        let text = process_json(&credential(), Timestamp::from_millis(3_600_000));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["Version"], 1);
        assert_eq!(value["Expiration"], "1970-01-01T01:00:00Z");
        assert_eq!(value["AccountId"], "111111111111");
    }

    #[test]
    fn expiry_is_kept_by_the_clock_of_this_machine() {
        // the backend is 10 s ahead: what it calls 3,600 s is 3,590 s here
        let minted = entry(&credential(), Timestamp::from_millis(0), 10_000).unwrap();
        assert_eq!(minted.entry.facts.expires_at_ms, 3_590_000);
        assert_eq!(minted.entry.facts.refresh, Refresh::After(3_590_000 - 15 * 60_000));
        assert_eq!(minted.entry.facts.reach, Reach::Full);
    }

    #[test]
    fn credential_until_the_end_of_the_grant_is_the_last() {
        let mut last = credential();
        last.grant_ends_at = Timestamp::from_millis(3_600_900);
        let minted = entry(&last, Timestamp::from_millis(0), 0).unwrap();
        assert_eq!(minted.entry.facts.refresh, Refresh::Never);
        assert_eq!(minted.expires_at, minted.grant_ends_at);
    }

    #[test]
    fn attack_17_narrowed_credential_is_marked() {
        let mut narrowed = credential();
        narrowed.only = vec!["s3:Get*".into()];
        let minted = entry(&narrowed, Timestamp::from_millis(0), 0).unwrap();
        assert_eq!(minted.entry.facts.reach, Reach::Narrowed);
    }

    #[test]
    fn attack_16_credential_with_odd_characters_is_none() {
        for (field, value) in [
            ("key", "ASIA$(touch x)0000"),
            ("account", "11111111111x"),
            ("token", "a\nb"),
        ] {
            let mut bad = credential();
            match field {
                "key" => bad.access_key_id = value.into(),
                "account" => bad.account = value.into(),
                _ => bad.session_token = value.into(),
            }
            assert!(check(&bad).is_err(), "{field}");
        }
    }
}
