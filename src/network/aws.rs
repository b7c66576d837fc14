//! The HTTP client that the AWS SDK is given, with the same proxy and the same trust as ours.
//! Refuses the SDK's own reading of the environment.

use aws_sdk_sts::config::SharedHttpClient;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};

use super::Network;

impl Network {
    /// The client for the SDK's calls, those for our own identity included. Plain `http` is for this machine and its
    /// metadata service: it goes through no proxy.
    pub fn aws_client(&self) -> SharedHttpClient {
        let mut trusted = TrustStore::default();
        if let Some(roots) = &self.roots {
            trusted = trusted.with_pem_certificate(roots.pem());
        }
        let tls = TlsContext::builder().with_trust_store(trusted).build();
        let tls = tls.expect("a trust store alone is always taken");
        let proxy = self.proxy.as_ref().map(|proxy| proxy.for_aws.clone());
        let proxy = proxy.unwrap_or_else(ProxyConfig::disabled);
        Builder::new().build_with_connector_fn(move |settings, components| {
            let mut connector = Connector::builder();
            connector.set_connector_settings(settings.cloned());
            connector.set_sleep_impl(components.and_then(|c| c.sleep_impl()));
            connector
                .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                .tls_context(tls.clone())
                .proxy_config(proxy.clone())
                .build()
        })
    }
}
