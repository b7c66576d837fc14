//! The schema's history: every file of the migrations folder, in order, embedded.
//! Owns the list. Refuses to change what was released: a file is added, never edited.

use std::borrow::Cow;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

macro_rules! migrations {
    ($($version:literal $name:literal)*) => {
        /// Version, name and SQL of each, oldest first. The names are shared by all databases.
        const ALL: &[(i64, &str, &str)] = &[
            $(($version, $name, include_str!(concat!("migrations/sqlite/", $name, ".sql")))),*
        ];
    };
}

migrations! {
    1 "0001_people"
    2 "0002_devices"
    3 "0003_sign_in_codes"
    4 "0004_sign_in_codes_of_a_person"
    5 "0005_sessions"
    6 "0006_requests"
    7 "0007_requests_pending_once"
    8 "0008_requests_pending"
    9 "0009_requests_of_a_requester"
    10 "0010_requests_of_a_beneficiary"
    11 "0011_requests_pending_of_a_requester"
    12 "0012_decisions"
    13 "0013_grants"
    14 "0014_grants_open"
    15 "0015_grants_open_of_a_requester"
    16 "0016_grants_activated"
    17 "0017_outbox"
    18 "0018_outbox_by_urgency"
    19 "0019_outbox_by_due"
    20 "0020_outbox_of_a_grant"
    21 "0021_idempotency"
    22 "0022_idempotency_by_age"
    23 "0023_bundles"
    24 "0024_audit_events"
    25 "0025_audit_events_refuse_update"
    26 "0026_audit_events_refuse_delete"
    27 "0027_audit_payloads"
    28 "0028_audit_payloads_refuse_update"
    29 "0029_audit_events_refuse_gaps"
    30 "0030_grants_kill"
    31 "0031_grants_killed_role"
    32 "0032_grants_by_killed_role"
    33 "0033_kill_switches"
    34 "0034_sealing_check"
    35 "0035_issuer_keys"
    36 "0036_memberships"
    37 "0037_memberships_in_use"
    40 "0040_locks"
    41 "0041_locks_standing"
    42 "0042_outbox_scope"
    43 "0043_grants_open_by_age"
    44 "0044_grants_open_of_a_target"
    50 "0050_grants_outlived"
    51 "0051_outbox_what_a_quota_holds_up"
    60 "0060_requests_bound_to"
    61 "0061_requests_bound_before"
    62 "0062_grants_bound_to"
    63 "0063_grants_bound_before"
    64 "0064_grants_open_bound"
    65 "0065_locks_bound_to"
    66 "0066_locks_standing_bound"
    67 "0067_requests_starts_at"
    68 "0068_requests_starting_before"
    69 "0069_requests_pending_any_number"
    70 "0070_requests_pending_once_a_start"
    71 "0071_memberships_busy_by"
    72 "0072_outbox_rooms"
    73 "0073_audit_events_drift"
    74 "0074_sign_in_codes_bound"
    75 "0075_sign_in_codes_sign_in"
    76 "0076_sign_in_codes_once"
    77 "0077_sessions_mfa"
    80 "0080_audit_events_told"
    81 "0081_places"
    82 "0082_grants_remaining"
    83 "0083_requests_same_access"
    84 "0084_grants_same_access"
    90 "0090_people_workload"
    91 "0091_sessions_id_token"
    92 "0092_sessions_id_token_once"
    95 "0095_sessions_of_a_person"
    96 "0096_devices_of_a_person"
    97 "0097_sign_in_codes_tries"
    100 "0100_directory_users"
    101 "0101_directory_users_joined"
    102 "0102_directory_groups"
    103 "0103_directory_members"
    107 "0107_people_by_name"
    115 "0115_sessions_used"
    116 "0116_sessions_used_since"
    117 "0117_sign_in_codes_by_age"
    118 "0118_devices_known"
    119 "0119_devices_version"
}

/// The version that the schema has after all of them.
pub(super) fn newest() -> i64 {
    ALL.last().map_or(0, |(version, _, _)| *version)
}

/// All of them, ready to be run.
pub(super) fn migrator() -> Migrator {
    let migration = |(version, name, sql): &(i64, &'static str, &'static str)| {
        let kind = MigrationType::Simple;
        Migration::new(*version, Cow::Borrowed(*name), kind, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(ALL.iter().map(migration).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_list_holds_every_file_in_order() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/server/store/migrations/sqlite");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let listed: Vec<String> = ALL.iter().map(|(_, name, _)| format!("{name}.sql")).collect();
        assert_eq!(files, listed);
    }

    #[test]
    fn migrations_are_numbered_and_say_why() {
        for (version, name, sql) in ALL {
            assert!(name.starts_with(&format!("{version:04}_")), "{name}");
            assert!(sql.starts_with("-- "), "{name} begins with its reason");
        }
    }
}
