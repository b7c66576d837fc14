//! `[[workload_issuer]]`: who makes the tokens by which jobs and machines sign in.
//! Owns what can be right of them. Refuses two of one name or one issuer: nobody could tell whose a token is.

use serde::Deserialize;
use toml::Spanned;

use super::Source;
use super::sign_in::{IdentityProvider, TokenAlgorithm};
use crate::domain::WorkloadKind;
use crate::error::Result;

/// The issuer of tokens of GitHub Actions, but for servers of one's own.
const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// Keys of one.
pub(super) const KEYS: &[&str] = &["name", "issuer", "kind", "audience", "algorithms", "started_by"];

/// An issuer of workloads' tokens, as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadIssuer {
    /// As people see it.
    pub name: String,
    /// Its issuer, as it stands in tokens, letter by letter.
    pub issuer: String,
    /// What it is.
    pub kind: WorkloadKind,
    /// Whom its tokens are for, where that is not the backend's own address.
    pub audience: Option<String>,
    /// How its tokens may be signed.
    pub algorithms: Vec<TokenAlgorithm>,
    /// The claim that has the id of who started a job. GitHub's is known; without one, nobody starts these.
    pub started_by: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Written {
    name: Option<Spanned<String>>,
    issuer: Option<Spanned<String>>,
    kind: Option<Spanned<String>>,
    audience: Option<Spanned<String>>,
    algorithms: Option<Spanned<Vec<Spanned<String>>>>,
    started_by: Option<Spanned<String>>,
}

