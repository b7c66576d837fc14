//! Targets on the road `identity-center`: the instance that they belong to, and the permission set that they resolve to.
//! Owns what has to be written for it. Refuses to ask Identity Center: whether that is true is asked when a request is
//! filed.

use toml::Spanned;

use super::build::Ground;
use super::groups::is_source;
use super::place::Place;
use super::shape::IdentityCenter;
use super::target::Placed;
use crate::domain::{Assignment, AssignmentRoad, Binding, FoundBy, Instance, Partition};
use crate::policy::finding::{Finding, Source};

/// Sessions of a permission set last from one hour to twelve (`CreatePermissionSet`, `SessionDuration`).
const SESSION_S: std::ops::RangeInclusive<u32> = 3_600..=12 * 3_600;

/// The instance that `written` describes; what is wrong with it are findings.
pub(super) fn instance(source: &Source<'_>, written: &IdentityCenter) -> Result<Instance, Vec<Finding>> {
    let mut found = Vec::new();
    let mut wrong = |text: &Spanned<String>, what: &str, hint: &str| {
        let message = format!("`{}` is no {what}", text.get_ref());
        found.push(source.finding(text.span(), message).with_hint(hint));
    };
    if !is_instance(written.instance.get_ref()) {
        let hint = "write its ARN, such as arn:aws:sso:::instance/ssoins-1111111111111111";
        wrong(&written.instance, "instance", hint);
    }
    if !is_id(written.identity_store.get_ref(), "d-") {
        wrong(
            &written.identity_store,
            "identity store",
            "write its id, such as d-1111111111",
        );
    }
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !written.region.get_ref().contains('-') || !written.region.get_ref().bytes().all(word) {
        wrong(
            &written.region,
            "region",
            "write the one that Identity Center was set up in",
        );
    }
    if !is_start_url(written.start_url.get_ref()) {
        let hint = "write the address of the access portal, such as https://d-1111111111.awsapps.com/start";
        wrong(&written.start_url, "start_url", hint);
    }
    let (found_by, pattern) = match (&written.user_name, &written.e_mail) {
        (Some(pattern), None) => (FoundBy::UserName, pattern),
        (None, Some(pattern)) => (FoundBy::EMail, pattern),
        (Some(one), Some(_)) => {
            let message = "people are found by user_name or by e_mail, not by both";
            found.push(source.finding(one.span(), message));
            return Err(found);
        }
        (None, None) => {
            let hint = "add user_name = \"{name}@acme.example\", or whatever user names are there";
            let message = "nothing says how people are found in the identity store";
            found.push(source.finding(written.instance.span(), message).with_hint(hint));
            return Err(found);
        }
    };
    let text = pattern.get_ref();
    let rest = text.replace("{name}", "").replace("{subject}", "");
    if rest == *text || rest.contains(['{', '}']) || rest.chars().any(char::is_whitespace) {
        let message = format!("`{text}` finds nobody in particular");
        let hint = "it holds {name} or {subject}, such as {name}@acme.example";
        found.push(source.finding(pattern.span(), message).with_hint(hint));
    }
    let people = written.people.as_ref().map_or("local", |people| people.get_ref());
    if let Some(written) = &written.people
        && !is_source(people)
    {
        let message = format!("`{people}` is no issuer of people");
        let hint = "write local, or the issuer of a [[sign_in]], such as https://acme.okta.com";
        found.push(source.finding(written.span(), message).with_hint(hint));
    }
    if !found.is_empty() {
        return Err(found);
    }
    Ok(Instance {
        arn: written.instance.get_ref().clone(),
        identity_store: written.identity_store.get_ref().clone(),
        region: written.region.get_ref().clone(),
        start_url: written.start_url.get_ref().clone(),
        found_by,
        pattern: text.clone(),
        people: people.to_owned(),
    })
}

