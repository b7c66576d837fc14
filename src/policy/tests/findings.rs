//! One mistake, one finding, at its place.

use super::{files, said};
use crate::policy::{Bundle, small};

/// What loading says once `old` reads `new` in `path` of the small bundle.
#[track_caller]
fn after(path: &str, old: &str, new: &str) -> Vec<String> {
    let text = small::FILES.iter().find(|(name, _)| *name == path).unwrap().1;
    assert!(text.contains(old), "{old}");
    let text = text.replacen(old, new, 1);
    Bundle::load(&files(&[(path, &text)])).map_or_else(|found| said(&found), |_| Vec::new())
}

#[track_caller]
fn beside(path: &str, text: &str) -> Vec<String> {
    Bundle::load(&files(&[(path, text)])).map_or_else(|found| said(&found), |_| Vec::new())
}

const SECURITY: &str = "security/catalogue.toml";
const TEAM: &str = "catalogue.toml";
/// Before this one a second target of `dev-admin`'s role is written.
const NEXT: &str = "[[target]]\nname = \"prod-readonly\"";

/// A second target of `dev-admin`'s role, with `more` of its own.
macro_rules! twin {
    ($more:literal, $provider:literal) => {
        concat!(
            "[[target]]\nname = \"dev-too\"\ntitle = \"x\"\naccount = \"dev\"\nrisk = 0\napprovers = [\"engineering\"]\n",
            $more,
            "\nprovider = { kind = \"aws\", road = \"assume-role\", role = \"jit/jit-dev-admin\", ",
            $provider,
            " }\n\n[[target]]\nname = \"prod-readonly\""
        )
    };
}

#[test]
fn mistakes_in_the_catalogue_are_found_at_their_place() {
    let cases = [
        (TEAM, "title = \"Admin in dev\"", "titel = \"Admin in dev\""),
        (TEAM, "risk = 0", "risk = 4"),
        (TEAM, "risk = 0", "risk = \"low\""),
        (TEAM, "max_duration = \"12h\"", "max_duration = \"12 hours\""),
        (TEAM, "default_duration = \"1h\"", "default_duration = \"2h\""),
        (TEAM, "account = \"dev\"", "account = \"dve\""),
        (TEAM, "approvers = [\"engineering\"]", "approvers = [\"enginering\"]"),
        (TEAM, "approvers = [\"engineering\"]", "approvers = []"),
        (TEAM, "workflow = \"two-people\"", "workflow = \"two-poeple\""),
        (TEAM, "name = \"prod-admin\"", "name = \"prod-readonly\""),
        (TEAM, "name = \"prod-admin\"", "name = \"Prod Admin\""),
        (
            TEAM,
            "name = \"prod-admin\"",
            "name = \"prod-admin\"\naliases = [\"dev-admin\"]",
        ),
        (TEAM, "role = \"jit/jit-dev-admin\"", "role = \"/jit/jit-dev-admin\""),
        (TEAM, "session = \"1h\"", "session = \"14m\""),
        (TEAM, "road = \"assume-role\", ", "road = \"assume-rolle\", "),
        (
            TEAM,
            "road = \"assume-role\", ",
            "road = \"web-identity\", trace = \"off\", ",
        ),
        (TEAM, "kind = \"aws\"", "kind = \"azure\""),
        (TEAM, "risk = 0", "risk = 0\nnever = [\"everything\"]"),
        (TEAM, "session = \"1h\"", "session = \"1h\", kill = \"deny-policy\""),
        (TEAM, "session = \"1h\"", "session = \"1h\", kill = \"deny\""),
        (TEAM, NEXT, twin!("max_duration = \"8h\"", "session = \"1h\"")),
        (TEAM, NEXT, twin!("owners = [\"security\"]", "session = \"1h\"")),
        (TEAM, NEXT, twin!("never = [\"s3:DeleteBucket\"]", "session = \"1h\"")),
        (TEAM, NEXT, twin!("", "session = \"2h\"")),
        (TEAM, NEXT, twin!("", "session = \"1h\", chain = true")),
        (TEAM, NEXT, twin!("", "session = \"1h\", trace = \"off\"")),
        (SECURITY, "id = \"222222222222\"", "id = \"22222222222\""),
        (SECURITY, "id = \"222222222222\"", "id = \"111111111111\""),
        (SECURITY, "environment = \"prod\"", "environment = \"production\""),
        (
            SECURITY,
            "environment = \"dev\"",
            "environment = \"dev\"\nregion = \"cn-north-1\"",
        ),
        (
            SECURITY,
            "environment = \"dev\"",
            "environment = \"dev\"\nkill_role = \"/jit/jit-kill-switch\"",
        ),
        (
            SECURITY,
            "environment = \"dev\"",
            "environment = \"dev\"\nkill_role = \"jit/jit-dev-admin\"",
        ),
        (SECURITY, "approvals = 1", "approvals = 0"),
        (SECURITY, "approvals = 1", "approvals = 2"),
        (SECURITY, "groups = [\"payments\"]", "groups = []"),
        (SECURITY, "after = [\"team\"]", "after = [\"security\"]"),
        (SECURITY, "members = [\"local:carol\"]", "members = [\"local:bob\"]"),
        (SECURITY, "members = [\"local:carol\"]", "members = [\"loacl:carol\"]"),
        (
            SECURITY,
            "members = [\"local:carol\"]",
            "members = [\"https://idp.example:carol\"]",
        ),
        (
            SECURITY,
            "members = [\"local:carol\"]",
            "members = [\"http://idp.example carol\"]",
        ),
        (SECURITY, "workflow = \"one-approval\"", "workflow = \"one\""),
        (SECURITY, "[group.payments]", "[grup.payments]"),
        (SECURITY, "[group.payments]", "[group.payments"),
    ];
    let mut text = String::new();
    for (path, old, new) in cases {
        let found = after(path, old, new);
        assert!(!found.is_empty(), "{new} is loaded");
        text.push_str(&format!("{}\n  {}\n", new.replace('\n', " / "), found.join("\n  ")));
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("catalogue_findings", text);
    });
}

