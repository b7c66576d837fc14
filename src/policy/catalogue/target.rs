//! One target: what it inherits, what it may not loosen, what it resolves to.
//! Owns the rules between targets (names, shared bindings). Refuses to know about files.

use std::collections::BTreeMap;

use toml::Spanned;

use super::Target;
use super::accounts::Accounts;
use super::approvals::{lacking, unsatisfiable};
use super::assignment::assignment;
use super::build::{Defined, Ground, TARGET_APPROVERS};
use super::family::Family;
use super::kill::kill_switch;
use super::place::{Place, surroundings};
use super::rules::difference;
use super::shape;
use crate::domain::{Binding, Duration, Partition, Road, RoleBinding, TargetName, Trace, Workflow};
use crate::policy::finding::Source;
use crate::policy::nearest::suggestion;

/// STS mints nothing shorter.
const SHORTEST_SESSION_S: u32 = 900;
/// No role allows anything longer.
const LONGEST_SESSION_S: u32 = 12 * 3_600;
/// 255 less `jit:aws/aws-us-gov/`, the account, `/`, and `:usr_` with its 12 characters.
const LONGEST_ROLE_IN_TOKEN: usize = 206;
/// Longest duration that is given to somebody who names none.
const LONGEST_DEFAULT_S: u32 = 3_600;

/// A target as it is written, and where.
pub(super) struct Placed<'a> {
    pub(super) source: Source<'a>,
    pub(super) target: &'a Spanned<shape::Target>,
}

/// The targets that hold together, by name: those in one account, and those in many. The rest are findings of `ground`.
pub(super) fn add_targets<'a>(ground: &mut Ground<'a>, placed: &[Placed<'a>]) -> (Vec<Target>, Vec<Family>) {
    let mut built: Vec<(usize, Target)> = Vec::new();
    let mut many: Vec<(usize, Accounts)> = Vec::new();
    for (at, place) in placed.iter().enumerate() {
        if let Some((target, accounts)) = target(ground, place) {
            built.push((at, target));
            many.extend(accounts.map(|accounts| (at, accounts)));
        }
    }
    check_names(ground, placed, &built);
    let (in_many, in_one): (Vec<_>, Vec<_>) = built
        .into_iter()
        .partition(|(at, _)| many.iter().any(|(other, _)| other == at));
    check_bindings(ground, placed, &in_one);
    let mut targets: Vec<Target> = in_one.into_iter().map(|(_, target)| target).collect();
    targets.sort_by(|a, b| a.name.cmp(&b.name));
    let pairs = in_many.into_iter().zip(many);
    let mut families: Vec<Family> = pairs.map(|((_, target), (_, of))| Family::new(target, of)).collect();
    families.sort_by(|a, b| a.name().cmp(b.name()));
    (targets, families)
}

fn target<'a>(ground: &mut Ground<'a>, place: &Placed<'a>) -> Option<(Target, Option<Accounts>)> {
    let (source, written) = (&place.source, place.target.get_ref());
    ground.check_text(source, &written.title, "title");
    if let Some(description) = &written.description {
        ground.check_text(source, description, "description");
    }
    let name = name(ground, source, &written.name);
    for alias in &written.aliases {
        self::name(ground, source, alias);
    }
    let owners = ground.known_groups(source, &written.owners);
    let approvers = ground.known_groups(source, &written.approvers);
    let never = ground.denied(source, &written.never);
    let around = surroundings(ground, place)?;
    let environment = around.environment;
    let risk = *written.risk.get_ref();
    let least = environment.least_risk;
    if risk > 3 || risk < least {
        let message = format!("risk {risk} is not between {least} and 3");
        ground.find(source, written.risk.span(), message, None);
    }
    let never = nevers(ground, environment, never);
    let (max_duration, default_duration) = durations(ground, place, environment);
    let target = Target {
        binding: binding(ground, place, &around.place, never)?,
        workflow: workflow(ground, place, environment, &approvers)?,
        name: name?,
        title: written.title.get_ref().clone(),
        description: written.description.as_ref().map(|text| text.get_ref().clone()),
        aliases: written.aliases.iter().map(|alias| alias.get_ref().clone()).collect(),
        environment: around.environment_name,
        risk,
        owners,
        approvers,
        max_duration,
        default_duration,
        known_as: match around.place {
            Place::One { name, .. } => name.to_owned(),
            Place::Many(_) => String::new(),
        },
        facts: None,
        same_access: Vec::new(),
    };
    Some((target, around.accounts))
}

fn name(ground: &mut Ground<'_>, source: &Source<'_>, name: &Spanned<String>) -> Option<TargetName> {
    let name_at = name.span();
    match TargetName::parse(name.get_ref()) {
        Ok(name) if name.family().is_some() => {
            let hint = "what stands after a slash is the account that somebody asks for".to_owned();
            ground.find(source, name_at, format!("`{name}` has a slash"), Some(hint));
            None
        }
        Ok(name) => Some(name),
        Err(refusal) => {
            ground.find(
                source,
                name.span(),
                refusal.to_string(),
                refusal.hint().map(str::to_owned),
            );
            None
        }
    }
}

