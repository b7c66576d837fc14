//! What every call through AWS's SDK shares: where it goes, as whom, for how long, and why it got no answer.
//! Owns no call itself. Refuses the SDK's retries: the worker has its own back-off, and somebody waits for the rest.

mod identity;
mod settings;
mod unanswered;

pub use self::identity::OwnIdentity;
pub use self::settings::{AwsSettings, profile_endpoint};
pub(super) use self::settings::{load, timeouts};
pub use self::unanswered::{said, unanswered};
