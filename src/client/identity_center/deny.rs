//! The prepared deny: a service control policy that shuts out sessions of a permission set that live on.
//! Owns whom it names. Refuses to shut out anybody else, and sessions that are begun later.

use serde_json::{Value, json};

use crate::domain::assignment::Assignment;
use crate::domain::time::Timestamp;

/// Denies everything to sessions of `assignment` that `user` of its identity store has begun before `before`. For the
/// account, the units above it or the root; the management account obeys none.
pub fn deny_sessions(assignment: &Assignment, user: &str, before: Timestamp) -> Value {
    let (partition, set) = (assignment.partition.as_str(), &assignment.permission_set);
    // each account's role of the set ends in 16 digits of its own, and has a region in its path where that is not
    // us-east-1; any ending would meet a set whose name begins like this one's
    let digits = "?".repeat(16);
    let role = format!("arn:{partition}:iam::*:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_{set}_{digits}");
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "JitSessionsThatLiveOn",
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": {
                "StringEquals": {"identitystore:UserId": user},
                "ArnLike": {"aws:PrincipalArn": role},
                "DateLessThan": {"aws:TokenIssueTime": before.whole_second().to_string()},
            },
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AssignmentRoad, Duration, FoundBy, Instance, Partition};

    #[test]
    fn deny_names_one_person_one_set_and_what_was_begun() {
        let assignment = Assignment {
            road: AssignmentRoad::IdentityCenter,
            partition: Partition::AwsUsGov,
            account: "111122223333".into(),
            account_name: "payments".into(),
            instance: Instance {
                arn: "arn:aws-us-gov:sso:::instance/ssoins-1111111111111111".into(),
                identity_store: "d-1111111111".into(),
                region: "us-gov-west-1".into(),
                start_url: "https://d-1111111111.awsapps.com/start".into(),
                found_by: FoundBy::UserName,
                pattern: "{name}".into(),
            },
            permission_set_arn: "arn:aws-us-gov:sso:::permissionSet/ssoins-1111111111111111/ps-1".into(),
            permission_set: "Billing".into(),
            session: Duration::from_secs(3_600).unwrap(),
        };
        let at = Timestamp::parse("2026-11-21T12:00:00.900Z").unwrap();
        let policy = deny_sessions(&assignment, "11111111-2222-3333-4444-555555555555", at);
        assert_eq!(
            policy,
            json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Sid": "JitSessionsThatLiveOn",
                    "Effect": "Deny",
                    "Action": "*",
                    "Resource": "*",
                    "Condition": {
                        "StringEquals": {"identitystore:UserId": "11111111-2222-3333-4444-555555555555"},
                        "ArnLike": {"aws:PrincipalArn": "arn:aws-us-gov:iam::*:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Billing_????????????????"},
                        "DateLessThan": {"aws:TokenIssueTime": "2026-11-21T12:00:00Z"},
                    },
                }],
            })
        );
    }
}
