//! People and workloads, their devices and sign-in sessions, as values.
//! Refuses names as identity: a person is (issuer, subject); the rest is for display.

use serde::{Deserialize, Serialize};

use super::id::{DeviceId, PersonId, SessionId};
use super::time::{Duration, Timestamp};
use super::workload::Workload;

/// Issuer of people that a backend knows by itself.
pub const LOCAL: &str = "local";

/// A device that a code enrolled says no yes for this long, in seconds: time for its person to hear of it.
pub const NEW_DEVICE_S: u32 = 24 * 3600;

/// A device is known for this long after somebody signed in on it, in seconds.
pub const KNOWN_S: u32 = 30 * 24 * 3600;

/// A person, or a workload: whoever may sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Stable id, made at first sight of (issuer, subject).
    pub id: PersonId,
    /// Who vouches: `local` for people of this backend.
    pub issuer: String,
    /// The issuer's own, immutable name for the person.
    pub subject: String,
    /// For display and session names.
    pub name: String,
    /// When we first saw them.
    pub since: Timestamp,
    /// What it is, where it is no person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<Box<Workload>>,
}

impl Person {
    /// Whether this backend vouches for them itself, by codes that admins hand out.
    pub fn is_local(&self) -> bool {
        self.issuer == LOCAL
    }
}

/// How somebody signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignInMethod {
    /// A one-time code for a local person.
    Local,
    /// OpenID Connect in a browser on the terminal's own machine, back to it over loopback (RFC 8252).
    LoopbackPkce,
    /// A token that says which job or machine it is.
    Workload,
    /// The same in any browser; the person carries the code to the terminal.
    Remote,
    /// In any browser, for a machine that asked there to be signed in (RFC 8628).
    Device,
}

impl SignInMethod {
    /// As policy and the wire name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::LoopbackPkce => "loopback-pkce",
            Self::Workload => "workload",
            Self::Remote => "remote",
            Self::Device => "device",
        }
    }
}

/// Where a device keeps its key, as it says itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyStorage {
    /// The operating system's keyring.
    Keyring,
    /// A file of mode 0600.
    File,
}

impl KeyStorage {
    /// As policy and the wire name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::File => "file",
        }
    }
}

/// A device that is enrolled for a person. One device may be enrolled for several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Thumbprint of its public key.
    pub id: DeviceId,
    /// For whom.
    pub person: PersonId,
    /// The public key as a JWK (RFC 7517), canonical JSON.
    pub public_key: String,
    /// Where it says it keeps the private one; a file, where that ever was one.
    pub key_storage: KeyStorage,
    /// When it was enrolled; anew, where it was known no longer.
    pub enrolled_at: Timestamp,
    /// It is known before this instant.
    pub known_until: Timestamp,
    /// Version of the row; 1 when new.
    pub version: u64,
}

impl Device {
    /// From when on it says yes for `person`, where somebody else could have had it enrolled.
    pub fn decides_from(&self, person: &Person) -> Option<Timestamp> {
        let waits = i64::from(NEW_DEVICE_S) * 1000;
        person
            .is_local()
            .then(|| Timestamp::from_millis(self.enrolled_at.millis().saturating_add(waits)))
    }

    /// Until when a device is known that somebody signs in on at `now`.
    pub fn known_from(now: Timestamp) -> Timestamp {
        Timestamp::from_millis(now.millis().saturating_add(i64::from(KNOWN_S) * 1000))
    }

    /// Whether it signs `person` in by its key alone. A copy of a key that lay in a file would come in for good.
    pub fn signs_in(&self, person: &Person, now: Timestamp) -> bool {
        let is_theirs = person.is_local() && person.workload.is_none() && self.person == person.id;
        is_theirs && self.key_storage == KeyStorage::Keyring && now < self.known_until
    }

