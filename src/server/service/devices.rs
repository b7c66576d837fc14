//! Devices of people: which of them may decide already, and which their person is told of.
//! Owns the day that a new device of a local person waits: whoever hands out codes could become anybody.

use crate::domain::{Device, Refusal, Timestamp};
use crate::server::backend::{Backend, Caller};
use crate::server::failure::Failure;
use crate::wire::NewDevice;

/// A person is told of a device for this long, in seconds.
const TOLD_S: u32 = 7 * 86_400;

/// From when on the caller's device may say yes, where that is a rule here.
///
/// # Errors
/// What the store says.
pub async fn decides_from(backend: &Backend, caller: &Caller) -> Result<Option<Timestamp>, Failure> {
    if backend.settings.new_devices_decide {
        return Ok(None);
    }
    let device = backend.store.device(&caller.session.device, &caller.person.id).await?;
    let device = device.ok_or_else(|| Failure::broken("a session without a device"))?;
    Ok(device.decides_from(&caller.person))
}

/// Refuses a device that may not say yes yet.
///
/// # Errors
/// [`Refusal::DeviceNew`].
pub async fn may_say_yes(backend: &Backend, caller: &Caller) -> Result<(), Failure> {
    match decides_from(backend, caller).await? {
        Some(from) if backend.now() < from => Err(Refusal::DeviceNew { from }.into()),
        Some(_) | None => Ok(()),
    }
}

/// Devices that were enrolled for the caller lately, beside the one that they call from: whoever came first may be the one
/// who is not them. Those that were forgotten since are none.
///
/// # Errors
/// What the store says.
pub async fn new_devices(backend: &Backend, caller: &Caller) -> Result<Vec<NewDevice>, Failure> {
    if !caller.person.is_local() {
        return Ok(Vec::new());
    }
    let devices = backend.store.devices_of(&caller.person.id).await?;
    let is_new = |device: &&Device| {
        let is_lately = caller.at.since(device.enrolled_at) < TOLD_S;
        device.id != caller.session.device && is_lately && caller.at < device.known_until
    };
    Ok(devices
        .iter()
        .filter(is_new)
        .map(|device| NewDevice {
            id: device.id.to_string(),
            enrolled_at: device.enrolled_at,
        })
        .collect())
}
