//! The prepared deny: a service control policy that shuts out sessions of a permission set that live on after the grant.
//! Owns whom it names, and whether a policy that is attached does the same. Refuses to shut out anybody else, and to call
//! a session denied by a condition that it does not understand.

use serde_json::{Value, json};

use super::document::{Condition, Document, Effect, Statement};
use crate::domain::{Assignment, Timestamp};
use crate::server::provider::aws::pattern::covers;

/// AWS's clock and the backend's may be so far apart.
const CLOCKS_APART_MS: i64 = 30_000;

/// The sessions that are to be shut out.
#[derive(Clone, Debug)]
pub struct SessionDeny<'a> {
    assignment: &'a Assignment,
    user: &'a str,
    before: Timestamp,
}

/// A service control policy over an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachedPolicy {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it is attached: an account, a unit above it, the root.
    pub target: String,
    /// What it says.
    pub text: String,
}

/// What a policy does to the sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Denied {
    /// Nothing, or nothing that can be understood.
    No,
    /// It denies everything to those that were begun before this instant, which is too early.
    Before(Timestamp),
    /// It denies everything to all of them.
    All,
}

impl<'a> SessionDeny<'a> {
    /// Of the sessions of `assignment` that `user` of its identity store has begun up to `until`; which one was begun when
    /// is by AWS's clock.
    pub fn new(assignment: &'a Assignment, user: &'a str, until: Timestamp) -> Self {
        let before = Timestamp::from_millis(until.millis() + CLOCKS_APART_MS + 999).whole_second();
        Self {
            assignment,
            user,
            before,
        }
    }

    /// Sessions that are begun from this instant on are not meant.
    pub fn before(&self) -> Timestamp {
        self.before
    }

    /// The policy. For the account, the units above it or the root; the management account obeys none.
    pub fn document(&self) -> Value {
        json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "JitSessionsThatLiveOn",
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": {
                    "StringEquals": {"identitystore:UserId": self.user},
                    "ArnLike": {"aws:PrincipalArn": self.roles("*")},
                    "DateLessThan": {"aws:TokenIssueTime": self.before.to_string()},
                },
            }],
        })
    }

    /// The role of the permission set in `account`. It ends in 16 digits that are each account's own, and has a region in
    /// its path where that is not us-east-1. Any ending would meet a set whose name begins like this one's.
    fn roles(&self, account: &str) -> [String; 2] {
        let (partition, set) = (self.assignment.partition.as_str(), &self.assignment.permission_set);
        let path = format!("arn:{partition}:iam::{account}:role/aws-reserved/sso.amazonaws.com");
        let name = format!("AWSReservedSSO_{set}_{}", "?".repeat(16));
        [format!("{path}/{name}"), format!("{path}/*/{name}")]
    }

    /// What `text`, the document of a policy, does to the sessions.
    pub fn judge(&self, text: &str) -> Denied {
        let Ok(document) = Document::parse(text) else {
            return Denied::No;
        };
        let judged = document.statements.iter().map(|statement| self.denied_by(statement));
        judged.max().unwrap_or(Denied::No)
    }

    fn denied_by(&self, statement: &Statement) -> Denied {
        let is_all = |patterns: &[String]| patterns.iter().any(|pattern| covers(pattern, "*"));
        let is_whole = statement.effect == Effect::Deny
            && statement.inverted.is_none()
            && is_all(&statement.actions)
            && is_all(&statement.resources);
        if !is_whole {
            return Denied::No;
        }
        let lines = statement.conditions.iter().map(|line| self.held_by(line));
        lines.min().unwrap_or(Denied::All)
    }

    /// Whether the role, wherever in its path a region stands or not, is met by one of `patterns`.
    fn meets(&self, patterns: &[String], covers: fn(&str, &str) -> bool) -> bool {
        let is_met = |role: &String| patterns.iter().any(|pattern| covers(pattern, role));
        self.roles(&self.assignment.account).iter().all(is_met)
    }

    /// Which of the sessions a line of a condition holds for.
    fn held_by(&self, line: &Condition) -> Denied {
        let all = |holds: bool| if holds { Denied::All } else { Denied::No };
        match (line.key.as_str(), line.operator.as_str()) {
            ("identitystore:userid", "stringequals" | "stringequalsignorecase") => {
                all(line.values.iter().any(|value| value == self.user))
            }
            ("identitystore:userid", "stringlike") => all(line.values.iter().any(|value| covers(value, self.user))),
            ("aws:principalarn", "arnlike" | "arnequals") => all(self.meets(&line.values, arn_covers)),
            ("aws:principalarn", "stringlike") => all(self.meets(&line.values, covers)),
            ("aws:tokenissuetime", "datelessthan" | "datelessthanequals") => {
                let dates = line.values.iter().filter_map(|value| Timestamp::parse(value).ok());
                match dates.max() {
                    Some(at) if at >= self.before => Denied::All,
                    Some(at) => Denied::Before(at),
                    None => Denied::No,
                }
            }
            _ => Denied::No,
        }
    }
}

