//! Credentials of a permission set: whoever gets them signs in to Identity Center and fetches them there.
//! Owns the sign-in, the token that is shared with the AWS CLI, and the calls. Refuses another instance's token, and
//! hosts that are not AWS's.

mod call;
mod callback;
mod center;
mod deny;
mod device_code;
mod fetch;
mod files;
mod names;
mod oidc;
mod pkce;
mod portal;
mod refresh;
mod sign_in;
mod token;
mod written;

pub use center::Center;
pub use deny::deny_sessions;
pub(super) use fetch::is_elsewhere;
pub use fetch::{SIGNED_OUT, Told};
pub use sign_in::{Means, SignedInThere, Step};
