//! Somebody who proved who they are, and has not said yet that the terminal which asks is theirs: sealed, in the browser.
//! Owns what is kept of a token until then. Refuses what would not fit into a cookie.

use serde::{Deserialize, Serialize};

use super::on_its_way::{OnItsWay, Terminal};
use super::relying_party::RelyingParty;
use super::token::Claims;
use crate::domain::word::word;
use crate::domain::{SessionId, Timestamp};
use crate::random::Random;

/// Ways of proof that are written down; nobody has more.
const MOST_WAYS: usize = 16;
/// Bytes that are written down of one, and of a class of them.
const LONGEST: usize = 100;

/// Who came back from an identity provider, for which terminal.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proved {
    /// The identity provider's name.
    pub with: String,
    /// What the browser brought back.
    pub state: String,
    /// What the page that asks sends with the "yes".
    pub answer: String,
    /// It counts before this instant.
    pub until: Timestamp,
    /// Who waits for it.
    pub terminal: Terminal,
    /// The session for which a second factor was shown, where none is to be opened.
    pub renews: Option<SessionId>,
    /// Who vouches.
    pub issuer: String,
    /// Its name for them.
    pub subject: String,
    /// How they are shown.
    pub name: String,
    /// When a second factor was last shown.
    pub mfa_at: Option<Timestamp>,
    /// As the token said it, for the evidence.
    pub auth_time: Option<Timestamp>,
    /// The same.
    pub amr: Vec<String>,
    /// The same.
    pub acr: Option<String>,
}

impl Proved {
    /// What `claims` of `party` say, for who began `sign_in`.
    pub fn of(sign_in: &OnItsWay, party: &RelyingParty, claims: &Claims, now: Timestamp, random: &Random) -> Self {
        let cut = |text: &String| text.chars().take(LONGEST).collect::<String>();
        Self {
            with: party.name().to_owned(),
            state: sign_in.state.clone(),
            answer: random.secret(),
            until: sign_in.until,
            terminal: sign_in.terminal.clone(),
            renews: sign_in.renews.clone(),
            issuer: claims.issuer.clone(),
            subject: claims.subject.clone(),
            name: party.person_name(claims),
            mfa_at: party.mfa_at(now, claims),
            auth_time: claims.auth_time,
            amr: claims.amr.iter().take(MOST_WAYS).map(cut).collect(),
            acr: claims.acr.as_ref().map(cut),
        }
    }

    /// What the terminal shows that asks.
    pub fn word(&self) -> String {
        let terminal = &self.terminal;
        word(&terminal.challenge, terminal.device.as_str(), &terminal.state)
    }
}

impl std::fmt::Debug for Proved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proved({}, ****)", self.with)
    }
}
