//! Signing in through a browser: from a terminal to the identity provider and back, with a code for that terminal alone.
//! Owns what is asked and what follows. Refuses an answer to what this browser did not begin, and a second one.

use std::net::IpAddr;

use super::step_up;
use crate::domain::called::readable;
use crate::domain::{Digest, Duration, SessionId, SignInMethod};
use crate::server::backend::Backend;
use crate::server::failure::Failure;
use crate::server::identity::on_its_way::{LIFE_S, OnItsWay, Terminal};
use crate::server::identity::proved::Proved;
use crate::server::identity::relying_party::{Answer, Question, RelyingParty, SignInError, encoded, repeated};
use crate::server::identity::sign_ins::Ended;
use crate::server::identity::token::Claims;
use crate::wire::{Brought, SignInMethods, SignInWay, paths};

/// Whoever found no place comes again after so many seconds.
const AGAIN_S: u32 = 5;

/// A sign-in that was begun.
pub struct Begun {
    /// Where the browser goes.
    pub address: String,
    /// What it keeps meanwhile.
    pub cookie: String,
}

/// What the browser brought back.
#[derive(Clone, Debug, Default)]
pub struct Return {
    /// The name of the identity provider whose address it came to.
    pub with: String,
    /// Of the sign-in.
    pub state: String,
    /// The identity provider's code.
    pub code: Option<String>,
    /// Who sent it, where they say so.
    pub issuer: Option<String>,
    /// Its "no".
    pub error: Option<String>,
    /// Its words for the "no".
    pub description: Option<String>,
}

/// Why a sign-in goes no further, in this browser.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// There is no such identity provider here.
    #[error("no identity provider of that name here")]
    NoSuchParty,
    /// It is not there, or says what it should not.
    #[error("{0}")]
    Issuer(String),
    /// Not begun in this browser, too old, or finished before.
    #[error("this sign-in was not begun in this browser, is too old, or was finished before")]
    NotBegun,
    /// The identity provider is there, and this way of signing in at it is switched off.
    #[error("this way of signing in is switched off here")]
    NotOffered,
    /// The session for which a second factor is to be shown is over, or is no session of that device.
    #[error("that session is over, or cannot show a second factor")]
    NoSession,
    /// Too many sign in at once, or too many failed to at that network: it may go on after so many seconds.
    #[error("too many sign in at once; load this page again in {0} s")]
    Busy(u32),
    /// The backend failed.
    #[error("the backend failed")]
    Failed,
}

impl Stopped {
    pub(super) fn of(failure: Failure) -> Self {
        tracing::error!(cause = failure.cause, "a sign-in was not finished");
        Self::Failed
    }
}

/// Every way to sign in that is offered.
pub fn methods(backend: &Backend) -> SignInMethods {
    let at_issuer = |party: &RelyingParty| {
        let offered = [SignInMethod::LoopbackPkce, SignInMethod::Remote, SignInMethod::Device];
        let offered = offered.into_iter().filter(|method| party.offers(*method));
        let way = |method: SignInMethod| SignInWay {
            method: method.as_str().to_owned(),
            name: Some(party.name().to_owned()),
            issuer: Some(party.issuer().to_owned()),
            audience: None,
        };
        offered.map(way).collect::<Vec<_>>()
    };
    let mut methods: Vec<SignInWay> = backend.sign_ins.parties().iter().flat_map(at_issuer).collect();
    // with codes that an admin hands out, the first admin's among them
    methods.push(SignInWay {
        method: SignInMethod::Local.as_str().to_owned(),
        name: None,
        issuer: None,
        audience: None,
    });
    methods.extend(backend.workloads.known().map(|(issuer, audience)| SignInWay {
        method: SignInMethod::Workload.as_str().to_owned(),
        name: Some(issuer.name.clone()),
        issuer: Some(issuer.issuer.clone()),
        audience: Some(audience.to_owned()),
    }));
    SignInMethods { methods }
}

/// Where a browser tells `terminal` that nobody signs in, and why; none where it listens nowhere.
pub fn not_begun(terminal: &Terminal, why: &Stopped) -> Option<String> {
    let brought = Brought {
        state: terminal.state.clone(),
        code: None,
        error: Some(why.to_string()),
    };
    terminal.port.map(|port| terminal_address(port, &brought))
}

