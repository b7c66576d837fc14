//! What an issuer says of itself (OpenID Connect Discovery 1.0).
//! Owns where its parts are. Refuses a document of another issuer, and addresses that lead to our own machine.

use serde::Deserialize;

use super::fetch::{FetchError, Place};
use crate::config::WebAddress;
use crate::network::Network;

/// What an issuer says of itself, understood.
pub struct Discovered {
    /// Where a browser goes.
    pub authorization: WebAddress,
    /// Where a code is exchanged.
    pub token: Place,
    /// Where its keys are.
    pub keys: Place,
    /// Whether it names itself in what the browser brings back (RFC 9207).
    pub names_itself: bool,
    /// Whether the client secret goes into the form, in place of the head.
    pub secret_in_form: bool,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// What everybody says who signs tokens, whoever they are for.
#[derive(Deserialize)]
struct KeysAlone {
    issuer: String,
    jwks_uri: String,
}

/// Where the keys of `issuer` are, as `bytes` say that were fetched of it. Who signs tokens of jobs alone has no more than
/// keys.
///
/// # Errors
/// [`FetchError::Wrong`].
pub fn keys_of(issuer: &str, bytes: &[u8], network: &Network) -> Result<Place, FetchError> {
    let wrong = |what: &str| FetchError::Wrong(what.to_owned());
    let document: KeysAlone =
        serde_json::from_slice(bytes).map_err(|_| wrong("its discovery document cannot be read"))?;
    if document.issuer != issuer {
        return Err(wrong("its discovery document is of another issuer"));
    }
    let named = WebAddress::named(&document.jwks_uri, &address(issuer)?);
    Place::at(network, named.map_err(|what| wrong(&format!("its jwks_uri {what}")))?)
}

/// Where the document of `issuer` is (section 4).
pub fn address(issuer: &str) -> Result<WebAddress, FetchError> {
    let text = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    WebAddress::parse(&text).map_err(|what| FetchError::Wrong(format!("its address {what}")))
}

/// What `bytes` say, fetched of `issuer`.
///
/// # Errors
/// [`FetchError::Wrong`].
pub fn understand(issuer: &str, bytes: &[u8], network: &Network) -> Result<Discovered, FetchError> {
    let wrong = |what: &str| FetchError::Wrong(what.to_owned());
    let document: Document =
        serde_json::from_slice(bytes).map_err(|_| wrong("its discovery document cannot be read"))?;
    // section 4.3: letter by letter, or somebody answers for somebody else
    if document.issuer != issuer {
        return Err(wrong("its discovery document is of another issuer"));
    }
    let own = address(issuer)?;
    let named =
        |name: &str, text: &str| WebAddress::named(text, &own).map_err(|what| wrong(&format!("its {name} {what}")));
    let methods = document.token_endpoint_auth_methods_supported;
    let takes = |method: &str| methods.as_ref().is_some_and(|all| all.iter().any(|one| one == method));
    Ok(Discovered {
        authorization: named("authorization_endpoint", &document.authorization_endpoint)?,
        token: Place::at(network, named("token_endpoint", &document.token_endpoint)?)?,
        keys: Place::at(network, named("jwks_uri", &document.jwks_uri)?)?,
        names_itself: document.authorization_response_iss_parameter_supported,
        secret_in_form: takes("client_secret_post") && !takes("client_secret_basic"),
    })
}
