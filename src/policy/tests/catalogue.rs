//! The catalogue's own answers, over the small bundle.

use super::{files, loaded, small_bundle};
use crate::domain::{Partition, TargetName};
use crate::policy::{Bundle, small};

fn names<'a>(targets: impl IntoIterator<Item = &'a crate::policy::Target>) -> Vec<&'a str> {
    targets.into_iter().map(|target| target.name.as_str()).collect()
}

#[test]
fn small_bundle_has_the_four_targets_of_the_documentation() {
    let catalogue = small_bundle().catalogue();
    let shown: Vec<String> = catalogue
        .targets()
        .iter()
        .map(|t| {
            let groups: Vec<String> = t.workflow.stages.iter().map(|s| s.groups.join("|")).collect();
            format!(
                "{} {} {} {} {}",
                t.name,
                t.risk,
                t.max_duration,
                groups.join(" then "),
                t.binding.arn()
            )
        })
        .collect();
    let role = |account: &str, name: &str| format!("arn:aws:iam::{account}:role/jit/jit-{name}");
    assert_eq!(
        shown,
        [
            format!("dev-admin 0 12h engineering {}", role("222222222222", "dev-admin")),
            format!(
                "prod-admin 1 4h payments|security {}",
                role("111111111111", "prod-admin")
            ),
            format!(
                "prod-owner 2 1h payments then security {}",
                role("111111111111", "prod-owner")
            ),
            format!(
                "prod-readonly 1 8h payments|security {}",
                role("111111111111", "prod-readonly")
            ),
        ]
    );
}

#[test]
fn target_inherits_limits_and_denials_from_above() {
    let security = small::FILES[1].1.replace("[environment.dev]\nmax_duration = \"12h\"", "[organisation]\nmax_duration = \"3h\"\nnever = [\"iam:*\"]\n\n[environment.dev]\nmax_duration = \"30m\"\nnever = [\"ec2:*Route*\"]");
    let bundle = loaded(&[
        ("security/catalogue.toml", &security.replace("default_duration", "")),
        (
            "catalogue.toml",
            &small::FILES[3]
                .1
                .replacen("default_duration = \"1h\"\n", "never = [\"s3:Delete*\"]\n", 1),
        ),
    ]);
    let dev = bundle.catalogue().find("dev-admin").unwrap();
    assert_eq!(
        (dev.max_duration.to_string(), dev.default_duration.to_string()),
        ("30m".to_owned(), "30m".to_owned())
    );
    assert_eq!(
        dev.binding.role().unwrap().never,
        ["ec2:*Route*", "iam:*", "s3:Delete*"]
    );
    let prod = bundle.catalogue().find("prod-admin").unwrap();
    assert_eq!(
        (prod.max_duration.to_string(), &*prod.binding.role().unwrap().never),
        ("3h".to_owned(), &["iam:*".to_owned()][..])
    );
}

#[test]
fn account_in_another_partition_gets_its_arn_and_region() {
    let security = small::FILES[1].1.replacen(
        "environment = \"dev\"",
        "environment = \"dev\"\npartition = \"aws-cn\"",
        1,
    );
    let bundle = loaded(&[("security/catalogue.toml", &security)]);
    let binding = bundle.catalogue().find("dev-admin").unwrap().binding.role().unwrap();
    assert_eq!(binding.partition, Partition::AwsCn);
    assert_eq!(binding.role_arn, "arn:aws-cn:iam::222222222222:role/jit/jit-dev-admin");
    assert_eq!(binding.region, "cn-north-1");
}

#[test]
fn target_is_found_by_name_alias_and_words() {
    let team = small::FILES[3].1.replacen(
        "name = \"prod-admin\"",
        "name = \"prod-admin\"\naliases = [\"pay\"]\ndescription = \"Fix payouts by hand\"",
        1,
    );
    let bundle = loaded(&[("catalogue.toml", &team)]);
    let catalogue = bundle.catalogue();
    assert_eq!(catalogue.find("pay").map(|t| t.name.as_str()), Some("prod-admin"));
    assert!(catalogue.target(&TargetName::parse("pay").unwrap()).is_none());
    assert_eq!(catalogue.nearest("prod-amdin", 2), ["prod-admin", "prod-readonly"]);
    assert_eq!(catalogue.nearest("zzz", 3), Vec::<&str>::new());
    assert_eq!(names(catalogue.search("PAYOUTS")), ["prod-admin"]);
    assert_eq!(names(catalogue.search("111111111111 owner")), ["prod-owner"]);
    assert_eq!(names(catalogue.search("dev prod")), Vec::<&str>::new());
    assert_eq!(catalogue.search("").len(), 4);
}

