//! Everything that the lifecycle has to know to answer one event.

use super::decision::Decision;
use super::grant::Grant;
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
}

impl Case {
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
            && self.grant.as_ref().is_none_or(|grant| {
                grant.request == *id
                    && grant.beneficiary == body.beneficiary
                    && grant.target == body.target
                    && grant.only == body.only
            })
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
            .filter_map(|grant| grant.anchor_at)
            .min()
    }
}
