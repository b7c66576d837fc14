//! `jit serve --config`: a backend as its file sets it up.
//! Owns what holds in production. Refuses a policy or a database that others can write, and a second process on one
//! database.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::ExposeSecret;

use crate::config::{
    Directory, IdentityProvider, IssuerUrl, SealingKey, ServerFile, not_for_others, way_not_for_others,
};
use crate::domain::{Digest, Duration};
use crate::error::{Error, Exit, Result};
use crate::server::issuer::IssuerSettings;
use crate::server::settings::{AwsSettings, DirectorySettings, MEMBERSHIP_AGE_S, Quota, Settings, SignInSettings};
use crate::server::{StartError, dev, policy_folder};

const CODE_S: u32 = 15 * 60;
const IDLE_S: u32 = 2 * 3600;

/// A database that this process holds alone.
#[derive(Debug)]
pub struct Held {
    _lock: File,
}

impl Held {
    /// Takes the database that `file` names. With `tries` the small bundle is written where there is no policy yet.
    ///
    /// # Errors
    /// [`StartError::InUse`], [`StartError::Folder`], and [`StartError::Configuration`] for what others can write.
    pub fn take(file: &ServerFile, tries: bool) -> std::result::Result<Self, StartError> {
        let folder = file.database.parent().unwrap_or(Path::new("/"));
        not_for_others(folder)?;
        way_not_for_others(&file.database)?;
        for name in ["", "-wal", "-shm", "-journal"] {
            let path = beside(&file.database, name);
            if path.exists() {
                not_for_others(&path)?;
            }
        }
        if tries {
            dev::small_unless_there(&file.policy)?;
        }
        not_for_others(&file.policy)?;
        // what is wrong otherwise may be got over: the last bundle is there
        if let Err(refused @ StartError::Configuration(_)) = policy_folder::read(&file.policy, true) {
            return Err(refused);
        }
        Ok(Self {
            _lock: dev::hold(&beside(&file.database, ".lock"), &file.database)?,
        })
    }
}

/// The file of this name beside the database.
fn beside(database: &Path, name: &str) -> PathBuf {
    let mut path = database.to_owned().into_os_string();
    path.push(name);
    PathBuf::from(path)
}

/// The settings that `file` leads to. `tries` is the listener's address where `--dev` was asked for too: local people
/// sign in at this machine, so loopback counts as ours then.
///
/// # Errors
/// Exit 3 for an address that is none in production.
pub fn settings(
    file: &ServerFile,
    sealing_key: SealingKey,
    aws: AwsSettings,
    tries: Option<SocketAddr>,
) -> Result<Settings> {
    let origin = file.public_url.as_str();
    if tries.is_none() && origin.starts_with("http://") {
        return Err(Error::configuration(format!("public_url is not encrypted: {origin}"))
            .hint("http:// is for trying: jit serve --dev --config FILE"));
    }
    let issuer = IssuerSettings::new(issuer_url(file, tries)?, Arc::new(sealing_key));
    let issuer = match file.issuer_period {
        Some(period) => issuer.rotating(period)?,
        None => issuer,
    };
    let mut hosts = hosts(origin);
    hosts.extend(tries.map(dev::loopback_hosts).unwrap_or_default());
    Ok(Settings {
        dev: tries.is_some(),
        origin: origin.to_owned(),
        hosts,
        // tried on loopback, without TLS and without proxies
        tls: file.tls.clone().filter(|_| tries.is_none()),
        trusted_proxies: file.trusted_proxies.clone().filter(|_| tries.is_none()),
        policy_dir: file.policy.clone(),
        policy_is_guarded: true,
        database: file.database.clone(),
        aws,
        identity_center: Quota::default(),
        issuer: Some(issuer),
        sign_in: Vec::new(),
        workload_issuers: file.workload_issuers.clone(),
        admins: file.admins.clone(),
        directories: Vec::new(),
        membership_age_s: if tries.is_some() { 0 } else { MEMBERSHIP_AGE_S },
        session_life: file.session_life.unwrap_or_else(dev::session_life),
        session_idle: file.session_idle.unwrap_or_else(|| match tries {
            Some(_) => dev::session_life(),
            None => session_idle(),
        }),
        code_life: code_life(),
        new_devices_decide: tries.is_some(),
        shared_devices_decide: tries.is_some(),
    })
}

/// The identity providers of `file`, with their secrets.
///
/// # Errors
/// Exit 3 for a secret that is missing or refused.
pub fn sign_in(file: &ServerFile) -> Result<Vec<SignInSettings>> {
    let with_secret = |provider: &IdentityProvider| {
        let client_secret = provider.client_secret.read_secret(&provider.name)?;
        Ok(SignInSettings {
            provider: provider.clone(),
            client_secret,
        })
    };
    file.sign_in.iter().map(with_secret).collect()
}

/// A session that nobody used for two hours approves nothing.
fn session_idle() -> Duration {
    Duration::from_secs(IDLE_S).expect("a constant between one second and a year")
}

/// A one-time code lives 15 minutes.
fn code_life() -> Duration {
    Duration::from_secs(CODE_S).expect("a constant between one second and a year")
}

