//! Identifiers: a prefix and 12 lower-case Crockford characters.
//! Refuses to draw them: the caller brings the random bits, so a test can repeat them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::refusal::Refusal;

/// Crockford's base 32 alphabet in lower case: no `i`, `l`, `o`, `u`.
pub const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Characters after the prefix; 60 bits.
pub const RANDOM_CHARS: usize = 12;

/// The 12 characters that `bits` stand for; the upper four bits are not used.
fn encode(bits: u64) -> String {
    (0..RANDOM_CHARS)
        .map(|i| ALPHABET[(bits >> (5 * i) & 31) as usize] as char)
        .collect()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// What every id of this kind begins with.
            pub const PREFIX: &str = $prefix;

            /// The id that 60 random bits stand for.
            pub fn from_bits(bits: u64) -> Self {
                Self(format!("{}{}", $prefix, encode(bits)))
            }

            /// Checks and wraps a complete id.
            ///
            /// # Errors
            /// [`Refusal::BadId`] where prefix, length or alphabet do not fit.
            pub fn parse(text: &str) -> Result<Self, Refusal> {
                let well_formed = text.strip_prefix($prefix).is_some_and(|rest| {
                    rest.len() == RANDOM_CHARS && rest.bytes().all(|b| ALPHABET.contains(&b))
                });
                if well_formed { Ok(Self(text.to_owned())) } else { Err(Refusal::BadId { given: text.chars().take(40).collect() }) }
            }

            /// The whole id, prefix included.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The 12 characters without the prefix.
            pub fn short(&self) -> &str {
                &self.0[$prefix.len()..]
            }
        }

        impl TryFrom<String> for $name {
            type Error = Refusal;
            fn try_from(text: String) -> Result<Self, Refusal> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// A request.
    RequestId = "req_";
    /// A grant.
    GrantId = "grt_";
    /// A person: stable, made at first sight of (issuer, subject); AWS sees it as source identity.
    PersonId = "usr_";
    /// A sign-in session (not its token).
    SessionId = "ses_";
}

/// A key is named by the RFC 7638 thumbprint of its public half: 43 base64url characters.
macro_rules! thumbprints {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks and wraps a thumbprint.
            ///
            /// # Errors
            /// [`Refusal::BadId`] where length or alphabet do not fit.
            pub fn parse(text: &str) -> Result<Self, Refusal> {
                let fits = text.len() == 43
                    && text
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
                if fits {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(Refusal::BadId {
                        given: text.chars().take(60).collect(),
                    })
                }
            }

            /// The thumbprint.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Refusal;
            fn try_from(text: String) -> Result<Self, Refusal> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

thumbprints! {
    /// A device: the thumbprint of its public key.
    DeviceId;
    /// A key of ours as issuer: the thumbprint of its public half.
    KeyId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_round_trip_through_their_text() {
        for bits in [0, 1, 31, 32, u64::MAX, 0x0123_4567_89ab_cdef] {
            let id = RequestId::from_bits(bits);
            assert_eq!(RequestId::parse(id.as_str()), Ok(id.clone()));
            assert_eq!(id.short().len(), 12);
        }
    }

    #[test]
    fn ids_refuse_foreign_prefix_length_and_letters() {
        for bad in [
            "grt_000000000000",
            "req_00000000000",
            "req_0000000000000",
            "req_00000000000u",
            "req_00000000000A",
            "",
        ] {
            assert!(RequestId::parse(bad).is_err(), "{bad}");
        }
    }
}
