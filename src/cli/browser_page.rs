//! Sending a person to a page in a browser, for a command that waits for them; and to show a second factor there.
//! Refuses to open anything where the address was asked for.

use std::time::Duration;

use secrecy::SecretString;

use super::context::Ctx;
use crate::client::{Backend, Opened, Road, Sent, ShowSecondFactor, open_browser};
use crate::domain::SignInMethod;
use crate::domain::id::SessionId;
use crate::domain::refusal::Code;
use crate::error::{Error, Exit, Result};
use crate::ui::{Ui, span};
use crate::wire::Me;

/// So often a code may be mistyped.
const MOST_TRIES: u32 = 5;

/// How a person is sent to a page.
#[derive(Clone)]
pub(super) struct BrowserPage {
    ui: Ui,
    /// The programs that the person set.
    browser: Option<String>,
    /// Whether the address is printed and nothing opened.
    no_browser: bool,
    /// Whether the person sits at another machine.
    is_over_ssh: bool,
    /// The command that begins again, and prints the address.
    by_hand: &'static str,
}

/// Where the person goes.
#[derive(Debug, serde::Serialize)]
struct Asked<'a> {
    url: &'a str,
    expires_in_s: u32,
    /// What the page says of this terminal.
    word: &'a str,
}

impl BrowserPage {
    /// As `ctx` and the flag say; `by_hand` is the command that begins again, and prints the address.
    pub(super) fn new(ctx: &Ctx, no_browser: bool, by_hand: &'static str) -> Self {
        Self {
            ui: ctx.ui.clone(),
            browser: ctx.env.text("BROWSER"),
            no_browser,
            is_over_ssh: ctx.env.text("SSH_CONNECTION").is_some(),
            by_hand,
        }
    }

    /// Sends the person to the browser, or says where to go.
    pub(super) fn send(&self, sent: &Sent, backend: &str) -> Result<()> {
        if sent.is_carried() {
            self.ui.note(&format!(
                "Sign in at {backend} in any browser, and bring the code of its last page here:"
            ));
            self.say(sent)?;
            self.ui.note(&shows(sent));
            return Ok(());
        }
        let limit = span(seconds(sent.limit()));
        let waiting = format!("Waiting for the browser to sign in at {backend} ({limit}).");
        let address = SecretString::from(sent.address());
        let opened = match self.no_browser {
            true => None,
            false => Some(open_browser(&address, self.browser.as_deref())),
        };
        match opened {
            Some(Ok(Opened::Done | Opened::Running)) => {
                self.ui.note(&format!("{waiting} No page? {}", self.by_hand));
                self.ui.note(&shows(sent));
                // whoever reads nothing else finds the word there
                return if self.ui.is_json() { self.say(sent) } else { Ok(()) };
            }
            Some(Err(error)) => self.ui.warn(&error.message, "open this on this machine"),
            None => {}
        }
        self.say(sent)?;
        self.ui.note(&waiting);
        self.ui.note(&shows(sent));
        // over SSH the browser is elsewhere, and what it brings comes to a port of this machine
        if let Some(port) = sent.port().filter(|_| self.is_over_ssh) {
            self.ui.note(&format!(
                "  the browser is elsewhere? There first:  ssh -L {port}:127.0.0.1:{port} HOST"
            ));
        }
        Ok(())
    }

    /// The address; with `-o json` an object of its own, before the one of who signed in.
    fn say(&self, sent: &Sent) -> Result<()> {
        if self.ui.is_json() {
            let asked = Asked {
                url: sent.address(),
                expires_in_s: seconds(sent.limit()),
                word: sent.word(),
            };
            return self.ui.json("jit/login-address/1", &asked);
        }
        self.ui.line(sent.address())
    }

    /// What `take` makes of the code that the person brings, who may mistype it.
    pub(super) fn carried<T>(&self, take: impl Fn(&SecretString) -> Result<T>) -> Result<T> {
        let mut tries = MOST_TRIES;
        loop {
            let code = self.ui.ask_hidden("Code:")?;
            tries -= 1;
            match take(&code) {
                Err(error) if error.wire_code() == Some(Code::SessionCodeInvalid) && tries > 0 => {
                    self.ui.note("That is not the code, or it is too old.");
                }
                Err(error) if error.wire_code() == Some(Code::SessionCodeInvalid) => {
                    return Err(error.try_(self.by_hand));
                }
                taken => return taken,
            }
        }
    }

    /// Refuses to begin where nobody could be asked for the code.
    pub(super) fn can_carry(&self) -> Result<()> {
        match self.ui.can_ask() {
            true => Ok(()),
            false => Err(Error::usage("nobody to ask for the code").hint("run it on a terminal, without -o json")),
        }
    }

    /// Has the person show a second factor for `session` of theirs, the way that they signed in.
    pub(super) fn second_factor(&self, backend: &Backend, session: &str) -> Result<Me> {
        let session = SessionId::parse(session).map_err(|_| Error::signed_out())?;
        let method = backend.me()?.method;
        let ways = [
            (SignInMethod::Remote, Road::Carried),
            (SignInMethod::LoopbackPkce, Road::Loopback),
        ];
        let way = ways.into_iter().find(|(way, _)| way.as_str() == method);
        let (_, road) = way.ok_or_else(|| {
            let message = format!("a session by {method} shows no second factor");
            Error::new(Exit::SignedOut, "login.refused", message).try_("jit login")
        })?;
        if road == Road::Carried {
            self.can_carry()?;
        }
        let sent = backend.begin_second_factor(&session, road)?;
        self.send(&sent, backend.origin().as_str())?;
        match road {
            Road::Loopback => backend.finish_second_factor(sent),
            Road::Carried => self.carried(|code| backend.finish_second_factor_with(&sent, code)),
        }
    }

    /// The same in the middle of a command, which goes on by itself.
    pub(super) fn on_the_way(self, session: String) -> ShowSecondFactor {
        Box::new(move |backend, why| {
            let wanted = why.problem.as_ref().and_then(|problem| problem.step_up.as_ref());
            let within = wanted.map_or_else(String::new, |wanted| {
                format!(", shown within {}", span(wanted.max_age_s))
            });
            let policy = why.problem.as_ref().and_then(|problem| problem.reasons.first());
            let policy = policy.map_or_else(String::new, |reason| format!(" ({})", reason.policy));
            let is_idle = why.wire_code() == Some(Code::SessionIdle);
            self.ui.note(&match (is_idle, wanted) {
                (true, Some(wanted)) => format!(
                    "This session was not used for {}: sign in again.",
                    span(wanted.max_age_s)
                ),
                (true, None) | (false, _) => format!("This needs a second factor{within}{policy}: sign in again."),
            });
            self.second_factor(backend, &session)?;
            self.ui.note("Signed in again.");
            Ok(())
        })
    }
}

/// What the page is compared with.
fn shows(sent: &Sent) -> String {
    format!("The page asks whether your terminal shows {}.", sent.word())
}

fn seconds(limit: Duration) -> u32 {
    u32::try_from(limit.as_secs()).unwrap_or(u32::MAX)
}
