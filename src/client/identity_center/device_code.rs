//! Signing in with a code that is typed in elsewhere (RFC 8628): for a machine without a browser.
//! Owns how often it asks. Refuses a page that is not AWS's, and to go on past the code's end.

use std::time::{Duration, Instant};

use super::call::Caller;
use super::errors::{failed, not_signed_in};
use super::oidc::{Device, NoToken};
use super::step::Step;
use super::token::Token;
use crate::clock::Clock;
use crate::error::Result;

/// No code of ours lives longer, in seconds.
const LONGEST_S: u32 = 30 * 60;
/// Between two questions where nothing else is said, in seconds (RFC 8628, section 3.2).
const INTERVAL_S: u32 = 5;

impl Caller<'_> {
    /// A token by a code that `say` shows.
    pub(super) fn by_code(&self, clock: &Clock, say: &mut dyn FnMut(&Step<'_>) -> Result<()>) -> Result<Token> {
        let client = self.register(false)?;
        let device = self.device(&client)?;
        let (url, expires_in) = (self.page(&device)?, device.expires_in.min(LONGEST_S));
        let until = Instant::now() + Duration::from_secs(u64::from(expires_in));
        say(&Step::Code {
            url,
            code: &device.user_code,
            expires_in_s: expires_in,
        })?;
        let interval = device.interval.unwrap_or(INTERVAL_S).clamp(1, 60);
        let mut pause = Duration::from_secs(u64::from(interval));
        loop {
            self.backend.pause(pause)?;
            match self.token_by_device(clock.now(), &client, &device)? {
                Ok(token) => return Ok(token),
                Err(NoToken::Pending) => {}
                Err(NoToken::SlowDown) => pause += Duration::from_secs(u64::from(INTERVAL_S)),
                Err(NoToken::Denied) => return Err(not_signed_in("somebody refused the sign-in at Identity Center")),
                Err(NoToken::Over) => return Err(not_signed_in("the code of Identity Center is over")),
            }
            if Instant::now() >= until {
                return Err(not_signed_in("the code of Identity Center is over"));
            }
        }
    }

    /// The page to open, checked, and the code, which people compare.
    fn page<'a>(&self, device: &'a Device) -> Result<&'a str> {
        let is_code = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        let fits = (1..=32).contains(&device.user_code.len()) && device.user_code.bytes().all(is_code);
        let url = device
            .verification_uri_complete
            .as_ref()
            .unwrap_or(&device.verification_uri);
        match fits && self.center.owns_page(url, &self.endpoints) {
            true => Ok(url),
            false => Err(failed("the page that Identity Center names is not AWS's".to_owned())
                .hint("do not sign in; show this to whoever runs Identity Center")),
        }
    }
}
