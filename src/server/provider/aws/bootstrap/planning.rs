//! From the bindings of the targets to what each account needs.
//! Owns what must be known before a template can be written, and fits into one. Refuses catalogues: bindings come as arguments.

use std::collections::BTreeMap;

use super::documents::boundary;
use super::plan::{Plan, usual_kill};
use super::roles::{KillRole, RolePlan};
use crate::config::IssuerUrl;
use crate::domain::{Partition, Road, RoleBinding};

/// IAM: longest managed policy, in characters that are no white space.
const LONGEST_POLICY: usize = 6_144;

/// What a person wants beside what the catalogue says.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Where our issuer is.
    pub issuer: Option<IssuerUrl>,
    /// The backend's own identity, on the road `assume-role`.
    pub backend: Option<String>,
    /// The kill switch, though no target names it.
    pub kill_switch: bool,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A target on road `web-identity`, and no issuer.
    #[error("target `{0}` needs the issuer's address")]
    NeedsIssuer(String),
    /// A target on road `assume-role`, and no identity of the backend.
    #[error("target `{0}` needs the backend's own identity")]
    NeedsBackend(String),
    /// What was given as the backend's identity names more than one, or is none of this partition.
    #[error("`{0}` is no user and no role")]
    NotOneIdentity(String),
    /// `never` does not fit into one policy.
    #[error("the boundary has {0} characters, IAM takes {LONGEST_POLICY}")]
    BoundaryTooLong(usize),
    /// IAM keeps one role of a name, whatever its path.
    #[error("`{0}` and `{1}` cannot both be: a role's name is unique")]
    NameTwice(String, String),
}

/// What each account needs, by its name in the catalogue.
///
/// # Errors
/// [`PlanError`], the first of an account.
pub fn plans<'a>(
    targets: impl IntoIterator<Item = (&'a str, &'a RoleBinding)>,
    wanted: &Wanted,
) -> BTreeMap<String, Result<Plan, PlanError>> {
    let mut by_account: BTreeMap<String, Vec<(&str, &RoleBinding)>> = BTreeMap::new();
    for (name, binding) in targets {
        let account = by_account.entry(binding.account_name.clone()).or_default();
        account.push((name, binding));
    }
    by_account
        .into_iter()
        .map(|(name, targets)| (name, plan(&targets, wanted)))
        .collect()
}

fn plan(targets: &[(&str, &RoleBinding)], wanted: &Wanted) -> Result<Plan, PlanError> {
    let of_road = |road: Road| targets.iter().find(|(_, binding)| binding.road == road);
    let (by_token, by_backend) = (of_road(Road::WebIdentity), of_road(Road::AssumeRole));
    let issuer = match by_token {
        Some((name, _)) if wanted.issuer.is_none() => return Err(PlanError::NeedsIssuer((*name).to_owned())),
        Some(_) => wanted.issuer.clone(),
        None => None,
    };
    let backend = match (by_backend, &wanted.backend) {
        (Some((name, _)), None) => return Err(PlanError::NeedsBackend((*name).to_owned())),
        (Some((_, binding)), Some(arn)) => Some(one_identity(binding.partition, arn)?),
        (None, _) => None,
    };
    let Some((_, first)) = targets.first() else {
        return Err(PlanError::NeedsIssuer(String::new()));
    };
    let roles = roles(targets)?;
    let kill = kill(targets, wanted);
    if let Some(kill) = &kill
        && let Some(role) = roles.iter().find(|role| role.name().eq_ignore_ascii_case(kill.name()))
    {
        return Err(PlanError::NameTwice(
            role.path_and_name.clone(),
            kill.path_and_name.clone(),
        ));
    }
    let plan = Plan {
        partition: first.partition,
        account: first.account.clone(),
        account_name: first.account_name.clone(),
        region: first.region.clone(),
        issuer,
        backend,
        roles,
        never: denied_to_all(targets),
        kill,
    };
    match boundary(&plan).to_string().chars().count() {
        length if length > LONGEST_POLICY => Err(PlanError::BoundaryTooLong(length)),
        _ => Ok(plan),
    }
}

/// One role for each ARN.
fn roles(targets: &[(&str, &RoleBinding)]) -> Result<Vec<RolePlan>, PlanError> {
    let mut roles: BTreeMap<String, RolePlan> = BTreeMap::new();
    for (name, binding) in targets {
        let role = RolePlan::new(name, binding);
        // IAM compares names without their case
        match roles.get_mut(&role.name().to_ascii_lowercase()) {
            Some(same) if same.arn == role.arn => same.join(role),
            Some(other) => return Err(PlanError::NameTwice(other.path_and_name.clone(), role.path_and_name)),
            None => {
                roles.insert(role.name().to_ascii_lowercase(), role);
            }
        }
    }
    let mut roles: Vec<RolePlan> = roles.into_values().collect();
    roles.sort_by(|a, b| a.path_and_name.cmp(&b.path_and_name));
    Ok(roles)
}

/// The kill switch that targets name, or that was asked for. It is opened as the targets are.
fn kill(targets: &[(&str, &RoleBinding)], wanted: &Wanted) -> Option<KillRole> {
    let (_, first) = targets.first()?;
    let named = targets.iter().find_map(|(_, binding)| binding.kill.as_ref());
    if named.is_none() && !wanted.kill_switch {
        return None;
    }
    let arn = named.map_or_else(
        || usual_kill(first.partition, &first.account),
        |kill| kill.role_arn.clone(),
    );
    let on = |road| targets.iter().any(|(_, binding)| binding.road == road);
    Some(KillRole::new(&arn, on(Road::WebIdentity), on(Road::AssumeRole)))
}

/// What the boundary may deny: it holds for every role of the account.
fn denied_to_all(targets: &[(&str, &RoleBinding)]) -> Vec<String> {
    let mut bindings = targets.iter().map(|(_, binding)| binding);
    let Some(first) = bindings.next() else {
        return Vec::new();
    };
    let rest: Vec<_> = bindings.collect();
    let is_everywhere = |action: &&String| rest.iter().all(|binding| binding.never.contains(action));
    first.never.iter().filter(is_everywhere).cloned().collect()
}

/// A user or a role, and nothing that could be more of them.
fn one_identity(partition: Partition, arn: &str) -> Result<String, PlanError> {
    let refused = || PlanError::NotOneIdentity(arn.to_owned());
    let mut parts = arn.splitn(6, ':');
    let head = [parts.next(), parts.next(), parts.next(), parts.next()];
    let (account, resource) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let name = resource
        .strip_prefix("role/")
        .or_else(|| resource.strip_prefix("user/"));
    let is_name = name.is_some_and(|name| {
        !name.is_empty()
            && !name.ends_with('/')
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"/+=,.@_-".contains(&b))
    });
    let is_ours = head == [Some("arn"), Some(partition.as_str()), Some("iam"), Some("")];
    if is_ours && is_account && is_name {
        Ok(arn.to_owned())
    } else {
        Err(refused())
    }
}
