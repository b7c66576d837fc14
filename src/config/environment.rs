//! The environment: which variables are read, and their values.
//! Refuses variables that are not in the list below: `jit help environment` prints it.

use std::collections::BTreeMap;
use std::ffi::OsString;

use secrecy::SecretString;

/// A variable that is read.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
}

/// Every variable that the client reads.
pub const VARIABLES: &[Variable] = &[
    Variable {
        name: "JIT_SERVER",
        about: "backend to talk to, as --server",
    },
    Variable {
        name: "JIT_IDENTITY",
        about: "identity to use, as --identity",
    },
    Variable {
        name: "JIT_CONFIG_FILE",
        about: "configuration file instead of jit/config.toml in the platform's folder",
    },
    Variable {
        name: "JIT_STATE_DIR",
        about: "folder for sessions instead of the platform's",
    },
    Variable {
        name: "JIT_CACHE_DIR",
        about: "folder for cached credentials instead of the platform's",
    },
    Variable {
        name: "JIT_KEYRING",
        about: "`file` keeps session and device key in a file of mode 0600; `auto` asks the keyring first",
    },
    Variable {
        name: "HTTPS_PROXY",
        about: "proxy for https, such as http://proxy.acme.example:3128",
    },
    Variable {
        name: "https_proxy",
        about: "the same, where HTTPS_PROXY is not set",
    },
    Variable {
        name: "ALL_PROXY",
        about: "the same, where neither is set",
    },
    Variable {
        name: "all_proxy",
        about: "the same, where none of them is set",
    },
    Variable {
        name: "NO_PROXY",
        about: "hosts that are reached without the proxy, separated by commas",
    },
    Variable {
        name: "no_proxy",
        about: "the same, where NO_PROXY is not set",
    },
    Variable {
        name: "JIT_CA_BUNDLE",
        about: "PEM file of authorities to trust beside the platform's own",
    },
    Variable {
        name: "NO_COLOR",
        about: "no colour where it is set and not empty",
    },
    Variable {
        name: "TERM",
        about: "no colour where it is `dumb`",
    },
    Variable {
        name: "AWS_PROFILE",
        about: "profile that `jit use -` goes back to",
    },
    Variable {
        name: "_JIT_PROFILE_BEFORE",
        about: "set by `jit use`: the profile that stood there before",
    },
    Variable {
        name: "BROWSER",
        about: "browsers for `jit login` and `jit console`, with `:` between, instead of the platform's",
    },
    Variable {
        name: "SSH_CONNECTION",
        about: "set by ssh: `jit login` says which port to forward",
    },
    Variable {
        name: "SHELL",
        about: "shell that lines are printed for where the one around is not known",
    },
    Variable {
        name: "TZ",
        about: "time zone in which times are shown",
    },
    Variable {
        name: "HOME",
        about: "where the platform's folders and ~/.aws lie",
    },
    Variable {
        name: "XDG_CONFIG_HOME",
        about: "the platform's folder for configuration (Linux)",
    },
    Variable {
        name: "XDG_STATE_HOME",
        about: "the platform's folder for state (Linux)",
    },
    Variable {
        name: "XDG_CACHE_HOME",
        about: "the platform's folder for caches (Linux)",
    },
    Variable {
        name: "DBUS_SESSION_BUS_ADDRESS",
        about: "where the keyring listens (Linux); without it the file is used",
    },
    Variable {
        name: "AWS_CONFIG_FILE",
        about: "the AWS configuration that `jit setup` edits",
    },
    Variable {
        name: "AWS_SHARED_CREDENTIALS_FILE",
        about: "the AWS credentials that `jit setup` warns about",
    },
    Variable {
        name: "AWS_ENDPOINT_URL_SSO",
        about: "access portal of Identity Center, such as a stand-in, where the server is on loopback",
    },
    Variable {
        name: "AWS_ENDPOINT_URL_SSO_OIDC",
        about: "sign-in of Identity Center, in the same way",
    },
    Variable {
        name: "AWS_ENDPOINT_URL_STS",
        about: "STS for `jit serve --dev` and `jit aws check`, such as a stand-in",
    },
    Variable {
        name: "AWS_ENDPOINT_URL_IAM",
        about: "IAM for `jit aws check`, such as a stand-in",
    },
    Variable {
        name: "AWS_ENDPOINT_URL_ORGANIZATIONS",
        about: "Organizations for `jit aws deny-sessions --check`, such as a stand-in",
    },
    Variable {
        name: "AWS_ENDPOINT_URL",
        about: "each of these, where its own variable is not set",
    },
    Variable {
        name: "AWS_ENDPOINT_URL_*",
        about: "each of them, and AWS_ENDPOINT_URL, keeps `jit serve --config` from starting without --dev",
    },
    Variable {
        name: "_JIT_CHAIN",
        about: "set by jit itself: targets being fetched, against recursion",
    },
];

