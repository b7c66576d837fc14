//! What a token says that STS exchanges for a session.
//! Owns the claims that AWS reads. Refuses to sign: the issuer does, and adds who, when and until when.

use serde_json::{Map, json};

use super::names::{REQUEST_TAG, is_handed_on, is_traced};
use crate::domain::RoleBinding;
use crate::server::provider::{RoleAccess, Statement};

/// Whom every token is for. Trust policies pin it, the provider in IAM lists it and nothing else.
pub const AUDIENCE: &str = "sts.amazonaws.com";

/// Session tags (IAM User Guide, "Passing session tags using AssumeRoleWithWebIdentity").
const TAGS: &str = "https://aws.amazon.com/tags";

/// Source identity (IAM User Guide, "Source identity considerations with web identity federation").
const SOURCE_IDENTITY: &str = "https://aws.amazon.com/source_identity";

/// What the token for `access` says.
///
/// Of an issuer like ours, a trust policy can test `sub`, `aud` and `amr`, and tags and source identity; so the target
/// stands in `sub`, before the person: a token for one role opens no other. Never `azp`: AWS would read it in place of
/// `aud`.
pub fn statement(access: &RoleAccess) -> Statement {
    let mut claims = Map::new();
    if is_traced(access.binding.trace) {
        let mut tags = json!({ "principal_tags": { REQUEST_TAG: [access.request.as_str()] } });
        if is_handed_on(access.binding.trace) {
            tags["transitive_tag_keys"] = json!([REQUEST_TAG]);
        }
        claims.insert(TAGS.to_owned(), tags);
        claims.insert(SOURCE_IDENTITY.to_owned(), json!(access.person.as_str()));
    }
    Statement {
        subject: format!("{}:{}", subject_of(&access.binding), access.person),
        audience: AUDIENCE.to_owned(),
        claims,
    }
}

/// What the token says that opens the kill role of `binding`'s account, for the backend itself and no person: no token
/// for a target opens it, and it opens no target.
pub(super) fn kill_statement(binding: &RoleBinding) -> Statement {
    Statement {
        subject: format!("jit:kill/{}/{}:backend", binding.partition, binding.account),
        audience: AUDIENCE.to_owned(),
        claims: Map::new(),
    }
}

/// The part of `sub` that names the target: `jit:aws/<partition>/<account>/<path and name of the role>`.
fn subject_of(binding: &RoleBinding) -> String {
    let role = binding.role_arn.split_once(":role/").map_or("", |(_, role)| role);
    format!("jit:aws/{}/{}/{role}", binding.partition, binding.account)
}

#[cfg(test)]
mod tests {
    use super::super::sample::access;
    use super::*;
    use crate::domain::Trace;

    #[test]
    fn token_names_target_before_person() {
        let said = statement(&access(&[]));
        assert_eq!(
            said.subject,
            "jit:aws/aws/111111111111/jit/jit-prod-admin:usr_0123456789ab"
        );
        assert_eq!(said.audience, "sts.amazonaws.com");
    }

    #[test]
    fn token_of_the_kill_switch_names_account_and_no_person() {
        let said = kill_statement(&access(&[]).binding);
        assert_eq!(said.subject, "jit:kill/aws/111111111111:backend");
        assert_eq!((said.audience.as_str(), said.claims.len()), (AUDIENCE, 0));
    }

    #[test]
    fn token_carries_tag_and_source_identity_as_traced() {
        let mut access = access(&[]);
        let claims = |access: &RoleAccess| serde_json::to_value(statement(access).claims).unwrap();
        let tag = json!({ "jit:request": ["req_0123456789ab"] });
        assert_eq!(
            claims(&access),
            json!({ TAGS: { "principal_tags": tag }, SOURCE_IDENTITY: "usr_0123456789ab" })
        );
        access.binding.trace = Trace::Transitive;
        assert_eq!(claims(&access)[TAGS]["transitive_tag_keys"], json!(["jit:request"]));
        access.binding.trace = Trace::Off;
        assert_eq!(claims(&access), json!({}));
    }
}
