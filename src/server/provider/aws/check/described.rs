//! What IAM said of an account, as data. Refuses to judge it.

/// An account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// The audiences of the provider of our issuer, where there is one.
    pub audiences: Option<Vec<String>>,
    /// The document of our permissions boundary, where it is there.
    pub boundary: Option<String>,
    /// Every role.
    pub roles: Vec<DescribedRole>,
}

/// A role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribedRole {
    /// Its whole ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Its trust policy.
    pub trust: String,
    /// `MaxSessionDuration`.
    pub max_session_s: u32,
    /// ARN of its permissions boundary. Looked at for roles of the catalogue and the kill switch, left over or not.
    pub boundary: Option<String>,
    /// Name and document of its inline policies. Looked at for the kill switch.
    pub inline: Vec<(String, String)>,
    /// ARNs of its managed policies. Looked at for the kill switch.
    pub attached: Vec<String>,
}
