//! How a backend is set up, as typed values. Refuses to read files and the environment: `config` does.

use std::path::PathBuf;

use crate::config::WorkloadIssuer;
pub use crate::config::{Admin, TlsFiles, TrustedProxies};
use crate::domain::{Digest, Duration, Timestamp};
pub use crate::server::identity::relying_party::SignInSettings;
pub use crate::server::issuer::IssuerSettings;
pub use crate::server::provider::aws::AwsSettings;
pub use crate::server::provider::identity_center::Quota;

/// How a backend is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether this is `--dev`: local people, short rules, one machine plays all parts.
    pub dev: bool,
    /// Where it can be reached, such as `http://127.0.0.1:7878`.
    pub origin: String,
    /// Values of `Host` that are this backend's.
    pub hosts: Vec<String>,
    /// What TLS is spoken with, where it ends here.
    pub tls: Option<TlsFiles>,
    /// Who is believed when they say who calls.
    pub trusted_proxies: Option<TrustedProxies>,
    /// Folder of the policy bundle.
    pub policy_dir: PathBuf,
    /// Whether nobody else than our user and root may write what is believed of it.
    pub policy_is_guarded: bool,
    /// The database file.
    pub database: PathBuf,
    /// How AWS is reached.
    pub aws: AwsSettings,
    /// How much Identity Center is asked for at once. AWS fixes it, so nobody else does.
    pub identity_center: Quota,
    /// How we are an OpenID Connect issuer; none where no road needs one.
    pub issuer: Option<IssuerSettings>,
    /// Where people sign in, beside local codes.
    pub sign_in: Vec<SignInSettings>,
    /// Who makes the tokens by which workloads sign in.
    pub workload_issuers: Vec<WorkloadIssuer>,
    /// Who runs the backend.
    pub admins: Vec<Admin>,
    /// What pushes people and groups here.
    pub directories: Vec<DirectorySettings>,
    /// From this risk on ([`RISKY`]) a membership counts for a vote once it is this much older than the request.
    pub membership_age_s: u32,
    /// A session lives this long.
    pub session_life: Duration,
    /// A session that nobody used for this long asks, and approves nothing.
    pub session_idle: Duration,
    /// A one-time code lives this long.
    pub code_life: Duration,
    /// Whether a device that a one-time code enrolled just now may say yes: only where nobody is anybody's admin.
    pub new_devices_decide: bool,
    /// Whether a device that is enrolled for who asks may decide: only where one machine plays all parts.
    pub shared_devices_decide: bool,
}

/// From this risk on a vote counts only by a membership that is older than the request by a while.
pub const RISKY: u8 = 2;
/// That while, in production: a day, so that whoever watches the directory may notice.
pub const MEMBERSHIP_AGE_S: u32 = 86_400;

/// A directory that may push people and groups here.
#[derive(Clone, Debug)]
pub struct DirectorySettings {
    /// As the catalogue calls it.
    pub name: String,
    /// The issuer of its people.
    pub issuer: String,
    /// Names and ids of the groups that are its own; a `*` at the end stands for any ending.
    pub groups: Vec<String>,
    /// SHA-256 of each token, and before when it counts.
    pub tokens: Vec<(Digest, Timestamp)>,
}

impl DirectorySettings {
    /// Whether a group of this name or id is its own.
    pub fn owns(&self, given: &str) -> bool {
        self.groups.iter().any(|own| match own.strip_suffix('*') {
            Some(beginning) => given.starts_with(beginning),
            None => own == given,
        })
    }
}
