//! A provider of memberships that is a stand-in of ours, and a backend on it. Exists under test only.
//! Owns where a worker may die: before a call does anything, and after it did.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tempfile::TempDir;

use super::Stage;
use super::organization::Organized;
use crate::domain::{AccountFacts, Binding, Choice, Partition, Timestamp};
use crate::policy::many_sample::{DEV, PAYMENTS, PROD, files};
use crate::policy::{Bundle, small};
use crate::server::backend::InForce;
use crate::server::provider::{
    Access, Beneficiary, Description, ListedAccount, Organization, Presence, Provider, ProviderError, User,
};
use crate::server::store::SqliteStore;

/// The instance of the tests.
const INSTANCE: &str = r#"
[identity-center]
instance = "arn:aws:sso:::instance/ssoins-1111111111111111"
identity_store = "d-1111111111"
region = "eu-central-1"
start_url = "https://d-1111111111.awsapps.com/start"
user_name = "{name}"

[account.dev]"#;
/// What `dev-admin` of the small bundle is given by.
const ROLE: &str = r#"provider = { kind = "aws", road = "assume-role", role = "jit/jit-dev-admin", session = "1h" }"#;
/// What it is given by here, and another target that is the same access.
const SET: &str = r#"provider = { kind = "aws", road = "identity-center", permission_set = "Admin", id = "ps-1111111111111111", session = "1h" }

[[target]]
name = "dev-too"
title = "Admin in dev, again"
account = "dev"
risk = 0
approvers = ["engineering"]
max_duration = "12h"
provider = { kind = "aws", road = "identity-center", permission_set = "Admin", id = "ps-1111111111111111", session = "1h" }
"#;

