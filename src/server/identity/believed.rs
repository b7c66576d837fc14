//! Whether the token of an issuer is believed: by the keys that it publishes, as they are or a moment newer.
//! Owns how its keys are kept. Refuses a key that it does not publish any more.

use super::fetch::{FetchError, Place};
use super::kept::Kept;
use super::key_set::KeySet;
use super::token::{Claims, Rules, TokenError, head, verify};
use crate::clock::Clock;
use crate::config::TokenAlgorithm;

/// Why a token is not believed: what is wrong with it, or with its issuer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disbelief {
    /// The issuer is not there, or says what it should not.
    #[error("{0}")]
    Issuer(#[from] FetchError),
    /// It is no token that we believe.
    #[error("its token is not believed: {0}")]
    Token(#[from] TokenError),
}

/// The keys of one issuer.
#[derive(Default)]
pub struct IssuerKeys(Kept<KeySet>);

impl IssuerKeys {
    /// What `token` says, by the keys at `place`.
    ///
    /// # Errors
    /// [`Disbelief`].
    pub async fn believed(
        &self,
        clock: &Clock,
        place: &Place,
        token: &str,
        rules: &Rules<'_>,
    ) -> Result<Claims, Disbelief> {
        let head = head(token, rules)?;
        let mut set = self.0.get(clock, fetch(place, rules.algorithms)).await?;
        if set.value.find(&head).is_err() {
            // perhaps a key that is newer than our copy
            set = self.0.newer(clock, &set, fetch(place, rules.algorithms)).await?;
        }
        Ok(verify(clock.now(), token, &head, set.value.find(&head)?, rules)?)
    }
}

async fn fetch(place: &Place, algorithms: &[TokenAlgorithm]) -> Result<KeySet, FetchError> {
    let set = KeySet::parse(&place.get().await?, algorithms);
    set.ok_or_else(|| FetchError::Wrong("its key set cannot be read".to_owned()))
}