/// Begins to show a second factor again for the session `renews`, at the identity provider of its person.
///
/// # Errors
/// [`Stopped::NoSession`], [`Stopped::Issuer`].
pub async fn begin_again(backend: &Backend, terminal: Terminal, renews: SessionId) -> Result<Begun, Stopped> {
    let known = step_up::of_session(backend, &renews, &terminal).await;
    let (_, party) = known.map_err(|_| Stopped::Failed)?.ok_or(Stopped::NoSession)?;
    begin(backend, party, terminal, Some(renews)).await
}

/// Begins a sign-in at `party` for `terminal`, for the session `renews` where it opens none. Nothing is stored: the browser
/// keeps it, sealed.
///
/// # Errors
/// [`Stopped::NotOffered`], [`Stopped::Issuer`].
pub async fn begin(
    backend: &Backend,
    party: &RelyingParty,
    terminal: Terminal,
    renews: Option<SessionId>,
) -> Result<Begun, Stopped> {
    if !party.offers(terminal.method()) {
        return Err(Stopped::NotOffered);
    }
    let life = Duration::from_secs(LIFE_S).map_err(|_| Stopped::Failed)?;
    let sign_in = OnItsWay {
        with: party.name().to_owned(),
        state: backend.random.secret(),
        nonce: backend.random.secret(),
        verifier: backend.random.secret(),
        until: backend.now().plus(life),
        terminal,
        renews,
    };
    let redirect_uri = redirect_uri(backend, party.name());
    let address = party.address(&backend.clock, &question(&sign_in, &redirect_uri)).await;
    let address = address.map_err(|error| {
        tracing::warn!(with = party.name(), %error, "nobody can sign in");
        Stopped::Issuer(format!("{}: {error}", party.name()))
    })?;
    let cookie = backend.sign_ins.cookies.set(&backend.random, &sign_in);
    Ok(Begun {
        address,
        cookie: cookie.ok_or(Stopped::Failed)?,
    })
}

/// Finishes the sign-in that a browser came back from with `returned`, as it kept it in `cookies`: what follows.
/// A browser that asks again, because it was reloaded meanwhile, is told the same.
///
/// # Errors
/// [`Stopped::NotBegun`]: no terminal is known. [`Stopped::Busy`]: nothing came of it yet. Every other failure is for the terminal.
pub async fn finish(backend: &Backend, cookies: &str, returned: &Return, address: IpAddr) -> Result<Ended, Stopped> {
    let now = backend.now();
    let sign_in = backend.sign_ins.cookies.open(cookies, &returned.state, now);
    let sign_in = sign_in.ok_or(Stopped::NotBegun)?;
    if sign_in.with != returned.with {
        return Err(Stopped::NotBegun);
    }
    let once = backend.sign_ins.ended(&sign_in.state, now, sign_in.until);
    let ended = once.get_or_try_init(|| ended(backend, &sign_in, returned, address));
    let ended = ended.await?;
    Ok(ended.clone())
}

/// What follows of what came of `sign_in`.
async fn ended(backend: &Backend, sign_in: &OnItsWay, returned: &Return, address: IpAddr) -> Result<Ended, Stopped> {
    let known = backend.store.code_of_sign_in(&sign_in_hash(&sign_in.state)).await;
    if known.map_err(|error| Stopped::of(error.into()))?.is_some() {
        return Err(Stopped::NotBegun);
    }
    match proved(backend, sign_in, returned, address).await {
        Ok(proved) => {
            let cookie = backend.sign_ins.cookies.set_proved(&backend.random, &proved);
            Ok(Ended::Asked(cookie.ok_or(Stopped::Failed)?))
        }
        Err(NotProved::Busy(wait_s)) => Err(Stopped::Busy(wait_s)),
        Err(NotProved::Why(why)) => {
            tracing::warn!(with = sign_in.with, why, "a sign-in failed");
            Ok(over(&sign_in.terminal, Err(format!("{}: {why}", sign_in.with))))
        }
    }
}

/// Where a sign-in ends that came to a code, or to none for a reason.
pub(super) fn over(terminal: &Terminal, noted: Result<String, String>) -> Ended {
    let Some(port) = terminal.port else {
        return noted.map_or_else(Ended::Refused, Ended::Carried);
    };
    let (code, error) = match noted {
        Ok(code) => (Some(code), None),
        Err(why) => (None, Some(why)),
    };
    let brought = Brought {
        state: terminal.state.clone(),
        code,
        error,
    };
    Ended::Terminal(terminal_address(port, &brought))
}

/// Why nobody came back.
enum NotProved {
    /// They may, after so many seconds.
    Busy(u32),
    /// In words for the person.
    Why(String),
}