    /// The same once somebody signed in on it at `now`, where its key is at `storage`: where it was known no longer, its day
    /// begins again.
    #[must_use]
    pub fn signed_in_on(&self, now: Timestamp, storage: KeyStorage) -> Self {
        Self {
            key_storage: self.key_storage.max(storage),
            enrolled_at: if now < self.known_until { self.enrolled_at } else { now },
            known_until: Self::known_from(now),
            version: self.version + 1,
            ..self.clone()
        }
    }

    /// The same, known no longer: it takes a code again, and its day begins with that.
    #[must_use]
    pub fn forgotten(&self, now: Timestamp) -> Self {
        Self {
            known_until: self.known_until.min(now),
            version: self.version + 1,
            ..self.clone()
        }
    }
}

/// A sign-in session. The token itself is nowhere but on the device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The session's own id, safe to show.
    pub id: SessionId,
    /// SHA-256 of the token, lower-case hex.
    pub token_hash: String,
    /// Whose.
    pub person: PersonId,
    /// On which device.
    pub device: DeviceId,
    /// Where that device keeps its key.
    pub key_storage: KeyStorage,
    /// How they signed in.
    pub method: SignInMethod,
    /// When they last showed a second factor, if they did.
    #[serde(default)]
    pub mfa_at: Option<Timestamp>,
    /// SHA-256 of what tells the token apart that a workload brought, lower-case hex: one session each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// When.
    pub created_at: Timestamp,
    /// When somebody last used it, to [`Session::NOTED_S`]; who signed in or showed a second factor did. Once nobody did for
    /// too long it stays as it is.
    pub used_at: Timestamp,
    /// It works before this instant.
    pub expires_at: Timestamp,
    /// Signed out at.
    pub ended_at: Option<Timestamp>,
    /// Version of the row; 1 when new.
    pub version: u64,
}

impl Session {
    /// Whether it works at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }

    /// A use is noted once in this many seconds at most: no call costs a write.
    pub const NOTED_S: u32 = 60;

    /// Whether nobody used it for `longest` at `now`. A clock that went back says nothing.
    pub fn is_idle(&self, now: Timestamp, longest: Duration) -> bool {
        now.since(self.used_at) >= longest.secs()
    }

    /// Between which uses a use at `now` is one to note: whoever comes later than `longest` was away, and being back is shown
    /// by signing in.
    pub fn to_note(now: Timestamp, longest: Duration) -> (Timestamp, Timestamp) {
        let before = |secs: u32| Timestamp::from_millis(now.millis().saturating_sub(i64::from(secs) * 1000));
        // a short limit would be over before anything is noted
        (before(longest.secs()), before(Self::NOTED_S.min(longest.secs() / 4)))
    }
}

/// A one-time code that signs somebody in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInCode {
    /// SHA-256 of the code, lower-case hex.
    pub code_hash: String,
    /// Whom it signs in.
    pub person: PersonId,
    /// It works before this instant.
    pub expires_at: Timestamp,
    /// Used, or replaced by a newer one, at.
    pub spent_at: Option<Timestamp>,
    /// The terminal that it counts for alone, where somebody proved elsewhere who they are.
    #[serde(default)]
    pub bound: Option<Box<Bound>>,
    /// Wrong codes that were brought in its person's name meanwhile.
    #[serde(default)]
    pub tries: u32,
    /// Version of the row; 1 when new.
    pub version: u64,
}

/// What a code that came of signing in elsewhere counts with alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// SHA-256 of the sign-in's `state`, lower-case hex: one code each.
    pub sign_in: String,
    /// The device that asked.
    pub device: DeviceId,
    /// SHA-256 of what the terminal that asked alone knows, base64url (RFC 7636).
    pub challenge: String,
    /// How they signed in.
    pub method: SignInMethod,
    /// When they last showed a second factor, if they did.
    pub mfa_at: Option<Timestamp>,
    /// The session for which the second factor was shown again, where it opens none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews: Option<SessionId>,
}