/// The directories of `file`. Their tokens are forgotten but for their hashes.
///
/// # Errors
/// Exit 3 for a token that is missing or refused.
pub fn directories(file: &ServerFile) -> Result<Vec<DirectorySettings>> {
    let mut seen = BTreeSet::new();
    let with_tokens = |directory: &Directory| {
        let mut tokens = Vec::new();
        for (source, until) in &directory.tokens {
            let token = source.read_token(&directory.name)?;
            let hash = Digest::of(token.expose_secret().as_bytes());
            // nobody could say which directory shows it
            if !seen.insert(hash.as_str().to_owned()) {
                let what = format!("{} shows a token that is named already", directory.name);
                let error = Error::new(Exit::Configuration, "server.directory_token", what);
                return Err(error.hint("every token is one of its own: openssl rand -hex 32"));
            }
            tokens.push((hash, *until));
        }
        Ok(DirectorySettings {
            name: directory.name.clone(),
            issuer: directory.issuer.clone(),
            groups: directory.groups.clone(),
            tokens,
        })
    };
    file.directories.iter().map(with_tokens).collect()
}

/// Values of `Host` that callers of `origin` send: its own port may be left out or not.
fn hosts(origin: &str) -> Vec<String> {
    let (scheme, host) = origin.split_once("://").unwrap_or_default();
    let own_port = if scheme == "https" { 443 } else { 80 };
    let has_port = host.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok());
    let mut hosts = vec![host.to_owned()];
    if !has_port {
        hosts.push(format!("{host}:{own_port}"));
    }
    hosts
}

/// What stands in tokens: the file's own, else `public_url`.
fn issuer_url(file: &ServerFile, tries: Option<SocketAddr>) -> Result<IssuerUrl> {
    let public = file.public_url.as_str();
    match (&file.issuer_url, tries) {
        (Some(url), _) => IssuerUrl::parse(url),
        (None, Some(address)) if public.starts_with("http://") => Ok(IssuerUrl::loopback(address)),
        (None, _) => IssuerUrl::parse(public).map_err(|error| {
            let hint = "public_url stands for it; name another address: [issuer] url = \"https://…\"";
            Error::configuration(error.message).hint(hint)
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn file(public_url: &str, more: &str) -> ServerFile {
        let text = format!(
            "public_url = \"{public_url}\"\npolicy = \"policy\"\ndatabase = \"jit.db\"\n{more}\n[sealing_key]\nkeyring = \"k\"\n"
        );
        ServerFile::parse(&text, Path::new("/etc/jit/jit.toml"), Path::new("/etc/jit")).unwrap()
    }

    fn settled(file: &ServerFile, tries: Option<SocketAddr>) -> Result<Settings> {
        settings(file, SealingKey::new([7; 32]), AwsSettings::default(), tries)
    }

    #[test]
    fn production_knows_its_own_host_alone() {
        let settings = settled(&file("https://jit.acme.example", ""), None).unwrap();
        assert_eq!(settings.hosts, ["jit.acme.example", "jit.acme.example:443"]);
        assert!(!settings.dev && !settings.shared_devices_decide);
        let issuer = settings.issuer.unwrap();
        assert_eq!(issuer.url.as_str(), "https://jit.acme.example");
    }

    #[test]
    fn keys_of_the_issuer_change_as_the_file_says() {
        let period = |more: &str| {
            let settings = settled(&file("https://jit.acme.example", more), None).unwrap();
            settings.issuer.unwrap().period.secs()
        };
        assert_eq!(period("[issuer]\nperiod = \"7d\""), 7 * 86_400);
        assert_eq!(period(""), 30 * 86_400);
    }

    #[test]
    fn plain_address_is_for_trying() {
        let file = file("http://127.0.0.1:7878", "");
        assert_eq!(settled(&file, None).unwrap_err().exit.code(), 3);
        let tried = settled(&file, Some("127.0.0.1:9".parse().unwrap())).unwrap();
        assert!(tried.hosts.contains(&"127.0.0.1:7878".to_owned()) && tried.hosts.contains(&"localhost:9".to_owned()));
    }

    #[test]
    fn issuer_that_aws_refuses_is_refused() {
        let port = file("https://jit.acme.example:8443", "");
        let error = settled(&port, None).unwrap_err();
        assert_eq!(error.exit.code(), 3);
        assert!(error.hint.unwrap().contains("[issuer] url"));
        let named = file(
            "https://jit.acme.example:8443",
            "[issuer]\nurl = \"https://id.acme.example\"",
        );
        assert_eq!(settled(&named, None).unwrap().hosts, ["jit.acme.example:8443"]);
    }

    #[test]
    fn database_is_held_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = file("https://jit.acme.example", "");
        file.database = folder.path().join("jit.db");
        file.policy = folder.path().join("policy");
        assert!(
            matches!(Held::take(&file, false), Err(StartError::Configuration(_))),
            "no policy"
        );
        fs::create_dir(&file.policy).unwrap();
        fs::write(&file.database, "").unwrap();
        for (path, mode, mend) in [(&file.database, 0o606, 0o600), (&file.policy, 0o777, 0o755)] {
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
            let error = Held::take(&file, false).unwrap_err().to_string();
            assert_eq!(error, format!("{} can be written by others", path.display()));
            fs::set_permissions(path, Permissions::from_mode(mend)).unwrap();
        }
        let held = Held::take(&file, false).unwrap();
        assert!(matches!(Held::take(&file, false), Err(StartError::InUse { .. })));
        drop(held);
        drop(Held::take(&file, false).unwrap());
    }
}
