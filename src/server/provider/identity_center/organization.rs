//! One account as the organization has it now: its state, what it stands below, its tags. And accounts in great number.
//! Owns the walks. Refuses to remember an answer: who decides by it asks again.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_organizations::types::Account;

use super::check::{is_active, state_of};
use super::errors::{Asked, Failure};
use super::governor::Caller;
use super::listing::next;
use super::quota::{Step, Urgency};
use super::{IdentityCenter, LOOK_LIMIT};
use crate::domain::accounts::is_account_id;
use crate::domain::text::shown;
use crate::domain::{AccountFacts, Choice, Partition};
use crate::server::provider::{ListedAccount, Organization, ProviderError};

/// Units above an account, the root included: five levels in AWS (quota of Organizations). More is a circle.
const MOST_ABOVE: usize = 16;
/// Units below one another that a walk goes down.
const DEEPEST: usize = 16;
/// The longest that a walk over everything may take: 5,000 accounts with their tags, with a service that slows us down.
const WALK_LIMIT: std::time::Duration = std::time::Duration::from_secs(1_800);

fn refused<T>(text: String) -> Result<T, ProviderError> {
    Err(ProviderError::Refused(text))
}

#[async_trait]
impl Organization for IdentityCenter {
    async fn account(&self, partition: Partition, id: &str) -> Result<Option<AccountFacts>, ProviderError> {
        let caller = Caller::new(partition.default_region(), Urgency::Give, LOOK_LIMIT);
        let Some(account) = self.describe(&caller, id).await? else {
            return Ok(None);
        };
        if !is_active(&account) {
            return refused(format!(
                "account {id} is {}, not ACTIVE; nobody can be given it",
                shown(state_of(&account))
            ));
        }
        Ok(Some(AccountFacts {
            id: id.to_owned(),
            name: account.name().unwrap_or_default().to_owned(),
            ous: self.above(&caller, id).await?,
            tags: self.tags(&caller, id).await?,
        }))
    }

