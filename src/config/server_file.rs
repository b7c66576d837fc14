//! The backend's configuration file: from its text to values, each checked.
//! Refuses unknown keys and whatever cannot be right, with file, line and column. Reads nothing: `server_source` does.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};

use hot::Origin;
use serde::Deserialize;
use toml::Spanned;
use toml::de::DeTable;

use self::directory::Directory;
use self::listening::{TlsFiles, TrustedProxies};
use self::people::Admin;
use self::sign_in::IdentityProvider;
use self::workload_issuer::WorkloadIssuer;
use super::issuer_url::IssuerUrl;
use super::shown_url::shown_url;
use crate::domain::key_life::SHORTEST_PERIOD_S;
use crate::domain::time::Duration;
use crate::error::{Error, Result};

pub mod directory;
pub mod listening;
pub mod people;
pub mod sign_in;
pub mod workload_issuer;

/// Keys of the file and of its tables.
const KEYS: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "listen",
            "public_url",
            "policy",
            "database",
            "tls",
            "trusted_proxies",
            "forwarded_header",
            "aws",
            "issuer",
            "sealing_key",
            "sign_in",
            "workload_issuer",
            "admins",
            "session",
            "directory",
        ],
    ),
    ("tls", &["certificate", "key"]),
    ("session", &["life", "idle"]),
    ("aws", &["endpoint"]),
    ("issuer", &["url", "period"]),
    ("sealing_key", SECRET_KEYS),
    ("sign_in", sign_in::KEYS),
    ("sign_in.client_secret", SECRET_KEYS),
    ("workload_issuer", workload_issuer::KEYS),
    ("directory", directory::KEYS),
    ("directory.token", SECRET_KEYS),
    ("directory.next_token", SECRET_KEYS),
];

/// Keys of a table that names a secret.
const SECRET_KEYS: &[&str] = &["file", "environment", "keyring"];

/// How a backend is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFile {
    /// Where it listens.
    pub listen: SocketAddr,
    /// What TLS is spoken with, where it ends here.
    pub tls: Option<TlsFiles>,
    /// Who is believed when they say who calls.
    pub trusted_proxies: Option<TrustedProxies>,
    /// Where people reach it.
    pub public_url: Origin,
    /// Folder of the policy bundle.
    pub policy: PathBuf,
    /// The database file.
    pub database: PathBuf,
    /// What is called in place of AWS's own endpoints.
    pub aws_endpoint: Option<String>,
    /// Where AWS finds us as an issuer, where that is another address.
    pub issuer_url: Option<String>,
    /// How long a key of the issuer is used, where that is not the usual time.
    pub issuer_period: Option<Duration>,
    /// Where the key that wraps secrets comes from.
    pub sealing_key: SecretSource,
    /// Where people sign in.
    pub sign_in: Vec<IdentityProvider>,
    /// Who makes the tokens by which workloads sign in.
    pub workload_issuers: Vec<WorkloadIssuer>,
    /// Who runs it.
    pub admins: Vec<Admin>,
    /// How long people stay signed in, where that is not the usual time.
    pub session_life: Option<Duration>,
    /// After how long without use a session approves nothing, where that is not the usual time.
    pub session_idle: Option<Duration>,
    /// What pushes people and groups.
    pub directories: Vec<Directory>,
}

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// A file of its own.
    File(PathBuf),
    /// The variable of this name.
    Environment(String),
    /// The entry of this name in the system's keyring.
    Keyring(String),
}

#[derive(Deserialize)]
struct Written {
    listen: Option<Spanned<String>>,
    public_url: Option<Spanned<String>>,
    policy: Option<Spanned<String>>,
    database: Option<Spanned<String>>,
    tls: Option<Spanned<listening::Tls>>,
    trusted_proxies: Option<Spanned<Vec<Spanned<String>>>>,
    forwarded_header: Option<Spanned<String>>,
    #[serde(default)]
    aws: Aws,
    #[serde(default)]
    issuer: Issuer,
    sealing_key: Option<Spanned<Secret>>,
    #[serde(default)]
    sign_in: Vec<Spanned<sign_in::Written>>,
    #[serde(default)]
    workload_issuer: Vec<Spanned<workload_issuer::Written>>,
    admins: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    session: people::Session,
    #[serde(default)]
    directory: Vec<Spanned<directory::Written>>,
}

