//! The key that wraps secrets in the store: it lies in neither store nor backup.
//! Owns its form as text. Refuses to print it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretBox, SecretString};

/// 256 bits that wrap secrets.
pub struct SealingKey(SecretBox<[u8; 32]>);

impl SealingKey {
    /// The key of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(bytes)))
    }

    /// The key that `text` holds: 32 bytes in base64, white space around it ignored. `None` for anything else.
    pub fn parse(text: &SecretString) -> Option<Self> {
        let bytes = STANDARD.decode(text.expose_secret().trim()).ok()?;
        bytes.try_into().ok().map(Self::new)
    }

    /// As it is written in a file or a variable.
    pub fn to_text(&self) -> SecretString {
        STANDARD.encode(self.0.expose_secret()).into()
    }

    /// The bytes, for the cipher alone.
    pub fn bytes(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_is_read_back_from_its_text() {
        let key = SealingKey::new([7; 32]);
        let text = SecretString::from(format!("{}\n", key.to_text().expose_secret()));
        assert_eq!(SealingKey::parse(&text).unwrap().bytes(), key.bytes());
        assert_eq!(format!("{key:?}"), "****");
    }

    #[test]
    fn text_of_another_length_is_no_key() {
        for text in ["", "AAAA", "not base64!", &"A".repeat(64)] {
            assert!(SealingKey::parse(&SecretString::from(text)).is_none(), "{text}");
        }
    }
}
