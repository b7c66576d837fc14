//! Deciding on a request: what was shown is what the decision binds itself to.
//! Refuses a body that does not have the digest that the backend names.

use super::context::{Ctx, Desk};
use super::follow;
use crate::domain::digest::Digest;
use crate::domain::id::RequestId;
use crate::domain::refusal::Code;
use crate::domain::request::Body;
use crate::domain::text::{Comment, TargetName};
use crate::error::{Error, Exit, Result};
use crate::wire::{NewDecision, RequestView};

/// A request whose body was checked against its digest.
pub(super) struct Checked {
    pub(super) body: Body,
    pub(super) view: RequestView,
}

/// Fetches a request and checks that its body is what its digest says.
pub(super) fn checked(desk: &Desk, request: &str) -> Result<Checked> {
    check(named(desk, request)?)
}

/// The request that was typed. A target's name means what waits in one's inbox: one's own request on the same target is
/// for others to decide.
fn named(desk: &Desk, typed: &str) -> Result<RequestView> {
    if TargetName::parse(typed).is_ok() && !typed.starts_with(RequestId::PREFIX) {
        let mut waiting = desk.backend.inbox()?.requests;
        waiting.retain(|request| request.target == typed);
        match (waiting.len(), waiting.pop()) {
            (1, Some(one)) => return Ok(one),
            (0, _) | (_, None) => {
                let nothing = || Error::of(Code::RequestNotFound, format!("no request for {typed} waits for you"));
                return desk.backend.request(typed).map_err(|error| {
                    match error.code == Code::RequestNotFound.as_str() {
                        true => nothing().try_("jit inbox"),
                        false => error,
                    }
                });
            }
            (many, Some(_)) => {
                let message = format!("{many} requests for {typed} wait for you");
                return Err(Error::of(Code::RequestAmbiguous, message).try_("jit inbox"));
            }
        }
    }
    desk.backend.request(typed)
}

fn check(view: RequestView) -> Result<Checked> {
    let foreign = |what: &str| {
        Error::new(
            Exit::Unreachable,
            "backend.foreign",
            format!("what the backend shows is not what is decided: {what}"),
        )
        .hint("decide nothing; show this to whoever runs the backend")
    };
    if Digest::of(view.body.as_bytes()).as_str() != view.digest {
        return Err(foreign("the digest is of another body"));
    }
    let body: Body = serde_json::from_str(&view.body).map_err(|_| foreign("the body cannot be read"))?;
    if body.schema != Body::SCHEMA {
        return Err(Error::of(
            Code::VersionTooOld,
            format!("the request is of another version: {}", body.schema),
        )
        .hint("install a newer jit on this machine"));
    }
    // whatever this side does not know is not shown, so nothing else may stand in what is agreed to
    if body.canonical_bytes() != view.body.as_bytes() {
        return Err(foreign("the body says more than can be shown"));
    }
    let is_same = body.id.as_str() == view.id
        && body.requester.as_str() == view.requester.id
        && body.beneficiary.as_str() == view.beneficiary.id;
    if !is_same {
        return Err(foreign("the body is of another request or person"));
    }
    Ok(Checked { body, view })
}

/// Sends the decision, bound to what was checked.
pub(super) fn send(desk: &Desk, checked: &Checked, verdict: &str, comment: Option<Comment>) -> Result<RequestView> {
    let decision = NewDecision {
        verdict: verdict.to_owned(),
        digest: checked.body.digest().to_string(),
        comment: comment.map(String::from),
    };
    desk.backend.decide(checked.body.id.as_str(), &decision)
}

