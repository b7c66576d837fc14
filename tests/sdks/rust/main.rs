//! aws-sdk-rust on a profile: one client, a signed call for each line of stdin, one line of stdout for each.

use std::io::Write;

use aws_config::BehaviorVersion;
use aws_sdk_sts::error::DisplayErrorContext;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let client = aws_sdk_sts::Client::new(&aws_config::load_defaults(BehaviorVersion::latest()).await);
    for _ in std::io::stdin().lines() {
        let line = match client.get_caller_identity().send().await {
            Ok(who) => format!("done {}", who.arn().unwrap_or_default()),
            Err(error) => format!("failed {}", DisplayErrorContext(error)),
        };
        let words: Vec<&str> = line.split_whitespace().collect();
        writeln!(std::io::stdout(), "{}", words.join(" "))?;
    }
    Ok(())
}