#[test]
fn targets_of_one_role_differ_in_nothing_that_weakens() {
    let killable = (
        "environment = \"dev\"",
        "environment = \"dev\"\nkill_role = \"jit/jit-kill-switch\"",
    );
    let of = |more: &str, provider: &str| {
        format!(
            "[[target]]\nname = \"dev-too\"\ntitle = \"x\"\naccount = \"dev\"\n{more}\nprovider = {{ kind = \"aws\", \
             road = \"assume-role\", role = \"jit/jit-dev-admin\", {provider} }}\n"
        )
    };
    let (plain, hour) = ("risk = 0\napprovers = [\"engineering\"]", "session = \"1h\"");
    let load = |text: &str| {
        let security = small::FILES.iter().find(|(name, _)| *name == SECURITY).unwrap().1;
        let security = security.replacen(killable.0, killable.1, 1);
        let loaded = Bundle::load(&files(&[(SECURITY, &security), ("team.toml", text)]));
        loaded.map_or_else(|found| said(&found), |_| Vec::new())
    };
    assert_eq!(load(&of(plain, hour)), [""; 0]);
    for (what, text) in [
        ("risk", of("risk = 1\napprovers = [\"engineering\"]", hour)),
        (
            "approvers",
            of("risk = 0\napprovers = [\"engineering\", \"payments\"]", hour),
        ),
        ("workflow", of(&format!("{plain}\nworkflow = \"two-people\""), hour)),
        ("owners", of(&format!("{plain}\nowners = [\"payments\"]"), hour)),
        ("max_duration", of(&format!("{plain}\nmax_duration = \"8h\""), hour)),
        ("never", of(&format!("{plain}\nnever = [\"s3:DeleteBucket\"]"), hour)),
        ("session", of(plain, "session = \"2h\"")),
        ("chain", of(plain, "session = \"1h\", chain = true")),
        ("trace", of(plain, "session = \"1h\", trace = \"off\"")),
        ("kill", of(plain, "session = \"1h\", kill = \"deny-policy\"")),
    ] {
        let found = load(&text);
        let expected = format!("are one role and differ in {what}");
        assert!(
            found.iter().any(|finding| finding.contains(&expected)),
            "{what}: {found:?}"
        );
    }
}

