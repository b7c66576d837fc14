//! What has to be the same for two targets that are one access.
//! Owns the list of it: whatever is left out of it can be had by the weaker of the two.

use super::Target;
use crate::domain::Binding;

/// In what two targets differ that are one access: then people could choose the weaker rules.
pub(super) fn difference(one: &Target, other: &Target) -> Option<&'static str> {
    let asked = [
        // of one account it is one; two ways to choose many may each have their own
        ("environment", one.environment != other.environment),
        ("risk", one.risk != other.risk),
        ("approvers", sorted(&one.approvers) != sorted(&other.approvers)),
        ("workflow", one.workflow != other.workflow),
        // who may lock and revoke it
        ("owners", sorted(&one.owners) != sorted(&other.owners)),
        ("max_duration", one.max_duration != other.max_duration),
    ];
    let of_session = of_session(&one.binding, &other.binding);
    let all = asked.into_iter().chain(of_session);
    all.filter(|(_, differs)| *differs).map(|(what, _)| what).next()
}

/// How its sessions may differ. By which road they are begun is no weaker rule.
fn of_session(one: &Binding, other: &Binding) -> Vec<(&'static str, bool)> {
    let mut differing = vec![("session", one.session() != other.session())];
    if let (Binding::Role(one), Binding::Role(other)) = (one, other) {
        differing.extend([
            ("never", one.never != other.never),
            ("chain", one.chain != other.chain),
            ("trace", one.trace != other.trace),
            ("kill", one.kill != other.kill),
        ]);
    }
    differing
}

fn sorted(names: &[String]) -> Vec<&String> {
    let mut names: Vec<&String> = names.iter().collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Bundle, small};

    #[test]
    fn environments_of_one_access_are_the_same() {
        let bundle = Bundle::load(&small::files()).unwrap();
        let one = bundle.catalogue().find("dev-admin").unwrap().clone();
        let other = Target {
            environment: "prod".into(),
            ..one.clone()
        };
        assert_eq!(difference(&one, &one), None);
        assert_eq!(difference(&one, &other), Some("environment"));
    }
}