/// Says what a "no" came to.
pub(super) fn print_denied(ctx: &Ctx, view: &RequestView) -> Result<()> {
    follow::print_json(ctx, view, None)?;
    ctx.ui.note(&format!(
        "Denied. {} gets no access to {}.",
        view.beneficiary.called(),
        view.target
    ));
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;

    /// A pending request of alice.
    pub(in super::super) fn request() -> RequestView {
        let body = json!({
            "schema": Body::SCHEMA, "id": "req_7h3kq2v0a1b2", "requester": "usr_000000000000",
            "beneficiary": "usr_000000000000", "target": "prod-admin", "duration_s": 7200, "start": null,
            "reason": "payout job stuck, PAY-311", "ticket": null, "only": [],
            "binding": {"partition": "aws", "account": "111111111111", "account_name": "payments-prod",
                "role_arn": "arn:aws:iam::111111111111:role/jit/prod-admin", "region": "eu-west-1", "road": "assume-role",
                "session_s": 3600, "chain": false, "trace": "session", "never": []},
        });
        let bytes = crate::domain::digest::canonical(&body);
        let alice = json!({"id": "usr_000000000000", "name": "alice"});
        serde_json::from_value(json!({
            "id": "req_7h3kq2v0a1b2", "version": "1", "digest": Digest::of(&bytes), "body": String::from_utf8(bytes).unwrap(),
            "state": "pending", "requester": alice, "beneficiary": alice, "target": "prod-admin", "title": "Admin",
            "account_name": "payments-prod", "account": "111111111111", "role_arn": "arn:aws:iam::111111111111:role/x",
            "duration_s": 7200, "reason": "payout job stuck, PAY-311", "only": [], "automatic": false,
            "filed_at": "2026-11-21T12:00:00Z", "expires_at": "2026-11-21T20:00:00Z",
            "stages": [], "decisions": [], "grant": null, "chain": false,
            "before": {"grants": 0, "last_at": null, "last_duration_s": null, "dropped_early": 0},
        }))
        .unwrap()
    }

    #[test]
    fn attack_16_two_people_of_one_name_read_apart() {
        let words = crate::ui::TimeWords::local(crate::domain::Timestamp::from_millis(0), Some("UTC".to_owned()));
        let first_line = |name: &str, of: Option<&str>, namesakes: bool| {
            let mut view = request();
            view.requester.name = name.to_owned();
            view.requester.of = of.map(str::to_owned);
            view.requester.namesakes = namesakes;
            let body = check(view.clone()).unwrap().body;
            crate::ui::own_words(&body, &view, &words).remove(0)
        };
        let asks = " asks for prod-admin (role prod-admin in payments-prod 1111-1111-1111) for 2h";
        for (name, of, namesakes, who) in [
            ("carol", None, false, "carol"),
            ("carol", Some("partners"), false, "carol (partners)"),
            ("carol", Some("partners"), true, "carol (partners, usr_000000000000)"),
            ("carol", None, true, "carol (usr_000000000000)"),
            ("\u{3164}", None, false, "usr_000000000000"),
            (
                "bob asks for dev-reader for 5m; carol",
                None,
                false,
                "\"bob asks for dev-reader for 5m; carol\"",
            ),
            ("carol (local)", None, false, "\"carol (local)\""),
        ] {
            assert_eq!(first_line(name, of, namesakes), format!("{who}{asks}"));
        }
        let mut view = request();
        let body = check(view.clone()).unwrap().body;
        view.beneficiary.id = "usr_000000000001".to_owned();
        view.beneficiary.name = "carol".to_owned();
        view.beneficiary.of = Some("partners".to_owned());
        let lines = crate::ui::own_words(&body, &view, &words);
        assert!(lines.contains(&"  for     carol (partners)".to_owned()), "{lines:?}");
    }

    #[test]
    fn intact_request_passes_with_its_digest() {
        let view = request();
        let checked = check(view.clone()).unwrap();
        assert_eq!(checked.body.digest().as_str(), view.digest);
    }

    #[test]
    fn attack_22_body_that_was_edited_is_not_decided() {
        let mut view = request();
        view.body = view.body.replace("7200", "7201");
        assert_eq!(check(view).err().map(|e| e.exit.code()), Some(8));
    }

    #[test]
    fn attack_22_body_of_another_request_is_not_decided() {
        let mut view = request();
        view.id = "req_000000000000".into();
        assert!(check(view).is_err());
        let mut view = request();
        view.requester.id = "usr_111111111111".into();
        assert!(check(view).is_err());
    }

    #[test]
    fn body_with_more_than_can_be_shown_is_not_decided() {
        let mut view = request();
        view.body = view.body.replacen('{', "{\"a_new_power\":true,", 1);
        view.digest = Digest::of(view.body.as_bytes()).to_string();
        assert!(check(view).is_err());
    }
}
