//! Holes beside the trust: provider, maximum session, boundary, kill switch, roles that nobody needs.

use serde_json::{Value, json};

use super::*;

#[test]
fn every_planted_hole_beside_the_trust_is_found() {
    use Kind::*;
    use Severity::*;
    type Change = fn(&mut Described);
    let table: &[(&str, Change, Severity, Kind)] = &[
        ("no provider", |d| d.audiences = None, Fault, ProviderMissing),
        (
            "an audience more",
            |d| d.audiences = Some(vec!["sts.amazonaws.com".into(), "x".into()]),
            Hole,
            ProviderAudience,
        ),
        (
            "another audience",
            |d| d.audiences = Some(vec!["x".into()]),
            Fault,
            ProviderAudience,
        ),
        ("no role", |d| drop(d.roles.remove(0)), Fault, RoleMissing),
        (
            "another path",
            |d| d.roles[0].arn = "arn:aws:iam::111111111111:role/jit-prod-admin".into(),
            Fault,
            RoleElsewhere,
        ),
        (
            "a session of 12 hours",
            |d| d.roles[0].max_session_s = 43_200,
            Hole,
            MaximumSession,
        ),
        (
            "a session one second longer",
            |d| d.roles[0].max_session_s = 3_601,
            Hole,
            MaximumSession,
        ),
        (
            "a session too short",
            |d| d.roles[0].max_session_s = 1_800,
            Fault,
            MaximumSession,
        ),
        ("no boundary", |d| d.roles[0].boundary = None, Hole, Boundary),
        (
            "another boundary",
            |d| d.roles[0].boundary = Some("arn:aws:iam::aws:policy/ReadOnlyAccess".into()),
            Hole,
            Boundary,
        ),
        (
            "the boundary of another account",
            |d| d.roles[0].boundary = Some("arn:aws:iam::222222222222:policy/jit/jit-boundary".into()),
            Hole,
            Boundary,
        ),
        ("no boundary policy", |d| d.boundary = None, Hole, Boundary),
        ("no JSON", |d| d.boundary = Some("%7Bx".into()), Hole, Unreadable),
        (
            "a policy attached to the kill switch",
            |d| d.roles[1].attached = vec!["arn:x".into()],
            Hole,
            KillSwitchWider,
        ),
        (
            "the kill switch writes to itself",
            |d| d.roles[1].boundary = Some("arn:aws:iam::111111111111:policy/jit/jit-boundary".into()),
            Hole,
            KillSwitchWider,
        ),
        (
            "the kill switch can do nothing",
            |d| d.roles[1].inline.clear(),
            Fault,
            KillSwitchShut,
        ),
        (
            "the kill switch lasts",
            |d| d.roles[1].max_session_s = 7_200,
            Hole,
            MaximumSession,
        ),
    ];
    for (name, change, severity, kind) in table {
        let plan = plan();
        let mut described = applied(&plan);
        change(&mut described);
        let found = found(&plan, &described);
        assert!(found.contains(&(*severity, *kind)), "{name}: {found:?}");
    }
}

#[test]
fn boundary_with_less_denied_is_found() {
    let plan = plan();
    let changes: [fn(&mut Value); 7] = [
        |b| drop(b["Statement"].as_array_mut().unwrap().remove(1)),
        |b| drop(b["Statement"].as_array_mut().unwrap().remove(2)),
        |b| drop(b["Statement"][1]["Action"].as_array_mut().unwrap().remove(3)),
        |b| drop(b["Statement"][1]["Resource"].as_array_mut().unwrap().remove(2)),
        |b| b["Statement"][1]["Condition"] = json!({"StringEquals": {"aws:RequestedRegion": "x"}}),
        |b| b["Statement"][1]["Effect"] = json!("Allow"),
        |b| {
            let statement = b["Statement"][1].as_object_mut().unwrap();
            let actions = statement.remove("Action").unwrap();
            statement.insert("NotAction".to_owned(), actions);
        },
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut described = applied(&plan);
        let mut document = boundary(&plan);
        change(&mut document);
        described.boundary = Some(encoded(&document));
        let found = found(&plan, &described);
        assert!(
            found.contains(&(Severity::Hole, Kind::BoundaryWider)),
            "{number}: {found:?}"
        );
    }
}

