//! Session tokens: `jits_`, 43 base62 characters, 6 base62 characters of CRC-32 over what comes before.
//! Refuses a token with a typo, offline.

use secrecy::{ExposeSecret, SecretString};

use crate::error::{Error, Exit, Result};

const PREFIX: &str = "jits_";
const RANDOM_CHARS: usize = 43;
const CHECK_CHARS: usize = 6;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Whether `token` has the shape and the check digits of a session token.
pub(super) fn check(token: &SecretString) -> Result<()> {
    if is_whole(token.expose_secret()) {
        Ok(())
    } else {
        let message = "what was given is no session token of jit";
        Err(Error::new(Exit::Unreachable, "backend.foreign", message))
    }
}

fn is_whole(token: &str) -> bool {
    let body = match token.strip_prefix(PREFIX) {
        Some(body) if body.len() == RANDOM_CHARS + CHECK_CHARS => body,
        _ => return false,
    };
    body.bytes().all(|b| b.is_ascii_alphanumeric())
        && body[RANDOM_CHARS..] == base62(crc32(&body.as_bytes()[..RANDOM_CHARS]))
}

/// Six digits, most significant first.
fn base62(mut value: u32) -> String {
    let mut digits = [b'0'; CHECK_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(value % 62) as usize];
        value /= 62;
    }
    digits.iter().map(|b| char::from(*b)).collect()
}

/// CRC-32 as zip and PNG have it (ISO 3309, reflected, polynomial EDB88320).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_is_the_one_of_zip() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn token_with_a_typo_is_refused() {
        let random = "a".repeat(RANDOM_CHARS);
        let token = format!("{PREFIX}{random}{}", base62(crc32(random.as_bytes())));
        assert!(is_whole(&token));
        for bad in [
            token.replacen("aa", "ab", 1),
            token[..53].to_owned(),
            format!("x{token}"),
            String::new(),
        ] {
            assert!(!is_whole(&bad), "{bad}");
        }
    }
}
