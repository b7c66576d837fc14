//! An instance of Identity Center as people sign in to it, and where its services answer.
//! Owns AWS's hosts, a partition each. Refuses a region that would leave them, and any other address beyond loopback.

use hot::Origin;

use crate::client::http;
use crate::config::Environment;
use crate::domain::assignment::Assignment;
use crate::domain::target::Partition;
use crate::error::{Error, Exit, Result};
use crate::wire::CenterView;

/// Longest address of an access portal.
const LONGEST: usize = 300;
/// Pages of AWS itself: where a code is typed in.
const PAGES: [&str; 6] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".awsapps.com",
    ".awsapps.cn",
    ".app.aws",
];

/// An instance of Identity Center, as somebody signs in to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Center {
    start_url: String,
    region: String,
    partition: Partition,
}

/// Where its two services answer, without a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoints {
    pub(super) oidc: String,
    pub(super) portal: String,
    /// Whether the environment named one of them.
    is_stand_in: bool,
}

impl Center {
    /// The instance that the backend names.
    ///
    /// # Errors
    /// Exit 8 for what can be none: it would become a part of addresses.
    pub fn new(start_url: &str, region: &str, partition: Partition) -> Result<Self> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/#:".contains(&b);
        let host = start_url.strip_prefix("https://").map(host_of);
        let is_page = host.is_some_and(|host| host.contains('.')) && start_url.bytes().all(is_plain);
        let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let is_region = (1..=40).contains(&region.len()) && region.bytes().all(word) && partition.has_region(region);
        if start_url.len() > LONGEST || !is_page || !is_region {
            let message = "the backend names no instance of Identity Center";
            return Err(
                Error::new(Exit::Unreachable, "backend.foreign", message).hint("show this to whoever runs the backend")
            );
        }
        Ok(Self {
            start_url: start_url.to_owned(),
            region: region.to_owned(),
            partition,
        })
    }

    /// The same, from a list of targets.
    ///
    /// # Errors
    /// As [`Center::new`].
    pub fn of_view(view: &CenterView) -> Result<Self> {
        Self::new(&view.start_url, &view.region, view.partition)
    }

    /// The same, from what was approved.
    ///
    /// # Errors
    /// As [`Center::new`].
    pub fn of_assignment(assignment: &Assignment) -> Result<Self> {
        let instance = &assignment.instance;
        Self::new(&instance.start_url, &instance.region, assignment.partition)
    }

    /// The address of its access portal.
    pub fn start_url(&self) -> &str {
        &self.start_url
    }

    /// Its region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Whether `start_url` and `region`, written elsewhere, are these: a slash or a mark at the end says nothing.
    pub(super) fn is_at(&self, start_url: &str, region: &str) -> bool {
        let plain = |url: &str| url.trim_end_matches(['/', '#']).to_ascii_lowercase();
        region == self.region && plain(start_url) == plain(&self.start_url)
    }

    /// Where its services answer. The environment counts for whoever talks to a server on loopback: a stand-in.
    pub(super) fn endpoints(&self, env: &Environment, server: &Origin) -> Result<Endpoints> {
        let suffix = match self.partition {
            Partition::Aws | Partition::AwsUsGov => "amazonaws.com",
            Partition::AwsCn => "amazonaws.com.cn",
            Partition::AwsEusc => "amazonaws.eu",
        };
        let own = |service: &str| format!("https://{service}.{}.{suffix}", self.region);
        let (oidc, portal) = (
            named(env, server, "AWS_ENDPOINT_URL_SSO_OIDC")?,
            named(env, server, "AWS_ENDPOINT_URL_SSO")?,
        );
        Ok(Endpoints {
            is_stand_in: oidc.is_some(),
            oidc: oidc.unwrap_or_else(|| own("oidc")),
            portal: portal.unwrap_or_else(|| own("portal.sso")),
        })
    }

    /// Whether a person may be sent to `page` with a code: it is AWS's, or that of the same portal.
    pub(super) fn owns_page(&self, page: &str, endpoints: &Endpoints) -> bool {
        let is_plain = page.len() <= 2_000 && page.bytes().all(|b| b.is_ascii_graphic() && !b"\"'<>`\\".contains(&b));
        if !is_plain {
            return false;
        }
        if endpoints.is_stand_in && page.starts_with(&format!("{}/", endpoints.oidc)) {
            return true;
        }
        let Some(host) = page.strip_prefix("https://").map(host_of) else {
            return false;
        };
        let portal = self.start_url.strip_prefix("https://").map(host_of);
        let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
        let is_aws = PAGES.iter().any(|suffix| host.ends_with(suffix)) && host.bytes().all(is_word);
        is_aws || portal == Some(host)
    }
}

