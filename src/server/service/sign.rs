//! Tokens for the systems that providers call, signed as the issuer that we are.
//! Owns the order: the evidence is on the disk, and the key still there, before a token leaves. Refuses to sign with
//! what nobody can check.

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::json;

use super::issuer::Issuer;
use crate::config::IssuerUrl;
use crate::domain::key_life::KeyLife;
use crate::domain::{Actor, Change, IssuerKey, KeyId, Timestamp};
use crate::server::issuer::token::{self, NoToken, Saying};
use crate::server::provider::{ProviderError, Statement, TokenSigner};
use crate::server::store::StoreError;
use crate::wire::IssuerReadiness;

/// Why nothing can sign at `now`, for whoever can mend it.
pub fn why_not(life: &KeyLife<'_>, now: Timestamp, url: &str) -> String {
    let Some(next) = life.next(now) else {
        return "no key is there to sign: the worker makes one within a minute".to_owned();
    };
    match life.usable_from(next) {
        None => format!(
            "no published key can sign: key {} was not seen at {url} so far",
            next.id
        ),
        Some(from) => format!("no published key can sign: key {} signs from {from}", next.id),
    }
}

/// A token that nobody has seen, and what has to be written before anybody does.
pub(super) struct Prepared {
    pub(super) key: KeyId,
    token: SecretString,
    event: Change,
}

impl Issuer {
    /// How we stand as issuer.
    ///
    /// # Errors
    /// What the store says.
    pub async fn readiness(&self) -> Result<IssuerReadiness, StoreError> {
        let (now, keys) = (self.now(), self.keys().await?);
        let (looked_at, seen) = self.published().unzip();
        let why_not = self.signing(now, &keys).err().map(|error| match error {
            ProviderError::Unreachable(why) => why,
            other => other.to_string(),
        });
        Ok(IssuerReadiness {
            signs: why_not.is_none(),
            why_not,
            differences: seen.map(|seen| seen.differences).unwrap_or_default(),
            looked_at,
        })
    }

    /// The key that signs at `now`.
    fn signing<'a>(&'a self, now: Timestamp, keys: &'a [IssuerKey]) -> Result<&'a IssuerKey, ProviderError> {
        let url = self.settings.url.as_str();
        let life = KeyLife::new(url, keys);
        life.signing(now)
            .ok_or_else(|| ProviderError::Unreachable(why_not(&life, now, url)))
    }

    /// A token of the key that signs at `now`.
    pub(super) async fn prepared(&self, now: Timestamp, statement: &Statement) -> Result<Prepared, ProviderError> {
        // read anew each time: what another process revoked signs nothing any more
        let keys = self.keys().await.map_err(|error| unreachable(&error))?;
        let key = self.signing(now, &keys)?;
        let open = self.opened(key).map_err(|error| unreachable(&error))?;
        let id = self.random.key();
        let saying = Saying {
            issuer: self.settings.url.as_str(),
            subject: &statement.subject,
            audience: &statement.audience,
            id: &id,
            claims: &statement.claims,
        };
        let token = token::sign(&open, now, &saying).map_err(|error| match error {
            NoToken::Reserved(_) => ProviderError::Refused(error.to_string()),
            NoToken::Failed => unreachable(&error),
        })?;
        let details = json!({
            "key": key.id, "jti": id, "sub": statement.subject, "aud": statement.audience,
            "exp": token::ends_at(now),
        });
        let event = Change::new(now, "issuer.token_signed", Actor::Backend, None, Vec::new(), details);
        let key = key.id.clone();
        Ok(Prepared { key, token, event })
    }

    /// The token, once its evidence is written. A key that was revoked meanwhile lets none out: whoever revoked it was
    /// told that it is gone.
    pub(super) async fn let_out(&self, prepared: Prepared) -> Result<SecretString, ProviderError> {
        let Prepared { key, token, event } = prepared;
        self.store.commit(&event).await.map_err(|error| unreachable(&error))?;
        let keys = self.keys().await.map_err(|error| unreachable(&error))?;
        let stands = keys.iter().any(|one| one.id == key && one.removed_at.is_none());
        if !stands {
            return Err(ProviderError::Unreachable(format!("key {key} was revoked just now")));
        }
        Ok(token)
    }
}

fn unreachable(error: &dyn std::fmt::Display) -> ProviderError {
    ProviderError::Unreachable(error.to_string())
}

#[async_trait]
impl TokenSigner for Issuer {
    fn issuer(&self) -> &IssuerUrl {
        &self.settings.url
    }

    async fn sign(&self, now: Timestamp, statement: &Statement) -> Result<SecretString, ProviderError> {
        let prepared = self.prepared(now, statement).await?;
        self.let_out(prepared).await
    }
}
