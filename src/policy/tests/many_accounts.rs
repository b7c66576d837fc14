//! Targets in many accounts: what may be written, and what it comes to in one of them.

use std::collections::BTreeMap;

use super::said;
use crate::domain::{AccountFacts, Choice};
use crate::policy::many_sample::{PAYMENTS, PROD, files};
use crate::policy::{Bundle, Unfit};

fn with(from: &str, to: &str) -> Result<Bundle, Vec<String>> {
    Bundle::load(&files(&[(from, to)])).map_err(|found| said(&found))
}

fn facts(id: &str, ous: &[&str]) -> AccountFacts {
    AccountFacts {
        id: id.into(),
        name: "Ledger".into(),
        ous: ous.iter().map(|ou| (*ou).to_owned()).collect(),
        tags: BTreeMap::new(),
    }
}

#[test]
fn target_in_many_accounts_resolves_in_one_of_them() {
    let bundle = with("no such text", "").unwrap();
    let catalogue = bundle.catalogue();
    let family = catalogue.family("ops").unwrap();
    assert_eq!(family.accounts.by, Choice::Ou(PROD.into()));
    assert!(catalogue.find("prod-ops").is_none(), "it is no target by itself");
    let target = catalogue
        .member(family, &facts("444444444444", &[PAYMENTS, PROD]))
        .unwrap();
    assert_eq!(target.name.as_str(), "prod-ops/444444444444");
    assert_eq!(
        (target.binding.account(), target.binding.account_name()),
        ("444444444444", "Ledger")
    );
    assert_eq!(
        target.known_as, "444444444444",
        "policies never see the name that its owner gives it"
    );
    let declared = catalogue.member(family, &facts("222222222222", &[PROD])).unwrap();
    assert_eq!(
        (declared.known_as.as_str(), declared.binding.account_name()),
        ("dev", "dev")
    );
    let outside = catalogue.member(family, &facts("444444444444", &[PAYMENTS]));
    assert!(matches!(outside, Err(Unfit::NotChosen { .. })), "{outside:?}");
}

#[test]
fn mistakes_about_many_accounts_are_found() {
    for (from, to, expected) in [
        (
            "ou = \"ou-ab12-11111111\"",
            "ou = \"Workloads\"",
            "is no organizational unit",
        ),
        ("ou = \"ou-ab12-11111111\"", "", "nothing says which accounts"),
        (
            "ou = \"ou-ab12-11111111\"",
            "ou = \"ou-ab12-11111111\"\ntag = \"a=b\"",
            "not by both",
        ),
        ("tag = \"team=payments\"", "tag = \"team\"", "is no tag"),
        (
            "tag = \"team=payments\"",
            "tag = \"team=payments\"\nexcept = [\"dev\"]",
            "is no unit and no account",
        ),
        (
            "[accounts.of-payments]",
            "[accounts.other]",
            "there are no accounts `of-payments`",
        ),
        (
            "accounts = \"of-payments\"",
            "accounts = \"of-payments\"\naccount = \"dev\"",
            "account or accounts, not both",
        ),
        ("accounts = \"of-payments\"\n", "", "names no account"),
        (
            "\"team=payments\"\nenvironment = \"dev\"",
            "\"team=payments\"\nenvironment = \"deu\"",
            "no environment `deu`",
        ),
        ("name = \"team-ops\"", "name = \"team-ops/444444444444\"", "has a slash"),
        ("name = \"team-ops\"", "name = \"prod-ops\"", "is taken by target"),
        (
            "road = \"identity-center\", permission_set = \"Team\", id = \"ps-3333333333333333\"",
            "road = \"assume-role\", role = \"jit/x\"",
            "accounts go with road `identity-center`",
        ),
        (
            "@id(\"base.inactive\")",
            "@id(\"base.unit\")\nforbid (principal, action, resource is Jit::Target) when { resource in Jit::Ou::\"Workloads\" };\n\n@id(\"base.inactive\")",
            "`Workloads` is no organizational unit",
        ),
        (
            "@id(\"base.inactive\")",
            "@id(\"base.one\")\nforbid (principal, action, resource is Jit::Target) when { resource in Jit::Account::\"222222222222\" };\n\n@id(\"base.inactive\")",
            "there is no account `222222222222`",
        ),
    ] {
        let found = with(from, to).err().unwrap_or_default();
        assert!(found.iter().any(|line| line.contains(expected)), "{to}: {found:?}");
    }
}

#[test]
fn accounts_belong_to_security() {
    let team = "\n[accounts.mine]\nou = \"ou-ab12-11111111\"\nenvironment = \"dev\"\n\n[[target]]\nname = \"prod-ops\"";
    let found = with("[[target]]\nname = \"prod-ops\"", team).unwrap_err();
    assert!(
        found
            .iter()
            .any(|line| line.contains("accounts `mine` stands outside security/")),
        "{found:?}"
    );
}

#[test]
fn bundle_looks_at_accounts_only_where_a_policy_asks() {
    assert!(!with("no such text", "").unwrap().looks_at_accounts());
    for condition in ["resource in Jit::Ou::\"ou-ab12-11111111\"", "resource.hasTag(\"team\")"] {
        let policy = format!(
            "@id(\"base.asks\")\nforbid (principal, action == Jit::Action::\"request\", resource)\nwhen {{ {condition} }};\n\n@id(\"base.inactive\")"
        );
        let bundle = with("@id(\"base.inactive\")", &policy).unwrap_or_else(|found| panic!("{found:?}"));
        assert!(bundle.looks_at_accounts(), "{condition}");
    }
}
