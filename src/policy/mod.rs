//! Approval as code: Cedar decides, the catalogue counts.
//! Owns loading a bundle and asking it. Refuses I/O: a bundle comes as (path, bytes). Any error is a refusal.

pub mod catalogue;
pub mod question;

pub use catalogue::{Catalogue, Target};
pub use question::{Ask, Decision, Question, Reason, SessionFacts, Tally, Who};