#[derive(Default, Deserialize)]
struct Aws {
    endpoint: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
struct Issuer {
    url: Option<Spanned<String>>,
    period: Option<Spanned<String>>,
}

#[derive(Deserialize)]
struct Secret {
    file: Option<Spanned<String>>,
    environment: Option<Spanned<String>>,
    keyring: Option<Spanned<String>>,
}

impl ServerFile {
    /// The values in `text`, which is that of the file at `path`; paths in it are relative to `folder`.
    ///
    /// # Errors
    /// Exit 3 with the place of the first thing that is wrong.
    pub fn parse(text: &str, path: &Path, folder: &Path) -> Result<Self> {
        let source = Source { text, path, folder };
        source.check_keys()?;
        let written: Written = toml::from_str(text).map_err(|error| source.unreadable(&error))?;
        let sealing_key = written.sealing_key.ok_or_else(|| {
            source
                .missing("sealing_key")
                .hint("such as  [sealing_key]  and below it  file = \"sealing.key\"")
        })?;
        let missing = |key: &str, example: &str| source.missing(key).hint(format!("such as  {key} = \"{example}\""));
        let public_url = written
            .public_url
            .ok_or_else(|| missing("public_url", "https://jit.acme.example"))?;
        let sign_in = source.sign_in(&written.sign_in)?;
        let tls = written.tls.as_ref().map(|tls| source.tls(tls)).transpose()?;
        let (networks, header) = (written.trusted_proxies.as_ref(), written.forwarded_header.as_ref());
        let trusted_proxies = source.trusted_proxies(networks, header)?;
        let is_guarded = tls.is_some() || trusted_proxies.is_some();
        Ok(Self {
            listen: source.listen(written.listen.as_ref(), is_guarded)?,
            tls,
            trusted_proxies,
            public_url: source.origin(&public_url)?,
            policy: source.path(&written.policy.ok_or_else(|| missing("policy", "policy"))?)?,
            database: source.path(&written.database.ok_or_else(|| missing("database", "jit.db"))?)?,
            aws_endpoint: written.aws.endpoint.map(|url| source.endpoint(&url)).transpose()?,
            issuer_url: written.issuer.url.map(|url| source.issuer(&url)).transpose()?,
            issuer_period: written.issuer.period.map(|text| source.period(&text)).transpose()?,
            sealing_key: source.secret("sealing_key", ("key", "JIT_SEALING_KEY"), &sealing_key)?,
            workload_issuers: source.workload_issuers(&written.workload_issuer, &sign_in)?,
            directories: source.directories(&written.directory, &sign_in)?,
            sign_in,
            admins: source.admins(written.admins.as_ref())?,
            session_life: source.session_life(&written.session)?,
            session_idle: source.session_idle(&written.session)?,
        })
    }
}

/// A file that is being understood.
struct Source<'a> {
    text: &'a str,
    path: &'a Path,
    folder: &'a Path,
}

