//! Credentials of a permission set: whoever gets them signs in to Identity Center and fetches them there.
//! Owns the sign-in, the token that is shared with the AWS CLI, and the calls. Refuses another instance's token, and
//! hosts that are not AWS's.

mod call;
mod callback;
mod center;
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
pub use fetch::{Told, is_signed_out_there};
pub(super) use fetch::{is_elsewhere, is_provisioning};
pub use sign_in::{Means, SignedInThere, Step};
