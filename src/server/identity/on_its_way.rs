//! A sign-in between its beginning and its end: sealed, in a cookie of the browser that began it.
//! Owns what must be remembered meanwhile. Refuses to store any of it: whoever begins a thousand costs nothing.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::proved::Proved;
use crate::config::SealingKey;
use crate::domain::{DeviceId, Digest, SessionId, SignInMethod, Timestamp};
use crate::random::Random;
use crate::server::issuer;

/// Longest from the beginning to the browser's return, in seconds.
pub const LIFE_S: u32 = 600;
/// Sign-ins on their way in one browser; who begins more has given the oldest up.
const MOST: usize = 5;
/// What the key is made for.
const KEY: &[u8] = b"jit sign-in on its way";
/// What the seal is made for: to be taken to the identity provider, and to be asked about afterwards.
const PURPOSE: &str = "jit sign-in";
const PROVED: &str = "jit sign-in proved";
/// Characters of the hash in a cookie's name: enough that two never meet.
const NAME_CHARS: usize = 16;

/// The terminal that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terminal {
    /// What it alone can prove to have made (RFC 7636).
    pub challenge: String,
    /// Its device.
    pub device: DeviceId,
    /// Where it listens, on the browser's machine; none where the person carries the code.
    pub port: Option<u16>,
    /// What it knows its own answer by.
    pub state: String,
    /// What the person typed who signs it in, where it waits for that.
    #[serde(default)]
    pub user_code: Option<String>,
}

impl Terminal {
    /// How its person signs in.
    pub fn method(&self) -> SignInMethod {
        match (self.port, &self.user_code) {
            (_, Some(_)) => SignInMethod::Device,
            (Some(_), None) => SignInMethod::LoopbackPkce,
            (None, None) => SignInMethod::Remote,
        }
    }
}

/// A sign-in on its way.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnItsWay {
    /// The identity provider's name.
    pub with: String,
    /// What the browser brings back.
    pub state: String,
    /// What the token carries.
    pub nonce: String,
    /// What proves that the code is ours.
    pub verifier: String,
    /// It counts before this instant.
    pub until: Timestamp,
    /// Who waits for it.
    pub terminal: Terminal,
    /// The session for which a second factor is shown again, where none is to be opened.
    #[serde(default)]
    pub renews: Option<SessionId>,
}

/// Seals and opens them.
pub struct Cookies {
    key: SealingKey,
    /// Whether the browser gives them back over https alone.
    is_secure: bool,
}

