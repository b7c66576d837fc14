//! Systems that access is given in: one file a system.
//! Owns the calls to them. Refuses rules and storage: what to give, to whom and until when comes as an argument.

pub mod aws;
mod aws_sdk;
pub mod identity_center;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::config::IssuerUrl;
use crate::domain::{
    AccountFacts, Binding, Choice, GrantId, Killed, Narrowing, Partition, PersonId, RequestId, RoleBinding, Timestamp,
};

/// What a provider needs to know of a grant.
#[derive(Clone, Debug)]
pub struct Access<B = Binding> {
    /// The request: goes into session name and tag.
    pub request: RequestId,
    /// The grant.
    pub grant: GrantId,
    /// Stable id of the beneficiary: the source identity.
    pub person: PersonId,
    /// Their local name: goes into the session name.
    pub person_name: String,
    /// On what.
    pub binding: B,
    /// Their id in the system itself, where access is a membership there.
    pub user: Option<String>,
    /// What it is narrowed to.
    pub only: Vec<Narrowing>,
    /// When it ends.
    pub ends_at: Timestamp,
}

/// The same for a role whose sessions STS gives out.
pub type RoleAccess = Access<RoleBinding>;

impl Access {
    /// The same, on a role.
    ///
    /// # Errors
    /// [`ProviderError::Refused`] where it is none.
    pub fn on_role(&self) -> Result<RoleAccess, ProviderError> {
        let no_role = || {
            ProviderError::Refused(format!(
                "credentials of {} come from Identity Center",
                self.binding.role_name()
            ))
        };
        Ok(Access {
            request: self.request.clone(),
            grant: self.grant.clone(),
            person: self.person.clone(),
            person_name: self.person_name.clone(),
            binding: self.binding.role().ok_or_else(no_role)?.clone(),
            user: self.user.clone(),
            only: self.only.clone(),
            ends_at: self.ends_at,
        })
    }
}

impl From<RoleAccess> for Access {
    fn from(access: RoleAccess) -> Self {
        Self {
            request: access.request,
            grant: access.grant,
            person: access.person,
            person_name: access.person_name,
            binding: Binding::Role(access.binding),
            user: access.user,
            only: access.only,
            ends_at: access.ends_at,
        }
    }
}

/// For whom access would be.
#[derive(Clone, Copy, Debug)]
pub struct Beneficiary<'a> {
    /// Who vouches for them.
    pub issuer: &'a str,
    /// Their name.
    pub name: &'a str,
    /// The issuer's own, immutable name for them.
    pub subject: &'a str,
}

/// The beneficiary as the system knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Their id there.
    pub id: String,
    /// Whether they have the membership that is asked for already, by whomever it was given.
    pub is_member: bool,
    /// Whether they have it through a group that they are in: nothing that is done to the membership changes that.
    pub through_group: bool,
}

/// What a grant yields.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Public half.
    pub access_key_id: String,
    /// Secret half.
    pub secret_access_key: SecretString,
    /// Session token.
    pub session_token: SecretString,
    /// They work until here, the grant's end included: never later than the truth.
    pub expires_at: Timestamp,
}

/// What a provider can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Description {
    /// Such as `aws`.
    pub kind: &'static str,
    /// Whether a grant makes a membership that has to be taken away, or credentials end by themselves.
    pub has_membership: bool,
    /// Whether it can narrow a session.
    pub can_narrow: bool,
}

/// What a check of the system found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Access is there.
    There,
    /// It is not.
    Absent,
}

/// Why a provider did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It said no, and nothing is there.
    #[error("{0}")]
    Refused(String),
    /// The session policy does not fit (2,048 characters, or packed).
    #[error("the session policy is too large: {0}")]
    PolicyTooLarge(String),
    /// Too many calls; the state is as before.
    #[error("throttled: {0}")]
    Throttled(String),
    /// The turn of its call did not come: nobody was asked.
    #[error("waiting: {0}")]
    Waiting(String),
    /// No answer, or half of one: the state is unknown.
    #[error("no answer: {0}")]
    Unreachable(String),
    /// Its clock and ours differ by more than 30 s.
    #[error("clocks differ by {offset_s} s")]
    Clock {
        /// Theirs minus ours.
        offset_s: i64,
    },
}

impl ProviderError {
    /// Whether trying again can help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Throttled(_) | Self::Waiting(_) | Self::Unreachable(_) | Self::Clock { .. } => true,
            Self::Refused(_) | Self::PolicyTooLarge(_) => false,
        }
    }
}

/// A system that access can be given in.
#[async_trait]
pub trait Provider: Send + Sync {
    /// What it can do.
    fn describe(&self) -> Description;

    /// Whether it could ever give this access: decided without a call, before anybody is asked to approve it.
    fn accepts(&self, access: &Access) -> Result<(), ProviderError>;