fn host_of(rest: &str) -> &str {
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// What the environment names for a service, where it counts.
fn named(env: &Environment, server: &Origin, variable: &str) -> Result<Option<String>> {
    if !http::is_loopback(server) {
        return Ok(None);
    }
    let Some(value) = env.text(variable).or_else(|| env.text("AWS_ENDPOINT_URL")) else {
        return Ok(None);
    };
    let refused = || Error::usage(format!("{variable} is no address")).hint("write it as https://HOST, or unset it");
    let origin = Origin::parse(value.trim_end_matches('/')).map_err(|_| refused())?;
    http::check_scheme(&origin)?;
    Ok(Some(origin.as_str().to_owned()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn center() -> Center {
        Center::new("https://d-1111111111.awsapps.com/start", "eu-central-1", Partition::Aws).unwrap()
    }

    fn origin(text: &str) -> Origin {
        Origin::parse(text).unwrap()
    }

    #[test]
    fn endpoints_are_those_of_the_partition() {
        let env = Environment::default();
        for (partition, region, oidc) in [
            (
                Partition::Aws,
                "eu-central-1",
                "https://oidc.eu-central-1.amazonaws.com",
            ),
            (
                Partition::AwsUsGov,
                "us-gov-west-1",
                "https://oidc.us-gov-west-1.amazonaws.com",
            ),
            (
                Partition::AwsCn,
                "cn-north-1",
                "https://oidc.cn-north-1.amazonaws.com.cn",
            ),
            (
                Partition::AwsEusc,
                "eusc-de-east-1",
                "https://oidc.eusc-de-east-1.amazonaws.eu",
            ),
        ] {
            let center = Center::new("https://x.awsapps.com/start", region, partition).unwrap();
            let endpoints = center.endpoints(&env, &origin("https://jit.acme.example")).unwrap();
            assert_eq!(endpoints.oidc, oidc);
            assert_eq!(endpoints.portal, oidc.replace("oidc", "portal.sso"));
        }
    }

    #[test]
    fn environment_counts_beside_a_server_on_loopback_only() {
        let env = Environment::of(|name| (name == "AWS_ENDPOINT_URL").then(|| "http://127.0.0.1:9/".into()));
        let local = center().endpoints(&env, &origin("http://127.0.0.1:1")).unwrap();
        assert_eq!(
            (local.oidc.as_str(), local.portal.as_str()),
            ("http://127.0.0.1:9", "http://127.0.0.1:9")
        );
        let beyond = center().endpoints(&env, &origin("https://jit.acme.example")).unwrap();
        assert_eq!(beyond.oidc, "https://oidc.eu-central-1.amazonaws.com");
        let plain = Environment::of(|name| (name == "AWS_ENDPOINT_URL_SSO").then(|| "http://10.0.0.1".into()));
        let refused = center().endpoints(&plain, &origin("http://127.0.0.1:1")).unwrap_err();
        assert_eq!(refused.exit.code(), 2);
    }

    #[test]
    fn attack_16_instance_that_leaves_its_place_is_refused() {
        for (start_url, region) in [
            ("http://d-1.awsapps.com/start", "eu-central-1"),
            ("https://d-1.awsapps.com/$(touch x)", "eu-central-1"),
            ("https://nowhere/start", "eu-central-1"),
            ("https://d-1.awsapps.com/start", "evil.example/#"),
            ("https://d-1.awsapps.com/start", "cn-north-1"),
            ("https://d-1.awsapps.com/start", ""),
        ] {
            let refused = Center::new(start_url, region, Partition::Aws).unwrap_err();
            assert_eq!(refused.exit.code(), 8, "{start_url} {region}");
        }
    }

    #[test]
    fn attack_16_page_of_somebody_else_is_never_shown() {
        let (center, env) = (center(), Environment::default());
        let endpoints = center.endpoints(&env, &origin("https://jit.acme.example")).unwrap();
        for own in [
            "https://device.sso.eu-central-1.amazonaws.com/?user_code=AAAA-BBBB",
            "https://d-1111111111.awsapps.com/start/#/device?user_code=AAAA-BBBB",
        ] {
            assert!(center.owns_page(own, &endpoints), "{own}");
        }
        for other in [
            "https://evil.example/?x=.amazonaws.com",
            "https://evil.example#.awsapps.com",
            "https://me:x@evil.awsapps.com/",
            "https://evilamazonaws.com/",
            "http://device.sso.eu-central-1.amazonaws.com/",
            "https://x.amazonaws.com/\u{1b}[2J",
            "javascript:alert(1)",
        ] {
            assert!(!center.owns_page(other, &endpoints), "{other}");
        }
    }

    #[test]
    fn start_url_is_the_same_with_a_slash_at_its_end() {
        assert!(center().is_at("https://d-1111111111.awsapps.com/start/#/", "eu-central-1"));
        assert!(!center().is_at("https://d-1111111111.awsapps.com/start", "eu-west-1"));
        assert!(!center().is_at("https://d-2222222222.awsapps.com/start", "eu-central-1"));
    }
}
