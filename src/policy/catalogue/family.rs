//! A target that names many accounts, and the one of them that somebody asks for.
//! Owns which accounts it may be had in, and by whose rules. Refuses to look anything up: the account as it was found
//! is an argument.

use super::accounts::Accounts;
use super::rules::difference;
use super::{Catalogue, Target};
use crate::domain::accounts::typed_name;
use crate::domain::{AccountFacts, Binding, Choice, Chosen, Request, TargetName};

/// A target that names many accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// The accounts.
    pub accounts: Accounts,
    /// What is the same in each of them. Its binding names none.
    in_general: Target,
}

/// Why a target cannot be had in an account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It is not one of them.
    #[error("account {account} is not one of {target} ({by})")]
    NotChosen {
        /// The account.
        account: String,
        /// The target.
        target: TargetName,
        /// By what its accounts are chosen.
        by: Choice,
    },
    /// It is left out.
    #[error("account {account} is left out of {target}")]
    LeftOut {
        /// The account.
        account: String,
        /// The target.
        target: TargetName,
    },
    /// Security says that it belongs elsewhere.
    #[error("account {account} belongs to {own}, {target} to {environment}")]
    Elsewhere {
        /// The account.
        account: String,
        /// The environment that the catalogue has it in.
        own: String,
        /// The target.
        target: TargetName,
        /// The target's.
        environment: String,
    },
    /// The same access is another target's too, by other rules.
    #[error("{target} and {other} are one access in account {account} and differ in {what}")]
    Differs {
        /// The account.
        account: String,
        /// The target.
        target: TargetName,
        /// The other.
        other: TargetName,
        /// In what.
        what: &'static str,
    },
}

impl Unfit {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotChosen { .. } | Self::LeftOut { .. } => "what there is: jit targets",
            Self::Elsewhere { .. } => "who owns the policy has to say which it is",
            Self::Differs { .. } => "who owns the policy has to give them the same rules, or leave the account out",
        }
    }
}

impl Family {
    pub(super) const fn new(in_general: Target, accounts: Accounts) -> Self {
        Self { accounts, in_general }
    }

    /// Its name.
    pub const fn name(&self) -> &TargetName {
        &self.in_general.name
    }

    /// What is the same in each of its accounts: what a list shows, and what is asked about where it is about all of
    /// them. Its binding names no account.
    pub const fn in_general(&self) -> &Target {
        &self.in_general
    }

    /// Whether the account is one of those that it names.
    fn fits(&self, facts: &AccountFacts) -> Result<(), Unfit> {
        let (account, target) = (facts.id.clone(), self.name().clone());
        if !facts.is_chosen(&self.accounts.by) {
            let by = self.accounts.by.clone();
            return Err(Unfit::NotChosen { account, target, by });
        }
        let is_left_out = |id: &String| *id == facts.id || facts.ous.contains(id);
        match self.accounts.except.iter().any(is_left_out) {
            true => Err(Unfit::LeftOut { account, target }),
            false => Ok(()),
        }
    }

    /// The target in the account, whether or not it may be had there.
    fn in_account(&self, facts: &AccountFacts, declared: Option<&str>, shown: &str) -> Target {
        let mut target = self.in_general.clone();
        target.name = self.name().in_account(&facts.id);
        target.known_as = declared.unwrap_or(&facts.id).to_owned();
        target.facts = Some(facts.clone());
        if let Binding::Assignment(assignment) = &mut target.binding {
            assignment.account = facts.id.clone();
            assignment.account_name = shown.to_owned();
            assignment.chosen = Some(Chosen {
                accounts: self.accounts.name.clone(),
                by: self.accounts.by.clone(),
            });
        }
        target
    }

    fn binds_as(&self, target: &Target) -> bool {
        self.in_general.binding.arn() == target.binding.arn()
    }
}

impl Catalogue {
    /// Targets that name many accounts, by name.
    pub fn families(&self) -> &[Family] {
        &self.families
    }

    /// The target of this name or alias that names many accounts.
    pub fn family(&self, name_or_alias: &str) -> Option<&Family> {
        let is_meant = |family: &&Family| {
            let target = &family.in_general;
            target.name.as_str() == name_or_alias || target.aliases.iter().any(|alias| alias == name_or_alias)
        };
        self.families.iter().find(is_meant)
    }

    /// The name that the catalogue gives the account of this id.
    pub fn account_name(&self, id: &str) -> Option<&str> {
        self.accounts
            .iter()
            .find(|(_, one)| one.id == id)
            .map(|(name, _)| name.as_str())
    }

    /// The id of the account that the catalogue calls `name`.
    pub fn account_id(&self, name: &str) -> Option<&str> {
        self.accounts.get(name).map(|one| one.id.as_str())
    }

