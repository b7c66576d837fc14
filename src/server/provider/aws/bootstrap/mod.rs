//! What an account needs before a target in it can be given: the plan of it, and the plan as a template.
//! Owns names, trust, boundary and kill switch as they should be. Refuses to call AWS: people apply templates.

mod cloudformation;
mod documents;
mod files;
mod hcl;
mod labels;
mod plan;
mod planning;
mod roles;
mod terraform;
mod tree;
mod yaml;

pub use self::documents::{PERSON, REQUEST, boundary, kill_policy, kill_trust, role_trust};
pub use self::files::{FileError, Format, file_in, write_files};
pub use self::plan::Plan;
pub use self::planning::{PlanError, Wanted, plans};
pub use self::roles::{KillRole, RolePlan};

use self::cloudformation::cloudformation;
use self::terraform::terraform;

/// The path that everything of ours lies under, as it stands in ARNs.
pub const PATH: &str = "jit";
/// Name of the permissions boundary.
pub const BOUNDARY: &str = "jit-boundary";
/// Name of the kill switch's own policy.
pub const KILL_POLICY: &str = "jit-kill-switch";
/// STS: neither a role's maximum nor its default is shorter.
pub const SHORTEST_MAXIMUM_S: u32 = 3_600;

/// The first lines of every file that is written: what is overwritten later must begin so.
pub const HEADER: &str = "# Written by `jit aws bootstrap` from the catalogue: change that, and write it anew.\n\
                          # Hold it against the account with `jit aws check`.\n";
const BOUNDARY_DESCRIPTION: &str = "What no session of jit may touch";
const KILL_DESCRIPTION: &str = "Shuts out sessions of jit whose grant ended early";

/// IAM takes 1,000 characters, and not all of them.
fn role_description(role: &RolePlan) -> String {
    let targets: String = role.targets.join(" ").chars().take(900).collect();
    format!("Targets of jit: {targets}")
}

/// The template of `plan`.
pub fn template(plan: &Plan, format: Format) -> String {
    match format {
        Format::CloudFormation => cloudformation(plan),
        Format::Terraform => terraform(plan),
    }
}
