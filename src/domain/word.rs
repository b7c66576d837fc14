//! The short word by which a person knows their terminal again on a page in a browser.
//! Owns what it is made of: all that makes a sign-in one of this terminal. Refuses to be a secret: nothing is let in by it.

use super::digest::Digest;

/// Crockford's digits: none is read as another.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Digits of a word: whoever wants one that somebody else's terminal shows tries a thousand million.
const LONG: usize = 6;

/// What the terminal shows that made `challenge` and `state` on `device`: `K7Q-F2M`.
pub fn word(challenge: &str, device: &str, state: &str) -> String {
    let digest = Digest::of(format!("jit terminal {challenge} {device} {state}").as_bytes());
    let mut bits = u64::from_str_radix(&digest.as_str()[..12], 16).unwrap_or_default();
    let mut word = String::with_capacity(LONG + 1);
    for at in 0..LONG {
        if at == LONG / 2 {
            word.push('-');
        }
        word.push(char::from(DIGITS[usize::try_from(bits & 31).unwrap_or_default()]));
        bits >>= 5;
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_is_of_one_terminal() {
        let own = word("c", "d", "s");
        assert_eq!(own.len(), 7);
        assert!(own.bytes().all(|b| b == b'-' || DIGITS.contains(&b)), "{own}");
        for other in [
            word("x", "d", "s"),
            word("c", "x", "s"),
            word("c", "d", "x"),
            word("c d", "", "s"),
        ] {
            assert_ne!(own, other);
        }
    }
}
