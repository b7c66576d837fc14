//! The ways by which jit, and nobody else, should enter a role.
//! Owns what each must demand. Refuses documents: `trust` reads them.

use super::demand::{Demand, Fit};
use super::finding::Kind;
use crate::server::provider::aws::AUDIENCE;
use crate::server::provider::aws::bootstrap::{KillRole, PERSON, Plan, REQUEST, RolePlan};
use crate::server::provider::aws::names::REQUEST_TAG;

/// A way in.
#[derive(Clone, Debug)]
pub struct Entrance {
    /// The kind of its principal.
    pub principal_kind: &'static str,
    /// Its principal.
    pub principal: String,
    /// The action that enters.
    pub enter: &'static str,
    /// The actions that go with it.
    pub beside: Vec<&'static str>,
    /// What the statement that enters must demand.
    pub demands: Vec<Demand>,
    /// Whether it must keep other tags out.
    pub keeps_tags: bool,
}

const TAG: &str = "sts:TagSession";
const SOURCE: &str = "sts:SetSourceIdentity";

impl Entrance {
    /// The ways into a target's role.
    pub fn of_role(plan: &Plan, role: &RolePlan) -> Vec<Self> {
        let subject = format!("{}{PERSON}", role.subject_prefix(plan.partition, &plan.account));
        let by_token = Self::by_token(plan, Fit::Like(subject)).filter(|_| role.by_token);
        let by_backend = Self::by_backend(plan).filter(|_| role.by_backend);
        let mut entrances = Vec::new();
        entrances.extend(by_token.map(Self::traced));
        entrances.extend(by_backend.map(|way| if role.is_traced { way.traced() } else { way.untraced() }));
        entrances
    }

    /// The ways into the kill switch's role.
    pub fn of_kill_switch(plan: &Plan, kill: &KillRole) -> Vec<Self> {
        let by_token = Self::by_token(plan, Fit::Exactly(plan.kill_subject())).filter(|_| kill.by_token);
        let by_backend = Self::by_backend(plan).filter(|_| kill.by_backend);
        by_token.into_iter().chain(by_backend).collect()
    }

    fn by_token(plan: &Plan, subject: Fit) -> Option<Self> {
        let issuer = plan.issuer_name()?;
        let demand = |kind, key: &str, fit| Demand {
            kind,
            key: format!("{issuer}:{key}"),
            fit,
        };
        Some(Self {
            principal_kind: "Federated",
            principal: plan.provider_arn()?,
            enter: "sts:AssumeRoleWithWebIdentity",
            beside: Vec::new(),
            demands: vec![
                demand(Kind::Subject, "sub", subject),
                demand(Kind::Audience, "aud", Fit::Exactly(AUDIENCE.to_owned())),
            ],
            keeps_tags: false,
        })
    }

    fn by_backend(plan: &Plan) -> Option<Self> {
        Some(Self {
            principal_kind: "AWS",
            principal: plan.backend.clone()?,
            enter: "sts:AssumeRole",
            beside: Vec::new(),
            demands: Vec::new(),
            keeps_tags: false,
        })
    }

    fn traced(mut self) -> Self {
        let demand = |kind, key: String, like: &str| Demand {
            kind,
            key,
            fit: Fit::Like(like.to_owned()),
        };
        self.demands.extend([
            demand(Kind::SourceIdentity, "sts:SourceIdentity".to_owned(), PERSON),
            demand(Kind::RequestTag, format!("aws:RequestTag/{REQUEST_TAG}"), REQUEST),
        ]);
        self.keeps_tags = true;
        self.untraced()
    }

    /// Some targets of the role set tag and source identity, others do not.
    fn untraced(mut self) -> Self {
        self.beside = vec![SOURCE, TAG];
        self
    }

    /// Every action that jit needs here.
    pub fn actions(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.enter).chain(self.beside.iter().copied())
    }

    /// Whether a statement names its principal.
    pub fn is_of(&self, (kind, principal): &(String, String)) -> bool {
        kind == self.principal_kind && *principal == self.principal
    }
}
