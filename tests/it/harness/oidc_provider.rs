//! npm's `oidc-provider` as identity provider: whoever the browser says signs in.
//! Owns its process, which dies with the test. Refuses versions that are not pinned.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::child::Running;
use super::left_out::{is_there, left_out};
use super::redact::Redactions;
use super::wait::LIMIT;

/// The client's name at it.
pub const CLIENT_ID: &str = "jit-at-acme";
/// Its secret: with what a form must encode.
pub const CLIENT_SECRET: &str = "s+c r&t/of jit%";

/// An identity provider that runs.
pub struct OidcProvider {
    /// Its issuer, `http://127.0.0.1:PORT`.
    pub issuer: String,
    _running: Running,
}

/// Where the identity provider's packages are; none, said to be left out of `test`, where they are not.
#[track_caller]
pub fn issuers_folder(test: &str) -> Option<(PathBuf, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/issuers/oidc_provider");
    let Some(node) = is_there("node") else {
        left_out(test, "node is missing: sudo apt-get install nodejs");
        return None;
    };
    if !folder.join("node_modules").is_dir() {
        left_out(test, ".cache/issuers/oidc_provider is missing: tests/sdks.sh");
        return None;
    }
    Some((node, folder))
}

impl OidcProvider {
    /// Starts one that sends browsers back to `origin`; none, said to be left out of `test`, where it is not installed.
    #[track_caller]
    pub fn start(test: &str, origin: &str) -> Option<Self> {
        let (node, folder) = issuers_folder(test)?;
        let mut command = Command::new(node);
        let redirect_uri = format!("{origin}/sign-in/callback/acme");
        command.args(["provider.mjs", CLIENT_ID, CLIENT_SECRET, &redirect_uri]);
        command.current_dir(folder).env_clear().env("PATH", "/usr/bin:/bin");
        let running = Running::start(command, Redactions::default());
        let issuer = running.stdout_line("http://127.0.0.1:", LIMIT).trim().to_owned();
        Some(Self {
            issuer,
            _running: running,
        })
    }
}
