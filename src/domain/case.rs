//! Everything that the lifecycle has to know to answer one event.

use super::decision::Decision;
use super::grant::{EndCause, Grant};
use super::lock::{Lock, Scope};
use super::membership::Membership;
use super::refusal::Refusal;
use super::request::{Request, RequestState};
use super::time::Timestamp;

/// Another request of the same beneficiary for the same target, with its grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The request.
    pub request: Request,
    /// Its grant, once approved.
    pub grant: Option<Grant>,
}

/// A request, its decisions, its grant, and every other open one on the same membership.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// The request; absent while it is being filed.
    pub request: Option<Request>,
    /// Its decisions, oldest first.
    pub decisions: Vec<Decision>,
    /// Its grant, once approved.
    pub grant: Option<Grant>,
    /// Pending requests and open grants of the same beneficiary on the same target.
    pub beside: Vec<Held>,
    /// The grant that the request extends, whatever has become of it.
    pub extended: Option<Grant>,
    /// Locks that stand on its people and target, and on everything.
    pub locks: Vec<Lock>,
    /// The membership that the request is for, once a grant has held it.
    pub membership: Option<Membership>,
}

impl Case {
    /// The lock that stands on the first of `scopes` that has one.
    pub fn lock_on(&self, scopes: &[Scope]) -> Option<&Lock> {
        let standing = |scope: &Scope| self.locks.iter().find(|lock| lock.is_on(scope) && lock.stands());
        scopes.iter().find_map(standing)
    }

    /// The request.
    ///
    /// # Errors
    /// [`Refusal::RequestNotFound`] while there is none.
    pub fn request(&self) -> Result<&Request, Refusal> {
        self.request.as_ref().ok_or(Refusal::RequestNotFound)
    }

    /// The grant.
    ///
    /// # Errors
    /// [`Refusal::GrantNotFound`] while there is none.
    pub fn grant(&self) -> Result<&Grant, Refusal> {
        self.grant.as_ref().ok_or(Refusal::GrantNotFound)
    }

    /// Whether the rows still are what was filed, shown and decided, byte for byte.
    pub fn is_bound(&self) -> bool {
        let Some(request) = &self.request else { return false };
        let (id, body) = (request.id(), &request.body);
        request.is_intact()
            && self
                .decisions
                .iter()
                .all(|d| d.request == *id && d.digest == request.digest)
            && self
                .grant
                .as_ref()
                .is_none_or(|grant| grant.request == *id && grant.is_of(body))
            && body.extends.as_ref().is_none_or(|extends| {
                let is_it = |grant: &Grant| grant.id == extends.grant && grant.ends_at == Some(extends.ends_at);
                self.extended
                    .as_ref()
                    .is_some_and(|grant| is_it(grant) && grant.is_of(body))
            })
    }

    /// What the request extends, where that was taken or given back before its time: nothing is left to extend.
    pub fn lost(&self) -> Option<EndCause> {
        let cause = self.extended.as_ref().and_then(|grant| grant.cause);
        cause.filter(|cause| *cause != EndCause::Expired)
    }

    /// Open grants of the same beneficiary on the same target.
    pub fn grants_beside(&self) -> impl Iterator<Item = &Grant> {
        self.beside.iter().filter_map(|held| held.grant.as_ref())
    }

    /// What extends `grant`: its end before its time is theirs, too.
    pub fn extensions<'a>(&'a self, grant: &'a Grant) -> impl Iterator<Item = &'a Held> {
        let extends = |held: &&Held| held.request.body.extends.as_ref().is_some_and(|e| e.grant == grant.id);
        self.beside.iter().filter(extends)
    }

    /// Whether the request is approved, and by whoever had to.
    pub fn is_approved(&self) -> bool {
        self.request.as_ref().is_some_and(|request| {
            request.state == RequestState::Approved
                && (request.automatic || request.frozen.workflow.is_satisfied(&self.decisions))
        })
    }

    /// First activation of the unbroken row of grants that a new one would continue.
    pub fn anchor(&self, now: Timestamp) -> Option<Timestamp> {
        self.beside
            .iter()
            .filter_map(|held| held.grant.as_ref())
            .filter(|grant| grant.activated_at.is_some() && grant.is_live_or_coming(now))
            // an extension that begins late continues what it extends all the same
            .chain(&self.extended)
            .filter_map(|grant| grant.anchor_at)
            .min()
    }
}
