//! What a code is good for: one session, on its own terminal, before its end.

use super::*;
use crate::domain::id::{DeviceId, SessionId};
use crate::domain::person::{Bound, KeyStorage};
use crate::domain::samples::{at, person};

fn device(letter: &str) -> DeviceId {
    DeviceId::parse(&letter.repeat(43)).unwrap()
}

/// A code that a browser brought to the terminal of `c` on the device `d`.
fn brought(renews: Option<SessionId>) -> SignInCode {
    let bound = Bound {
        sign_in: "s".into(),
        device: device("d"),
        challenge: "c".into(),
        method: SignInMethod::LoopbackPkce,
        mfa_at: Some(at(50)),
        renews,
    };
    SignInCode {
        code_hash: "h".into(),
        person: person(1),
        expires_at: at(120),
        spent_at: None,
        bound: Some(Box::new(bound)),
        tries: 0,
        version: 1,
    }
}

fn bound(code: &SignInCode, change: impl FnOnce(&mut Bound)) -> SignInCode {
    let mut code = code.clone();
    change(code.bound.as_mut().unwrap());
    code
}

fn session() -> Session {
    Session {
        id: SessionId::from_bits(1),
        token_hash: "t".into(),
        person: person(1),
        device: device("d"),
        key_storage: KeyStorage::File,
        method: SignInMethod::LoopbackPkce,
        mfa_at: Some(at(50)),
        id_token: None,
        created_at: at(60),
        used_at: at(60),
        expires_at: at(3_600),
        ended_at: None,
        version: 1,
    }
}

/// Whether `code`, brought by a terminal with `challenge`, opens `session` on the device of `whose` that it names.
fn opens(code: &SignInCode, challenge: Option<&str>, session: &Session, whose: u64) -> bool {
    let own = Device {
        id: session.device.clone(),
        person: person(whose),
        public_key: String::new(),
        key_storage: KeyStorage::File,
        enrolled_at: at(60),
        known_until: at(60),
        version: 1,
    };
    match sign_in(at(60), code, challenge, &own, session, None) {
        Ok(_) => true,
        Err(refusal) => {
            assert_eq!(refusal, Refusal::CodeInvalid);
            false
        }
    }
}

#[test]
fn attack_18_code_opens_a_session_on_its_own_terminal_alone() {
    let (code, own) = (brought(None), session());
    let c = Some("c");
    assert!(opens(&code, c, &own, 1));
    for challenge in [None, Some("x"), Some("")] {
        assert!(!opens(&code, challenge, &own, 1), "{challenge:?}");
    }
    let elsewhere = Session {
        device: device("e"),
        ..own.clone()
    };
    assert!(!opens(&code, c, &elsewhere, 1));
    assert!(!opens(&code, c, &own, 2), "the device of somebody else");
    let another = Session {
        person: person(2),
        ..own.clone()
    };
    assert!(!opens(&code, c, &another, 2));
    let carried = Session {
        method: SignInMethod::Remote,
        ..own.clone()
    };
    assert!(!opens(&code, c, &carried, 1));
    for mfa_at in [None, Some(at(55))] {
        let fresher = Session { mfa_at, ..own.clone() };
        assert!(!opens(&code, c, &fresher, 1), "{mfa_at:?}");
    }
    assert!(!opens(&brought(Some(own.id.clone())), c, &own, 1), "it renews one");
    let spent = SignInCode {
        spent_at: Some(at(59)),
        ..code.clone()
    };
    assert!(!opens(&spent, c, &own, 1));
    let old = SignInCode {
        expires_at: at(60),
        ..code
    };
    assert!(!opens(&old, c, &own, 1));
}

#[test]
fn code_that_is_typed_opens_a_local_session_alone() {
    let typed = SignInCode {
        bound: None,
        ..brought(None)
    };
    let own = Session {
        method: SignInMethod::Local,
        mfa_at: None,
        ..session()
    };
    assert!(opens(&typed, None, &own, 1));
    assert!(!opens(&typed, Some("c"), &own, 1));
    assert!(!opens(&typed, None, &session(), 1));
    let fresh = Session {
        mfa_at: Some(at(50)),
        ..own
    };
    assert!(!opens(&typed, None, &fresh, 1));
}

#[test]
fn attack_18_code_of_a_step_up_renews_its_session_alone() {
    let code = brought(Some(session().id));
    let before = Session {
        mfa_at: Some(at(40)),
        ..session()
    };
    let renews =
        |code: &SignInCode, challenge: &str, session: &Session| renew(at(60), code, challenge, session, None).is_ok();
    assert!(renews(&code, "c", &before));
    assert!(!renews(&code, "x", &before));
    assert!(!renews(&brought(None), "c", &before));
    for other in [
        bound(&code, |bound| bound.renews = Some(SessionId::from_bits(2))),
        bound(&code, |bound| bound.device = device("e")),
        bound(&code, |bound| bound.method = SignInMethod::Remote),
        // nothing newer was shown
        bound(&code, |bound| bound.mfa_at = Some(at(40))),
        bound(&code, |bound| bound.mfa_at = None),
        SignInCode {
            person: person(2),
            ..code.clone()
        },
        SignInCode {
            spent_at: Some(at(59)),
            ..code.clone()
        },
        SignInCode {
            expires_at: at(60),
            ..code.clone()
        },
    ] {
        assert!(!renews(&other, "c", &before), "{other:?}");
    }
    let over = Session {
        ended_at: Some(at(59)),
        ..before
    };
    assert!(!renews(&code, "c", &over));
}