/// A provider of memberships that does as it is told.
#[derive(Default)]
pub struct Members {
    /// Users that have the membership.
    pub there: Mutex<BTreeSet<String>>,
    /// Users that a group of theirs gives it.
    pub in_groups: Mutex<BTreeSet<String>>,
    /// Answers to give before succeeding, first one first.
    pub errors: Mutex<Vec<ProviderError>>,
    /// Calls that are done once while their answer is lost, by name.
    pub lost: Mutex<Vec<&'static str>>,
    /// How many calls of `grant` are accepted and come to nothing.
    pub deaf: AtomicU32,
    /// As whom everybody is found from now on.
    pub found_as: Mutex<Option<String>>,
    /// What the system says of giving anything to anybody, where it would refuse.
    pub refusal: Mutex<Option<ProviderError>>,
    /// A call that is done and never answered, by name: whoever made it dies waiting.
    pub unanswered: Mutex<Option<&'static str>>,
    /// What was called, and for whom.
    pub calls: Mutex<Vec<(&'static str, String)>>,
    /// The same, and in which account.
    pub places: Mutex<Vec<(&'static str, String)>>,
    /// Why nobody can be listed.
    pub unlisted: Mutex<Option<ProviderError>>,
    /// The accounts that there are.
    pub organization: Organized,
}

impl Members {
    /// Whether `user` has it.
    pub fn has(&self, user: &str) -> bool {
        self.there.lock().unwrap().contains(user)
    }

    /// How often `what` was called.
    pub fn count(&self, what: &str) -> usize {
        self.calls
            .lock()
            .unwrap()
            .iter()
            .filter(|(call, _)| *call == what)
            .count()
    }

    /// Whether the answer of this call of `what` is one to lose.
    fn is_lost(&self, what: &str) -> bool {
        let mut lost = self.lost.lock().unwrap();
        let at = lost.iter().position(|call| *call == what);
        at.map(|at| lost.remove(at)).is_some()
    }

    /// A call of `access`.
    async fn call<T>(
        &self,
        what: &'static str,
        access: &Access,
        done: impl FnOnce(&mut BTreeSet<String>, String) -> T,
    ) -> Result<T, ProviderError> {
        let user = access.user.clone().expect("a membership is of a user");
        self.call_on(what, &access.binding, user, done).await
    }

    /// A call: somebody may die before it does anything, and after it did.
    async fn call_on<T>(
        &self,
        what: &'static str,
        binding: &Binding,
        user: String,
        done: impl FnOnce(&mut BTreeSet<String>, String) -> T,
    ) -> Result<T, ProviderError> {
        tokio::task::yield_now().await;
        self.calls.lock().unwrap().push((what, user.clone()));
        let account = binding.account().to_owned();
        self.places.lock().unwrap().push((what, account));
        let error = {
            let mut errors = self.errors.lock().unwrap();
            (!errors.is_empty()).then(|| errors.remove(0))
        };
        let unheard = || ProviderError::Unreachable("the answer was lost".into());
        let error = error.or_else(|| self.is_lost(what).then(unheard));
        let answer = match error {
            // an answer that is lost says nothing about what was done
            Some(lost @ ProviderError::Unreachable(_)) => {
                done(&mut self.there.lock().unwrap(), user);
                Err(lost)
            }
            Some(error) => Err(error),
            None => Ok(done(&mut self.there.lock().unwrap(), user)),
        };
        let is_unanswered = *self.unanswered.lock().unwrap() == Some(what);
        if is_unanswered {
            std::future::pending::<()>().await;
        }
        tokio::task::yield_now().await;
        answer
    }
}

#[async_trait]
impl Provider for Members {
    fn describe(&self) -> Description {
        Description {
            kind: "members",
            has_membership: true,
            can_narrow: false,
        }
    }

    fn accepts(&self, _: &Access) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn resolve(
        &self,
        _: Timestamp,
        _: &Binding,
        beneficiary: Beneficiary<'_>,
    ) -> Result<Option<User>, ProviderError> {
        if let Some(refusal) = self.refusal.lock().unwrap().clone() {
            return Err(refusal);
        }
        let found_as = self.found_as.lock().unwrap().clone();
        let id = found_as.unwrap_or_else(|| format!("user-{}", beneficiary.name));
        let is_member = self.has(&id);
        let through_group = self.in_groups.lock().unwrap().contains(&id);
        Ok(Some(User {
            id,
            is_member,
            through_group,
        }))
    }

    async fn still_fits(&self, _: Timestamp, _: &Binding) -> Result<(), ProviderError> {
        self.refusal.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    async fn grant(&self, _: Timestamp, access: &Access) -> Result<(), ProviderError> {
        let deaf = self.deaf.load(Ordering::SeqCst);
        self.deaf.store(deaf.saturating_sub(1), Ordering::SeqCst);
        let give = |there: &mut BTreeSet<String>, user| deaf > 0 || there.insert(user);
        self.call("grant", access, give).await.map(drop)
    }

    async fn verify(&self, _: Timestamp, access: &Access) -> Result<Presence, ProviderError> {
        let look = |there: &mut BTreeSet<String>, user: String| match there.contains(&user) {
            true => Presence::There,
            false => Presence::Absent,
        };
        self.call("verify", access, look).await
    }

    async fn revoke(&self, _: Timestamp, access: &Access) -> Result<(), ProviderError> {
        let take = |there: &mut BTreeSet<String>, user: String| there.remove(&user);
        self.call("revoke", access, take).await.map(drop)
    }

    async fn oust(&self, _: Timestamp, binding: &Binding, user: &str) -> Result<(), ProviderError> {
        let take = |there: &mut BTreeSet<String>, user: String| there.remove(&user);
        let taken = self.call_on("oust", binding, user.to_owned(), take);
        taken.await.map(drop)
    }

    async fn members(&self, _: Timestamp, _: &Binding) -> Result<Vec<String>, ProviderError> {
        if let Some(error) = self.unlisted.lock().unwrap().clone() {
            return Err(error);
        }
        Ok(self.there.lock().unwrap().iter().cloned().collect())
    }
}

impl Members {
    /// In which accounts `what` was called.
    pub fn places_of(&self, what: &str) -> Vec<String> {
        let places = self.places.lock().unwrap();
        let those = places.iter().filter(|(call, _)| *call == what);
        those.map(|(_, account)| account.clone()).collect()
    }
}

#[async_trait]
impl Organization for Members {
    async fn account(&self, partition: Partition, id: &str) -> Result<Option<AccountFacts>, ProviderError> {
        self.organization.account(partition, id).await
    }

    async fn has_unit(&self, partition: Partition, id: &str) -> Result<bool, ProviderError> {
        self.organization.has_unit(partition, id).await
    }

    async fn accounts(
        &self,
        partition: Partition,
        by: &Choice,
        except: &[String],
    ) -> Result<Vec<ListedAccount>, ProviderError> {
        self.organization.accounts(partition, by, except).await
    }
}

impl Stage {
    /// A backend in memory with `prod-ops` and `team-ops`, which are approved automatically, and three accounts: two
    /// below [`PROD`], one beside it.
    pub fn of_many() -> (Self, Arc<Members>) {
        let members = Arc::new(Members::default());
        let stage = Self::in_memory(members.clone());
        stage.put_in_force(&[]);
        let here = &members.organization;
        here.put("333333333333", "Payments", &[PAYMENTS, PROD], &[("team", "payments")]);
        here.put("444444444444", "Ledger", &[PROD], &[]);
        here.put("555555555555", "Sandbox", &[DEV], &[]);
        (stage, members)
    }

    /// The same with these edits of the bundle.
    pub fn put_in_force(&self, edits: &[(&str, &str)]) {
        let bundle = Arc::new(Bundle::load(&files(edits)).unwrap_or_else(|found| panic!("{found:?}")));
        self.backend.set_policy(InForce { bundle, error: None });
    }

    /// Lists the accounts, as the backend does beside everything else.
    pub async fn list_accounts(&self) {
        self.backend.roster.refresh(&self.backend, |_| true).await;
    }

    /// A backend in memory on which `dev-admin` and `dev-too` are one permission set in one account.
    pub fn of_members() -> (Self, Arc<Members>) {
        let members = Arc::new(Members::default());
        let stage = Self::in_memory(members.clone());
        stage.with_drift("report");
        (stage, members)
    }

    /// The same on the database in `dir`, where there is one, and on members that are there already.
    pub async fn of_those_members(dir: TempDir, members: Arc<Members>) -> Self {
        let store = Arc::new(SqliteStore::open(&dir.path().join("jit.db")).await.unwrap());
        let stage = Self::on(dir, store, Arc::default(), members, |_| {});
        stage.with_drift("report");
        stage
    }

    /// Puts the bundle of [`Stage::of_members`] in force with what becomes of access that nobody here gave.
    pub fn with_drift(&self, drift: &str) {
        self.assign(drift, &[], SET);
    }

    /// The same with another permission set in its place.
    pub fn with_drift_elsewhere(&self, drift: &str) {
        self.assign(drift, &[], &SET.replace("ps-1111111111111111", "ps-9999999999999999"));
    }

    /// Puts it in force with more people who may ask.
    pub fn assign_among(&self, names: &[String]) {
        self.assign("report", names, SET);
    }

    /// Makes `dev-admin` and `dev-too` one permission set in one account.
    fn assign(&self, drift: &str, names: &[String], set: &str) {
        let instance = INSTANCE.replace("\n[account.dev]", &format!("drift = \"{drift}\"\n\n[account.dev]"));
        let more: String = names.iter().map(|name| format!(", \"local:{name}\"")).collect();
        let mut files = small::files();
        for (_, bytes) in &mut files {
            let text = String::from_utf8(bytes.clone()).unwrap();
            *bytes = text
                .replace("\n[account.dev]", &instance)
                .replace(ROLE, set)
                .replace("\"local:alice\", ", &format!("\"local:alice\"{more}, "))
                .into_bytes();
        }
        let bundle = Arc::new(Bundle::load(&files).unwrap());
        self.backend.set_policy(InForce { bundle, error: None });
    }
}