impl From<String> for NotProved {
    fn from(why: String) -> Self {
        Self::Why(why)
    }
}

/// Who came back from `sign_in` to a browser at `address`, or why nobody did.
async fn proved(
    backend: &Backend,
    sign_in: &OnItsWay,
    returned: &Return,
    address: IpAddr,
) -> Result<Proved, NotProved> {
    let party = backend.sign_ins.party(Some(&sign_in.with));
    let party = party.ok_or_else(|| Stopped::NoSuchParty.to_string())?;
    let code = match (&returned.code, &returned.error) {
        (_, Some(error)) => {
            if let Some(description) = &returned.description {
                tracing::warn!(with = sign_in.with, description = repeated(description), "it refuses");
            }
            return Err(format!("it refuses: {}", repeated(error)).into());
        }
        (None, None) => return Err("it gives no code".to_owned().into()),
        (Some(code), None) => code,
    };
    let redirect_uri = redirect_uri(backend, party.name());
    let answer = Answer {
        code,
        issuer: returned.issuer.as_deref(),
    };
    let question = question(sign_in, &redirect_uri);
    let place = party.place().await.ok_or(NotProved::Busy(AGAIN_S))?;
    // those who waited beside it for a place may have failed meanwhile
    let may = backend.limits.may_exchange(address, backend.now());
    may.map_err(NotProved::Busy)?;
    let claims = party.prove(&place, &backend.clock, &question, &answer).await;
    if claims.as_ref().is_err_and(SignInError::is_of_the_code) {
        backend.limits.refused_code(address, backend.now());
    }
    let claims = claims.map_err(|error| error.to_string())?;
    drop(place);
    if let Some(renews) = &sign_in.renews {
        shown_again(backend, party, sign_in, renews, &claims).await?;
    }
    let known = backend.store.person_by_subject(&claims.issuer, &claims.subject).await;
    let known = known.map_err(|error| Failure::from(error).problem.title)?;
    let mut proved = Proved::of(sign_in, party, &claims, backend.now(), &backend.random);
    // as everybody else reads it
    if let Some(name) = known.and_then(|person| readable(&person.name)) {
        proved.name = name;
    }
    Ok(proved)
}

/// Whether `claims` are of the person of the session `renews`, and of a second factor that was shown since.
async fn shown_again(
    backend: &Backend,
    party: &RelyingParty,
    sign_in: &OnItsWay,
    renews: &SessionId,
    claims: &Claims,
) -> Result<(), String> {
    let failed = |failure: Failure| failure.problem.title;
    let known = step_up::of_session(backend, renews, &sign_in.terminal).await;
    let (session, _) = known.map_err(failed)?.ok_or_else(|| Stopped::NoSession.to_string())?;
    let person = backend.store.person_by_subject(&claims.issuer, &claims.subject).await;
    let person = person.map_err(|error| failed(error.into()))?;
    // nobody is told whose session it is who signed in as somebody else
    if person.is_none_or(|person| person.id != session.person) {
        return Err("somebody else signed in there than whose session it is".to_owned());
    }
    match party.mfa_at(backend.now(), claims) {
        None => Err("it says nothing of a second factor".to_owned()),
        Some(at) if session.mfa_at >= Some(at) => Err("it did not ask for the second factor again".to_owned()),
        Some(_) => Ok(()),
    }
}

fn question<'a>(sign_in: &'a OnItsWay, redirect_uri: &'a str) -> Question<'a> {
    Question {
        redirect_uri,
        state: &sign_in.state,
        nonce: &sign_in.nonce,
        verifier: &sign_in.verifier,
        anew: sign_in.renews.is_some(),
    }
}

/// The address that is registered at the identity provider of the name `with`.
fn redirect_uri(backend: &Backend, with: &str) -> String {
    let path = paths::SIGN_IN_CALLBACK.replace("{with}", &encoded(with));
    format!("{}{path}", backend.settings.origin)
}

pub(super) fn sign_in_hash(state: &str) -> String {
    Digest::of(state.as_bytes()).to_string()
}

/// The terminal, on the browser's own machine (RFC 8252, section 7.3).
fn terminal_address(port: u16, brought: &Brought) -> String {
    let pairs = [
        ("state", Some(&brought.state)),
        ("code", brought.code.as_ref()),
        ("error", brought.error.as_ref()),
    ];
    let pairs = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let query: Vec<String> = pairs
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    format!("http://127.0.0.1:{port}/?{}", query.join("&"))
}