    /// The beneficiary as the system itself knows them, where access is a membership there, once everything was looked at
    /// that could stand in the way: asked when a request is filed, before anybody is asked to approve it. None where
    /// access is no membership.
    async fn resolve(
        &self,
        now: Timestamp,
        binding: &Binding,
        beneficiary: Beneficiary<'_>,
    ) -> Result<Option<User>, ProviderError>;

    /// Whether `binding` still is what [`Self::resolve`] found it to be, where the system itself says so: asked once more when
    /// a grant begins long after.
    ///
    /// # Errors
    /// [`ProviderError::Refused`] with what differs.
    async fn still_fits(&self, now: Timestamp, binding: &Binding) -> Result<(), ProviderError>;

    /// Gives access. Giving twice is no error.
    async fn grant(&self, now: Timestamp, access: &Access) -> Result<(), ProviderError>;

    /// Checks against the system whether access is there.
    async fn verify(&self, now: Timestamp, access: &Access) -> Result<Presence, ProviderError>;

    /// Takes access away. "Already gone" is success.
    async fn revoke(&self, now: Timestamp, access: &Access) -> Result<(), ProviderError>;

    /// Takes the membership that `binding` names from somebody whom nobody here gave it. "Already gone" is success. Nothing
    /// where access is no membership.
    async fn oust(&self, now: Timestamp, binding: &Binding, user: &str) -> Result<(), ProviderError>;

    /// Ids of everybody who has the membership that `binding` names, whoever gave it to them. Nobody where access is no
    /// membership.
    async fn members(&self, now: Timestamp, binding: &Binding) -> Result<Vec<String>, ProviderError>;
}

/// A provider whose grants yield credentials.
#[async_trait]
pub trait Minter: Send + Sync {
    /// The latest instant at which a credential minted at `now` could work.
    fn works_until(&self, now: Timestamp, access: &RoleAccess) -> Timestamp;

    /// Mints a credential.
    async fn mint(&self, now: Timestamp, access: &RoleAccess) -> Result<Credential, ProviderError>;
}

/// A provider that can shut sessions out before they end by themselves.
#[async_trait]
pub trait Killer: Send + Sync {
    /// Whether it can reach the kill switch of `binding`: asked before access is given, so that nobody finds out when
    /// access is to be taken.
    async fn can_shut_out(&self, now: Timestamp, binding: &RoleBinding) -> Result<(), ProviderError>;

    /// Shuts out these sessions of `binding`'s role and no others, whatever was shut out before. Where they are too many
    /// to be named: the instant before which every session of the role must have been issued to be shut out too.
    async fn shut_out(
        &self,
        now: Timestamp,
        binding: &RoleBinding,
        sessions: &[Killed],
    ) -> Result<Option<Timestamp>, ProviderError>;
}

/// An account in a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListedAccount {
    /// Its 12 digits.
    pub id: String,
    /// Its name in the organization.
    pub name: String,
}

/// What knows which accounts there are, and where they stand.
#[async_trait]
pub trait Organization: Send + Sync {
    /// The account as it is now; none where there is no such account.
    ///
    /// # Errors
    /// [`ProviderError::Refused`] where it is not active.
    async fn account(&self, partition: Partition, id: &str) -> Result<Option<AccountFacts>, ProviderError>;

    /// Whether there is an organizational unit of this id.
    async fn has_unit(&self, partition: Partition, id: &str) -> Result<bool, ProviderError>;

    /// Active accounts that `by` chooses, without those that `except` names or that stand below one that it names, by id.
    /// That may take minutes.
    async fn accounts(
        &self,
        partition: Partition,
        by: &Choice,
        except: &[String],
    ) -> Result<Vec<ListedAccount>, ProviderError>;
}

/// A provider of memberships in accounts that it knows.
pub trait AccountsProvider: Provider + Organization {}

impl<T: Provider + Organization> AccountsProvider for T {}

/// A provider whose grants yield credentials, and can be cut short.
pub trait MintingProvider: Provider + Minter + Killer {}

impl<T: Provider + Minter + Killer> MintingProvider for T {}

/// What a signed token is to say beside who signs it and when (`iss`, `iat`, `nbf`, `exp`, `jti`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// `sub`.
    pub subject: String,
    /// `aud`: exactly one.
    pub audience: String,
    /// Further claims, by name.
    pub claims: serde_json::Map<String, serde_json::Value>,
}

/// Signs short tokens as the OpenID Connect issuer that we are. The token is for the system that the provider calls,
/// and for nobody else: whoever holds it picks how long a session lasts.
#[async_trait]
pub trait TokenSigner: Send + Sync {
    /// Who signs, as it stands in `iss`.
    fn issuer(&self) -> &IssuerUrl;

    /// A token that says `statement`, from `now` on, for two minutes at most.
    ///
    /// # Errors
    /// [`ProviderError::Unreachable`] where no key can sign now.
    async fn sign(&self, now: Timestamp, statement: &Statement) -> Result<SecretString, ProviderError>;
}
