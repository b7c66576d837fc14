//! Talks to one backend for one identity; keeps session, device key and credentials.
//! Owns the session state, the HTTP calls, waiting, the AWS configuration file.
//! Refuses to print and to read the environment: `ui` and `config` do.

mod account;
mod aws_config;
mod aws_files;
mod aws_profile;
mod aws_text;
mod backend;
mod browser;
mod browser_login;
mod calls;
mod console;
mod credential;
mod credential_process;
mod device;
mod device_keys;
mod device_login;
mod exec;
mod http;
mod identity_center;
mod keys;
mod live;
mod login;
mod loopback;
mod named;
mod nonces;
mod proof;
mod request_on_miss;
mod secrets;
mod sessions;
pub mod shell;
mod state;
mod token;
mod wait;
mod workload_login;
mod workload_token;

pub use account::{Client, Picked};
pub use aws_config::{ConfigText, Edited, Index, Wanted, Warning};
pub use aws_files::{AwsFiles, Change, Edit};
pub use aws_profile::{Prefix, Profile, own_program};
pub use backend::{Backend, Deadline, ShowSecondFactor};
pub use browser::{Opened, open as open_browser};
pub use browser_login::{BrowserLogin, Road, Sent};
pub use console::{Federation, Page, session_s};
pub use credential::Minted;
pub use credential_process::one_line;
pub use device_keys::KeyNews;
pub use device_login::DeviceLogin;
pub use exec::{ChildCommand, Ended, TAKEN_OUT, TARGET_VARIABLE};
pub use identity_center::{Center, Means, SignedInThere, Step, Told, is_signed_out_there};
pub use keys::Keys;
pub use login::{SignIn, SignedIn};
pub use named::{listed_at, means};
pub use request_on_miss::{OnMiss, default_duration};
pub use sessions::SessionEntry;
pub use wait::{Next, Waiting};