#[test]
fn kill_switch_that_may_do_more_is_found() {
    let plan = plan();
    let changes: [fn(&mut Value); 7] = [
        |p| p["Statement"][0]["Action"] = json!("iam:*"),
        |p| p["Statement"][0]["Action"] = json!(["iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:AttachRolePolicy"]),
        |p| p["Statement"][0]["Resource"] = json!("*"),
        |p| p["Statement"][0]["Resource"] = json!("arn:aws:iam::111111111111:role/*"),
        |p| drop(p["Statement"][0].as_object_mut().unwrap().remove("Condition")),
        |p| {
            let condition = p["Statement"][0]["Condition"]["StringEquals"].take();
            p["Statement"][0]["Condition"] = json!({ "StringEqualsIfExists": condition });
        },
        |p| {
            let statement = json!({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"});
            p["Statement"].as_array_mut().unwrap().push(statement);
        },
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut described = applied(&plan);
        let mut document = kill_policy(&plan);
        change(&mut document);
        described.roles[1].inline[0].1 = encoded(&document);
        let found = found(&plan, &described);
        assert!(
            found.contains(&(Severity::Hole, Kind::KillSwitchWider)),
            "{number}: {found:?}"
        );
    }
    let mut described = applied(&plan);
    let mut document = kill_policy(&plan);
    let read = json!({"Effect": "Allow", "Action": "iam:GetRolePolicy",
        "Resource": "arn:aws:iam::111111111111:role/jit/*"});
    document["Statement"].as_array_mut().unwrap().push(read);
    described.roles[1].inline[0].1 = encoded(&document);
    assert_eq!(found(&plan, &described), []);
}

#[test]
fn role_that_takes_our_tokens_for_no_target_is_found() {
    let plan = plan();
    let mut described = applied(&plan);
    let mut old = described.roles[0].clone();
    old.name = "jit-old".to_owned();
    old.arn = "arn:aws:iam::111111111111:role/elsewhere/jit-old".to_owned();
    described.roles.push(old.clone());
    // it takes the token of the target that is left
    let both = [
        (Severity::Hole, Kind::Subject),
        (Severity::Fault, Kind::Shut),
        (Severity::Note, Kind::Unused),
    ];
    assert_eq!(found(&plan, &described), both);
    let own = role_trust(&plan, &plan.roles[0])
        .to_string()
        .replace("jit/jit-prod-admin", "elsewhere/jit-old");
    old.trust = encoded(&serde_json::from_str(&own).unwrap());
    *described.roles.last_mut().unwrap() = old.clone();
    assert_eq!(found(&plan, &described), [(Severity::Note, Kind::Unused)]);
    old.trust = encoded(
        &json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
        "Action": "sts:AssumeRole"}]}),
    );
    *described.roles.last_mut().unwrap() = old;
    assert_eq!(found(&plan, &described), []);
}

#[test]
fn kill_switch_that_no_target_has_is_found() {
    for road in [Road::WebIdentity, Road::AssumeRole] {
        let before = plan_of(&[killable(binding(road, "jit/jit-prod-admin"))]);
        let plan = plan_of(&[binding(road, "jit/jit-prod-admin")]);
        let mut described = applied(&before);
        assert_eq!(found(&plan, &described), [(Severity::Note, Kind::Unused)], "{road:?}");
        described.roles[1].inline.clear();
        assert_eq!(found(&plan, &described), [(Severity::Note, Kind::Unused)], "{road:?}");
        described.roles[1].attached = vec!["arn:x".into()];
        let wider = (Severity::Hole, Kind::KillSwitchWider);
        assert_eq!(found(&plan, &described), [wider, (Severity::Note, Kind::Unused)]);
        described.roles[1].attached.clear();
        described.roles[1].trust = encoded(&json!({"Statement": [{"Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::222222222222:root"}, "Action": "sts:AssumeRole"}]}));
        let entered = (Severity::Hole, Kind::OtherPrincipal);
        assert_eq!(found(&plan, &described), [entered, (Severity::Note, Kind::Unused)]);
    }
}

#[test]
fn every_way_of_letting_our_tokens_in_counts_for_no_target() {
    use Kind::*;
    use Severity::*;
    let plan = plan();
    let enter = "sts:AssumeRoleWithWebIdentity";
    let allow =
        |who: &str, value: Value| encoded(&json!({"Statement": [{"Effect": "Allow", who: value, "Action": enter}]}));
    let untagged = role_trust(&plan, &plan.roles[0])
        .to_string()
        .replace("jit/jit-prod-admin", "elsewhere/jit-old")
        .replace("aws:RequestTag/jit:request", "aws:RequestTag/other");
    let table = [
        ("everybody", allow("Principal", json!("*")), (Hole, OtherPrincipal)),
        (
            "all providers",
            allow("Principal", json!({"Federated": "*"})),
            (Hole, OtherPrincipal),
        ),
        (
            "everybody but one",
            allow("NotPrincipal", json!({"AWS": "arn:aws:iam::111111111111:root"})),
            (Hole, Inverted),
        ),
        (
            "no JSON",
            "%7B oidc-provider%2Fjit.acme.example%2FProd".to_owned(),
            (Hole, Unreadable),
        ),
        (
            "no tag",
            encoded(&serde_json::from_str(&untagged).unwrap()),
            (Hole, RequestTag),
        ),
    ];
    for (name, trust, wanted) in table {
        let mut described = applied(&plan);
        let mut old = described.roles[0].clone();
        old.name = "jit-old".to_owned();
        old.arn = "arn:aws:iam::111111111111:role/elsewhere/jit-old".to_owned();
        old.trust = trust;
        described.roles.push(old);
        let found = found(&plan, &described);
        assert!(
            found.contains(&(Note, Unused)) && found.contains(&wanted),
            "{name}: {found:?}"
        );
    }
}