impl Cookies {
    /// Under a key of their own, made of `key`; `origin` is where browsers call us.
    pub fn new(key: &SealingKey, origin: &str) -> Self {
        let own = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.bytes()), KEY);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(own.as_ref());
        Self {
            key: SealingKey::new(bytes),
            is_secure: origin.starts_with("https://"),
        }
    }

    /// The cookie that keeps `sign_in`, as a header has it; none where the cipher fails.
    pub fn set(&self, random: &Random, sign_in: &OnItsWay) -> Option<String> {
        self.sealed(random, PURPOSE, &sign_in.state, sign_in)
    }

    /// The cookie that keeps `proved` in the place of the sign-in that it ended.
    pub fn set_proved(&self, random: &Random, proved: &Proved) -> Option<String> {
        self.sealed(random, PROVED, &proved.state, proved)
    }

    fn sealed<T: Serialize>(&self, random: &Random, purpose: &str, state: &str, what: &T) -> Option<String> {
        let text = serde_json::to_vec(what).ok()?;
        let sealed = issuer::seal(random, &self.key, purpose, &text).ok()?;
        Some(self.header(state, &sealed, LIFE_S))
    }

    /// What takes the oldest away of those in `cookies`, as their header has them, but for the last few: together they would
    /// be more than a head may be, and no call would come through. A browser sends first what it has had longest (RFC 6265,
    /// section 5.4).
    pub fn clear_oldest(&self, cookies: &str) -> Vec<String> {
        let prefix = self.name_of("");
        let hash = |pair: &str| {
            let (name, _) = pair.trim().split_once('=')?;
            let hash = name.strip_prefix(&prefix)?;
            let is_ours = hash.len() == NAME_CHARS && hash.bytes().all(|b| b.is_ascii_hexdigit());
            is_ours.then(|| hash.to_owned())
        };
        let ours: Vec<String> = cookies.split(';').filter_map(hash).collect();
        let over = ours.len().saturating_sub(MOST - 1);
        let over = ours.into_iter().take(over);
        over.map(|hash| self.header_of(&self.name_of(&hash), "", 0)).collect()
    }

    /// A cookie named `name` that keeps `value` for `life_s`, for this browser's own calls alone.
    pub fn keep(&self, random: &Random, name: &str, value: &impl Serialize, life_s: u32) -> Option<String> {
        let text = serde_json::to_vec(value).ok()?;
        let sealed = issuer::seal(random, &self.key, &format!("{PURPOSE} {name}"), &text).ok()?;
        let (name, secure) = (self.full(name), self.secure());
        // what another site has the browser send comes without it
        let rules = format!("Path=/; Max-Age={life_s}; HttpOnly; SameSite=Strict{secure}");
        Some(format!("{name}={sealed}; {rules}"))
    }

    /// What the cookie `name` keeps.
    pub fn kept<T: DeserializeOwned>(&self, cookies: &str, name: &str) -> Option<T> {
        let opened = issuer::open(
            &self.key,
            &format!("{PURPOSE} {name}"),
            only(cookies, &self.full(name))?,
        )
        .ok()?;
        serde_json::from_slice(opened.expose_secret()).ok()
    }

    /// What takes it away.
    pub fn clear(&self, state: &str) -> String {
        self.header(state, "", 0)
    }

    /// The sign-in of `state` that the browser brought in `cookies`, as its header has them.
    pub fn open(&self, cookies: &str, state: &str, now: Timestamp) -> Option<OnItsWay> {
        let sign_in: OnItsWay = self.opened(PURPOSE, cookies, state)?;
        (is_same(&sign_in.state, state) && now < sign_in.until).then_some(sign_in)
    }

    /// The same of who came back from the identity provider.
    pub fn open_proved(&self, cookies: &str, state: &str, now: Timestamp) -> Option<Proved> {
        let proved: Proved = self.opened(PROVED, cookies, state)?;
        (is_same(&proved.state, state) && now < proved.until).then_some(proved)
    }

    fn opened<T: DeserializeOwned>(&self, purpose: &str, cookies: &str, state: &str) -> Option<T> {
        let opened = issuer::open(&self.key, purpose, only(cookies, &self.name(state))?).ok()?;
        serde_json::from_slice(opened.expose_secret()).ok()
    }

    /// One a sign-in: two tabs do not take each other's.
    fn name(&self, state: &str) -> String {
        self.name_of(&Digest::of(state.as_bytes()).as_str()[..NAME_CHARS])
    }

    fn name_of(&self, hash: &str) -> String {
        self.full(&format!("jit-sign-in-{hash}"))
    }

    fn full(&self, name: &str) -> String {
        let prefix = if self.is_secure { "__Host-" } else { "" };
        format!("{prefix}{name}")
    }

    fn secure(&self) -> &'static str {
        if self.is_secure { "; Secure" } else { "" }
    }

    fn header(&self, state: &str, value: &str, life_s: u32) -> String {
        self.header_of(&self.name(state), value, life_s)
    }

    fn header_of(&self, name: &str, value: &str, life_s: u32) -> String {
        let secure = self.secure();
        format!("{name}={value}; Path=/; Max-Age={life_s}; HttpOnly; SameSite=Lax{secure}")
    }
}

/// Whether `given` is `own`, however long that takes to see.
pub fn is_same(own: &str, given: &str) -> bool {
    verify_slices_are_equal(own.as_bytes(), given.as_bytes()).is_ok()
}

/// The value of the cookie `name`; none where there are two.
fn only<'a>(cookies: &'a str, name: &str) -> Option<&'a str> {
    let pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    let mut found = pairs.filter(|(given, _)| *given == name).map(|(_, value)| value);
    match (found.next(), found.next()) {
        (Some(value), None) => Some(value),
        (Some(_) | None, _) => None,
    }
}

