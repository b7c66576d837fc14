//! How fresh a second factor has to be, where its age is all that stands in the way.
//! Owns asking the same again with another age. Refuses to read policies: what they answer is what counts.

use super::bundle::Bundle;
use super::decide::decide;
use super::entities::NEVER_S;
use super::question::{Question, SessionFacts};

impl Question<'_> {
    fn session(&self) -> Option<&SessionFacts> {
        match self {
            Self::RequestFor { session, .. }
            | Self::Request { session, .. }
            | Self::AutoApprove { session, .. }
            | Self::Decide { session, .. }
            | Self::Revoke { session, .. }
            | Self::Lock { session, .. }
            | Self::Unlock { session, .. } => Some(session),
            Self::Receive { .. } | Self::Activate { .. } | Self::View { .. } => None,
        }
    }

    fn with_mfa_age(mut self, age_s: u32) -> Self {
        match &mut self {
            Self::RequestFor { session, .. }
            | Self::Request { session, .. }
            | Self::AutoApprove { session, .. }
            | Self::Decide { session, .. }
            | Self::Revoke { session, .. }
            | Self::Lock { session, .. }
            | Self::Unlock { session, .. } => session.mfa_age_s = Some(age_s),
            Self::Receive { .. } | Self::Activate { .. } | Self::View { .. } => {}
        }
        self
    }
}

/// How many seconds ago a second factor may have been shown for `bundle` to allow `question`, which it refuses; `None`
/// where one that is shown now would not help.
pub fn oldest_mfa(bundle: &Bundle, question: &Question<'_>) -> Option<u32> {
    let allows = |age_s: u32| decide(bundle, &question.with_mfa_age(age_s)).allowed;
    let mut refused = question.session()?.mfa_age_s.unwrap_or(NEVER_S);
    let mut allowed = 0;
    if !allows(allowed) {
        return None;
    }
    while refused.saturating_sub(allowed) > 1 {
        let between = allowed + (refused - allowed) / 2;
        match allows(between) {
            true => allowed = between,
            false => refused = between,
        }
    }
    Some(allowed)
}