/// Denied actions of organisation, environment and target together.
fn nevers(ground: &Ground<'_>, environment: &shape::Environment, own: Vec<String>) -> Vec<String> {
    let mut never = ground.never.clone();
    never.extend(environment.never.iter().map(|pattern| pattern.get_ref().clone()));
    never.extend(own);
    never.sort();
    never.dedup();
    never
}

/// Longest and default duration: limits only tighten going down.
fn durations(ground: &mut Ground<'_>, place: &Placed<'_>, environment: &shape::Environment) -> (Duration, Duration) {
    let written = place.target.get_ref();
    let own = written.max_duration.map(|duration| duration.0);
    let longest = [own, ground.longest]
        .into_iter()
        .flatten()
        .fold(environment.max_duration.0, Ord::min);
    let hour = Duration::from_secs(LONGEST_DEFAULT_S).unwrap_or(longest);
    let longest_default = hour.min(longest);
    let Some(default) = &written.default_duration else {
        return (longest, longest_default);
    };
    let given = default.get_ref().0;
    if given > longest_default {
        let message = format!("default_duration {given} is longer than {longest_default}");
        let hint = Some("it is one hour at most, and never longer than the target allows".to_owned());
        ground.find(&place.source, default.span(), message, hint);
    }
    (longest, given)
}

/// The workflow with its groups resolved: the environment's, or the target's own if it is no weaker.
fn workflow(
    ground: &mut Ground<'_>,
    place: &Placed<'_>,
    environment: &shape::Environment,
    approvers: &[String],
) -> Option<Workflow> {
    let written = place.target.get_ref();
    let floor = ground.workflows.get(environment.workflow.get_ref().as_str())?;
    let floor = resolved(floor, approvers);
    let at = written
        .workflow
        .as_ref()
        .map_or_else(|| written.name.span(), Spanned::span);
    let workflow = match &written.workflow {
        None => floor,
        Some(own) => {
            let Some(defined) = ground.workflows.get(own.get_ref().as_str()) else {
                let hint = suggestion(own.get_ref(), ground.workflows.keys().copied());
                let message = format!("there is no workflow `{}`", own.get_ref());
                ground.find(&place.source, own.span(), message, Some(hint));
                return None;
            };
            let own = resolved(defined, approvers);
            if let Some(stage) = lacking(&own, &floor) {
                let message = format!(
                    "workflow `{}` is weaker than `{}`: it has no match for stage `{}`",
                    own.name, floor.name, stage.name
                );
                let hint = Some("a target may only be stricter than its environment".to_owned());
                ground.find(&place.source, at.clone(), message, hint);
            }
            own
        }
    };
    for stage in &workflow.stages {
        if let Some(group) = stage.groups.iter().find(|group| !approvers.contains(group)) {
            let message = format!(
                "stage `{}` asks group `{group}`, which is no approver of the target",
                stage.name
            );
            let hint = Some(format!("add \"{group}\" to approvers"));
            ground.find(&place.source, at.clone(), message, hint);
        }
    }
    // where a group is wrong, this would say it again
    if ground.findings.is_empty()
        && let Some(why) = unsatisfiable(&workflow, &ground.groups, &ground.feeds)
    {
        ground.find(&place.source, at, format!("nobody can approve: {why}"), None);
    }
    Some(workflow)
}

/// `target.approvers` replaced by the groups that it stands for.
fn resolved(defined: &Defined<'_, Workflow>, approvers: &[String]) -> Workflow {
    let mut workflow = defined.value.clone();
    for stage in &mut workflow.stages {
        let written = std::mem::take(&mut stage.groups);
        let groups = written.iter().flat_map(|group| match group.as_str() {
            TARGET_APPROVERS => approvers,
            _ => std::slice::from_ref(group),
        });
        stage.groups = groups.cloned().collect();
        stage.groups.sort();
        stage.groups.dedup();
    }
    workflow
}

