//! Our own mock of GitHub Actions as an issuer: `tests/mock_github.py`, whose tokens PyJWT makes.
//! Owns its process, which dies with the test.

use std::process::Command;

use serde_json::Value;

use super::child::Running;
use super::redact::Redactions;
use super::venv::venv_program;
use super::wait::LIMIT;

/// What a job shows to have a token made.
pub const JOB_TOKEN: &str = "of-the-job";

/// The mock, as it runs.
pub struct MockGitHub {
    /// Its issuer, `http://127.0.0.1:PORT`.
    pub issuer: String,
    _running: Running,
}

impl MockGitHub {
    /// Starts one.
    #[track_caller]
    pub fn start() -> Self {
        let mut command = Command::new(venv_program("python"));
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mock_github.py"));
        command.env_clear().env("PATH", "/usr/bin:/bin");
        let running = Running::start(command, Redactions::default());
        let issuer = running.stdout_line("http://127.0.0.1:", LIMIT).trim().to_owned();
        Self {
            issuer,
            _running: running,
        }
    }

    /// Where a job asks for its token; with `claims` said on top, made in the way `how`.
    pub fn token_url(&self, claims: &Value, how: &str) -> String {
        let mut url = reqwest::Url::parse(&format!("{}/token", self.issuer)).unwrap();
        url.query_pairs_mut()
            .append_pair("api-version", "2.0")
            .append_pair("claims", &claims.to_string())
            .append_pair("how", how);
        url.into()
    }

    /// A token for `audience`.
    pub async fn token(&self, audience: &str, claims: &Value, how: &str) -> String {
        let url = format!("{}&audience={audience}", self.token_url(claims, how));
        let call = reqwest::Client::builder().no_proxy().build().unwrap().get(url);
        let answer = call.header("authorization", format!("bearer {JOB_TOKEN}")).send().await;
        let answer: Value = answer.unwrap().json().await.unwrap();
        answer["value"].as_str().unwrap().to_owned()
    }

    /// Has its documents say something else.
    pub async fn lie(&self, lies: &Value) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.post(format!("{}/lie", self.issuer)).json(lies).send().await;
        assert_eq!(answer.unwrap().status(), 200);
    }
}
