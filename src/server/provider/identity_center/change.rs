//! An assignment made or taken away, to its end: begun, polled until it is over, then seen in the list.
//! Owns what was begun and not yet seen to end, so that the next call takes it up again. Refuses to believe AWS's word
//! that it is done: the list decides.

use std::time::Duration;

use tokio::time::timeout_at;

use super::IdentityCenter;
use super::errors::Failure;
use super::governor::Caller;
use super::operation::{Change, End, Membership, State};
use crate::server::provider::{Presence, ProviderError};

/// How long AWS is left alone before a look at what was begun. It takes about three seconds: where calls wait for their
/// turn, one look when it is over, even if the pause is drawn short; else one a second, for whoever waits.
const LOOK: Duration = Duration::from_secs(1);
const LOOK_WHEN_BUSY: Duration = Duration::from_secs(4);

/// So many looks go by before it is left alone ever longer, and the longest that it is.
const SOON: u32 = 6;
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How often the list is read until it shows what AWS says it has done.
const LOOKS_AT_LIST: u32 = 4;

impl IdentityCenter {
    /// Makes the list show `wanted`.
    ///
    /// # Errors
    /// [`ProviderError::Refused`] where AWS says why not; anything else is to be tried again.
    pub(super) async fn bring_about(
        &self,
        caller: &Caller,
        one: Membership<'_>,
        change: Change,
    ) -> Result<(), ProviderError> {
        let wanted = match change {
            Change::Create => Presence::There,
            Change::Delete => Presence::Absent,
        };
        if let Some(end) = self.take_up(caller, one, change).await? {
            // it may have been overtaken since: then it is begun anew
            let looks = if end == End::Done { LOOKS_AT_LIST } else { 1 };
            if self.shows(caller, one, wanted, looks).await? {
                return Ok(());
            }
        }
        let end = self.make(caller, one, change).await?;
        let looks = if end == End::Done { LOOKS_AT_LIST } else { 1 };
        if self.shows(caller, one, wanted, looks).await? {
            return Ok(());
        }
        let about = one.about();
        Err(match (change, end) {
            (Change::Create, End::Failed(said)) => {
                ProviderError::Refused(format!("Identity Center could not assign {about}{said}"))
            }
            (Change::Delete, End::Failed(said)) => {
                ProviderError::Refused(format!("Identity Center could not take away {about}{said}"))
            }
            (Change::Create, End::Done | End::Unknown) => ProviderError::Unreachable(format!(
                "Identity Center says that {about} is assigned, and does not list it yet; it is looked at again"
            )),
            (Change::Delete, End::Done | End::Unknown) => ProviderError::Unreachable(format!(
                "Identity Center says that {about} is taken away, and lists it still; it is tried again"
            )),
        })
    }

    /// Waits for the end of a change that we began and did not see the end of.
    pub(super) async fn take_up(
        &self,
        caller: &Caller,
        one: Membership<'_>,
        change: Change,
    ) -> Result<Option<End>, ProviderError> {
        let begun = self.begun().get(&(change, one.name())).cloned();
        match begun {
            Some(request_id) => self.poll(caller, one, change, &request_id).await.map(Some),
            None => Ok(None),
        }
    }

    /// Waits for the end of every creation of this membership that is under way, whoever began it: one whose answer was
    /// lost would end after the deletion, and give again what was taken.
    pub(super) async fn outwait_creations(&self, caller: &Caller, one: Membership<'_>) -> Result<(), ProviderError> {
        self.take_up(caller, one, Change::Create).await?;
        let under_way = match self.creations(caller, &one.of.instance).await {
            Ok(under_way) => under_way,
            // what is taken away does not wait for somebody to give us one more right
            Err(failure) if !failure.is_transient() => {
                tracing::warn!(cause = %ProviderError::from(failure), "cannot see what Identity Center is creating");
                return Ok(());
            }
            Err(failure) => return Err(failure.into()),
        };
        let is_of_it = |account: &str, set: &str, user: &str| {
            account == one.of.account && set == one.of.permission_set_arn && user == one.user
        };
        for creation in under_way.iter() {
            if is_of_it(&creation.account, &creation.permission_set, &creation.user) {
                self.poll(caller, one, Change::Create, &creation.request_id).await?;
            }
        }
        Ok(())
    }