fn binding(ground: &mut Ground<'_>, place: &Placed<'_>, on: &Place<'_>, never: Vec<String>) -> Option<Binding> {
    let (written, provider) = (place.target.get_ref(), place.target.get_ref().provider.get_ref());
    let road = match (provider.kind, provider.road) {
        (shape::Kind::Aws, shape::Road::AssumeRole) => Road::AssumeRole,
        (shape::Kind::Aws, shape::Road::WebIdentity) => Road::WebIdentity,
        (shape::Kind::Aws, shape::Road::IdentityCenter) => return assignment(ground, place, on, &never),
    };
    let Place::One { name, account } = on else {
        let message = "accounts go with road `identity-center`".to_owned();
        let hint = Some("write account = \"NAME\": a role is set up in each account by itself".to_owned());
        ground.find(&place.source, written.provider.span(), message, hint);
        return None;
    };
    let role = role(ground, place)?;
    let session = provider.session.get_ref().0;
    if !(SHORTEST_SESSION_S..=LONGEST_SESSION_S).contains(&session.secs()) {
        let message = format!("session {session} is not between 15m and 12h");
        ground.find(&place.source, provider.session.span(), message, None);
    }
    let trace = provider.trace.unwrap_or_default();
    if road == Road::WebIdentity {
        check_token(ground, place, role, trace);
    }
    let partition = account.partition.unwrap_or(Partition::Aws);
    let id = account.id.get_ref();
    let kill = kill_switch(ground, place, account, role);
    let role = role.get_ref();
    Some(Binding::Role(RoleBinding {
        partition,
        account: id.clone(),
        account_name: (*name).to_owned(),
        role_arn: format!("arn:{partition}:iam::{id}:role/{role}"),
        region: account.region.as_ref().map_or_else(
            || partition.default_region().to_owned(),
            |region| region.get_ref().clone(),
        ),
        road,
        session,
        chain: provider.chain,
        trace,
        never,
        kill,
    }))
}

/// The role that the target names, if it names one and nothing that only goes with another road.
fn role<'a>(ground: &mut Ground<'_>, place: &Placed<'a>) -> Option<&'a Spanned<String>> {
    let provider = &place.target.get_ref().provider;
    let written = provider.get_ref();
    if written.permission_set.is_some() || written.id.is_some() || written.denies_never {
        let message = "permission_set, id and denies_never go with road `identity-center`".to_owned();
        ground.find(&place.source, provider.span(), message, None);
    }
    let hint = Some("write its path and name, such as jit/jit-prod-admin, without the leading slash".to_owned());
    let Some(role) = &written.role else {
        ground.find(
            &place.source,
            provider.span(),
            "the target names no role".to_owned(),
            hint,
        );
        return None;
    };
    if !is_role(role.get_ref()) {
        let message = format!("`{}` is no role", role.get_ref());
        ground.find(&place.source, role.span(), message, hint);
        return None;
    }
    Some(role)
}

/// What the token of the road `web-identity` cannot do without: the role's trust demands tag and source identity, and
/// its name stands in `sub`, which has 255 characters (OpenID Connect Core, section 2).
fn check_token(ground: &mut Ground<'_>, place: &Placed<'_>, role: &Spanned<String>, trace: Trace) {
    let provider = &place.target.get_ref().provider;
    if trace == Trace::Off {
        let message = "road `web-identity` goes with trace `session` or `transitive`";
        let hint = Some("the role's trust demands the request tag and the source identity".to_owned());
        ground.find(&place.source, provider.span(), message.to_owned(), hint);
    }
    if role.get_ref().len() > LONGEST_ROLE_IN_TOKEN {
        let message = format!("a role on road `web-identity` has at most {LONGEST_ROLE_IN_TOKEN} characters");
        ground.find(&place.source, role.span(), message, None);
    }
}

/// Whether `role` is the path and name of an IAM role: at most 512 and 64 characters.
pub(super) fn is_role(role: &str) -> bool {
    let word = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b))
    };
    let name = role.rsplit('/').next().unwrap_or_default();
    role.len() <= 510 && name.len() <= 64 && role.split('/').all(word)
}

/// A name or alias means one target.
fn check_names(ground: &mut Ground<'_>, placed: &[Placed<'_>], built: &[(usize, Target)]) {
    let mut seen: BTreeMap<&str, &TargetName> = BTreeMap::new();
    for (at, target) in built {
        let written = placed[*at].target.get_ref();
        for name in std::iter::once(&written.name).chain(&written.aliases) {
            if let Some(other) = seen.insert(name.get_ref(), &target.name) {
                let message = format!("the name `{}` is taken by target `{other}`", name.get_ref());
                ground.find(&placed[*at].source, name.span(), message, None);
            }
        }
    }
}

/// Two targets of one role would let people choose the weaker rules.
fn check_bindings(ground: &mut Ground<'_>, placed: &[Placed<'_>], built: &[(usize, Target)]) {
    let mut seen: BTreeMap<(&str, &str), &Target> = BTreeMap::new();
    for (at, target) in built {
        let place = (target.binding.arn(), target.binding.account());
        let Some(other) = seen.insert(place, target) else {
            continue;
        };
        if let Some(what) = difference(target, other) {
            let message = format!(
                "`{}` and `{}` are one role and differ in {what}",
                target.name, other.name
            );
            let hint = Some("targets of one role have the same rules, or people could choose the weaker".to_owned());
            ground.find(
                &placed[*at].source,
                placed[*at].target.get_ref().name.span(),
                message,
                hint,
            );
        }
    }
}
