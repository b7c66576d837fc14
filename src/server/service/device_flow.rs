//! Signing a machine in that has no browser (RFC 8628): it waits, a person types its code, signs in, and says that it is theirs.
//! Owns the order. Refuses a browser that did not type the code, and a yes from another page than ours.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::browser::{Begun, Stopped, begin};
use super::confirm::note;
use super::sign_in::code_hash;
use crate::domain::text::is_unsafe_to_show;
use crate::domain::{DeviceId, SignInMethod, Timestamp};
use crate::server::backend::Backend;
use crate::server::edge::limits::network;
use crate::server::failure::Failure;
use crate::server::identity::device_sign_ins::{Asked, Asks, INTERVAL_S, LIFE_S, Waiting};
use crate::server::identity::on_its_way::{Terminal, is_same};
use crate::server::identity::proved::Proved;
use crate::server::identity::relying_party::RelyingParty;
use crate::wire::problem::Code;
use crate::wire::{DeviceSignIn, NewDeviceSignIn, paths};

/// What the browser keeps of our own page.
const FORM: &str = "jit-device-form";
/// What the browser keeps from the code's page on.
const TYPED: &str = "jit-device";
/// What it keeps of who signed in, until they said yes or no.
pub const SIGNED_IN: &str = "jit-device-signed-in";
/// Characters of a machine's name that are shown.
const LONGEST_MACHINE: usize = 64;
/// A machine that was signed in takes its session at the next time that it asks.
const CODE_LIFE_S: u32 = 120;

/// What a person is asked before a machine is theirs.
#[derive(Clone, Serialize, Deserialize)]
pub struct Offer {
    /// Who signed in, with what our own page alone knows.
    pub proved: Proved,
    /// It counts before this instant.
    until: Timestamp,
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
    let machine = new.machine.chars().filter(|c| !is_unsafe_to_show(*c));
    let device_code = backend.random.code();
    let asks = Asks {
        code_hash: code_hash(&device_code),
        device: device.clone(),
        challenge: new.challenge.clone(),
        machine: machine.take(LONGEST_MACHINE).collect(),
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

/// What the browser keeps of a page of ours that asks for a code, which alone knows `token`.
pub fn form_cookie(backend: &Backend, token: &String) -> Option<String> {
    backend.sign_ins.cookies.keep(&backend.random, FORM, token, LIFE_S)
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

/// What is asked of whoever signed in as `proved` says: about which machine, and what their browser keeps meanwhile. None where it
/// waits no longer.
pub fn offer(backend: &Backend, proved: Proved) -> Option<(Waiting, Offer, String)> {
    let user_code = proved.terminal.user_code.as_deref()?;
    let waiting = backend.sign_ins.devices.typed(user_code, backend.now())?;
    let offer = Offer {
        proved,
        until: waiting.until,
    };
    let cookie = backend
        .sign_ins
        .cookies
        .keep(&backend.random, SIGNED_IN, &offer, LIFE_S)?;
    Some((waiting, offer, cookie))
}

/// Takes the answer of whoever was asked, from our own page: whether the machine is signed in.
///
/// # Errors
/// In words for the person.
pub async fn answer(backend: &Backend, cookies: &str, token: &str, is_yes: bool) -> Result<bool, String> {
    let over = || "This page is too old, or was answered before.".to_owned();
    let now = backend.now();
    let offer: Option<Offer> = backend.sign_ins.cookies.kept(cookies, SIGNED_IN);
    let offer = offer.filter(|offer| is_same(&offer.proved.answer, token) && now < offer.until);
    let offer = offer.ok_or_else(over)?;
    let user_code = offer.proved.terminal.user_code.as_deref().ok_or_else(over)?;
    let devices = &backend.sign_ins.devices;
    let waiting = devices.answer(user_code, now).ok_or_else(over)?;
    if !is_yes {
        devices.deny(user_code, now);
        return Ok(false);
    }
    let noted = note(backend, &offer.proved, waiting.code_hash, CODE_LIFE_S).await;
    match noted {
        Ok(()) => devices.done(user_code, now),
        // they may say so again
        Err(_) => devices.wait_on(user_code, now),
    }
    noted.map(|()| true)
}
