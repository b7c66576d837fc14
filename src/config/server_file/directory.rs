//! `[[directory]]`: what pushes people and groups here (SCIM).
//! Owns what can be right of one. Refuses two of one name or of one issuer, and a token without an end.

use serde::Deserialize;
use toml::Spanned;

use super::sign_in::IdentityProvider;
use super::{Secret, SecretSource, Source};
use crate::domain::Timestamp;
use crate::error::Result;

/// Issuer of people that the backend knows by itself.
const LOCAL: &str = "local";

/// Keys of one.
pub(super) const KEYS: &[&str] = &["name", "issuer", "groups", "token", "until", "next_token", "next_until"];

/// A directory, as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// As the catalogue calls it.
    pub name: String,
    /// The issuer of its people.
    pub issuer: String,
    /// Names and ids of the groups that it may write; a `*` at the end stands for any ending.
    pub groups: Vec<String>,
    /// What it shows, and before when: one, or two while they are changed.
    pub tokens: Vec<(SecretSource, Timestamp)>,
}

#[derive(Deserialize)]
pub(super) struct Written {
    name: Option<Spanned<String>>,
    issuer: Option<Spanned<String>>,
    groups: Option<Spanned<Vec<Spanned<String>>>>,
    token: Option<Spanned<Secret>>,
    until: Option<Spanned<String>>,
    next_token: Option<Spanned<Secret>>,
    next_until: Option<Spanned<String>>,
}