impl Source<'_> {
    /// An error at the bytes `at`, in the form that editors jump to.
    fn wrong(&self, at: &Range<usize>, what: &str) -> Error {
        let before = self.text.get(..at.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Error::configuration(format!("{}:{line}:{column}: {what}", self.path.display()))
    }

    fn missing(&self, key: &str) -> Error {
        Error::configuration(format!("{}: {key} is missing", self.path.display()))
    }

    fn unreadable(&self, error: &toml::de::Error) -> Error {
        let first = error.message().lines().next().unwrap_or_default();
        self.wrong(&error.span().unwrap_or(0..0), first)
    }

    /// A typo would otherwise be a setting that silently does nothing.
    fn check_keys(&self) -> Result<()> {
        let whole = DeTable::parse(self.text).map_err(|error| self.unreadable(&error))?;
        self.check_table(whole.get_ref(), "")?;
        self.check_tables(whole.get_ref(), "")
    }

    /// The tables in `table`, which is named `name`, and the tables in them.
    fn check_tables(&self, table: &DeTable<'_>, name: &str) -> Result<()> {
        for (key, value) in table.iter() {
            let name = match name {
                "" => key.get_ref().to_string(),
                name => format!("{name}.{}", key.get_ref()),
            };
            let several = value.get_ref().as_array().into_iter().flat_map(|array| array.iter());
            for table in several.chain([value]).filter_map(|value| value.get_ref().as_table()) {
                self.check_table(table, &name)?;
                self.check_tables(table, &name)?;
            }
        }
        Ok(())
    }

    fn check_table(&self, table: &DeTable<'_>, name: &str) -> Result<()> {
        if name == sign_in::CLAIMS {
            return Ok(());
        }
        let known = KEYS.iter().find(|(table, _)| *table == name);
        let known = known.map_or(&[][..], |(_, keys)| *keys);
        let Some((unknown, _)) = table.iter().find(|(key, _)| !known.contains(&&**key.get_ref())) else {
            return Ok(());
        };
        let key: &str = unknown.get_ref();
        let inside = if name.is_empty() {
            String::new()
        } else {
            format!(" in [{name}]")
        };
        let near = known
            .iter()
            .filter(|known| strsim::damerau_levenshtein(known, key) <= 2 || key.len() > 2 && known.contains(key))
            .min_by_key(|known| strsim::damerau_levenshtein(known, key));
        let hint = near.map_or_else(
            || format!("known keys: {}", known.join(", ")),
            |near| format!("did you mean {near}?"),
        );
        Err(self
            .wrong(&unknown.span(), &format!("no key named {key}{inside}"))
            .hint(hint))
    }

    fn origin(&self, written: &Spanned<String>) -> Result<Origin> {
        let text = written.get_ref();
        let refuse = |what: &str| {
            self.wrong(&written.span(), &format!("public_url {what}: {}", shown_url(text)))
                .hint("such as  public_url = \"https://jit.acme.example\"")
        };
        let lower = text.to_ascii_lowercase();
        if lower.starts_with("http://") && !is_loopback(&lower) {
            return Err(refuse("is not encrypted"));
        }
        Origin::parse(text).map_err(|_| refuse("is no https address without a path"))
    }

    fn endpoint(&self, written: &Spanned<String>) -> Result<String> {
        let text = written.get_ref();
        if text.starts_with("https://") && Origin::parse(text).is_ok() {
            return Ok(text.clone());
        }
        Err(self
            .wrong(
                &written.span(),
                &format!("endpoint is no https address without a path: {}", shown_url(text)),
            )
            .hint("such as  endpoint = \"https://aws.acme.example\"; leave it out for AWS's own"))
    }

    fn issuer(&self, written: &Spanned<String>) -> Result<String> {
        let text = written.get_ref();
        match IssuerUrl::parse(text) {
            Ok(_) => Ok(text.clone()),
            Err(error) => Err(Error {
                hint: error.hint,
                ..self.wrong(&written.span(), &error.message)
            }),
        }
    }

    fn period(&self, written: &Spanned<String>) -> Result<Duration> {
        let text = written.get_ref();
        let wrong = |what: &str| {
            self.wrong(&written.span(), &format!("period {what}: {text}"))
                .hint("three days at least, a year at most: period = \"30d\"")
        };
        let period = Duration::parse(text).map_err(|_| wrong("is no length of time"))?;
        if period.secs() < SHORTEST_PERIOD_S {
            return Err(wrong("is too short"));
        }
        Ok(period)
    }

    fn path(&self, written: &Spanned<String>) -> Result<PathBuf> {
        let text = written.get_ref();
        if text.is_empty() || text.starts_with('~') || text.contains('\0') {
            return Err(self.wrong(&written.span(), &format!("no path: {text:?}")));
        }
        Ok(self.folder.join(text))
    }

    /// What the table `name` names, which holds a secret `thing`, such as in the variable `example`.
    fn secret(&self, name: &str, (thing, example): (&str, &str), written: &Spanned<Secret>) -> Result<SecretSource> {
        let table = written.get_ref();
        let named = [&table.file, &table.environment, &table.keyring];
        let exactly_one = format!("{name} needs exactly one of file, environment, keyring");
        let mut named = named.into_iter().flatten();
        let (Some(one), None) = (named.next(), named.next()) else {
            return Err(self.wrong(&written.span(), &exactly_one));
        };
        if table.file.is_some() {
            return self.path(one).map(SecretSource::File);
        }
        let text = one.get_ref();
        let is_name = |text: &str| {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
            !text.is_empty() && text.bytes().all(plain) && !text.as_bytes()[0].is_ascii_digit()
        };
        match (table.environment.is_some(), is_name(text)) {
            (true, true) => Ok(SecretSource::Environment(text.clone())),
            (false, _) if !text.is_empty() && !text.chars().any(char::is_control) => {
                Ok(SecretSource::Keyring(text.clone()))
            }
            // what stands here may be the secret itself: it is not repeated
            (true, false) => Err(self
                .wrong(&one.span(), "environment is no name of a variable")
                .hint(format!(
                    "name the variable that holds the {thing}: environment = \"{example}\""
                ))),
            (false, _) => Err(self.wrong(&one.span(), "keyring is no name of an entry")),
        }
    }
}

/// Whether a plain address is one of this machine.
fn is_loopback(url: &str) -> bool {
    let rest = url.trim_start_matches("http://").trim_end_matches('/');
    let host = rest.rsplit_once(':').map_or(rest, |(host, port)| {
        if port.bytes().all(|b| b.is_ascii_digit()) {
            host
        } else {
            rest
        }
    });
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests;
