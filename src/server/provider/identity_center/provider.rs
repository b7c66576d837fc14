//! Identity Center as one of the systems that access is given in.

use async_trait::async_trait;

use super::IdentityCenter;
use crate::domain::text::shown;
use crate::domain::{Assignment, Binding, Timestamp};
use crate::server::provider::{Access, Beneficiary, Description, Presence, Provider, ProviderError, User};

/// The assignment that `binding` is.
fn assignment(binding: &Binding) -> Result<&Assignment, ProviderError> {
    let other = || ProviderError::Refused(format!("{} is no permission set", binding.arn()));
    binding.assignment().ok_or_else(other)
}

/// The assignment and the user of `access`, found when it was asked for.
fn membership(access: &Access) -> Result<(&Assignment, &str), ProviderError> {
    let nobody = || ProviderError::Refused("nobody looked up whom this is for".to_owned());
    let user = access.user.as_deref().ok_or_else(nobody)?;
    Ok((assignment(&access.binding)?, user))
}

#[async_trait]
impl Provider for IdentityCenter {
    fn describe(&self) -> Description {
        Description {
            kind: "identity-center",
            has_membership: true,
            can_narrow: false,
        }
    }

    /// Whether it is asked whole: a permission set cannot be narrowed.
    fn accepts(&self, access: &Access) -> Result<(), ProviderError> {
        match access.only.is_empty() {
            true => Ok(()),
            false => Err(ProviderError::Refused(
                "a permission set cannot be narrowed with --only".to_owned(),
            )),
        }
    }

    async fn resolve(
        &self,
        _now: Timestamp,
        binding: &Binding,
        beneficiary: Beneficiary<'_>,
    ) -> Result<Option<User>, ProviderError> {
        let assignment = assignment(binding)?;
        let people = &assignment.instance.people;
        if people != beneficiary.issuer {
            return Err(ProviderError::Refused(format!(
                "people of {} are not looked up in Identity Center, only those of {}; correct `people` in the catalogue",
                shown(beneficiary.issuer),
                shown(people)
            )));
        }
        self.check(assignment).await?;
        let id = self
            .user(&assignment.instance, beneficiary.name, beneficiary.subject)
            .await?;
        let (presence, through_group) = self.has(assignment, &id).await?;
        Ok(Some(User {
            id,
            is_member: presence == Presence::There,
            through_group,
        }))
    }

    async fn still_fits(&self, _now: Timestamp, binding: &Binding) -> Result<(), ProviderError> {
        self.check(assignment(binding)?).await
    }

    /// Assigns, and sees it listed.
    async fn grant(&self, _now: Timestamp, access: &Access) -> Result<(), ProviderError> {
        let (assignment, user) = membership(access)?;
        self.assign(assignment, user).await
    }

    async fn verify(&self, _now: Timestamp, access: &Access) -> Result<Presence, ProviderError> {
        let (assignment, user) = membership(access)?;
        self.is_assigned(assignment, user).await
    }

    async fn revoke(&self, _now: Timestamp, access: &Access) -> Result<(), ProviderError> {
        let (assignment, user) = membership(access)?;
        self.unassign(assignment, user).await
    }

    async fn oust(&self, _now: Timestamp, binding: &Binding, user: &str) -> Result<(), ProviderError> {
        self.unassign(assignment(binding)?, user).await
    }

    async fn members(&self, _now: Timestamp, binding: &Binding) -> Result<Vec<String>, ProviderError> {
        let assignment = assignment(binding)?;
        let (instance, set) = (&assignment.instance, &assignment.permission_set_arn);
        self.assigned(instance, set, &assignment.account).await
    }
}
