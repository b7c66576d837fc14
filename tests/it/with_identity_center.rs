//! Identity Center's admin side against somebody else's stand-in for it: what AWS does, as a fact a test.

mod answers;
mod changes;
mod checks;
mod many;
mod organization;
mod stand;
