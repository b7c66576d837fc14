//! Approval as code: Cedar decides, the catalogue counts.
//! Owns loading a bundle and asking it. Refuses I/O: a bundle comes as (path, bytes). Any error is a refusal.

pub mod bundle;
pub mod catalogue;
pub mod decide;
mod entities;
pub mod finding;
pub mod freshness;
pub mod groups;
#[cfg(test)]
pub mod many_sample;
mod nearest;
pub mod question;
mod schema;
pub mod small;
mod statements;
#[cfg(test)]
mod tests;

pub use bundle::Bundle;
pub use catalogue::{Accounts, Catalogue, Drift, Family, Feed, FeedBy, Member, Target, Unfit, is_hit, searched, words};
pub use decide::{decide, replay};
pub use finding::Finding;
pub use freshness::oldest_mfa;
pub use groups::Groups;
pub use question::{Ask, Decision, Question, Reason, SessionFacts, Subject, Tally, Who};
