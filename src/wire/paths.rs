//! Every path of the interface, for both sides.

/// What one may ask for.
pub const TARGETS: &str = "/v1/targets";
/// File a request; list one's own.
pub const REQUESTS: &str = "/v1/requests";
/// One request.
pub const REQUEST: &str = "/v1/requests/{id}";
/// What filing a request would come to.
pub const DRY_RUN: &str = "/v1/dry-run";
/// Decide on a request.
pub const DECISIONS: &str = "/v1/requests/{id}/decisions";
/// Withdraw a request.
pub const CANCEL: &str = "/v1/requests/{id}/cancel";
/// One's grants.
pub const GRANTS: &str = "/v1/grants";
/// Mint credentials of a grant.
pub const CREDENTIALS: &str = "/v1/grants/{id}/credentials";
/// End a grant: one's own, or somebody's.
pub const END: &str = "/v1/grants/{id}/end";
/// Locks that stand (GET); set one (POST).
pub const LOCKS: &str = "/v1/locks";
/// Lift a lock.
pub const LIFT: &str = "/v1/locks/lift";
/// What waits for one's decision.
pub const INBOX: &str = "/v1/inbox";
/// Who one is.
pub const ME: &str = "/v1/me";
/// Sign in (POST), look (GET), sign out (DELETE).
pub const SESSIONS: &str = "/v1/sessions";
/// Sign in as a workload.
pub const WORKLOAD_SESSIONS: &str = "/v1/workload-sessions";
/// Say that a second factor was shown again.
pub const RENEWAL: &str = "/v1/sessions/renewal";
/// Hand out a code (POST).
pub const ADMIN_USERS: &str = "/v1/admin/users";
/// Sessions of people.
pub const ADMIN_SESSIONS: &str = "/v1/admin/sessions";
/// End one of them (DELETE).
pub const ADMIN_SESSION: &str = "/v1/admin/sessions/{id}";
/// Ask to be signed in, as a machine without a browser.
pub const DEVICE_SIGN_INS: &str = "/v1/device-sign-ins";
/// Where a person types its code.
pub const DEVICE: &str = "/device";
/// Where they go on to their identity provider.
pub const DEVICE_SIGN_IN: &str = "/device/sign-in";
/// Where they say yes or no.
pub const DEVICE_ANSWER: &str = "/device/answer";
/// Ways to sign in.
pub const SIGN_IN_METHODS: &str = "/v1/sign-in-methods";
/// Where a browser begins to sign in.
pub const SIGN_IN: &str = "/sign-in";
/// Where the identity provider of a name sends it back to: each has an address of its own, so that what one sends is never
/// taken for another's (RFC 9700, section 4.4.2.2).
pub const SIGN_IN_CALLBACK: &str = "/sign-in/callback/{with}";
/// Where a person says that the terminal which asks is theirs.
pub const SIGN_IN_CONFIRM: &str = "/sign-in/confirm";
/// Beginning of everything for directories (RFC 7644).
pub const SCIM: &str = "/scim/v2";
/// People of a directory.
pub const SCIM_USERS: &str = "/scim/v2/Users";
/// One of them.
pub const SCIM_USER: &str = "/scim/v2/Users/{id}";
/// Groups of a directory.
pub const SCIM_GROUPS: &str = "/scim/v2/Groups";
/// One of them.
pub const SCIM_GROUP: &str = "/scim/v2/Groups/{id}";
/// Looking for people and groups at once, which is not offered.
pub const SCIM_SEARCH: &str = "/scim/v2/.search";
/// What of SCIM is offered.
pub const SCIM_CONFIG: &str = "/scim/v2/ServiceProviderConfig";
/// Kinds of resources.
pub const SCIM_RESOURCE_TYPES: &str = "/scim/v2/ResourceTypes";
/// One of them.
pub const SCIM_RESOURCE_TYPE: &str = "/scim/v2/ResourceTypes/{id}";
/// Their schemas.
pub const SCIM_SCHEMAS: &str = "/scim/v2/Schemas";
/// One of them.
pub const SCIM_SCHEMA: &str = "/scim/v2/Schemas/{id}";
/// The description of this interface.
pub const OPENAPI: &str = "/v1/openapi.json";
/// What AWS reads of us as OpenID Connect issuer.
pub const DISCOVERY: &str = "/.well-known/openid-configuration";
/// The public keys of us as issuer.
pub const KEY_SET: &str = "/.well-known/jwks.json";
/// The process answers.
pub const LIVEZ: &str = "/livez";
/// Database, policy and worker are well.
pub const READYZ: &str = "/readyz";

/// `template` with `id` in place of `{id}`.
pub fn with_id(template: &str, id: &str) -> String {
    template.replace("{id}", id)
}
