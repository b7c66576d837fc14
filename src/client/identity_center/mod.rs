//! Credentials of a permission set: whoever gets them signs in to Identity Center and fetches them there.
//! Owns the sign-in, the token that is shared with the AWS CLI, and the calls. Refuses another instance's token, and
//! hosts that are not AWS's.

mod call;
mod callback;
mod center;
mod device_code;
mod errors;
mod fetch;
mod files;
mod names;
mod oidc;
mod pkce;
mod portal;
mod refresh;
mod sign_in;
mod step;
mod token;
mod written;

pub use center::Center;
pub use errors::is_signed_out_there;
pub(super) use errors::{is_elsewhere, is_provisioning};
pub use fetch::Told;
pub use sign_in::SignedInThere;
pub use step::{Means, Step};
