//! Signing in with the browser of this machine (RFC 7636, RFC 8252): what it brings back is worth nothing to whoever has
//! not begun.
//! Owns state and verifier. Refuses to open any page but the sign-in service's own.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};

use tokio::sync::oneshot;

use super::call::Caller;
use super::callback::Callback;
use super::errors::not_signed_in;
use super::oidc::NoToken;
use super::step::Step;
use super::token::Token;
use crate::client::browser;
use crate::clock::Clock;
use crate::error::{Error, Result};

/// What became of it.
pub(super) enum ByBrowser {
    /// Somebody signed in.
    SignedIn(Box<Token>),
    /// There is no browser to do it with.
    NoBrowser(Error),
}

impl Caller<'_> {
    /// A token by the browser that `browser` lists, or the platform's.
    pub(super) fn by_browser(
        &self,
        clock: &Clock,
        browser: Option<&str>,
        say: &mut dyn FnMut(&Step<'_>) -> Result<()>,
    ) -> Result<ByBrowser> {
        let random = self.backend.random();
        let (verifier, state) = (word(&random.bytes::<32>()), word(&random.bytes::<16>()));
        let client = self.register(true)?;
        let callback = self.backend.run(async { Callback::bind() })?;
        let redirect = callback.address();
        let challenge = challenge(&verifier);
        let page = self.authorize_page(&client, &redirect, state.expose_secret(), &challenge);
        say(&Step::Opening)?;
        let code = match self
            .backend
            .run(brought(callback, state.expose_secret(), page, browser))?
        {
            Ok(code) => code,
            Err(no_browser) => return Ok(ByBrowser::NoBrowser(no_browser)),
        };
        let made = self.token_by_code(clock.now(), &client, (&code, &verifier, &redirect))?;
        match made {
            Ok(token) => Ok(ByBrowser::SignedIn(Box::new(token))),
            Err(NoToken::Denied | NoToken::Over | NoToken::Pending | NoToken::SlowDown) => {
                Err(not_signed_in("Identity Center takes its own code no longer"))
            }
        }
    }
}

/// What the browser brings; the inner error says that there is none. A browser that is quick comes back while its program
/// still runs.
async fn brought(
    callback: Callback,
    state: &str,
    page: SecretString,
    browser: Option<&str>,
) -> Result<std::result::Result<SecretString, Error>> {
    let browser = browser.map(str::to_owned);
    let (say, mut opening) = oneshot::channel();
    // not a task of the runtime's, which would wait for it at the interrupt key
    std::thread::spawn(move || say.send(browser::open(&page, browser.as_deref())));
    let code = callback.code(state);
    tokio::pin!(code);
    tokio::select! {
        code = &mut code => return code.map(Ok),
        opened = &mut opening => {
            if let Ok(Err(no_browser)) = opened {
                return Ok(Err(no_browser));
            }
        }
    }
    code.await.map(Ok)
}

fn word(bytes: &[u8]) -> SecretString {
    SecretString::from(URL_SAFE_NO_PAD.encode(bytes))
}

/// `S256` of a verifier.
fn challenge(verifier: &SecretString) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.expose_secret().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenge_is_that_of_rfc_7636() {
        let verifier = SecretString::from("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
