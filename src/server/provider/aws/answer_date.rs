//! When STS answered, by its own clock: the session policy ends by that clock, not by ours.
//! Owns the reading and comparing of the `Date` header. Refuses an answer without one.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_sdk_sts::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_sts::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sts::error::BoxError;
use aws_sdk_sts::primitives::{DateTime, DateTimeFormat};

use crate::domain::Timestamp;
use crate::server::provider::ProviderError;

/// How far two clocks may be apart.
const LARGEST_OFFSET_S: i64 = 30;

/// Keeps the `Date` of the answer to the one call that it is given to.
#[derive(Clone, Debug, Default)]
pub struct AnswerDate(Arc<OnceLock<String>>);

impl Intercept for AnswerDate {
    fn name(&self) -> &'static str {
        "answer-date"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(date) = context.response().headers().get("date") {
            // Retries are off: there is one answer, and the first one counts.
            let _ = self.0.set(date.to_owned());
        }
        Ok(())
    }
}

impl AnswerDate {
    /// Checks that their clock and ours agree within 30 s. `now` is when the call began, `took` how long it took.
    ///
    /// # Errors
    /// [`ProviderError::Clock`] where they do not; [`ProviderError::Unreachable`] where the answer has no readable date.
    pub fn check(&self, now: Timestamp, took: Duration) -> Result<(), ProviderError> {
        let text = self.0.get().map(String::as_str);
        let date = text.and_then(|d| DateTime::from_str(d, DateTimeFormat::HttpDate).ok());
        let Some(date) = date else {
            return Err(ProviderError::Unreachable(
                "STS answered without a readable Date header, so its clock cannot be compared with ours".into(),
            ));
        };
        let took_s = i64::try_from(took.as_secs()).unwrap_or(i64::MAX);
        match offset_s(now.millis().div_euclid(1000), took_s, date.secs()) {
            offset_s if offset_s.abs() > LARGEST_OFFSET_S => Err(ProviderError::Clock { offset_s }),
            _ => Ok(()),
        }
    }
}

/// Theirs minus ours, 0 for any instant within the call.
fn offset_s(began_s: i64, took_s: i64, theirs_s: i64) -> i64 {
    theirs_s.saturating_sub(theirs_s.clamp(began_s, began_s.saturating_add(took_s)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: &str = "Fri, 20 Nov 2026 12:00:00 GMT";

    fn dated(text: &str) -> AnswerDate {
        AnswerDate(Arc::new(OnceLock::from(text.to_owned())))
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn clocks_agree_up_to_thirty_seconds() {
        for ours in ["2026-11-20T11:59:30Z", "2026-11-20T12:00:30.9Z"] {
            assert_eq!(dated(NOON).check(at(ours), Duration::ZERO), Ok(()), "{ours}");
        }
    }

    #[test]
    fn clocks_further_apart_are_refused_with_offset() {
        for (ours, offset_s) in [("2026-11-20T11:59:29.9Z", 31), ("2026-11-20T12:00:31Z", -31)] {
            let refused = dated(NOON).check(at(ours), Duration::ZERO);
            assert_eq!(refused, Err(ProviderError::Clock { offset_s }));
        }
    }

    #[test]
    fn slow_call_is_no_clock_offset() {
        let began = at("2026-11-20T11:59:25Z");
        assert_eq!(dated(NOON).check(began, Duration::from_secs(9)), Ok(()));
    }

    #[test]
    fn answer_without_date_is_refused() {
        for date in [AnswerDate::default(), dated("yesterday")] {
            let refused = date.check(at("2026-11-20T12:00:00Z"), Duration::ZERO);
            assert!(matches!(refused, Err(ProviderError::Unreachable(_))));
        }
    }
}
