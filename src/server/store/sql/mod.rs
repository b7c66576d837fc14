//! The SQL, a file an aggregate, in the subset that SQLite and PostgreSQL share.
//! Owns statements and the reading of rows. Refuses transactions: the writer brings them.

pub(super) mod audit;
mod cases;
pub(super) mod commit;
mod directories;
mod grants;
mod issuer_keys;
mod locks;
pub(super) mod memberships;
pub(super) mod outbox;
pub(super) mod people;
mod read;
mod requests;
mod sealing;
pub(super) mod switches;

/// What is asked at every call or tick: none of it may read a whole table.
#[cfg(test)]
pub(super) const FREQUENT: &[&str] = &[
    audit::TOLD,
    cases::BESIDE,
    cases::GRANTS_LIKE,
    cases::GRANTS_SINCE,
    cases::OPEN_GRANTS,
    cases::OPEN_PAGE,
    cases::LEFT_BEHIND,
    cases::OUTLIVED,
    cases::PAGE,
    cases::PENDING,
    cases::REQUESTS_LIKE,
    directories::GROUPS_OF,
    directories::KNOWN,
    directories::MEMBERS,
    directories::USER_BY_ID,
    directories::USER_BY_NAME,
    directories::USER_BY_EXTERNAL_ID,
    directories::USERS,
    locks::ALL_STANDING,
    locks::OF_A_CASE,
    locks::STANDING,
    locks::STANDING_BOUND,
    memberships::FOREIGN,
    memberships::LOOKED_AT,
    people::LIVE_SESSIONS_OF,
    switches::KILLED,
    switches::KILLED_OF,
    switches::SWITCH,
    super::dialect::CLAIM,
];
