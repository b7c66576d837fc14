//! The one source of randomness. Owns drawing ids, tokens, codes and salts.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::id::{ALPHABET, GrantId, PersonId, RequestId, SessionId};

/// Draws from the operating system.
#[derive(Clone, Debug, Default)]
pub struct Random(());

impl Random {
    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        getrandom::fill(&mut bytes).expect("the operating system gives randomness");
        bytes
    }

    fn bits(&self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }

    /// A new request id.
    pub fn request_id(&self) -> RequestId {
        RequestId::from_bits(self.bits())
    }

    /// A new grant id.
    pub fn grant_id(&self) -> GrantId {
        GrantId::from_bits(self.bits())
    }

    /// A new person id.
    pub fn person_id(&self) -> PersonId {
        PersonId::from_bits(self.bits())
    }

    /// A new session id.
    pub fn session_id(&self) -> SessionId {
        SessionId::from_bits(self.bits())
    }

    /// 128 bits in upper-case Crockford, in groups of four: a one-time code that can be read aloud.
    pub fn code(&self) -> String {
        let bits = u128::from_le_bytes(self.bytes());
        let symbols: Vec<u8> = (0..26)
            .map(|i| ALPHABET[(bits >> (5 * i) & 31) as usize].to_ascii_uppercase())
            .collect();
        let groups: Vec<_> = symbols
            .chunks(4)
            .map(|c| String::from_utf8_lossy(c).into_owned())
            .collect();
        groups.join("-")
    }

    /// Eight consonants: what a person types into a page within minutes (RFC 8628, section 6.1).
    pub fn user_code(&self) -> String {
        const CONSONANTS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
        let mut bits = u128::from_le_bytes(self.bytes());
        let mut next = || {
            let at = (bits % 20) as usize;
            bits /= 20;
            char::from(CONSONANTS[at])
        };
        (0..8).map(|_| next()).collect()
    }

    /// 256 bits in base64url: what somebody else shall not guess.
    pub fn secret(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.bytes::<32>())
    }

    /// 128 bits in lower-case hex, for idempotency keys and trace ids.
    pub fn key(&self) -> String {
        self.bytes::<16>().iter().map(|b| format!("{b:02x}")).collect()
    }
}