/// Variables of any AWS service that send calls elsewhere begin so.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// The variables of this process, read once.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    known: BTreeMap<&'static str, OsString>,
    endpoints: Vec<String>,
}

impl Environment {
    /// Reads [`VARIABLES`]; an empty one counts as not set.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the client's environment"
    )]
    pub fn read() -> Self {
        let set = std::env::vars_os().filter(|(_, value)| !value.is_empty());
        let names = set.filter_map(|(name, _)| name.into_string().ok());
        Self {
            endpoints: endpoints(names),
            ..Self::of(|name| std::env::var_os(name))
        }
    }

    /// The value of a variable that a configuration file names, if it is set and not empty.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment; which variable it is, a file says"
    )]
    pub fn secret_named(name: &str) -> Option<SecretString> {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty());
        value.map(SecretString::from)
    }

    /// The variables that `look_up` knows.
    pub fn of(look_up: impl Fn(&str) -> Option<OsString>) -> Self {
        let known = VARIABLES
            .iter()
            .filter_map(|v| Some((v.name, look_up(v.name).filter(|value| !value.is_empty())?)));
        let known: BTreeMap<_, _> = known.collect();
        Self {
            endpoints: endpoints(known.keys().map(|name| (*name).to_owned())),
            known,
        }
    }

    /// Names of the variables that are set and send calls of an AWS service elsewhere.
    pub fn endpoint_variables(&self) -> &[String] {
        &self.endpoints
    }

    /// A variable that is set and not empty.
    pub fn os(&self, name: &str) -> Option<OsString> {
        self.known.get(name).cloned()
    }

    /// Whether it is said that output has no colour.
    pub fn has_no_colour(&self) -> bool {
        self.os("NO_COLOR").is_some() || self.os("TERM").is_some_and(|term| term == "dumb")
    }

    /// The same as text; what is not UTF-8 counts as not set.
    pub fn text(&self, name: &str) -> Option<String> {
        self.os(name)?.into_string().ok()
    }
}

fn endpoints(names: impl Iterator<Item = String>) -> Vec<String> {
    let is_one = |name: &String| {
        let rest = name.strip_prefix(ENDPOINT);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    };
    let mut found: Vec<String> = names.filter(is_one).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_of_any_service_is_found() {
        let names = [
            "AWS_ENDPOINT_URL_S3",
            "AWS_ENDPOINT_URL",
            "AWS_ENDPOINT_URLS",
            "AWS_PROFILE",
        ];
        let found = endpoints(names.into_iter().map(str::to_owned));
        assert_eq!(found, ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"]);
    }

    #[test]
    fn variables_are_distinct_and_documented() {
        let mut names: Vec<_> = VARIABLES.iter().map(|v| v.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), VARIABLES.len());
        assert!(VARIABLES.iter().all(|v| !v.about.is_empty() && !v.about.ends_with('.')));
    }

    #[test]
    fn empty_variable_counts_as_not_set() {
        let env = Environment::of(|name| (name == "JIT_SERVER").then(OsString::new));
        assert_eq!(env.os("JIT_SERVER"), None);
    }
}
