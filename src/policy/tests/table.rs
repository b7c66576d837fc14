//! Who may do what in the small bundle, as a committed table: `INSTA_UPDATE=always` rewrites it.

use std::fmt::Write as _;

use super::{Scene, because, small_bundle};

const PEOPLE: [&str; 4] = ["alice", "bob", "carol", "mallory"];
const TARGETS: [&str; 4] = ["dev-admin", "prod-readonly", "prod-admin", "prod-owner"];
const ACTIONS: [&str; 9] = [
    "request",
    "requestFor",
    "receive",
    "autoApprove",
    "approve",
    "deny",
    "activate",
    "revoke",
    "view",
];

fn row(table: &mut String, scene: &Scene<'_>, action: &str, about: &str) {
    let decision = scene.ask(action);
    assert_eq!(decision.errors, Vec::<String>::new());
    let answer = if decision.allowed { "yes" } else { "no" };
    let because = match because(&decision) {
        none if none.is_empty() => "(nothing permits)".to_owned(),
        some => some.join(" "),
    };
    writeln!(
        table,
        "{:<8} {action:<12} {:<14} {about:<9} {answer:<4} {because}",
        scene.who, scene.target
    )
    .unwrap();
}

#[test]
fn small_bundle_answers_as_its_table_says() {
    let mut table =
        "requests are alice's, for 1h, with two approvals where they are activated; mallory is in no group\n\n\
                     who      action       target         stage     may  because\n"
            .to_owned();
    for target in TARGETS {
        for action in ACTIONS {
            for who in PEOPLE {
                let mut scene = Scene::new(small_bundle(), who, target);
                scene.automatic = target == "dev-admin";
                let stages = scene.target().workflow.stages.clone();
                match action {
                    "approve" | "deny" => {
                        for (at, stage) in stages.iter().enumerate() {
                            scene.stage = at;
                            row(&mut table, &scene, action, &stage.name);
                        }
                    }
                    _ => row(&mut table, &scene, action, "-"),
                }
            }
        }
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("small_bundle", table);
    });
}
