//! The SQL, a file an aggregate, in the subset that SQLite and PostgreSQL share.
//! Owns statements and the reading of rows. Refuses transactions: the writer brings them.

pub(super) mod audit;
mod cases;
pub(super) mod commit;
mod grants;
pub(super) mod outbox;
mod people;
mod read;
mod requests;