impl std::fmt::Debug for OnItsWay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OnItsWay({}, ****)", self.with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign_in() -> OnItsWay {
        OnItsWay {
            with: "acme".into(),
            state: "state-of-this-sign-in".into(),
            nonce: "n".into(),
            verifier: "v".into(),
            until: Timestamp::from_millis(1_000),
            terminal: Terminal {
                challenge: "c".into(),
                device: DeviceId::parse(&"d".repeat(43)).unwrap(),
                port: Some(1),
                state: "t".into(),
                user_code: None,
            },
            renews: None,
        }
    }

    fn cookies(origin: &str) -> Cookies {
        Cookies::new(&SealingKey::new([1; 32]), origin)
    }

    #[test]
    fn cookie_opens_for_its_state_before_its_end() {
        let (own, other) = (
            cookies("https://h"),
            Cookies::new(&SealingKey::new([2; 32]), "https://h"),
        );
        let set = own.set(&Random::default(), &sign_in()).unwrap();
        let pair = set.split(';').next().unwrap();
        let given = format!("a=b; {pair}; jit-sign-in-x=y");
        let (state, early, late) = (
            sign_in().state,
            Timestamp::from_millis(999),
            Timestamp::from_millis(1_000),
        );
        assert_eq!(own.open(&given, &state, early), Some(sign_in()));
        assert_eq!(own.open(&given, &state, late), None);
        assert_eq!(own.open(&given, "state-of-another-sign-in", early), None);
        assert_eq!(other.open(&given, &state, early), None);
        assert_eq!(
            own.open(&format!("{pair}; {pair}"), &state, early),
            None,
            "two of one name"
        );
        // the value of one sign-in under the name of another
        let moved = pair.replace(&own.name(&state), &own.name("another"));
        assert_eq!(own.open(&moved, "another", early), None);
    }

    fn proved() -> Proved {
        Proved {
            with: "acme".into(),
            state: sign_in().state,
            answer: "a".into(),
            until: sign_in().until,
            terminal: sign_in().terminal,
            renews: None,
            issuer: "i".into(),
            subject: "s".into(),
            name: "ana".into(),
            mfa_at: None,
            auth_time: None,
            amr: Vec::new(),
            acr: None,
        }
    }

    #[test]
    fn question_is_asked_of_its_state_before_its_end() {
        let own = cookies("https://h");
        let set = own.set_proved(&Random::default(), &proved()).unwrap();
        let pair = set.split(';').next().unwrap();
        let (state, early, late) = (
            proved().state,
            Timestamp::from_millis(999),
            Timestamp::from_millis(1_000),
        );
        assert_eq!(own.open_proved(pair, &state, early), Some(proved()));
        assert_eq!(own.open_proved(pair, &state, late), None);
        let moved = pair.replace(&own.name(&state), &own.name("another"));
        assert_eq!(own.open_proved(&moved, "another", early), None);
        // who began has proved nothing yet, and who proved it begins nothing by it
        assert_eq!(own.open(pair, &state, early), None);
        let begun = own.set(&Random::default(), &sign_in()).unwrap();
        assert_eq!(own.open_proved(&begun, &state, early), None);
        assert!(
            !format!(
                "{:?}",
                Proved {
                    answer: "known to the page".into(),
                    ..proved()
                }
            )
            .contains("known to")
        );
    }

    #[test]
    fn beginnings_alone_are_cleared_oldest_first() {
        let own = cookies("https://h");
        let begun = (0..6).map(|n| format!("__Host-jit-sign-in-{n:016x}=v"));
        let begun = begun.collect::<Vec<_>>().join("; ");
        let others =
            "__Host-jit-sign-in-x=1; __Host-jit-sign-in-00000000000000zz=1; jit-sign-in-0000000000000000=1; a=b";
        let cleared = own.clear_oldest(&format!("{others}; {begun}"));
        let names: Vec<&str> = cleared.iter().filter_map(|one| Some(one.split_once('=')?.0)).collect();
        assert_eq!(
            names,
            [
                "__Host-jit-sign-in-0000000000000000",
                "__Host-jit-sign-in-0000000000000001"
            ]
        );
        assert!(
            cleared
                .iter()
                .all(|one| one.contains("=; ") && one.contains("Max-Age=0")),
            "{cleared:?}"
        );
    }

    #[test]
    fn what_is_kept_is_read_by_its_name_alone() {
        let own = cookies("https://h");
        let kept = own.keep(&Random::default(), "jit-a", &"value", 300).unwrap();
        let (pair, rules) = kept.split_once("; ").unwrap();
        assert_eq!(rules, "Path=/; Max-Age=300; HttpOnly; SameSite=Strict; Secure");
        assert_eq!(own.kept::<String>(pair, "jit-a").as_deref(), Some("value"));
        assert_eq!(own.kept::<String>(&pair.replace("jit-a", "jit-b"), "jit-b"), None);
    }

    #[test]
    fn cookie_stays_with_its_host_over_https() {
        let set = |origin: &str| cookies(origin).set(&Random::default(), &sign_in()).unwrap();
        let secure = set("https://jit.acme.example");
        assert!(secure.starts_with("__Host-jit-sign-in-"), "{secure}");
        assert!(
            secure.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"),
            "{secure}"
        );
        let plain = set("http://127.0.0.1:1");
        assert!(
            plain.starts_with("jit-sign-in-") && !plain.contains("Secure"),
            "{plain}"
        );
        assert!(!secure.contains("state-of-this") && !format!("{:?}", sign_in()).contains("state-of"));
    }
}