impl Source<'_> {
    pub(super) fn workload_issuers(
        &self,
        written: &[Spanned<Written>],
        people: &[IdentityProvider],
    ) -> Result<Vec<WorkloadIssuer>> {
        let mut issuers: Vec<WorkloadIssuer> = Vec::new();
        for one in written {
            let issuer = self.workload_issuer(one)?;
            let twice = |what: &str| Err(self.wrong(&one.span(), &format!("two of workload_issuer have {what}")));
            if issuers.iter().any(|other| other.name == issuer.name) {
                return twice(&format!("the name {}", issuer.name));
            }
            if issuers.iter().any(|other| other.issuer == issuer.issuer) {
                return twice(&format!("the issuer {}", issuer.issuer));
            }
            // a person's ID token would be a workload's
            let is_peoples = |provider: &&IdentityProvider| {
                provider.issuer == issuer.issuer && issuer.audience.as_ref() == Some(&provider.client_id)
            };
            if let Some(provider) = people.iter().find(is_peoples) {
                let what = format!("audience of {} is the client_id of [[sign_in]]", provider.name);
                return Err(self
                    .wrong(&one.span(), &what)
                    .hint("leave audience out, or name another"));
            }
            issuers.push(issuer);
        }
        Ok(issuers)
    }

    fn workload_issuer(&self, one: &Spanned<Written>) -> Result<WorkloadIssuer> {
        let table = one.get_ref();
        let missing = |key: &str, example: &str| {
            self.wrong(&one.span(), &format!("{key} is missing in [[workload_issuer]]"))
                .hint(format!("such as  {key} = \"{example}\""))
        };
        let name = table.name.as_ref().ok_or_else(|| missing("name", "github"))?;
        let issuer = table.issuer.as_ref().ok_or_else(|| missing("issuer", GITHUB))?;
        let kind = table.kind.as_ref().ok_or_else(|| missing("kind", "github"))?;
        let kind = self.kind(kind)?;
        if let Some(started_by) = table.started_by.as_ref().filter(|_| kind == WorkloadKind::Github) {
            let what = "started_by of GitHub is known";
            return Err(self.wrong(&started_by.span(), what).hint("leave it out"));
        }
        // whoever may run a workflow anywhere in the world has tokens of it
        if issuer.get_ref().trim_end_matches('/') == GITHUB && kind != WorkloadKind::Github {
            return Err(self.wrong(&issuer.span(), "this issuer is of kind github"));
        }
        let algorithms = match (&table.algorithms, kind) {
            (Some(written), _) => self.algorithms(Some(written))?,
            (None, WorkloadKind::Github) => vec![TokenAlgorithm::Rs256],
            (None, WorkloadKind::Aws) => vec![TokenAlgorithm::Es384, TokenAlgorithm::Rs256],
            (None, WorkloadKind::Generic) => self.algorithms(None)?,
        };
        let plain = |key: &str, written: &Option<Spanned<String>>| {
            let written = written.as_ref();
            written.map(|written| self.plain(key, written)).transpose()
        };
        Ok(WorkloadIssuer {
            name: self.provider_name("workload_issuer", name)?,
            issuer: self.identity_issuer(issuer)?,
            kind,
            audience: plain("audience", &table.audience)?,
            algorithms,
            started_by: plain("started_by", &table.started_by)?,
        })
    }

    fn kind(&self, written: &Spanned<String>) -> Result<WorkloadKind> {
        WorkloadKind::parse(written.get_ref()).ok_or_else(|| {
            let known: Vec<&str> = WorkloadKind::ALL.iter().map(|kind| kind.as_str()).collect();
            let message = format!("no kind of issuer: {:?}", written.get_ref());
            self.wrong(&written.span(), &message)
                .hint(format!("one of {}", known.join(", ")))
        })
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

[[workload_issuer]]
name = "github"
issuer = "https://token.actions.githubusercontent.com"
kind = "github"

[[workload_issuer]]
name = "gitlab"
issuer = "https://gitlab.com"
kind = "generic"
audience = "jit"
algorithms = ["ES256"]
started_by = "user_id"

[[workload_issuer]]
name = "payments"
issuer = "https://11111111-2222-3333-4444-555555555555.tokens.sts.global.api.aws"
kind = "aws"
"#;

    fn parse(text: &str) -> Result<ServerFile> {
        ServerFile::parse(text, Path::new("/etc/jit/jit.toml"), Path::new("/etc/jit"))
    }

    #[test]
    fn file_names_several_issuers_of_workloads() {
        let file = parse(WHOLE).unwrap();
        let [github, gitlab, aws] = file.workload_issuers.as_slice() else {
            panic!("{:?}", file.workload_issuers)
        };
        assert_eq!((github.kind, &github.audience), (WorkloadKind::Github, &None));
        assert_eq!(github.algorithms, [TokenAlgorithm::Rs256]);
        assert_eq!(gitlab.audience.as_deref(), Some("jit"));
        assert_eq!(gitlab.started_by.as_deref(), Some("user_id"));
        assert_eq!(gitlab.algorithms, [TokenAlgorithm::Es256]);
        assert_eq!(aws.algorithms, [TokenAlgorithm::Es384, TokenAlgorithm::Rs256]);
    }

    #[test]
    fn issuer_that_cannot_be_right_is_refused_with_its_place() {
        for (from, to, what, hint) in [
            (
                "audience = ",
                "audiense = ",
                "15:1: no key named audiense in [workload_issuer]",
                "did you mean audience?",
            ),
            (
                "[[workload_issuer]]",
                "[[workload_issuers]]",
                "6:3: no key named workload_issuers",
                "did you mean workload_issuer?",
            ),
            (
                "kind = \"github\"",
                "kind = \"git\"",
                "9:8: no kind of issuer: \"git\"",
                "github, aws, generic",
            ),
            (
                "kind = \"github\"",
                "kind = \"github\"\nstarted_by = \"actor\"",
                "10:14: started_by of GitHub is known",
                "leave it out",
            ),
            (
                "kind = \"github\"\n",
                "",
                "6:1: kind is missing in [[workload_issuer]]",
                "kind =",
            ),
            (
                "https://gitlab",
                "http://gitlab",
                "issuer is not encrypted: http://gitlab.com",
                "https://",
            ),
            ("https://gitlab.com", "https://gitlab.com?a=b", "issuer has a query", ""),
            (
                "\"gitlab\"",
                "\"github\"",
                "two of workload_issuer have the name github",
                "",
            ),
            (
                "https://gitlab.com",
                "https://11111111-2222-3333-4444-555555555555.tokens.sts.global.api.aws",
                "two of workload_issuer have the issuer",
                "",
            ),
            (
                "https://gitlab.com",
                "https://token.actions.githubusercontent.com",
                "13:10: this issuer is of kind github",
                "",
            ),
            (
                "\"ES256\"",
                "\"HS256\"",
                "no algorithm that tokens may be signed with: \"HS256\"",
                "RS256",
            ),
            ("\"jit\"", "\"a b\"", "audience has 1 to 255 printable characters", ""),
        ] {
            assert!(WHOLE.contains(from), "{from}");
            let error = parse(&WHOLE.replacen(from, to, 1)).expect_err(to);
            assert_eq!(error.exit.code(), 3, "{to}");
            assert!(error.message.contains(what), "{to}: {error}");
            assert!(
                error.hint.clone().unwrap_or_default().contains(hint),
                "{to}: {:?}",
                error.hint
            );
        }
    }

    #[test]
    fn attack_18_tokens_of_people_are_no_workloads() {
        let both = format!(
            "{WHOLE}\n[[sign_in]]\nname = \"gitlab\"\nissuer = \"https://gitlab.com\"\nclient_id = \"people\"\nclient_secret = {{ file = \"s\" }}\nrequire = {{ hd = \"acme.example\" }}\n"
        );
        assert_eq!(parse(&both).unwrap().workload_issuers.len(), 3);
        let refused = parse(&both.replace("\"people\"", "\"jit\"")).unwrap_err();
        assert!(
            refused
                .message
                .contains("audience of gitlab is the client_id of [[sign_in]]"),
            "{refused}"
        );
    }
}
