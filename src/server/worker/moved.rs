//! Accounts that left the unit, or lost the tag, by which somebody holds access in them.
//! Owns telling it, once. Refuses to end anything: a move in the organization takes access from nobody in the middle of
//! work.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::told::Told;
use crate::domain::{Actor, Assignment, Change, Membership};
use crate::server::backend::Backend;
use crate::server::failure::Failure;
use crate::server::provider::ProviderError;

/// Accounts that are looked at in one round: each costs some eight calls of a quota that asking needs too.
const MOST: usize = 20;

/// What earlier rounds left.
#[derive(Debug, Default)]
pub(super) struct Moved {
    /// Where the next round goes on.
    next: usize,
}

impl Moved {
    /// Looks at some of the accounts that somebody holds access in by where they stand.
    pub(super) async fn round(
        &mut self,
        backend: &Backend,
        held: &[Membership],
        told: &mut Told,
    ) -> Result<(), Failure> {
        let mut accounts: BTreeMap<&str, Vec<(&Membership, &Assignment)>> = BTreeMap::new();
        for one in held {
            if let Some(assignment) = one.binding.assignment().filter(|of| of.chosen.is_some()) {
                accounts.entry(&assignment.account).or_default().push((one, assignment));
            }
        }
        let names: BTreeSet<&str> = held.iter().map(|one| one.name.as_str()).collect();
        told.retain_held(|name| names.contains(name));
        let from = self.next.checked_rem(accounts.len()).unwrap_or(0);
        self.next = from + MOST;
        let some = accounts.iter().cycle().skip(from).take(accounts.len().min(MOST));
        for (account, here) in some {
            look(backend, account, here, told).await?;
        }
        Ok(())
    }
}

async fn look(
    backend: &Backend,
    account: &str,
    here: &[(&Membership, &Assignment)],
    told: &mut Told,
) -> Result<(), Failure> {
    let Some((_, first)) = here.first() else { return Ok(()) };
    let found = match backend.identity_center.account(first.partition, account).await {
        Ok(facts) => Ok(facts.unwrap_or_default()),
        // it is closed or suspended, or the backend may not look any more: in either case nobody knows where it stands
        Err(ProviderError::Refused(why)) => Err(why),
        Err(
            error @ (ProviderError::Throttled(_)
            | ProviderError::Waiting(_)
            | ProviderError::Unreachable(_)
            | ProviderError::PolicyTooLarge(_)
            | ProviderError::Clock { .. }),
        ) => {
            tracing::warn!(account, %error, "an account that is held by where it stands cannot be looked at");
            return Ok(());
        }
    };
    for (one, assignment) in here {
        let Some(chosen) = &assignment.chosen else { continue };
        let mut details = json!({
            "account": account,
            "by": chosen.by,
            "membership": one.name,
            "grants": one.leases,
        });
        let kind = match &found {
            Ok(facts) if facts.is_chosen(&chosen.by) => {
                told.note_back(&one.name);
                continue;
            }
            Ok(_) => "account.left",
            Err(why) => {
                details["error"] = Value::String(why.clone());
                "account.refused"
            }
        };
        if told.is_news(&one.name) {
            let by = chosen.by.to_string();
            tracing::warn!(
                kind,
                account,
                by,
                "an account is not seen in what its access was given by; it is held until its end"
            );
            let change = Change::new(backend.now(), kind, Actor::Backend, None, Vec::new(), details);
            backend.commit(&change).await?;
            told.note_left(&one.name);
        }
    }
    Ok(())
}
