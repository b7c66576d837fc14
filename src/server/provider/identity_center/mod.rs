//! Identity Center: a grant is an account assignment, made at its beginning and taken away at its end.
//! Owns the calls to its admin side, to its identity store and to Organizations, and the pace at which they go.
//! Refuses to know of grants and leases: whether anybody else still needs an assignment is decided before it is called.

mod change;
mod check;
mod clients;
mod errors;
mod governor;
mod groups;
mod listing;
mod operation;
mod organization;
mod provider;
mod quota;
mod shared;
mod user;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OnceCell, Semaphore};

pub use self::quota::Quota;

use self::clients::Clients;
use self::governor::{Caller, Governor};
use self::listing::{Assigned, Creating, Creation, Listed};
use self::operation::{Change, Membership};
use self::quota::Urgency;
use self::shared::Shared;
use super::aws_sdk::AwsSettings;
use super::{Presence, ProviderError};
use crate::domain::{Assignment, Instance};

/// How long a look may take: somebody waits.
const LOOK_LIMIT: Duration = Duration::from_secs(15);

/// What was begun and not yet seen to end: by the change and the membership's name, AWS's id of it.
type Begun = HashMap<(Change, String), String>;

/// Identity Center, called as ourselves.
#[derive(Debug)]
pub struct IdentityCenter {
    clients: Clients,
    /// One gate a service: AWS counts the calls of each by themselves.
    admin: Governor,
    store: Governor,
    organizations: Governor,
    patience: Duration,
    creation_slots: Semaphore,
    begun: Mutex<Begun>,
    lists: Shared<Listed, Arc<Assigned>>,
    creating: Shared<Creating, Arc<Vec<Creation>>>,
    management: OnceCell<String>,
    own: OnceCell<String>,
}

impl IdentityCenter {
    /// One that has called nobody and read nothing yet.
    pub fn new(settings: AwsSettings, quota: Quota) -> Self {
        Self {
            clients: Clients::new(settings),
            admin: Governor::new(quota.calls_per_second),
            store: Governor::new(quota.calls_per_second),
            organizations: Governor::new(quota.calls_per_second),
            patience: quota.patience,
            creation_slots: Semaphore::new(quota.creations_at_once.max(1) as usize),
            begun: Mutex::default(),
            lists: Shared::default(),
            creating: Shared::default(),
            management: OnceCell::new(),
            own: OnceCell::new(),
        }
    }

    /// The id of a person's user, by which everything after refers to them.
    ///
    /// # Errors
    /// [`ProviderError::Refused`] for nobody, and for more than one.
    pub async fn user(&self, instance: &Instance, name: &str, subject: &str) -> Result<String, ProviderError> {
        let caller = Caller::new(&instance.region, Urgency::Give, LOOK_LIMIT);
        self.find_user(&caller, instance, name, subject).await
    }

    /// Whether `assignment` could be given at all: region, instance, permission set, account, and that it is not one
    /// that only the management account can give.
    ///
    /// # Errors
    /// [`ProviderError::Refused`] with the cause and what to do.
    pub async fn check(&self, assignment: &Assignment) -> Result<(), ProviderError> {
        let caller = Caller::new(&assignment.instance.region, Urgency::Give, LOOK_LIMIT);
        self.check_all(&caller, assignment).await
    }

    /// Whether it is listed.
    ///
    /// # Errors
    /// Where the list cannot be read: that is never taken for absent.
    pub async fn is_assigned(&self, assignment: &Assignment, user: &str) -> Result<Presence, ProviderError> {
        let caller = Caller::new(&assignment.instance.region, Urgency::Give, LOOK_LIMIT);
        let one = Membership { of: assignment, user };
        self.presence(&caller, one).await
    }

    /// Whether the user has it of their own, and whether a group that they are in has it: one list for both.
    ///
    /// # Errors
    /// Where one of them cannot be read: that is never taken for absent.
    pub async fn has(&self, assignment: &Assignment, user: &str) -> Result<(Presence, bool), ProviderError> {
        let (of, instance) = (assignment, &assignment.instance);
        let caller = Caller::new(&instance.region, Urgency::Give, LOOK_LIMIT);
        let listed = self
            .list(&caller, instance, &of.permission_set_arn, &of.account)
            .await?;
        let is_theirs = match listed.users.iter().any(|one| one == user) {
            true => Presence::There,
            false => Presence::Absent,
        };
        let through_group = self.is_in_one_of(&caller, instance, user, &listed.groups).await?;
        Ok((is_theirs, through_group))
    }

    /// Assigns, and returns when it is listed. Assigning what is assigned already succeeds.
    ///
    /// # Errors
    /// [`ProviderError::Refused`] where AWS says why not, and nothing is there; what is still in progress at the end of our
    /// patience is
    /// [`ProviderError::Unreachable`], and taken up again by the next call.
    pub async fn assign(&self, assignment: &Assignment, user: &str) -> Result<(), ProviderError> {
        let caller = Caller::new(&assignment.instance.region, Urgency::Give, self.patience);
        let one = Membership { of: assignment, user };
        // a deletion that ended after the creation would take it away again
        self.take_up(&caller, one, Change::Delete).await?;
        self.bring_about(&caller, one, Change::Create).await
    }

    /// Takes away, and returns when it is no longer listed and nothing is under way that would give it again. What is
    /// gone already is a success.
    ///
    /// # Errors
    /// All of them mean: try again.
    pub async fn unassign(&self, assignment: &Assignment, user: &str) -> Result<(), ProviderError> {
        let caller = Caller::new(&assignment.instance.region, Urgency::Take, self.patience);
        let one = Membership { of: assignment, user };
        self.outwait_creations(&caller, one).await?;
        self.bring_about(&caller, one, Change::Delete).await
    }

    /// The users who have a permission set in an account, whoever assigned it to them. Groups are left out.
    ///
    /// # Errors
    /// Where the list cannot be read to its end.
    pub async fn assigned(
        &self,
        instance: &Instance,
        permission_set_arn: &str,
        account: &str,
    ) -> Result<Vec<String>, ProviderError> {
        let caller = Caller::new(&instance.region, Urgency::Give, LOOK_LIMIT);
        let listed = self.list(&caller, instance, permission_set_arn, account).await?;
        Ok(listed.users.clone())
    }

    /// Nothing that is done under the lock can panic half-way.
    fn begun(&self) -> MutexGuard<'_, Begun> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
