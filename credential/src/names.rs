//! Names of servers, people and targets, and how they become names of folders and files.
//! Owns the one normal form of a server's address. Refuses whatever could leave its folder.

use std::fmt;
use std::net::Ipv6Addr;

/// The longest encoded name: what file systems take (255), less the ending of a temporary file.
const LONGEST_ENCODED: usize = 200;

/// A name that can never be right; exit code 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadName {
    /// Not `http(s)://host[:port]`.
    Server(String),
    /// Empty, too long, or with control characters.
    Identity(String),
    /// Not `[a-z0-9][a-z0-9._-]{0,62}`.
    Target(String),
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadName::Server(raw) => write!(f, "no server address: {raw:?}: give  --server https://HOST[:PORT]"),
            BadName::Identity(raw) => write!(f, "no identity: {raw:?}: give  --identity NAME"),
            BadName::Target(raw) => write!(f, "no target name: {raw:?}: run  jit targets"),
        }
    }
}

impl std::error::Error for BadName {}

/// A server's address in its one normal form: `scheme://host[:port]`, lower case, no trailing slash,
/// the scheme's own port left out (RFC 6454 section 6.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(String);

impl Origin {
    /// Normalises an address as people type it. Refuses paths, queries, user names and other schemes.
    pub fn parse(raw: &str) -> Result<Self, BadName> {
        let origin = normal(raw).ok_or_else(|| BadName::Server(raw.to_owned()))?;
        match encoded(&origin).len() {
            0..=LONGEST_ENCODED => Ok(Origin(origin)),
            _ => Err(BadName::Server(raw.to_owned())),
        }
    }

    /// The normal form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn normal(raw: &str) -> Option<String> {
    let lower = raw.to_ascii_lowercase();
    let (scheme, rest) = lower.split_once("://")?;
    let own_port = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match rest.strip_prefix('[') {
        Some(six) => {
            let (address, after) = six.split_once(']')?;
            let address: Ipv6Addr = address.parse().ok()?;
            let port = if after.is_empty() {
                None
            } else {
                Some(after.strip_prefix(':')?)
            };
            (format!("[{address}]"), port)
        }
        None => match rest.split_once(':') {
            Some((host, port)) => (host.to_owned(), Some(port)),
            None => (rest.to_owned(), None),
        },
    };
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    if !host.starts_with('[') && (host.is_empty() || !host.bytes().all(plain)) {
        return None;
    }
    let port = match port {
        None => own_port,
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse::<u16>().ok().filter(|p| *p != 0)?,
        Some(_) => return None,
    };
    Some(if port == own_port {
        format!("{scheme}://{host}")
    } else {
        format!("{scheme}://{host}:{port}")
    })
}

/// Who asks whom: an identity at a server. Nothing in the cache is ever shared by two accounts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Account {
    origin: Origin,
    identity: String,
}

impl Account {
    /// Refuses an identity that is empty, has control characters, or is too long for a folder's name.
    pub fn new(origin: Origin, identity: &str) -> Result<Self, BadName> {
        let bad =
            identity.is_empty() || identity.chars().any(char::is_control) || encoded(identity).len() > LONGEST_ENCODED;
        if bad {
            return Err(BadName::Identity(identity.to_owned()));
        }
        Ok(Account {
            origin,
            identity: identity.to_owned(),
        })
    }

    /// The server.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The name of the person at that server.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// `ORIGIN/IDENTITY` below the cache's root.
    pub fn folder(&self) -> String {
        let mut folder = encoded(&self.origin.0);
        folder.push('/');
        encode(&self.identity, &mut folder);
        folder
    }

    /// The account that such a folder belongs to; `None` for anything that `folder` did not make.
    pub(crate) fn from_folder(folder: &str) -> Option<Self> {
        let (origin, identity) = folder.split_once('/')?;
        let account = Account::new(Origin::parse(&decoded(origin)?).ok()?, &decoded(identity)?).ok()?;
        (account.folder() == folder).then_some(account)
    }
}

/// Whether a name can be a target's: `[a-z0-9][a-z0-9._-]{0,62}`, or two of those with a slash between them.
pub fn is_target(name: &str) -> bool {
    let (name, account) = name.split_once('/').unwrap_or((name, "x"));
    is_plain(name) && is_plain(account)
}