impl Source<'_> {
    pub(super) fn directories(
        &self,
        written: &[Spanned<Written>],
        sign_in: &[IdentityProvider],
    ) -> Result<Vec<Directory>> {
        let mut directories: Vec<Directory> = Vec::new();
        for one in written {
            let directory = self.directory(one, sign_in)?;
            let twice = |what: &str| Err(self.wrong(&one.span(), &format!("two of directory have {what}")));
            if directories.iter().any(|other| other.name == directory.name) {
                return twice(&format!("the name {}", directory.name));
            }
            if directories.iter().any(|other| other.issuer == directory.issuer) {
                return twice(&format!("the issuer {}", directory.issuer));
            }
            directories.push(directory);
        }
        Ok(directories)
    }

    fn directory(&self, one: &Spanned<Written>, sign_in: &[IdentityProvider]) -> Result<Directory> {
        let table = one.get_ref();
        let missing = |key: &str, example: &str| {
            self.wrong(&one.span(), &format!("{key} is missing in [[directory]]"))
                .hint(format!("such as  {key} = {example}"))
        };
        let name = table.name.as_ref().ok_or_else(|| missing("name", "\"acme\""))?;
        let issuer = table.issuer.as_ref();
        let issuer = issuer.ok_or_else(|| missing("issuer", "\"https://acme.okta.com\""))?;
        let groups = table.groups.as_ref();
        let groups = groups.ok_or_else(|| missing("groups", "[\"jit-payments\", \"jit-security\"]"))?;
        let token = table.token.as_ref();
        let token = token.ok_or_else(|| missing("token", "{ file = \"acme-scim.token\" }"))?;
        let until = table.until.as_ref();
        let until = until.ok_or_else(|| missing("until", "\"2027-06-30T00:00:00Z\""))?;
        let mut tokens = vec![(self.token("token", token)?, self.until(until)?)];
        match (&table.next_token, &table.next_until) {
            (Some(token), Some(until)) => tokens.push((self.token("next_token", token)?, self.until(until)?)),
            (None, None) => {}
            (Some(_), None) => return Err(missing("next_until", "\"2028-06-30T00:00:00Z\"")),
            (None, Some(_)) => return Err(missing("next_token", "{ file = \"acme-scim-2.token\" }")),
        }
        Ok(Directory {
            name: self.provider_name("directory", name)?,
            issuer: self.issuer_of_people(issuer, sign_in)?,
            groups: self.own_groups(groups)?,
            tokens,
        })
    }

    fn token(&self, key: &str, written: &Spanned<Secret>) -> Result<SecretSource> {
        self.secret(key, ("token", "JIT_SCIM_TOKEN"), written)
    }

    fn until(&self, written: &Spanned<String>) -> Result<Timestamp> {
        Timestamp::parse(written.get_ref()).map_err(|_| {
            self.wrong(
                &written.span(),
                &format!("until is no instant: {:?}", written.get_ref()),
            )
            .hint("such as  until = \"2027-06-30T00:00:00Z\"")
        })
    }

    fn issuer_of_people(&self, written: &Spanned<String>, sign_in: &[IdentityProvider]) -> Result<String> {
        let issuer = written.get_ref();
        let known = sign_in.iter().any(|provider| provider.issuer == *issuer);
        if known || issuer == LOCAL {
            return Ok(issuer.clone());
        }
        Err(self
            .wrong(&written.span(), &format!("nobody signs in at issuer {issuer:?}"))
            .hint("name the issuer of a [[sign_in]], letter by letter"))
    }

    fn own_groups(&self, written: &Spanned<Vec<Spanned<String>>>) -> Result<Vec<String>> {
        if written.get_ref().is_empty() {
            return Err(self
                .wrong(&written.span(), "groups names none")
                .hint("names, or the directory's own ids: groups = [\"jit-payments\"]"));
        }
        let read = |name: &Spanned<String>| {
            let text = name.get_ref();
            let inside = text.strip_suffix('*').unwrap_or(text);
            let fits = !text.is_empty() && text.trim() == text && !inside.contains('*');
            match fits && !text.chars().any(char::is_control) {
                true => Ok(text.clone()),
                false => Err(self
                    .wrong(&name.span(), &format!("no name of a group: {text:?}"))
                    .hint("a * stands at the end alone: groups = [\"jit-*\"]")),
            }
        };
        written.get_ref().iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::ServerFile;

    const WHOLE: &str = r#"public_url = "https://jit.acme.example"
policy = "policy"
database = "jit.db"
sealing_key = { keyring = "k" }

[[sign_in]]
name = "acme"
issuer = "https://acme.okta.com"
client_id = "0oa1"
client_secret = { file = "client.secret" }
subject_claim = "oid"

[[directory]]
name = "acme"
issuer = "https://acme.okta.com"
groups = ["jit-*", "0a1b"]
token = { file = "scim.token" }
until = "2027-06-30T00:00:00Z"
next_token = { environment = "NEXT_TOKEN" }
next_until = "2028-06-30T00:00:00Z"
"#;

    fn parse(text: &str) -> Result<ServerFile> {
        ServerFile::parse(text, Path::new("/etc/jit/jit.toml"), Path::new("/etc/jit"))
    }

    #[test]
    fn file_names_a_directory_with_two_tokens() {
        let file = parse(WHOLE).unwrap();
        let [acme] = file.directories.as_slice() else {
            panic!("{:?}", file.directories)
        };
        assert_eq!((&*acme.name, &*acme.issuer), ("acme", "https://acme.okta.com"));
        assert_eq!(acme.groups, ["jit-*", "0a1b"]);
        let [(first, _), (next, until)] = acme.tokens.as_slice() else {
            panic!("{:?}", acme.tokens)
        };
        assert_eq!(*first, SecretSource::File("/etc/jit/scim.token".into()));
        assert_eq!(*next, SecretSource::Environment("NEXT_TOKEN".into()));
        assert_eq!(until.to_string(), "2028-06-30T00:00:00Z");
        assert_eq!(file.sign_in[0].subject_claim.as_deref(), Some("oid"));
    }

    #[test]
    fn directory_that_cannot_be_right_is_refused_with_its_place() {
        for (from, to, what) in [
            ("groups =", "group =", "16:1: no key named group in [directory]"),
            (
                "groups = [\"jit-*\", \"0a1b\"]\n",
                "",
                "groups is missing in [[directory]]",
            ),
            ("[\"jit-*\", \"0a1b\"]", "[]", "groups names none"),
            ("\"jit-*\"", "\"j*t\"", "no name of a group: \"j*t\""),
            ("\"jit-*\"", "\" jit\"", "no name of a group: \" jit\""),
            (
                "until = \"2027-06-30T00:00:00Z\"\n",
                "",
                "until is missing in [[directory]]",
            ),
            ("2027-06-30T00:00:00Z", "soon", "until is no instant: \"soon\""),
            ("next_until = \"2028-06-30T00:00:00Z\"\n", "", "next_until is missing"),
            (
                "next_token = { environment = \"NEXT_TOKEN\" }\n",
                "",
                "next_token is missing",
            ),
            ("{ file = \"scim.token\" }", "{}", "token needs exactly one of file"),
            (
                "issuer = \"https://acme.okta.com\"\ngroups",
                "issuer = \"https://other.okta.com\"\ngroups",
                "nobody signs in at issuer \"https://other.okta.com\"",
            ),
            ("\"oid\"", "\"email\"", "subject_claim may change: email"),
            ("\"oid\"", "\"upn\"", "subject_claim may change: upn"),
        ] {
            assert!(WHOLE.contains(from), "{from}");
            let error = parse(&WHOLE.replacen(from, to, 1)).expect_err(to);
            assert_eq!(error.exit.code(), 3, "{to}");
            assert!(error.message.contains(what), "{to}: {error}");
        }
        let at = WHOLE.find("[[directory]]").unwrap();
        let twice = format!("{WHOLE}{}", &WHOLE[at..]);
        assert!(
            parse(&twice)
                .unwrap_err()
                .message
                .contains("two of directory have the name")
        );
        let other = format!("{WHOLE}{}", WHOLE[at..].replacen("\"acme\"", "\"other\"", 1));
        assert!(
            parse(&other)
                .unwrap_err()
                .message
                .contains("two of directory have the issuer")
        );
    }
}
