//! Assignments of Identity Center beside a stand-in that takes as long as AWS does and keeps AWS's quota: from an approver's
//! yes until access is there, and many grants that end in one minute. `cargo bench --bench assignments [-- COUNT]`.
//! Refuses a run after which anything is left.

#[path = "../approval/caller.rs"]
#[expect(dead_code, reason = "nobody waits in vain here")]
mod caller;
mod center;
#[path = "../../tests/it/harness/device.rs"]
mod device;
mod ends;
mod house;
mod instantly;
mod usable;

use caller::Failure;

/// Grants that end together, unless somebody says how many.
const COUNT: usize = 100;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let count = std::env::args().find_map(|arg| arg.parse().ok());
    if count.is_none() {
        usable::measure().await?;
    }
    ends::measure(count.unwrap_or(COUNT)).await
}