    async fn has_unit(&self, partition: Partition, id: &str) -> Result<bool, ProviderError> {
        if id.starts_with("r-") {
            return Ok(true);
        }
        let caller = Caller::new(partition.default_region(), Urgency::Give, LOOK_LIMIT);
        let about = format!("organizational unit {id}");
        let asked = Asked {
            action: "organizations:DescribeOrganizationalUnit",
            about: &about,
        };
        let client = self.clients.of(&caller.region).await.organizations;
        let call = client.describe_organizational_unit().organizational_unit_id(id);
        let answer = caller.call(&self.organizations, Step::GoOn, &asked, || call.clone().send());
        match answer.await {
            Ok(_) => Ok(true),
            Err(Failure::Missing(_)) => Ok(false),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn accounts(
        &self,
        partition: Partition,
        by: &Choice,
        except: &[String],
    ) -> Result<Vec<ListedAccount>, ProviderError> {
        let caller = Caller::new(partition.default_region(), Urgency::Browse, WALK_LIMIT);
        let mut found = match by {
            Choice::Ou(unit) => self.below(&caller, unit, except).await?,
            Choice::Tag { key, value } => {
                let tagged = self.tagged(&caller, key, value).await?;
                self.not_below(&caller, tagged, except).await?
            }
        };
        let management = self.management_account(&caller, partition).await?;
        let is_served = self.own_account(&caller).await? == management;
        found.retain(|one| !except.contains(&one.id) && (is_served || one.id != management));
        found.sort();
        found.dedup();
        Ok(found)
    }
}

impl IdentityCenter {
    /// The account, in whatever state; none where the organization has none of that id.
    pub(super) async fn describe(&self, caller: &Caller, id: &str) -> Result<Option<Account>, ProviderError> {
        let about = format!("account {id}");
        let asked = Asked {
            action: "organizations:DescribeAccount",
            about: &about,
        };
        let client = self.clients.of(&caller.region).await.organizations;
        let call = client.describe_account().account_id(id);
        let answer = caller.call(&self.organizations, Step::Begin, &asked, || call.clone().send());
        match answer.await {
            Ok(answer) => match answer.account {
                Some(account) if account.id() == Some(id) => Ok(Some(account)),
                Some(_) => Err(ProviderError::Unreachable(format!(
                    "AWS answered with another account than {about}"
                ))),
                None => Err(ProviderError::Unreachable(format!("AWS answered without {about}"))),
            },
            Err(Failure::Missing(_)) => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    /// What the account stands below, up to the root.
    async fn above(&self, caller: &Caller, account: &str) -> Result<Vec<String>, ProviderError> {
        let client = self.clients.of(&caller.region).await.organizations;
        let (mut ous, mut child): (Vec<String>, String) = (Vec::new(), account.to_owned());
        while !child.starts_with("r-") {
            let about = format!("what {child} stands below");
            let asked = Asked {
                action: "organizations:ListParents",
                about: &about,
            };
            let call = client.list_parents().child_id(&child);
            let answer = caller
                .call(&self.organizations, Step::GoOn, &asked, || call.clone().send())
                .await?;
            // AWS answers with exactly one
            let parent = answer.parents().first().and_then(|parent| parent.id());
            let Some(parent) = parent.filter(|parent| !parent.is_empty()) else {
                return Err(ProviderError::Unreachable(format!("AWS answered without {about}")));
            };
            if ous.len() == MOST_ABOVE {
                return Err(ProviderError::Unreachable(format!(
                    "AWS finds no root above account {account}"
                )));
            }
            child = parent.to_owned();
            ous.push(child.clone());
        }
        Ok(ous)
    }

    async fn tags(&self, caller: &Caller, account: &str) -> Result<BTreeMap<String, String>, ProviderError> {
        let about = format!("the tags of account {account}");
        let asked = Asked {
            action: "organizations:ListTagsForResource",
            about: &about,
        };
        let client = self.clients.of(&caller.region).await.organizations;
        let call = client.list_tags_for_resource().resource_id(account);
        let (mut tags, mut token) = (BTreeMap::new(), None);
        loop {
            let call = call.clone().set_next_token(token.clone());
            let page = caller
                .call(&self.organizations, Step::GoOn, &asked, || call.clone().send())
                .await?;
            tags.extend(
                page.tags()
                    .iter()
                    .map(|tag| (tag.key().to_owned(), tag.value().to_owned())),
            );
            token = next(&asked, token, page.next_token())?;
            if token.is_none() {
                return Ok(tags);
            }
        }
    }

    /// Active accounts anywhere below `unit`, without those below `except`: two lists a unit, whatever is in it.
    async fn below(&self, caller: &Caller, unit: &str, except: &[String]) -> Result<Vec<ListedAccount>, ProviderError> {
        let mut found = Vec::new();
        let mut units = vec![(unit.to_owned(), 0)];
        while let Some((unit, depth)) = units.pop() {
            if except.contains(&unit) || depth > DEEPEST {
                continue;
            }
            found.extend(self.directly_below(caller, &unit).await?);
            units.extend(
                self.units_below(caller, &unit)
                    .await?
                    .into_iter()
                    .map(|id| (id, depth + 1)),
            );
        }
        Ok(found)
    }

    /// Those of `found` that stand below none of the units in `except`.
    async fn not_below(
        &self,
        caller: &Caller,
        mut found: Vec<ListedAccount>,
        except: &[String],
    ) -> Result<Vec<ListedAccount>, ProviderError> {
        for unit in except.iter().filter(|id| !is_account_id(id)) {
            match self.below(caller, unit, &[]).await {
                Ok(out) => found.retain(|one| !out.contains(one)),
                // a unit that is gone leaves nothing out
                Err(ProviderError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    async fn directly_below(&self, caller: &Caller, unit: &str) -> Result<Vec<ListedAccount>, ProviderError> {
        let about = format!("organizational unit {unit}");
        let asked = Asked {
            action: "organizations:ListAccountsForParent",
            about: &about,
        };
        let client = self.clients.of(&caller.region).await.organizations;
        let call = client.list_accounts_for_parent().parent_id(unit);
        let (mut found, mut token) = (Vec::new(), None);
        loop {
            let call = call.clone().set_next_token(token.clone());
            let page = caller
                .call(&self.organizations, Step::GoOn, &asked, || call.clone().send())
                .await?;
            found.extend(page.accounts().iter().filter_map(listed));
            token = next(&asked, token, page.next_token())?;
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    async fn units_below(&self, caller: &Caller, unit: &str) -> Result<Vec<String>, ProviderError> {
        let about = format!("organizational unit {unit}");
        let asked = Asked {
            action: "organizations:ListOrganizationalUnitsForParent",
            about: &about,
        };
        let client = self.clients.of(&caller.region).await.organizations;
        let call = client.list_organizational_units_for_parent().parent_id(unit);
        let (mut found, mut token) = (Vec::new(), None);
        loop {
            let call = call.clone().set_next_token(token.clone());
            let page = caller
                .call(&self.organizations, Step::GoOn, &asked, || call.clone().send())
                .await?;
            let ids = page.organizational_units().iter().filter_map(|unit| unit.id());
            found.extend(ids.map(str::to_owned));
            token = next(&asked, token, page.next_token())?;
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    /// Active accounts that have the tag. AWS lists no accounts by tag: each is asked for its own.
    async fn tagged(&self, caller: &Caller, key: &str, value: &str) -> Result<Vec<ListedAccount>, ProviderError> {
        let asked = Asked {
            action: "organizations:ListAccounts",
            about: "the accounts of the organization",
        };
        let client = self.clients.of(&caller.region).await.organizations;
        let call = client.list_accounts();
        let (mut all, mut token) = (Vec::new(), None);
        loop {
            let call = call.clone().set_next_token(token.clone());
            let page = caller
                .call(&self.organizations, Step::GoOn, &asked, || call.clone().send())
                .await?;
            all.extend(page.accounts().iter().filter_map(listed));
            token = next(&asked, token, page.next_token())?;
            if token.is_none() {
                break;
            }
        }
        let mut having = Vec::new();
        // one after the other: nothing waits for it, and the quota is for those who do
        for one in all {
            let tags = self.tags(caller, &one.id).await?;
            having.extend((tags.get(key).map(String::as_str) == Some(value)).then_some(one));
        }
        Ok(having)
    }
}

/// An active account as a list has it.
fn listed(account: &Account) -> Option<ListedAccount> {
    let id = account.id().filter(|_| is_active(account))?;
    Some(ListedAccount {
        id: id.to_owned(),
        name: account.name().unwrap_or_default().to_owned(),
    })
}