fn is_plain(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=63).contains(&name.len())
        && name.as_bytes().first().is_some_and(|b| plain(*b))
        && name.bytes().all(|b| plain(b) || b"._-".contains(&b))
}

/// Appends `name`, percent-encoded outside `[A-Za-z0-9_-]`.
pub(crate) fn encode(name: &str, to: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' {
            to.push(char::from(byte));
        } else {
            to.push('%');
            to.push(char::from(HEX[usize::from(byte >> 4)]));
            to.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

fn encoded(name: &str) -> String {
    let mut to = String::with_capacity(name.len() * 2);
    encode(name, &mut to);
    to
}

/// Takes back `encode`; `None` for what it could not have made.
pub(crate) fn decoded(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let hex = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?
            }
            _ => byte,
        });
    }
    let plain = String::from_utf8(bytes).ok()?;
    (encoded(&plain) == name).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(raw: &str) -> Option<String> {
        Origin::parse(raw).ok().map(|o| o.to_string())
    }

    #[test]
    fn addresses_of_one_server_have_one_form() {
        for raw in [
            "https://jit.acme.example",
            "HTTPS://Jit.ACME.example:443/",
            "https://jit.acme.example/",
        ] {
            assert_eq!(origin(raw).as_deref(), Some("https://jit.acme.example"), "{raw}");
        }
        assert_eq!(
            origin("http://127.0.0.1:7878/").as_deref(),
            Some("http://127.0.0.1:7878")
        );
        assert_eq!(origin("http://[0:0::1]:7878").as_deref(), Some("http://[::1]:7878"));
        assert_eq!(origin("http://h:80").as_deref(), Some("http://h"));
        assert_eq!(origin("https://h:80").as_deref(), Some("https://h:80"));
    }

    #[test]
    fn address_that_is_no_origin_is_refused() {
        for raw in [
            "",
            "h",
            "ftp://h",
            "https://",
            "https://h/path",
            "https://u@h",
            "https://h?q",
            "https://h#f",
            "https://h:0",
            "https://h:99999",
            "https://h:+1",
            "https://h:",
            "https://h\\x",
            "https://h h",
            "https://h\n",
            "https://é",
            "https://[::1",
            "https://[::1]x",
            "https://[g::]",
            "https:///",
            "https://h//",
        ] {
            assert_eq!(origin(raw), None, "{raw:?}");
        }
        assert_eq!(origin(&format!("https://{}", "a.".repeat(200))), None);
    }

    #[test]
    fn folder_names_decode_to_their_account() {
        for identity in [
            "alice",
            "ana@acme.example",
            "..",
            "a/b",
            "current",
            "Ünal",
            "a%2Fb",
            " ",
            "A_b-C",
        ] {
            let account = Account::new(Origin::parse("https://h:8443").unwrap(), identity).unwrap();
            let folder = account.folder();
            assert_eq!(folder.matches('/').count(), 1);
            assert!(!folder.contains('.'), "{folder}");
            assert_eq!(Account::from_folder(&folder), Some(account));
        }
    }

    #[test]
    fn folder_that_we_did_not_write_names_nobody() {
        for folder in [
            "",
            "alice",
            "../x",
            "https%3A%2F%2Fh/../x",
            "https%3a%2f%2fh/alice",
            "https%3A%2F%2Fh/",
            "https%3A%2F%2FH/a",
            "https%3A%2F%2Fh/a/b",
            "https%3A%2F%2Fh/a%2",
            "https%3A%2F%2Fh/%+1",
        ] {
            assert_eq!(Account::from_folder(folder), None, "{folder}");
        }
    }

    #[test]
    fn identity_with_control_characters_is_refused() {
        for identity in ["", "a\nb", "a\0b", &"x".repeat(300)] {
            let server = Origin::parse("https://h").unwrap();
            assert!(Account::new(server, identity).is_err(), "{identity:?}");
        }
    }

    #[test]
    fn target_names_follow_the_catalogue_rule() {
        for good in ["a", "prod-admin", "0.a_b", "a/111122223333", &"x".repeat(63)] {
            assert!(is_target(good), "{good}");
        }
        for bad in [
            "",
            "-a",
            ".a",
            "A",
            "a/",
            "/a",
            "a/..",
            "a/b/c",
            "a b",
            "é",
            &"x".repeat(64),
        ] {
            assert!(!is_target(bad), "{bad}");
        }
    }
}
