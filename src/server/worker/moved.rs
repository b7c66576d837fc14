//! Accounts that left the unit, or lost the tag, by which somebody holds access in them.
//! Owns telling it, once. Refuses to end anything: a move in the organization takes access from nobody in the middle of
//! work.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::domain::{Actor, Assignment, Change, Membership};
use crate::server::backend::Backend;
use crate::server::failure::Failure;

/// Accounts that are looked at in one round: each costs some eight calls of a quota that asking needs too.
const MOST: usize = 20;

/// What earlier rounds left.
#[derive(Debug, Default)]
pub(super) struct Moved {
    /// Memberships of which it was told already: once until the account is back.
    told: BTreeSet<String>,
    /// Where the next round goes on.
    next: usize,
}

impl Moved {
    /// Looks at some of the accounts that somebody holds access in by where they stand.
    pub(super) async fn round(&mut self, backend: &Backend, held: &[Membership]) -> Result<(), Failure> {
        let mut accounts: BTreeMap<&str, Vec<(&Membership, &Assignment)>> = BTreeMap::new();
        for one in held {
            if let Some(assignment) = one.binding.assignment().filter(|of| of.chosen.is_some()) {
                accounts.entry(&assignment.account).or_default().push((one, assignment));
            }
        }
        self.told.retain(|name| held.iter().any(|one| one.name == *name));
        let from = self.next.checked_rem(accounts.len()).unwrap_or(0);
        self.next = from + MOST;
        let some = accounts.iter().cycle().skip(from).take(accounts.len().min(MOST));
        for (account, here) in some {
            self.look(backend, account, here).await?;
        }
        Ok(())
    }

    async fn look(
        &mut self,
        backend: &Backend,
        account: &str,
        here: &[(&Membership, &Assignment)],
    ) -> Result<(), Failure> {
        let Some((_, first)) = here.first() else { return Ok(()) };
        let facts = match backend.identity_center.account(first.partition, account).await {
            Ok(facts) => facts.unwrap_or_default(),
            Err(error) => {
                tracing::warn!(account, %error, "an account that is held by where it stands cannot be looked at");
                return Ok(());
            }
        };
        for (one, assignment) in here {
            let Some(chosen) = &assignment.chosen else { continue };
            if facts.is_chosen(&chosen.by) {
                self.told.remove(&one.name);
            } else if self.told.insert(one.name.clone()) {
                let by = chosen.by.to_string();
                tracing::warn!(
                    account,
                    by,
                    "an account left what its access was given by; it is held until its end"
                );
                let details = json!({ "account": account, "by": chosen.by, "grants": one.leases });
                let (now, kind) = (backend.now(), "account.left");
                backend
                    .commit(&Change::new(now, kind, Actor::Backend, None, Vec::new(), details))
                    .await?;
            }
        }
        Ok(())
    }
}
