//! What only security may write. A team's file that touches it is a finding, whatever it says.

use toml::Spanned;

use super::shape::{Document, Named};
use crate::policy::finding::{Finding, Source};

/// Everything in `document` that its file may not hold.
pub(super) fn trespasses(source: &Source<'_>, document: &Document) -> Vec<Finding> {
    if source.is_security() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    if let Some(organisation) = &document.organisation {
        findings.push(trespass(source, organisation.span(), "`organisation`"));
    }
    if let Some(instance) = &document.identity_center {
        findings.push(trespass(source, instance.span(), "`identity-center`"));
    }
    refuse_all(source, "account", &document.account, &mut findings);
    refuse_all(source, "accounts", &document.accounts, &mut findings);
    refuse_all(source, "environment", &document.environment, &mut findings);
    refuse_all(source, "group", &document.group, &mut findings);
    refuse_all(source, "human", &document.human, &mut findings);
    findings
}

fn refuse_all<T>(source: &Source<'_>, what: &str, named: &Named<T>, findings: &mut Vec<Finding>) {
    let refused = |name: &Spanned<String>| trespass(source, name.span(), &format!("{what} `{}`", name.get_ref()));
    findings.extend(named.keys().map(refused));
}

fn trespass(source: &Source<'_>, at: std::ops::Range<usize>, what: &str) -> Finding {
    source
        .finding(at, format!("{what} stands outside security/"))
        .with_hint("files outside security/ hold targets and workflows")
}
