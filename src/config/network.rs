//! How this machine reaches others: its proxy, and authorities that are trusted beside the platform's.
//! Owns which variable wins. Refuses to show a proxy's address: it may hold a name and a password.

use std::fmt;
use std::path::PathBuf;

use secrecy::SecretString;

use super::environment::Environment;

/// Variables that name the proxy for `https://`, the first that is set wins.
const PROXY: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// Variables that name hosts to be reached without it.
const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The network as the environment describes it; nothing is read or checked yet.
#[derive(Clone, Debug, Default)]
pub struct NetworkSettings {
    /// The proxy for `https://`.
    pub proxy: Option<ProxySetting>,
    /// Hosts that are reached without it, separated by commas.
    pub no_proxy: String,
    /// PEM file of further authorities.
    pub ca_bundle: Option<PathBuf>,
}

/// A proxy, and who named it.
#[derive(Clone)]
pub struct ProxySetting {
    /// The variable.
    pub variable: &'static str,
    /// Its value: an address, perhaps with a name and a password.
    pub address: SecretString,
}

impl fmt::Debug for ProxySetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProxySetting").field(&self.variable).finish()
    }
}

impl NetworkSettings {
    /// What the environment says.
    pub fn find(env: &Environment) -> Self {
        let proxy = PROXY.into_iter().find_map(|variable| {
            // what is no text must be refused later, not passed over: the call would go around the proxy
            let address = env.os(variable)?.to_string_lossy().trim().to_owned();
            let address = SecretString::from(address);
            Some(ProxySetting { variable, address })
        });
        let no_proxy = NO_PROXY.into_iter().find_map(|name| env.text(name));
        Self {
            proxy,
            no_proxy: no_proxy.unwrap_or_default(),
            ca_bundle: env.os("JIT_CA_BUNDLE").map(PathBuf::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn found(set: &[(&str, &str)]) -> NetworkSettings {
        let env = Environment::of(|name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).into()));
        NetworkSettings::find(&env)
    }

    #[test]
    fn proxy_variables_have_an_order() {
        let of = |set: &[(&str, &str)]| {
            let proxy = found(set).proxy?;
            Some((proxy.variable, proxy.address.expose_secret().to_owned()))
        };
        let all = [
            ("all_proxy", "d"),
            ("ALL_PROXY", "c"),
            ("https_proxy", "b"),
            ("HTTPS_PROXY", "a"),
        ];
        for (count, expected) in [(4, "a"), (3, "b"), (2, "c"), (1, "d")] {
            assert_eq!(of(&all[..count]).unwrap().1, expected);
        }
        assert_eq!(of(&[("HTTPS_PROXY", ""), ("ALL_PROXY", "c")]).unwrap().0, "ALL_PROXY");
        assert_eq!(of(&[("HTTP_PROXY", "http://h")]), None);
    }

    #[test]
    fn proxy_setting_shows_no_address() {
        let shown = format!("{:?}", found(&[("HTTPS_PROXY", "http://me:hunter2@h")]));
        assert!(shown.contains("HTTPS_PROXY") && !shown.contains("hunter2"), "{shown}");
    }
}
