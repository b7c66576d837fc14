//! Signing a machine in that has no browser (RFC 8628): it waits, a person types its code, signs in, and says that it is theirs.
//! Owns the order. Refuses a browser that did not type the code, and a yes from another page than ours.

use std::net::IpAddr;

use serde_json::json;

use super::browser::{Begun, Stopped, begin};
use super::confirm::{asked, note};
use super::sign_in::code_hash;
use crate::domain::called::readable;
use crate::domain::{Actor, Change, DeviceId, SignInMethod};
use crate::server::backend::Backend;
use crate::server::edge::limits::network;
use crate::server::failure::Failure;
use crate::server::identity::device_sign_ins::{Asked, Asks, INTERVAL_S, LIFE_S, Waiting};
use crate::server::identity::on_its_way::{Terminal, is_same};
use crate::server::identity::proved::Proved;
use crate::server::identity::relying_party::RelyingParty;
use crate::server::identity::sign_ins::Ended;
use crate::wire::problem::Code;
use crate::wire::{DeviceSignIn, NewDeviceSignIn, paths};

/// What the browser keeps of our own page.
const FORM: &str = "jit-device-form";
/// What the browser keeps from the code's page on.
const TYPED: &str = "jit-device";
/// A machine that was signed in takes its session at the next time that it asks.
const CODE_LIFE_S: u32 = 120;

/// What becomes of a machine whose code somebody typed who then signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It waits until they say whether it is theirs.
    Waits(Waiting),
    /// They said so: whether it is signed in.
    Said(bool),
}

/// Who lets people sign machines in.
fn parties(backend: &Backend) -> impl Iterator<Item = &RelyingParty> {
    let all = backend.sign_ins.parties().iter();
    all.filter(|party| party.offers(SignInMethod::Device))
}

/// Their names; none where that is switched off.
pub fn names(backend: &Backend) -> Vec<&str> {
    parties(backend).map(RelyingParty::name).collect()
}

/// Has a machine on `device` wait.
///
/// # Errors
/// [`Code::PathNotFound`] where that is switched off, [`Code::RateLimited`] where too many wait.
pub fn ask(
    backend: &Backend,
    new: &NewDeviceSignIn,
    device: &DeviceId,
    address: IpAddr,
) -> Result<DeviceSignIn, Failure> {
    if parties(backend).next().is_none() {
        return Err(Failure::new(
            Code::PathNotFound,
            "this way of signing in is switched off here",
        ));
    }
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if new.challenge.len() != 43 || !new.challenge.bytes().all(is_plain) {
        return Err(Failure::new(Code::UsageBody, "challenge is none"));
    }
    let device_code = backend.random.code();
    let asks = Asks {
        code_hash: code_hash(&device_code),
        device: device.clone(),
        challenge: new.challenge.clone(),
        machine: readable(&new.machine).unwrap_or_default(),
        address,
        network: network(address),
    };
    let waiting = backend.sign_ins.devices.begin(&backend.random, backend.now(), asks);
    let waiting = waiting.ok_or_else(|| Failure::too_much("too many machines wait", LIFE_S))?;
    Ok(DeviceSignIn {
        device_code,
        user_code: waiting.shown_code(),
        page: format!("{}{}", backend.settings.origin, paths::DEVICE),
        expires_in_s: LIFE_S,
        interval_s: INTERVAL_S,
    })
}

/// Tells a machine on `device` whose `code` opens no session that it is waited for, if it is.
///
/// # Errors
/// [`Code::SessionPending`], [`Code::SessionDenied`], [`Code::RateLimited`].
pub fn waits(backend: &Backend, code: &str, device: &DeviceId) -> Result<(), Failure> {
    match backend.sign_ins.devices.asked(&code_hash(code), device, backend.now()) {
        Asked::Unknown => Ok(()),
        Asked::Pending => Err(Failure::new(
            Code::SessionPending,
            "nobody has signed this machine in yet",
        )),
        Asked::TooSoon(wait_s) => Err(Failure::too_much("this machine asks too often", wait_s)),
        Asked::Denied => Err(Failure::new(Code::SessionDenied, "somebody said no to this machine")),
    }
}

/// What a page of ours alone knows that asks for a code, and what the browser keeps of it. A page that is open in another
/// tab knows the same, and goes on.
pub fn form(backend: &Backend, cookies: &str) -> Option<(String, String)> {
    let open: Option<String> = backend.sign_ins.cookies.kept(cookies, FORM);
    let token = open.unwrap_or_else(|| backend.random.secret());
    let cookie = backend.sign_ins.cookies.keep(&backend.random, FORM, &token, LIFE_S)?;
    Some((token, cookie))
}

