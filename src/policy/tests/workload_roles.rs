//! Roles that people are given: none of them is a workload.

use super::workloads::IN;
use super::{files, loaded, said};
use crate::policy::Bundle;

#[test]
fn attack_03_role_of_a_target_is_no_workload() {
    let batch = |sub: &str| {
        format!(
            "[workload.batch]\nissuer = \"https://1.tokens.sts.global.api.aws\"\nkind = \"aws\"\n\n[workload.batch.claims]\nsub = {sub}\n"
        )
    };
    for (sub, what) in [
        (
            "\"arn:aws:iam::111111111111:role/jit/jit-prod-admin\"",
            "role `jit-prod-admin` is the target `prod-admin`",
        ),
        (
            "[\"arn:aws:iam::111111111111:role/batch\", \"arn:aws:iam::111111111111:role/JIT-prod-admin\"]",
            "role `JIT-prod-admin` is the target `prod-admin`",
        ),
        (
            "\"arn:aws:sts::222222222222:assumed-role/jit-dev-admin/usr_x\"",
            "role `jit-dev-admin` is the target `dev-admin`",
        ),
        (
            "\"arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_ops_0123456789abcdef\"",
            "role `AWSReservedSSO_ops_0123456789abcdef` is a permission set",
        ),
    ] {
        let findings = Bundle::load(&files(&[(IN, &batch(sub))])).expect_err(sub);
        let found = said(&findings).join("\n");
        assert!(found.starts_with(&format!("{IN}:6:7: {what}")), "{found}");
        assert!(found.contains("whoever holds it would be this workload"), "{found}");
    }
    for sub in [
        "\"arn:aws:iam::222222222222:role/jit/jit-prod-admin\"",
        "\"arn:aws:iam::111111111111:role/batch\"",
        "\"arn:aws:iam::111111111111:user/jit-prod-admin\"",
    ] {
        drop(loaded(&[(IN, &batch(sub))]));
    }
}