#[test]
fn groups_are_known_from_both_sides() {
    let catalogue = small_bundle().catalogue();
    assert_eq!(catalogue.groups_of("local", "bob"), ["engineering", "payments"]);
    assert_eq!(catalogue.groups_of("local", "alice"), ["engineering"]);
    assert_eq!(catalogue.groups_of("https://idp.example", "bob"), Vec::<String>::new());
    assert_eq!(
        catalogue.members("security"),
        [("local".to_owned(), "carol".to_owned())]
    );
    assert_eq!(catalogue.members("nobody"), Vec::new());
}

#[test]
fn members_of_an_identity_provider_are_known_by_issuer_and_subject() {
    let own = "members = [\"local:carol\"]";
    let theirs = "members = [\"https://idp.example:8443/a 00u1|x y\", \"https://idp.example 00u2\"]";
    let mut files = small::files();
    for (_, bytes) in &mut files {
        *bytes = String::from_utf8(bytes.clone())
            .unwrap()
            .replace(own, theirs)
            .into_bytes();
    }
    let bundle = Bundle::load(&files).unwrap();
    let groups = |issuer: &str, subject: &str| bundle.catalogue().groups_of(issuer, subject);
    assert_eq!(groups("https://idp.example:8443/a", "00u1|x y"), ["security"]);
    assert_eq!(groups("https://idp.example", "00u2"), ["security"]);
    assert_eq!(groups("https://other.example", "00u2"), Vec::<String>::new());
    assert_eq!(groups("https://idp.example", "00u2 "), Vec::<String>::new());
}

#[test]
fn hash_names_every_byte_and_no_order() {
    let hash = |files: &[(String, Vec<u8>)]| Bundle::load(files).unwrap().hash().clone();
    let mut turned = small::files();
    turned.reverse();
    turned.push(("README.md".to_owned(), b"not part of it".to_vec()));
    assert_eq!(hash(&turned), *small_bundle().hash());
    let commented = format!("{}# x\n", small::FILES[3].1);
    assert_ne!(hash(&files(&[("catalogue.toml", &commented)])), *small_bundle().hash());
}

/// The small bundle with a kill switch on `dev-admin`, and `old` reading `new` in its line.
fn with_kill(old: &str, new: &str) -> Result<Bundle, Vec<String>> {
    let account = "id = \"222222222222\"";
    let security = small::FILES[1]
        .1
        .replace(account, &format!("{account}\nkill_role = \"jit/jit-kill-switch\""));
    let line = "role = \"jit/jit-dev-admin\", session = \"1h\", kill = \"deny-policy\"";
    let team = small::FILES[3].1.replace(
        "role = \"jit/jit-dev-admin\", session = \"1h\"",
        &line.replace(old, new),
    );
    let files = files(&[("security/catalogue.toml", &security), ("catalogue.toml", &team)]);
    Bundle::load(&files).map_err(|findings| findings.iter().map(ToString::to_string).collect())
}

#[test]
fn kill_switch_resolves_to_the_role_of_its_account() {
    let bundle = with_kill("", "").unwrap();
    let kill_of = |name: &str| {
        let target = bundle.catalogue().target(&TargetName::parse(name).unwrap()).unwrap();
        target.binding.kill().map(|kill| kill.role_arn.clone())
    };
    let role = "arn:aws:iam::222222222222:role/jit/jit-kill-switch";
    assert_eq!(kill_of("dev-admin").as_deref(), Some(role));
    assert_eq!(kill_of("prod-admin"), None);
}

#[test]
fn kill_switch_that_could_not_work_is_refused() {
    let untraced = "\"deny-policy\", trace = \"off\"";
    for (old, new, expected) in [
        ("\"deny-policy\"", untraced, "does not work with trace = \"off\""),
        (
            "jit/jit-dev-admin",
            "aws-reserved/sso.amazonaws.com/AWSReservedSSO_admin_0123456789abcdef",
            "takes no policy of ours",
        ),
        ("jit/jit-dev-admin", "jit/jit-kill-switch", "is the account's kill_role"),
    ] {
        let found = with_kill(old, new).unwrap_err();
        assert!(found.len() == 1 && found[0].contains(expected), "{found:?}");
    }
}
