//! Whether somebody is in one of the groups that have a permission set.
//! Owns the look-up, by the person: a group that was deleted leaves its assignments behind, and asking by it would fail.
//! `ListAccountAssignmentsForPrincipal` would say both at once, and answers only in the management account.

use aws_sdk_identitystore::types::MemberId;

use super::IdentityCenter;
use super::errors::Asked;
use super::governor::Caller;
use super::listing::next;
use super::quota::Step;
use crate::domain::Instance;
use crate::server::provider::ProviderError;

/// The most memberships of a page.
const PAGE: i32 = 100;

impl IdentityCenter {
    /// Nobody is asked where there is no group.
    pub(super) async fn is_in_one_of(
        &self,
        caller: &Caller,
        instance: &Instance,
        user: &str,
        groups: &[String],
    ) -> Result<bool, ProviderError> {
        if groups.is_empty() {
            return Ok(false);
        }
        let asked = Asked {
            action: "identitystore:ListGroupMembershipsForMember",
            about: &instance.identity_store,
        };
        let client = self.clients.of(&instance.region).await.store;
        let call = client
            .list_group_memberships_for_member()
            .identity_store_id(&instance.identity_store)
            .member_id(MemberId::UserId(user.to_owned()))
            .max_results(PAGE);
        let mut token = None;
        loop {
            let call = call.clone().set_next_token(token.clone());
            let page = caller
                .call(&self.store, Step::GoOn, &asked, || call.clone().send())
                .await?;
            let mut those = page.group_memberships().iter().filter_map(|one| one.group_id());
            if those.any(|id| groups.iter().any(|group| group == id)) {
                return Ok(true);
            }
            token = next(&asked, token, page.next_token())?;
            if token.is_none() {
                return Ok(false);
            }
        }
    }
}