    /// `family` in the account, if it may be had there.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn member(&self, family: &Family, facts: &AccountFacts) -> Result<Target, Unfit> {
        family.fits(facts)?;
        let declared = self.accounts.iter().find(|(_, one)| one.id == facts.id);
        if let Some((_, own)) = declared.filter(|(_, own)| own.environment != family.in_general.environment) {
            return Err(Unfit::Elsewhere {
                account: facts.id.clone(),
                own: own.environment.clone(),
                target: family.name().clone(),
                environment: family.in_general.environment.clone(),
            });
        }
        let declared = declared.map(|(name, _)| name.as_str());
        let mut target = family.in_account(facts, declared, self.shown_name(&facts.id, &facts.name));
        self.agrees(&target, facts)?;
        target.same_access = self.same_access(&target, facts);
        Ok(target)
    }

    /// What people are shown as the name of the account of this id, which the organization calls `name`: the catalogue's
    /// name of it, else the organization's, unless that is what the catalogue calls another account.
    pub fn shown_name<'a>(&'a self, id: &'a str, name: &'a str) -> &'a str {
        let typed = typed_name(name);
        let is_taken = |own: &String| own.eq_ignore_ascii_case(name) || Some(own) == typed.as_ref();
        match self.account_name(id) {
            Some(own) => own,
            None if name.trim().is_empty() || self.accounts.keys().any(is_taken) => id,
            None => name,
        }
    }

    /// Whether what else is the same access in the account has the same rules as `target`.
    ///
    /// # Errors
    /// [`Unfit::Differs`].
    pub fn agrees(&self, target: &Target, facts: &AccountFacts) -> Result<(), Unfit> {
        let own = target.name.family().unwrap_or_else(|| target.name.clone());
        let families = self
            .families
            .iter()
            .filter(|other| other.binds_as(target) && other.fits(facts).is_ok());
        let same = |other: &&Target| other.binding.arn() == target.binding.arn() && other.binding.account() == facts.id;
        let others = families.map(Family::in_general).chain(self.targets.iter().filter(same));
        for other in others.filter(|other| other.name != own) {
            if let Some(what) = difference(target, other) {
                return Err(Unfit::Differs {
                    account: facts.id.clone(),
                    target: own,
                    other: other.name.clone(),
                    what,
                });
            }
        }
        Ok(())
    }

    /// The other targets in many accounts that are the same access as `target` in the account, in that one.
    pub fn same_access(&self, target: &Target, facts: &AccountFacts) -> Vec<TargetName> {
        let own = target.name.family();
        let is_same = |other: &&Family| other.binds_as(target) && other.fits(facts).is_ok();
        let names = self.families.iter().filter(is_same).map(Family::name);
        let others = names.filter(|name| Some(*name) != own.as_ref());
        others.map(|name| name.in_account(&facts.id)).collect()
    }

    /// Whether a target that names many accounts gives the same permission set.
    pub(super) fn is_in_many(&self, binding: &Binding) -> bool {
        let mut bindings = self.families.iter().map(|family| &family.in_general.binding);
        bindings.any(|general| general.arn() == binding.arn())
    }

    /// Whether a target that names many accounts could be the same access as `target`.
    pub fn is_shared(&self, target: &Target) -> bool {
        self.families.iter().any(|family| family.binds_as(target))
    }

    /// The target that `request` asked for, as the catalogue has it now, in the account that it was found to be then.
    pub fn asked(&self, request: &Request) -> Option<Target> {
        let (name, facts) = (&request.body.target, &request.frozen.account);
        let Some(family) = name.family() else {
            let mut target = self.target(name)?.clone();
            target.facts.clone_from(facts);
            target.same_access.clone_from(&request.frozen.same_access);
            return Some(target);
        };
        let family = self.families.iter().find(|one| *one.name() == family)?;
        let facts = facts.as_ref()?;
        let shown = request.body.binding.account_name();
        Some(family.in_account(facts, self.account_name(&facts.id), shown))
    }

    /// The same; where the catalogue has it no more, as it was when it was asked for: by rules that were known then, those
    /// who approved it may see it and take it away. Never asked where something is given.
    pub fn asked_or_last_known(&self, request: &Request) -> Target {
        self.asked(request).unwrap_or_else(|| {
            let (body, frozen) = (&request.body, &request.frozen);
            let stages = frozen.workflow.stages.iter();
            let mut approvers: Vec<String> = stages.flat_map(|stage| stage.groups.clone()).collect();
            approvers.sort();
            approvers.dedup();
            let is_chosen = body.binding.assignment().is_some_and(|of| of.chosen.is_some());
            let account = match is_chosen {
                true => self
                    .account_name(body.binding.account())
                    .unwrap_or(body.binding.account()),
                false => body.binding.account_name(),
            };
            Target {
                name: body.target.clone(),
                title: body.target.to_string(),
                description: None,
                aliases: Vec::new(),
                environment: frozen.environment.clone(),
                risk: frozen.risk,
                owners: Vec::new(),
                approvers,
                max_duration: frozen.cap,
                default_duration: frozen.cap,
                workflow: frozen.workflow.clone(),
                binding: body.binding.clone(),
                known_as: account.to_owned(),
                facts: frozen.account.clone(),
                same_access: frozen.same_access.clone(),
            }
        })
    }

    /// Whether the target of `request` still is what was asked for.
    pub fn still_resolves(&self, request: &Request) -> bool {
        self.asked(request)
            .is_some_and(|target| match (&target.binding, &request.body.binding) {
                (Binding::Assignment(now), Binding::Assignment(then)) => now.is_same(then),
                (now, then) => now == then,
            })
    }
}
