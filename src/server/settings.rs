//! How a backend is set up, as typed values. Refuses to read files and the environment: `config` does.

use std::path::PathBuf;

use crate::config::WorkloadIssuer;
pub use crate::config::{Admin, TlsFiles, TrustedProxies};
use crate::domain::Duration;
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
    /// A session lives this long.
    pub session_life: Duration,
    /// A one-time code lives this long.
    pub code_life: Duration,
    /// Whether a device that a one-time code enrolled just now may say yes: only where nobody is anybody's admin.
    pub new_devices_decide: bool,
    /// Whether a device that is enrolled for who asks may decide: only where one machine plays all parts.
    pub shared_devices_decide: bool,
}
