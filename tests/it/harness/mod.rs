//! What integration tests stand on: sealed boxes, the backend, stand-ins for AWS, waiting with a limit.
//! Refuses to sleep, to use the developer's own HOME or environment, and to leave a process behind.

#![expect(dead_code, reason = "a harness offers more than the tests of one day use")]

mod aws_cli;
mod aws_proxy;
mod backend;
mod browser;
mod child;
mod chromium;
mod corporate;
mod counted;
mod device;
mod faked_time;
mod identity_center;
mod keyring;
mod left_out;
mod ministack;
mod mock_github;
mod oidc_provider;
mod raw_server;
mod redact;
mod run;
mod sdks;
mod sealed_box;
mod sts_answer;
mod sts_recorder;
mod terminal;
mod venv;
mod wait;

#[expect(unused_imports, reason = "the face of the harness, whoever uses it today")]
pub use self::{
    aws_cli::AwsKeys,
    aws_proxy::{AwsProxy, Fault},
    backend::{Backend, BackendPlan},
    browser::{Browser, Page},
    child::Running,
    chromium::Chromium,
    corporate::{Authority, ConnectProxy, ProxyManners, TlsEnd},
    counted::{Counted, Seen},
    device::Device,
    faked_time::FakedTime,
    identity_center::IdentityCenter,
    keyring::Keyring,
    left_out::{deep, is_there, left_out, left_out_everywhere},
    ministack::MiniStack,
    mock_github::{JOB_TOKEN, MockGitHub},
    oidc_provider::{CLIENT_ID, CLIENT_SECRET, OidcProvider, issuers_folder},
    raw_server::RawServer,
    redact::Redactions,
    run::Run,
    sdks::Sdk,
    sealed_box::{JitCommand, SealedBox, jit_credential_program, jit_program},
    sts_answer::StsAnswer,
    sts_recorder::{StsCall, StsRecorder},
    terminal::Terminal,
    venv::venv_program,
    wait::{LIMIT, wait_until},
};