/// The machine whose code somebody typed at `address` into a page of ours, with what their browser keeps of it.
///
/// # Errors
/// In words for the person.
pub fn typed(
    backend: &Backend,
    cookies: &str,
    token: &str,
    code: &str,
    address: IpAddr,
) -> Result<(Waiting, String), String> {
    let now = backend.now();
    // a page elsewhere shall not have typed it: nobody would have read it on their own machine
    let known: Option<String> = backend.sign_ins.cookies.kept(cookies, FORM);
    if known.as_deref() != Some(token) {
        return Err("Type the code here.".to_owned());
    }
    if let Err(wait_s) = backend.limits.may_try_code(address, now) {
        return Err(format!("Too many wrong codes. Try again in {wait_s} s."));
    }
    let waiting = backend.sign_ins.devices.typed(code, now);
    let waiting = waiting.ok_or_else(|| {
        backend.limits.wrong_code(address, now);
        "No machine waits for that code. It may be too old.".to_owned()
    })?;
    let cookie = backend
        .sign_ins
        .cookies
        .keep(&backend.random, TYPED, &waiting.user_code, LIFE_S);
    Ok((waiting, cookie.ok_or("the backend failed")?))
}

/// Sends the browser that typed a code to the identity provider `with`.
///
/// # Errors
/// [`Stopped`].
pub async fn sign_in(backend: &Backend, cookies: &str, with: &str) -> Result<Begun, Stopped> {
    let code: Option<String> = backend.sign_ins.cookies.kept(cookies, TYPED);
    let waiting = code.and_then(|code| backend.sign_ins.devices.typed(&code, backend.now()));
    let waiting = waiting.ok_or(Stopped::NotBegun)?;
    let party = backend.sign_ins.party(Some(with)).ok_or(Stopped::NoSuchParty)?;
    let terminal = Terminal {
        challenge: waiting.challenge,
        device: waiting.device,
        port: None,
        state: String::new(),
        user_code: Some(waiting.user_code),
    };
    begin(backend, party, terminal, None).await
}

/// What whoever signed in as `proved` says is asked or told of the machine whose code they typed; none where it waits no longer.
pub fn offer(backend: &Backend, proved: &Proved) -> Option<Offer> {
    let user_code = proved.terminal.user_code.as_deref()?;
    let now = backend.now();
    let said = backend.sign_ins.confirmed(&proved.state, now, proved.until);
    if let Some(Ended::Machine(is_in)) = said.get() {
        return Some(Offer::Said(*is_in));
    }
    backend.sign_ins.devices.typed(user_code, now).map(Offer::Waits)
}

/// Takes the answer of whoever came back with the sign-in of `state` and was asked, from our own page: whether the machine
/// is signed in. The first answer counts; a browser that gives another is told what came of that one.
///
/// # Errors
/// In words for the person.
pub async fn answer(backend: &Backend, cookies: &str, state: &str, token: &str, is_yes: bool) -> Result<bool, String> {
    let proved = asked(backend, cookies, state).map_err(|_| over())?;
    let user_code = proved.terminal.user_code.as_deref().ok_or_else(over)?;
    if !is_same(&proved.answer, token) {
        return Err(over());
    }
    let once = backend.sign_ins.confirmed(&proved.state, backend.now(), proved.until);
    let ended = once.get_or_try_init(|| answered(backend, &proved, user_code, is_yes));
    Ok(*ended.await? == Ended::Machine(true))
}

async fn answered(backend: &Backend, proved: &Proved, user_code: &str, is_yes: bool) -> Result<Ended, String> {
    let now = backend.now();
    let devices = &backend.sign_ins.devices;
    let waiting = devices.answer(user_code, now).ok_or_else(over)?;
    if !is_yes {
        devices.deny(user_code, now);
        note_no(backend, proved, &waiting).await;
        return Ok(Ended::Machine(false));
    }
    let noted = note(backend, proved, waiting.code_hash, CODE_LIFE_S).await;
    match noted {
        Ok(()) => devices.done(user_code, now),
        // they may say so again
        Err(_) => devices.wait_on(user_code, now),
    }
    noted.map(|()| Ended::Machine(true))
}

/// Whoever says no may have been sent there by somebody who wanted to be them: that is told, and kept.
async fn note_no(backend: &Backend, proved: &Proved, waiting: &Waiting) {
    let (machine, address) = (&waiting.machine, waiting.address.to_string());
    tracing::warn!(with = proved.with, machine, address, "somebody said no to a machine");
    let details = json!({
        "with": proved.with,
        "issuer": proved.issuer,
        "subject": proved.subject,
        "machine": machine,
        "address": address,
        "device": waiting.device,
    });
    let noted: Result<(), Failure> = async {
        let known = backend.store.person_by_subject(&proved.issuer, &proved.subject).await?;
        let actor = known.map_or(Actor::Backend, |person| Actor::Person(person.id));
        let change = Change::new(backend.now(), "session.denied", actor, None, Vec::new(), details);
        backend.commit(&change).await
    }
    .await;
    if let Err(failure) = noted {
        tracing::error!(cause = failure.cause, "a no to a machine was not kept");
    }
}

fn over() -> String {
    "This page is too old, or was answered before.".to_owned()
}
