//! Targets that are permission sets of Identity Center.

use super::{files, said};
use crate::domain::{FoundBy, TargetName};
use crate::policy::{Bundle, small};

const INSTANCE: &str = r#"[identity-center]
instance = "arn:aws:sso:::instance/ssoins-1111111111111111"
identity_store = "d-1111111111"
region = "eu-central-1"
start_url = "https://d-1111111111.awsapps.com/start"
user_name = "{name}@acme.example"

"#;
const ROLE: &str = r#"road = "assume-role", role = "jit/jit-dev-admin", session = "1h""#;
const SET: &str = r#"road = "identity-center", permission_set = "Billing", id = "ps-1111111111111111", session = "1h""#;

/// The small bundle with `dev-admin` as a permission set, and `old` reading `new` in both files.
fn with(old: &str, new: &str) -> Result<Bundle, Vec<String>> {
    let security = format!("{INSTANCE}{}", small::FILES[1].1).replace(old, new);
    let team = small::FILES[3].1.replace(ROLE, SET).replace(old, new);
    let files = files(&[("security/catalogue.toml", &security), ("catalogue.toml", &team)]);
    Bundle::load(&files).map_err(|found| said(&found))
}

#[test]
fn permission_set_resolves_to_its_assignment() {
    let bundle = with("no such text", "").unwrap();
    let name = TargetName::parse("dev-admin").unwrap();
    let binding = &bundle.catalogue().target(&name).unwrap().binding;
    let assignment = binding.assignment().unwrap();
    let set = "arn:aws:sso:::permissionSet/ssoins-1111111111111111/ps-1111111111111111";
    assert_eq!(assignment.permission_set_arn, set);
    assert_eq!(
        (assignment.account.as_str(), binding.role_name()),
        ("222222222222", "Billing")
    );
    assert_eq!(assignment.instance.found_by, FoundBy::UserName);
    assert_eq!(assignment.membership("u-1"), format!("{set}/222222222222/u-1"));
    assert!(binding.kill().is_none() && binding.role().is_none());
}

#[test]
fn mistakes_about_identity_center_are_found() {
    for (old, new, expected) in [
        (INSTANCE, "", "the catalogue has no [identity-center]"),
        (
            "arn:aws:sso:::instance/ssoins-1111111111111111",
            "ssoins-1",
            "is no instance",
        ),
        ("\"d-1111111111\"", "\"1111111111\"", "is no identity store"),
        ("\"eu-central-1\"", "\"Frankfurt\"", "is no region"),
        (
            "https://d-1111111111.awsapps.com/start",
            "http://d-1.awsapps.com/start",
            "is no start_url",
        ),
        (
            "https://d-1111111111.awsapps.com/start",
            "https://d-1.awsapps.com/$(x)",
            "is no start_url",
        ),
        (
            "user_name = \"{name}@acme.example\"\n",
            "",
            "nothing says how people are found",
        ),
        (
            "\"{name}@acme.example\"",
            "\"admin@acme.example\"",
            "finds nobody in particular",
        ),
        ("\"{name}@acme.example\"", "\"{mail}\"", "finds nobody in particular"),
        ("permission_set = \"Billing\", ", "", "goes with permission_set and id"),
        (
            "permission_set = \"Billing\"",
            "permission_set = \"Bil ling\"",
            "is no name of a permission set",
        ),
        (
            "\"ps-1111111111111111\"",
            "\"1111111111111111\"",
            "is no permission set",
        ),
        (
            "session = \"1h\" }\n\n[[target]]\nname = \"prod-readonly\"",
            "session = \"30m\" }\n\n[[target]]\nname = \"prod-readonly\"",
            "is not between 1h and 12h",
        ),
        (
            "id = \"ps-1111111111111111\"",
            "id = \"ps-1111111111111111\", chain = true",
            "knows no chain",
        ),
        (
            "id = \"ps-1111111111111111\"",
            "id = \"ps-1111111111111111\", trace = \"session\"",
            "knows no chain",
        ),
        (
            "id = \"ps-1111111111111111\"",
            "id = \"ps-1111111111111111\", role = \"jit/x\"",
            "has no role",
        ),
        ("risk = 0", "risk = 0\nnever = [\"iam:*\"]", "nothing denies iam:*"),
        (
            "road = \"assume-role\", role = \"jit/jit-prod-admin\"",
            "road = \"assume-role\"",
            "names no role",
        ),
        (
            "role = \"jit/jit-prod-admin\"",
            "role = \"jit/jit-prod-admin\", id = \"ps-1\"",
            "go with road `identity-center`",
        ),
    ] {
        let found = with(old, new).err().unwrap_or_default();
        assert!(found.iter().any(|line| line.contains(expected)), "{new}: {found:?}");
    }
}

#[test]
fn people_are_found_in_one_way() {
    let both = with("user_name =", "e_mail = \"{name}\"\nuser_name =").unwrap_err();
    // the one mistake is told once, and not again for every target that needs what it is in
    assert!(matches!(&both[..], [only] if only.contains("not by both")), "{both:?}");
    let by_mail = with("user_name =", "e_mail =").unwrap();
    let target = by_mail.catalogue().find("dev-admin").unwrap();
    assert_eq!(target.binding.assignment().unwrap().instance.found_by, FoundBy::EMail);
}

#[test]
fn denies_of_the_environment_are_to_be_in_the_set() {
    let never = with("risk = 0", "risk = 0\nnever = [\"iam:*\"]").unwrap_err();
    assert!(never[0].contains("denies_never = true"), "{never:?}");
    let said = "risk = 0\nnever = [\"iam:*\"]";
    let both = SET.replace("session", "denies_never = true, session");
    let security = format!("{INSTANCE}{}", small::FILES[1].1);
    let team = small::FILES[3].1.replace(ROLE, &both).replace("risk = 0", said);
    assert!(
        Bundle::load(&super::files(&[
            ("security/catalogue.toml", &security),
            ("catalogue.toml", &team)
        ]))
        .is_ok()
    );
}

#[test]
fn instance_is_written_by_security_alone() {
    let team = format!("{INSTANCE}{}", small::FILES[3].1);
    let found = said(&Bundle::load(&files(&[("catalogue.toml", &team)])).unwrap_err());
    assert!(
        found.iter().any(|line| line.contains("stands outside security/")),
        "{found:?}"
    );
}

#[test]
fn one_set_in_two_accounts_is_two_accesses() {
    let prod = r#"road = "assume-role", role = "jit/jit-prod-admin", session = "1h""#;
    let security = format!("{INSTANCE}{}", small::FILES[1].1);
    let team = small::FILES[3].1.replace(ROLE, SET).replace(prod, SET);
    let both = Bundle::load(&files(&[
        ("security/catalogue.toml", &security),
        ("catalogue.toml", &team),
    ]));
    assert!(both.is_ok(), "{:?}", both.map_err(|found| said(&found)).err());
}
