//! What everybody can fetch of us as issuer, looked at every minute.
//! Owns the look: small, short, without redirects. Refuses to believe that a key is published before it was seen.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use tokio::sync::watch;

use crate::config::IssuerUrl;
use crate::domain::IssuerKey;
use crate::network::{HttpClient, Network};
use crate::server::backend::Backend;
use crate::server::issuer::{Published, compare};
use crate::server::service::issuer::{Issuer, IssuerError};
use crate::server::wake::stopped;

/// How often it looks.
const LOOK: Duration = Duration::from_secs(60);
/// An answer takes no longer.
const LONGEST: Duration = Duration::from_secs(5);
/// No document of ours comes near this, in bytes.
const LARGEST: usize = 64 * 1024;

/// Looks every minute until `stop` turns true; the first time at once.
pub async fn watch(backend: Arc<Backend>, mut stop: watch::Receiver<bool>) {
    let Some(issuer) = backend.issuer.clone() else { return };
    let client = match backend.settings.aws.network.client(issuer.settings().url.as_str()) {
        Ok(client) => client,
        Err(error) => return tracing::error!(%error, "nobody looks at what is published: no HTTP client"),
    };
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut told = Vec::new();
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            () = stopped(&mut stop) => return,
        }
        tokio::select! {
            looked = look(&issuer, &client) => tell(looked, &mut told),
            () = stopped(&mut stop) => return,
        }
    }
}

/// One look: what is due first, so that a new key is compared too; again after it, for keys seen just now.
async fn look(issuer: &Issuer, client: &HttpClient) -> Result<Vec<String>, IssuerError> {
    issuer.advance().await?;
    let keys = issuer.keys().await?;
    let wanted: Vec<&IssuerKey> = issuer.life(&keys).to_publish().collect();
    let published = fetch(&issuer.settings().url, client, &wanted).await;
    let differences = published.differences.clone();
    issuer.note(published).await?;
    issuer.advance().await?;
    Ok(differences)
}

/// Says once what is new.
fn tell(looked: Result<Vec<String>, IssuerError>, told: &mut Vec<String>) {
    match looked {
        Ok(differences) => {
            for difference in differences.iter().filter(|one| !told.contains(one)) {
                tracing::warn!(difference, "what is published as issuer differs from the store");
            }
            *told = differences;
        }
        Err(error) => tracing::error!(%error, "the issuer's keys were not looked after; tried again in a minute"),
    }
}

/// What is published at `url` now, for whoever asks once.
pub async fn look_once(network: &Network, url: &IssuerUrl, wanted: &[&IssuerKey]) -> Published {
    match network.client(url.as_str()) {
        Ok(client) => fetch(url, &client, wanted).await,
        Err(error) => Published {
            differences: vec![format!("nothing can be fetched: {error}")],
            ..Published::default()
        },
    }
}

async fn fetch(url: &IssuerUrl, client: &HttpClient, wanted: &[&IssuerKey]) -> Published {
    let both = tokio::join!(get(client, url.discovery()), get(client, url.key_set()));
    match both {
        (Ok(discovery), Ok(keys)) => compare(url, wanted, &discovery, &keys),
        (first, second) => Published {
            differences: [first.err(), second.err()].into_iter().flatten().collect(),
            ..Published::default()
        },
    }
}

/// The body at `url`, or why there is none.
async fn get(client: &HttpClient, url: String) -> Result<Vec<u8>, String> {
    let failed = |error: reqwest::Error| format!("{url} cannot be fetched: {}", client.why(&error).words);
    let call = client.request(Method::GET, &url).timeout(LONGEST);
    let mut response = call.send().await.map_err(failed)?;
    let status = response.status();
    if !status.is_success() {
        return Err(format!("{url} answers {}", status.as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST {
            return Err(format!("{url} is larger than 64 KiB"));
        }
    }
    Ok(body)
}
