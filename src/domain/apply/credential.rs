//! Credentials of a grant that is live.
//! Owns who gets one and what is recorded around it. Refuses everybody but the beneficiary.

use serde_json::json;

use super::grant_step::grant_change;
use super::person;
use crate::domain::case::Case;
use crate::domain::change::Change;
use crate::domain::grant::Grant;
use crate::domain::id::{DeviceId, PersonId};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;

pub(super) fn mint(
    now: Timestamp,
    case: &Case,
    by: &PersonId,
    device: &DeviceId,
    until: Timestamp,
) -> Result<Change, Refusal> {
    let (request, grant) = (case.request()?, case.grant()?);
    if *by != grant.beneficiary {
        return Err(Refusal::NotBeneficiary);
    }
    if !case.is_bound() {
        return Err(Refusal::Changed {
            request: request.id().clone(),
        });
    }
    // the worker may not have come by yet
    if case.lost().is_some() {
        return Err(Refusal::ExtendedOver {
            request: request.id().clone(),
        });
    }
    if !grant.is_live(now) {
        return Err(Refusal::GrantNotLive { state: grant.state });
    }
    let next = Grant {
        last_credential_at: Some(grant.last_credential_at.map_or(until, |last| last.max(until))),
        version: grant.version + 1,
        ..grant.clone()
    };
    let details = json!({ "device": device, "until": until });
    Ok(grant_change(now, case, "credential.minting", person(by), next, details))
}

pub(super) fn minted(
    now: Timestamp,
    case: &Case,
    access_key_id: &str,
    device: &DeviceId,
    until: Timestamp,
) -> Result<Change, Refusal> {
    let grant = case.grant()?;
    let details = json!({ "access_key_id": access_key_id, "device": device, "until": until });
    let request = case.request.as_ref();
    Ok(Change::new(
        now,
        "credential.minted",
        person(&grant.beneficiary),
        request,
        vec![],
        details,
    ))
}