#[test]
fn mistakes_in_policies_are_found_at_their_place() {
    let permit = |condition: &str| {
        format!(
            "// a team's\n\n@id(\"team.x\")\npermit (principal, action == Jit::Action::\"request\", resource)\nwhen {{ {condition} }};\n"
        )
    };
    let cases = [
        permit("resource.enviroment == \"dev\""),
        permit("principal in Jit::Group::\"secruity\""),
        permit("resource in Jit::Account::\"prod\""),
        permit("resource.risk == \"low\""),
        permit("context.reasonLength > 3"),
        permit("resource.risk < 1 && "),
        "@id(\"team.x\")\n@approvals(\"2\")\npermit (principal, action, resource);".to_owned(),
        "permit (principal, action, resource);".to_owned(),
        "@id(\"access.request\") permit (principal, action, resource);".to_owned(),
        "@id(\"team.x\") forbid (principal, action, resource);".to_owned(),
        "@id(\"team.x\") permit (principal == ?principal, action, resource);".to_owned(),
        "@id(\"team.x\") permit (principal, action, resource)".to_owned(),
        "@id(\"team.x\") permit (principal is Jit::Machine, action, resource);".to_owned(),
    ];
    let mut text = String::new();
    for case in cases {
        let found = beside("90-team.cedar", &case);
        assert!(!found.is_empty(), "{case} is loaded");
        text.push_str(&format!(
            "{}\n  {}\n",
            case.trim().replace('\n', " / "),
            found.join("\n  ")
        ));
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("policy_findings", text);
    });
}

#[test]
fn attack_04_team_catalogue_cannot_loosen_production() {
    let target = |name: &str, role: &str, more: &str| {
        format!(
            "[[target]]\nname = \"{name}\"\ntitle = \"x\"\naccount = \"payments-prod\"\nrisk = 0\napprovers = [\"engineering\"]\n\
             {more}\nprovider = {{ kind = \"aws\", road = \"assume-role\", role = \"jit/{role}\", session = \"1h\" }}\n"
        )
    };
    let weak = "[workflow.weak]\nexpires_after = \"1h\"\nactivate_within = \"1h\"\n[[workflow.weak.stage]]\nname = \"x\"\n\
                groups = [\"engineering\"]\napprovals = 1\n";
    let strict = files(&[(
        SECURITY,
        &small::FILES[1]
            .1
            .replace("# least_risk = 1 ", "least_risk = 1 ")
            .replace(
                "max_duration = \"8h\"\nworkflow = \"one-approval\"",
                "max_duration = \"8h\"\nworkflow = \"two-people\"",
            ),
    )]);
    for (text, expected) in [
        (
            "[account.mine]\nid = \"111111111111\"\nenvironment = \"dev\"\n".to_owned(),
            "stands outside security/",
        ),
        (
            "[environment.dev]\nmax_duration = \"90d\"\nworkflow = \"one-approval\"\n".to_owned(),
            "stands outside security/",
        ),
        (
            "[group.payments]\nmembers = [\"local:mallory\"]\n".to_owned(),
            "stands outside security/",
        ),
        ("[organisation]\nnever = []\n".to_owned(), "stands outside security/"),
        (target("mine", "jit-prod-admin", ""), "are one role and differ in risk"),
        (
            target("mine", "jit-mine", "environment = \"dev\""),
            "unknown field `environment`",
        ),
    ] {
        let found = beside("team.toml", &text);
        assert!(
            found.iter().any(|finding| finding.contains(expected)),
            "{text}: {found:?}"
        );
    }
    for (text, expected) in [
        (target("mine", "jit-mine", ""), "risk 0 is not between 1 and 3"),
        (
            format!("{weak}{}", target("mine", "jit-mine", "workflow = \"weak\"")),
            "is weaker than `two-people`",
        ),
    ] {
        let mut files = strict.clone();
        files.push(("team.toml".to_owned(), text.into_bytes()));
        let found = said(&Bundle::load(&files).unwrap_err());
        assert!(found.iter().any(|finding| finding.contains(expected)), "{found:?}");
    }
}

#[test]
fn bundle_of_bytes_that_are_no_text_is_refused() {
    let mut files = small::files();
    files.push(("x.toml".to_owned(), b"# fine\n\xff".to_vec()));
    assert_eq!(
        said(&Bundle::load(&files).unwrap_err()),
        ["x.toml:2:1: the file is not UTF-8"]
    );
    assert_eq!(
        said(&Bundle::load(&[]).unwrap_err()),
        [":1:1: the bundle has no .toml and no .cedar file"]
    );
}

#[test]
fn security_policies_outside_their_folder_are_no_forbids() {
    for path in [
        "security.cedar",
        "team/security/x.cedar",
        "Security/x.cedar",
        "./security/x.cedar",
    ] {
        let found = beside(path, "@id(\"x\") @advice(\"x\") forbid (principal, action, resource);");
        assert!(
            found.len() == 1 && found[0].contains("stands outside security/"),
            "{path}: {found:?}"
        );
    }
}
