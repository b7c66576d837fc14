//! The shape of a session token: `jits_`, 43 base62 characters (256 bits), 6 base62 of their CRC-32.
//! Secret scanners can find it, and a typo is refused without asking anybody.

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What every session token begins with.
pub const PREFIX: &str = "jits_";
const SECRET_CHARS: usize = 43;
const CHECK_CHARS: usize = 6;

/// The token that 32 random bytes stand for.
pub fn encode(secret: &[u8; 32]) -> String {
    let mut digits = secret.to_vec();
    let mut text = vec![b'0'; SECRET_CHARS];
    for place in text.iter_mut().rev() {
        let mut rest = 0_u32;
        for digit in &mut digits {
            let value = rest << 8 | u32::from(*digit);
            // the quotient of (rest < 62) * 256 + byte by 62 fits a byte
            *digit = (value / 62) as u8;
            rest = value % 62;
        }
        *place = BASE62[rest as usize];
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    let check = check(&text);
    format!("{PREFIX}{text}{check}")
}

/// Whether `token` can be one at all.
pub fn is_well_formed(token: &str) -> bool {
    token.strip_prefix(PREFIX).is_some_and(|rest| {
        rest.len() == SECRET_CHARS + CHECK_CHARS
            && rest.bytes().all(|b| BASE62.contains(&b))
            && check(&rest[..SECRET_CHARS]) == rest[SECRET_CHARS..]
    })
}

fn check(text: &str) -> String {
    let mut rest = crc32(text.as_bytes());
    let mut out = [b'0'; CHECK_CHARS];
    for place in out.iter_mut().rev() {
        *place = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// CRC-32 as in ISO 3309 (the one of zip and PNG), bit by bit: 43 bytes need no table.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 }
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
    fn token_with_a_typo_is_refused_offline() {
        let token = encode(&[7; 32]);
        assert!(is_well_formed(&token));
        assert_eq!(token.len(), 5 + 43 + 6);
        for at in PREFIX.len()..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            assert!(!is_well_formed(&String::from_utf8(bytes).unwrap()), "{at}");
        }
    }

    #[test]
    fn tokens_of_different_secrets_differ() {
        assert_ne!(encode(&[0; 32]), encode(&[255; 32]));
        assert!(is_well_formed(&encode(&[255; 32])) && is_well_formed(&encode(&[0; 32])));
    }
}
