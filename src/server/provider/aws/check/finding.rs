//! What a look at an account found: how bad, where, what, and how to mend it.
//! Owns the stable names of findings. Refuses to print.

use std::fmt;

use serde::{Serialize, Serializer};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Somebody can have access that was not approved, or for longer.
    Hole,
    /// What jit asks for would be refused.
    Fault,
    /// Worth a look; nothing is open and nothing broken.
    Note,
}

/// What it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// There is no provider for our issuer.
    ProviderMissing,
    /// The provider takes tokens for others than us.
    ProviderAudience,
    /// The role does not exist.
    RoleMissing,
    /// A role of this name lies elsewhere.
    RoleElsewhere,
    /// The role's longest session is not what the catalogue needs.
    MaximumSession,
    /// A document that cannot be understood.
    Unreadable,
    /// Somebody else can enter.
    OtherPrincipal,
    /// `NotPrincipal`, `NotAction` or `NotResource` in an Allow.
    Inverted,
    /// More actions than jit needs.
    WiderActions,
    /// An action that jit needs is not allowed.
    MissingAction,
    /// `sub` is not pinned to the target.
    Subject,
    /// `aud` is not pinned to us.
    Audience,
    /// No source identity is demanded.
    SourceIdentity,
    /// No request tag is demanded.
    RequestTag,
    /// Other tags may be set.
    TagKeys,
    /// jit itself cannot enter.
    Shut,
    /// The permissions boundary is not ours.
    Boundary,
    /// The permissions boundary denies less than it should.
    BoundaryWider,
    /// The kill switch may do more than it needs.
    KillSwitchWider,
    /// The kill switch cannot do its work.
    KillSwitchShut,
    /// A role that trusts our issuer and that no target names, or a kill switch that no target has.
    Unused,
}

impl Kind {
    /// The name that programs read.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProviderMissing => "provider-missing",
            Self::ProviderAudience => "provider-audience",
            Self::RoleMissing => "role-missing",
            Self::RoleElsewhere => "role-elsewhere",
            Self::MaximumSession => "maximum-session",
            Self::Unreadable => "unreadable",
            Self::OtherPrincipal => "other-principal",
            Self::Inverted => "inverted",
            Self::WiderActions => "wider-actions",
            Self::MissingAction => "missing-action",
            Self::Subject => "subject",
            Self::Audience => "audience",
            Self::SourceIdentity => "source-identity",
            Self::RequestTag => "request-tag",
            Self::TagKeys => "tag-keys",
            Self::Shut => "shut",
            Self::Boundary => "boundary",
            Self::BoundaryWider => "boundary-wider",
            Self::KillSwitchWider => "kill-switch-wider",
            Self::KillSwitchShut => "kill-switch-shut",
            Self::Unused => "unused",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Where: `role/jit/jit-prod-admin`, `policy/jit/jit-boundary`, `oidc-provider/jit.acme.example`.
    pub place: String,
    /// What it is about.
    pub kind: Kind,
    /// What was found. Holds text from the account: escaped where it is printed.
    pub what: String,
    /// What to do.
    pub mend: String,
}

/// Findings of one place.
#[derive(Debug)]
pub struct Findings {
    place: String,
    found: Vec<Finding>,
}

impl Findings {
    /// None yet.
    pub fn of(place: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            found: Vec::new(),
        }
    }

    /// One more that lets somebody in.
    pub fn hole(&mut self, kind: Kind, what: impl Into<String>, mend: impl Into<String>) {
        self.add(Severity::Hole, kind, what.into(), mend.into());
    }

    /// One more that keeps jit out.
    pub fn fault(&mut self, kind: Kind, what: impl Into<String>, mend: impl Into<String>) {
        self.add(Severity::Fault, kind, what.into(), mend.into());
    }

    /// One more to look at.
    pub fn note(&mut self, kind: Kind, what: impl Into<String>, mend: impl Into<String>) {
        self.add(Severity::Note, kind, what.into(), mend.into());
    }

    fn add(&mut self, severity: Severity, kind: Kind, what: String, mend: String) {
        let place = self.place.clone();
        self.found.push(Finding {
            severity,
            place,
            kind,
            what,
            mend,
        });
    }

    /// All of them.
    pub fn into_vec(self) -> Vec<Finding> {
        self.found
    }
}
