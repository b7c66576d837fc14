//! The access portal: credentials of a permission set for whoever the token is of.
//! Owns what 401 and 403 mean. Refuses an end that is no instant.

use percent_encoding::utf8_percent_encode;
use reqwest::Method;
use secrecy::SecretString;
use serde::Deserialize;

use super::call::Caller;
use crate::client::calls::UNRESERVED;
use crate::domain::assignment::Assignment;
use crate::domain::time::Timestamp;
use crate::error::Result;

/// Credentials as they came.
pub(super) struct RoleCredentials {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: String,
    pub(super) session_token: String,
    pub(super) expires_at: Timestamp,
}

/// Why there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoCredentials {
    /// 401: the token works no longer, whatever its time says.
    SignedOut,
    /// 403: not assigned, or not yet.
    NoAccess,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    role_credentials: Written,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    /// Milliseconds since 1970.
    expiration: i64,
}

#[derive(Deserialize)]
struct Refused {
    message: Option<String>,
}

impl Caller<'_> {
    /// `GetRoleCredentials`.
    pub(super) fn role_credentials(
        &self,
        assignment: &Assignment,
        token: &SecretString,
    ) -> Result<std::result::Result<RoleCredentials, NoCredentials>> {
        let encoded = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
        let query = format!(
            "?role_name={}&account_id={}",
            encoded(&assignment.permission_set),
            encoded(&assignment.account)
        );
        let reply = self.portal(Method::GET, "/federation/credentials", &query, token)?;
        match reply.status {
            401 => Ok(Err(NoCredentials::SignedOut)),
            403 => Ok(Err(NoCredentials::NoAccess)),
            _ if reply.is_success() => {
                let written = reply.read::<Answer>()?.role_credentials;
                Ok(Ok(RoleCredentials {
                    access_key_id: written.access_key_id,
                    secret_access_key: written.secret_access_key,
                    session_token: written.session_token,
                    expires_at: Timestamp::from_millis(written.expiration),
                }))
            }
            _ => {
                let said: Option<Refused> = reply.try_read();
                Err(reply.refusal(said.and_then(|said| said.message).as_deref()))
            }
        }
    }
}