/// What the target resolves to; what stands in the way are findings.
pub(super) fn assignment(
    ground: &mut Ground<'_>,
    place: &Placed<'_>,
    on: &Place<'_>,
    never: &[String],
) -> Option<Binding> {
    let provider = place.target.get_ref().provider.get_ref();
    let at = place.target.get_ref().provider.span();
    let mut wrong: Vec<(String, &str)> = Vec::new();
    if provider.role.is_some() {
        let hint = "write permission_set and id in its place";
        wrong.push(("road `identity-center` has no role".to_owned(), hint));
    }
    if provider.chain || provider.kill.is_some() || provider.trace.is_some() {
        let hint = "leave them out: its sessions carry no policy and no tag of ours";
        wrong.push(("road `identity-center` knows no chain, trace or kill".to_owned(), hint));
    }
    if !never.is_empty() && !provider.denies_never {
        let hint = "deny it in the permission set, then say so: denies_never = true";
        let message = format!("nothing denies {} on road `identity-center`", never.join(", "));
        wrong.push((message, hint));
    }
    if !SESSION_S.contains(&provider.session.get_ref().0.secs()) {
        let message = format!("session {} is not between 1h and 12h", provider.session.get_ref().0);
        wrong.push((message, "write the session duration of the permission set"));
    }
    if provider.permission_set.is_none() || provider.id.is_none() {
        let hint = "write permission_set = \"Billing\" and id = \"ps-1111111111111111\"";
        let message = "road `identity-center` goes with permission_set and id".to_owned();
        wrong.push((message, hint));
    }
    let instance = ground.instance.clone();
    // what is wrong with one that is written is said there, once
    if instance.is_none() && !ground.has_instance {
        let hint = "add it to security/ with instance, identity_store, region, start_url and user_name";
        wrong.push(("the catalogue has no [identity-center]".to_owned(), hint));
    }
    for (message, hint) in wrong {
        ground.find(&place.source, at.clone(), message, Some(hint.to_owned()));
    }
    let (instance, name, id) = (instance?, provider.permission_set.as_ref()?, provider.id.as_ref()?);
    if !is_id(id.get_ref(), "ps-") {
        let message = format!("`{}` is no permission set", id.get_ref());
        let hint = Some("write the last part of its ARN, such as ps-1111111111111111".to_owned());
        ground.find(&place.source, id.span(), message, hint);
    }
    if !is_permission_set_name(name.get_ref()) {
        let message = format!("`{}` is no name of a permission set", name.get_ref());
        ground.find(&place.source, name.span(), message, None);
    }
    let set = instance.arn.replace(":instance/", ":permissionSet/");
    let (partition, account, account_name) = match on {
        Place::One { name, account } => {
            let partition = account.partition.unwrap_or(Partition::Aws);
            (partition, account.id.get_ref().clone(), (*name).to_owned())
        }
        // filled in when somebody asks for one of them
        Place::Many(many) => (many.partition, String::new(), many.name.clone()),
    };
    Some(Binding::Assignment(Assignment {
        road: AssignmentRoad::IdentityCenter,
        partition,
        account,
        account_name,
        permission_set_arn: format!("{set}/{}", id.get_ref()),
        permission_set: name.get_ref().clone(),
        session: provider.session.get_ref().0,
        chosen: None,
        instance,
    }))
}

/// `PREFIX` and lower-case letters, digits or dashes.
fn is_id(text: &str, prefix: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    text.strip_prefix(prefix)
        .is_some_and(|rest| !rest.is_empty() && rest.len() <= 64 && rest.bytes().all(word))
}

fn is_instance(arn: &str) -> bool {
    let id = arn
        .strip_prefix("arn:aws")
        .and_then(|rest| rest.split_once(":sso:::instance/"));
    id.is_some_and(|(partition, id)| ["", "-us-gov", "-cn"].contains(&partition) && is_id(id, "ssoins-"))
}

/// `https`, a host, a path: it is opened in a browser.
fn is_start_url(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._/#".contains(&b);
    text.strip_prefix("https://")
        .and_then(|rest| rest.split_once('/'))
        .is_some_and(|(host, path)| host.contains('.') && host.bytes().chain(path.bytes()).all(is_plain))
}

/// At most 32 of the characters that Identity Center allows (`CreatePermissionSet`, `Name`).
fn is_permission_set_name(name: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b);
    (1..=32).contains(&name.len()) && name.bytes().all(word)
}