/// The same for ARNs, of which each of the six parts is looked at by itself.
fn arn_covers(wide: &str, narrow: &str) -> bool {
    let parts = |arn: &str| arn.splitn(6, ':').map(str::to_owned).collect::<Vec<_>>();
    let (wide, narrow) = (parts(wide), parts(narrow));
    let mut pairs = wide.iter().zip(&narrow);
    wide.len() == narrow.len() && pairs.all(|(wide, narrow)| covers(wide, narrow))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AssignmentRoad, Duration, FoundBy, Instance, Partition};

    const USER: &str = "11111111-2222-3333-4444-555555555555";

    fn assignment() -> Assignment {
        Assignment {
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
                people: "local".into(),
            },
            permission_set_arn: "arn:aws-us-gov:sso:::permissionSet/ssoins-1111111111111111/ps-1".into(),
            permission_set: "Billing".into(),
            session: Duration::from_secs(3_600).unwrap(),
            chosen: None,
        }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn deny_names_one_person_one_set_and_what_was_begun() {
        let assignment = assignment();
        let deny = SessionDeny::new(&assignment, USER, at("2026-11-21T12:00:00.900Z"));
        let path = "arn:aws-us-gov:iam::*:role/aws-reserved/sso.amazonaws.com";
        assert_eq!(
            deny.document(),
            json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Sid": "JitSessionsThatLiveOn",
                    "Effect": "Deny",
                    "Action": "*",
                    "Resource": "*",
                    "Condition": {
                        "StringEquals": {"identitystore:UserId": USER},
                        "ArnLike": {"aws:PrincipalArn": [
                            format!("{path}/AWSReservedSSO_Billing_????????????????"),
                            format!("{path}/*/AWSReservedSSO_Billing_????????????????"),
                        ]},
                        // a session that was begun in the last instant by a clock that is ahead is meant, too
                        "DateLessThan": {"aws:TokenIssueTime": "2026-11-21T12:00:31Z"},
                    },
                }],
            })
        );
    }

    #[test]
    fn deny_that_is_ours_or_wider_denies_all_sessions() {
        let assignment = assignment();
        let deny = SessionDeny::new(&assignment, USER, at("2026-11-21T12:00:00Z"));
        let own = deny.document().to_string();
        assert_eq!(deny.judge(&own), Denied::All);
        let role = "\"arn:aws-us-gov:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*\"";
        let (begin, end) = (own.find("[\"arn:").unwrap(), own.find("????\"]").unwrap() + 6);
        for wider in [
            own.replace(&own[begin..end], role),
            own.replace("2026-11-21", "2026-11-22"),
            own.replace("\"StringEquals\"", "\"StringLike\""),
            r#"{"Statement":{"Effect":"Deny","Action":["*"],"Resource":"*"}}"#.to_owned(),
        ] {
            assert_eq!(deny.judge(&wider), Denied::All, "{wider}");
        }
    }

    #[test]
    fn deny_that_leaves_a_session_over_denies_not_all() {
        let assignment = assignment();
        let deny = SessionDeny::new(&assignment, USER, at("2026-11-21T12:00:00Z"));
        let own = deny.document().to_string();
        for less in [
            own.replace("Deny\"", "Allow\""),
            own.replace("\"Action\":\"*\"", "\"Action\":\"s3:*\""),
            own.replace("\"Action\":\"*\"", "\"NotAction\":\"*\""),
            own.replace("\"Resource\":\"*\"", "\"Resource\":\"arn:aws:s3:::*\""),
            own.replace("11111111-2222", "99999999-2222"),
            own.replace("StringEquals", "StringNotEquals"),
            own.replace("AWSReservedSSO_Billing", "AWSReservedSSO_Other"),
            own.replace("iam::*", "iam::444455556666"),
            own.replace("/*/", "/eu-west-1/"),
            own.replace("\"DateLessThan\"", "\"DateGreaterThan\""),
            own.replace("aws:TokenIssueTime", "aws:CurrentTime"),
            own.replace(
                "\"Condition\":{",
                "\"Condition\":{\"Bool\":{\"aws:ViaAWSService\":\"false\"},",
            ),
            "no policy".to_owned(),
        ] {
            assert_ne!(less, own);
            assert_eq!(deny.judge(&less), Denied::No, "{less}");
        }
        let early = own.replace("12:00:30", "11:59:59");
        assert_eq!(deny.judge(&early), Denied::Before(at("2026-11-21T11:59:59Z")));
    }
}
