//! How a session is named in AWS, so that every CloudTrail event of it names the person and the request.
//! Owns the letters and lengths that STS accepts. Refuses calls: pure functions.

use crate::domain::{RequestId, Trace};

/// The key of the session tag that carries the request's id.
pub const REQUEST_TAG: &str = "jit:request";

/// STS: `RoleSessionName` is 2 to 64 of `[\w+=,.@-]`.
const LONGEST_SESSION_NAME: usize = 64;

/// `PERSON@SHORTID`. PERSON is the local name, or what stands before the `@` of an e-mail address; what STS does not
/// accept becomes `-`, and it is cut so that the request's 12 characters always fit.
pub fn session_name(person_name: &str, request: &RequestId) -> String {
    let local = person_name.split('@').next().unwrap_or_default();
    let room = LONGEST_SESSION_NAME - 1 - request.short().len();
    let person: String = local.chars().map(accepted).take(room).collect();
    let person = if person.is_empty() { "-" } else { &person };
    format!("{person}@{}", request.short())
}

/// `c` where STS takes it. `\w` is ASCII there, and `@` is kept for the one that parts person and request.
fn accepted(c: char) -> char {
    if c.is_ascii_alphanumeric() || "_+=,.-".contains(c) {
        c
    } else {
        '-'
    }
}

/// Whether the tag and the source identity are set at all.
pub const fn is_traced(trace: Trace) -> bool {
    match trace {
        Trace::Transitive | Trace::Session => true,
        Trace::Off => false,
    }
}

/// Whether the tag is handed on to roles that a chaining session assumes.
///
/// The source identity has no such switch: where it is set, AWS carries it on by itself.
pub const fn is_handed_on(trace: Trace) -> bool {
    match trace {
        Trace::Transitive => true,
        Trace::Session | Trace::Off => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request() -> RequestId {
        RequestId::parse("req_0123456789ab").unwrap()
    }

    #[test]
    fn session_name_holds_person_and_request() {
        assert_eq!(session_name("alice", &request()), "alice@0123456789ab");
        assert_eq!(
            session_name("alice.b+c@corp.example", &request()),
            "alice.b+c@0123456789ab"
        );
        assert_eq!(session_name("Zoë O'Neil", &request()), "Zo--O-Neil@0123456789ab");
        assert_eq!(session_name("", &request()), "-@0123456789ab");
    }

    #[test]
    fn session_name_cuts_person_never_request() {
        let name = session_name(&"x".repeat(200), &request());
        assert_eq!(name.len(), 64);
        assert!(name.ends_with("x@0123456789ab"));
    }

    proptest! {
        #[test]
        fn session_name_always_fits_sts(person in ".{0,90}", bits: u64) {
            let name = session_name(&person, &RequestId::from_bits(bits));
            prop_assert!((2..=64).contains(&name.len()));
            prop_assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b)));
            prop_assert_eq!(name.matches('@').count(), 1);
        }
    }
}
