//! The small bundle with two targets in many accounts. Exists under test only.

use super::small;

/// The unit of `prod-ops`.
pub const PROD: &str = "ou-ab12-11111111";
/// A unit below it.
pub const PAYMENTS: &str = "ou-ab12-22222222";
/// One beside it.
pub const DEV: &str = "ou-ab12-33333333";

/// `prod-ops` in all accounts below [`PROD`], `team-ops` in those with a tag.
const MANY: &str = r#"
[accounts.prod-workloads]
ou = "ou-ab12-11111111"
environment = "dev"

[accounts.of-payments]
tag = "team=payments"
environment = "dev"

[identity-center]
instance = "arn:aws:sso:::instance/ssoins-1111111111111111"
identity_store = "d-1111111111"
region = "eu-central-1"
start_url = "https://d-1111111111.awsapps.com/start"
user_name = "{name}"

[account.dev]"#;
const TARGETS: &str = r#"[[target]]
name = "prod-ops"
title = "Ops"
aliases = ["ops"]
accounts = "prod-workloads"
risk = 0
approvers = ["engineering"]
max_duration = "12h"
provider = { kind = "aws", road = "identity-center", permission_set = "Ops", id = "ps-2222222222222222", session = "1h" }

[[target]]
name = "team-ops"
title = "Team ops"
accounts = "of-payments"
risk = 0
approvers = ["engineering"]
provider = { kind = "aws", road = "identity-center", permission_set = "Team", id = "ps-3333333333333333", session = "1h" }

"#;

/// The files of the small bundle with what these tests add; in each `from` reads `to`.
pub fn files(edits: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    let mut files = small::files();
    for (path, bytes) in &mut files {
        let mut text = String::from_utf8(bytes.clone()).unwrap();
        text = text.replace("\n[account.dev]", MANY);
        if path == "catalogue.toml" {
            text = format!("{text}\n{TARGETS}");
        }
        for (from, to) in edits {
            text = text.replace(from, to);
        }
        *bytes = text.into_bytes();
    }
    files
}