    /// Begins a change and waits for its end.
    async fn make(&self, caller: &Caller, one: Membership<'_>, change: Change) -> Result<End, ProviderError> {
        // held until the creation has ended, or we look no longer
        let _slot = match change {
            Change::Create => {
                let slot = timeout_at(caller.until, self.creation_slots.acquire()).await;
                let waited = |_| {
                    let text = "as many assignments are being created as Identity Center allows; it is tried again";
                    ProviderError::Waiting(text.to_owned())
                };
                Some(slot.map_err(waited)?)
            }
            Change::Delete => None,
        };
        let (request_id, state) = match self.begin_patiently(caller, one, change).await {
            Ok(begun) => begun,
            Err(Failure::Missing(_)) if change == Change::Delete => return Ok(End::Unknown),
            Err(failure) => return Err(failure.into()),
        };
        match state {
            State::Ended(end) => Ok(end),
            State::InProgress => {
                self.begun().insert((change, one.name()), request_id.clone());
                self.poll(caller, one, change, &request_id).await
            }
        }
    }

    /// Begins, and again while something else is being done to the same.
    async fn begin_patiently(
        &self,
        caller: &Caller,
        one: Membership<'_>,
        change: Change,
    ) -> Result<(String, State), Failure> {
        let mut pause = LOOK;
        loop {
            let conflict = match self.begin(caller, one, change).await {
                Err(conflict @ Failure::Conflict(_)) => conflict,
                other => return other,
            };
            self.admin.slow_down();
            if caller.pause(self.admin.jittered(pause), "").await.is_err() {
                return Err(conflict);
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Looks at a change until it is over. What cannot be seen now is looked at again, until the work's time is over.
    async fn poll(
        &self,
        caller: &Caller,
        one: Membership<'_>,
        change: Change,
        request_id: &str,
    ) -> Result<End, ProviderError> {
        let name = (change, one.name());
        let what = match change {
            Change::Create => format!("the assignment of {}", one.about()),
            Change::Delete => format!("taking away {}", one.about()),
        };
        let (mut longer, mut looks) = (LOOK, 0);
        loop {
            let pause = match self.admin.is_busy() {
                true => longer.max(LOOK_WHEN_BUSY),
                false => longer,
            };
            caller.pause(self.admin.jittered(pause), &what).await?;
            let end = match self.look(caller, one, change, request_id).await {
                Ok(State::Ended(end)) => Some(end),
                Ok(State::InProgress) => None,
                Err(Failure::Missing(_)) => Some(End::Unknown),
                Err(failure) if failure.is_transient() => None,
                Err(failure) => return Err(failure.into()),
            };
            if let Some(end) = end {
                let mut begun = self.begun();
                if begun.get(&name).is_some_and(|id| id == request_id) {
                    begun.remove(&name);
                }
                return Ok(end);
            }
            looks += 1;
            if looks >= SOON {
                longer = (longer * 3 / 2).min(LONGEST_PAUSE);
            }
        }
    }

    /// Whether the list shows `wanted`, within so many looks at it.
    async fn shows(
        &self,
        caller: &Caller,
        one: Membership<'_>,
        wanted: Presence,
        looks: u32,
    ) -> Result<bool, ProviderError> {
        for look in 1..=looks {
            if self.presence(caller, one).await? == wanted {
                return Ok(true);
            }
            if look < looks && caller.pause(self.admin.jittered(LOOK), "").await.is_err() {
                break;
            }
        }
        Ok(false)
    }

    /// Whether the list shows it.
    pub(super) async fn presence(&self, caller: &Caller, one: Membership<'_>) -> Result<Presence, ProviderError> {
        let of = one.of;
        let list = self.list(caller, &of.instance, &of.permission_set_arn, &of.account);
        if list.await?.users.iter().any(|user| user == one.user) {
            Ok(Presence::There)
        } else {
            Ok(Presence::Absent)
        }
    }
}
