//! What `jit serve` was asked for: to try it (`--dev`), to run it (`--config`), or to try what a file sets up.
//! Refuses, in production, an AWS endpoint that does not stand in the file.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::Args;
use crate::config::{Environment, NetworkSettings, ServerFile, shown_url};
use crate::error::{Error, Exit, Result};
use crate::network::Network;
use crate::server::configured::{self, Held};
use crate::server::provider::aws;
use crate::server::settings::{AwsSettings, Settings};
use crate::server::{StartError, dev};

/// What is to be served.
pub(super) enum Plan {
    /// A folder of its own with everything in it.
    Dev {
        listen: SocketAddr,
        data: PathBuf,
        aws: AwsSettings,
    },
    /// What a file sets up; `tries` with local people.
    File {
        path: PathBuf,
        file: Box<ServerFile>,
        tries: bool,
        aws: AwsSettings,
    },
}

/// What this process holds while it serves.
pub(super) enum Holding {
    Dev(dev::Data),
    File { _held: Held },
}

impl Plan {
    /// # Errors
    /// Exit 2 where neither flag is given and for an address beyond loopback, 3 for what the file or the environment says.
    pub(super) fn of(args: Args, env: &Environment) -> Result<Self> {
        let Some(path) = args.config else {
            return Self::dev(args.dev, args.listen, args.data, env);
        };
        if !args.dev {
            refuse_endpoints(env, &path)?;
        }
        let file = ServerFile::read(&path)?;
        if args.dev && !file.listen.ip().is_loopback() {
            let message = format!("{} is not loopback", file.listen.ip());
            return Err(Error::new(Exit::Usage, "usage.listen", message).hint(format!(
                "--dev serves this machine only: listen = \"127.0.0.1:7878\" in {}",
                path.display()
            )));
        }
        let mut aws = reach(env)?;
        aws.endpoint.clone_from(&file.aws_endpoint);
        if args.dev && aws.endpoint.is_none() {
            aws.endpoint = endpoint(env);
        }
        Ok(Self::File {
            path,
            file: Box::new(file),
            tries: args.dev,
            aws,
        })
    }

    fn dev(is_asked_for: bool, listen: SocketAddr, data: PathBuf, env: &Environment) -> Result<Self> {
        if !is_asked_for {
            return Err(Error::usage("serve what? --dev, --config FILE, or both").try_("jit serve --dev"));
        }
        if !listen.ip().is_loopback() {
            let message = format!("{} is not loopback", listen.ip());
            return Err(Error::new(Exit::Usage, "usage.listen", message)
                .hint("--dev serves this machine only: --listen 127.0.0.1:7878"));
        }
        let mut aws = reach(env)?;
        aws.endpoint = endpoint(env);
        Ok(Self::Dev { listen, data, aws })
    }

    pub(super) fn listen(&self) -> SocketAddr {
        match self {
            Self::Dev { listen, .. } => *listen,
            Self::File { file, .. } => file.listen,
        }
    }

    /// Whether it serves `alice` and her fellows.
    pub(super) fn has_local_people(&self) -> bool {
        match self {
            Self::Dev { .. } => true,
            Self::File { tries, .. } => *tries,
        }
    }

    /// What is called in place of AWS's own endpoints.
    pub(super) fn aws_endpoint(&self) -> Option<&str> {
        match self {
            Self::Dev { aws, .. } | Self::File { aws, .. } => aws.endpoint.as_deref(),
        }
    }

    /// How to listen elsewhere.
    pub(super) fn another_address(&self) -> String {
        match self {
            Self::Dev { .. } => "another address: --listen 127.0.0.1:0".to_owned(),
            Self::File { path, .. } => format!("another address: listen in {}", path.display()),
        }
    }

    /// How to use another folder.
    pub(super) fn elsewhere(&self) -> String {
        match self {
            Self::Dev { .. } => "use another folder: --data DIR".to_owned(),
            Self::File { path, .. } => format!("name another place in {}", path.display()),
        }
    }

    /// Takes what this process must have alone.
    ///
    /// # Errors
    /// [`StartError`] where another process has it, or it cannot be used.
    pub(super) fn hold(&self) -> std::result::Result<Holding, StartError> {
        match self {
            Self::Dev { data, .. } => dev::Data::take(data).map(Holding::Dev),
            Self::File { file, tries, .. } => Held::take(file, *tries).map(|_held| Holding::File { _held }),
        }
    }

    /// The settings for a listener at `address`.
    ///
    /// # Errors
    /// [`StartError`] for a sealing key, an address or an AWS profile that is refused.
    pub(super) async fn settings(
        &self,
        held: &Holding,
        address: SocketAddr,
    ) -> std::result::Result<Settings, StartError> {
        match (self, held) {
            (Self::Dev { aws, .. }, Holding::Dev(data)) => dev::settings(data, address, aws.clone()).await,
            (Self::File { file, tries, aws, path }, Holding::File { .. }) => {
                if !tries && let Some(url) = aws::profile_endpoint(aws).await {
                    let message = format!("the AWS profile sends calls elsewhere: {}", shown_url(&url));
                    let hint = format!(
                        "take endpoint_url out of it; an endpoint stands in {}: [aws] endpoint",
                        path.display()
                    );
                    return Err(Error::configuration(message).hint(hint).into());
                }
                let key = file.sealing_key.read_key()?;
                let mut settings = configured::settings(file, key, aws.clone(), tries.then_some(address))?;
                settings.sign_in = configured::sign_in(file)?;
                settings.directories = configured::directories(file)?;
                Ok(settings)
            }
            (Self::Dev { .. }, Holding::File { .. }) | (Self::File { .. }, Holding::Dev(_)) => {
                Err(StartError::Failed("another plan's data".to_owned()))
            }
        }
    }
}

/// AWS, reached as this machine reaches others.
fn reach(env: &Environment) -> Result<AwsSettings> {
    Ok(AwsSettings {
        network: Network::open(&NetworkSettings::find(env))?,
        ..AwsSettings::default()
    })
}

/// What every AWS tool takes for its endpoint: the service's own first.
fn endpoint(env: &Environment) -> Option<String> {
    env.text("AWS_ENDPOINT_URL_STS")
        .or_else(|| env.text("AWS_ENDPOINT_URL"))
        .filter(|url| !url.is_empty())
}

/// Whoever can set a variable of this process could have tokens and calls sent to a place of theirs.
fn refuse_endpoints(env: &Environment, path: &std::path::Path) -> Result<()> {
    let Some(name) = env.endpoint_variables().first() else {
        return Ok(());
    };
    let hint = format!("unset it; an endpoint stands in {}: [aws] endpoint", path.display());
    Err(Error::configuration(format!("{name} is set and sends AWS calls elsewhere")).hint(hint))
}
