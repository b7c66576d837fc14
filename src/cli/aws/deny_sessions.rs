//! `jit aws deny-sessions`: the service control policy that shuts out sessions of a permission set that live on, and
//! whether it is attached. Refuses to attach it: whoever does so sees what it denies.

use serde::Serialize;

use super::super::Ctx;
use super::super::context::Desk;
use super::check::{endpoints, shell, unread};
use crate::domain::Assignment;
use crate::domain::request::Body;
use crate::domain::time::Timestamp;
use crate::error::{Error, Exit, Result};
use crate::server::provider::aws::check::{AttachedPolicy, Denied, Over, Reader, SessionDeny, ShellClients};
use crate::ui::{State, short_id};
use crate::wire::{GrantView, RequestView};

/// What looking may have to be allowed.
const NEEDS: &str =
    "it needs organizations:DescribeOrganization, ListParents, ListPoliciesForTarget and DescribePolicy";

/// Print the policy that shuts sessions out
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jit aws deny-sessions req_7h3kq2 > deny.json\n  AWS_PROFILE=management jit aws deny-sessions req_7h3kq2 --check\n\nFor targets in Identity Center. Attach it in AWS Organizations to the account, a unit above it, or the root:\nit denies everything to sessions that this person has begun of this permission set."
)]
pub(super) struct Args {
    /// Request behind the grant
    request: String,
    /// Look whether it is attached
    #[arg(long)]
    check: bool,
}

#[derive(Serialize)]
struct Checked<'a> {
    request: &'a str,
    account: &'a str,
    user: &'a str,
    begun_before: Timestamp,
    denied: bool,
    /// Whether the last of them is dead.
    over: bool,
    /// Why others can be begun, where they can: `live`, `also-held`, `pre-existing` or `through-group`.
    goes_on: Option<GoesOn>,
    by: Vec<By<'a>>,
}

#[derive(Serialize)]
struct By<'a> {
    id: &'a str,
    name: &'a str,
    target: &'a str,
}

/// Whose sessions of what.
struct Sessions {
    request: RequestView,
    assignment: Assignment,
    user: String,
    /// Why others can be begun, where they can.
    goes_on: Option<GoesOn>,
    /// Until when one was begun.
    until: Timestamp,
}

/// Why there is access still.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
enum GoesOn {
    /// The grant is not over.
    Live,
    /// Another grant holds the same.
    AlsoHeld,
    /// It was there before jit gave it.
    PreExisting,
    /// A group that they are in has it.
    ThroughGroup,
}

impl GoesOn {
    fn of(grant: &GrantView) -> Option<Self> {
        match grant.ended_at {
            None => Some(Self::Live),
            Some(_) if grant.also_held => Some(Self::AlsoHeld),
            Some(_) if grant.through_group => Some(Self::ThroughGroup),
            Some(_) if grant.pre_existing => Some(Self::PreExisting),
            Some(_) => None,
        }
    }

    /// What is the matter, and what to do about it.
    fn words(self, who: &str, id: &str) -> (String, String) {
        let (what, mend) = match self {
            Self::Live => (
                "access is not over",
                format!("end it, then run it again: jit status {id}"),
            ),
            Self::AlsoHeld => (
                "another grant holds the same access",
                "end that too, then run it again: jit revoke GRANT --reason TEXT".to_owned(),
            ),
            Self::PreExisting => (
                "access from before jit remains",
                "take the assignment away in Identity Center, then run it again".to_owned(),
            ),
            Self::ThroughGroup => (
                "access through a group remains",
                "take them out of the group in Identity Center, then ask for the policy by hand".to_owned(),
            ),
        };
        (format!("{who} can begin others: {what}"), mend)
    }
}

pub(super) fn run(args: Args, ctx: &mut Ctx) -> Result<()> {
    let desk = ctx.desk()?;
    let sessions = Sessions::of(desk.backend.request(&args.request)?, desk.backend.now())?;
    if args.check {
        return check(ctx, &desk, &sessions);
    }
    let deny = sessions.deny();
    let text = serde_json::to_string_pretty(&deny.document()).map_err(|error| Error::unexpected(error.to_string()))?;
    // the JSON is the policy itself, whatever the format: it is to be attached as it is
    for line in text.lines() {
        ctx.ui.line(line)?;
    }
    sessions.note(ctx, &desk);
    Ok(())
}

impl Sessions {
    /// What was approved, and whom Identity Center knows.
    fn of(request: RequestView, now: Timestamp) -> Result<Self> {
        let body: Body = serde_json::from_str(&request.body)
            .map_err(|_| Error::unexpected(format!("{} cannot be read", short_id(&request.id))))?;
        let (Some(assignment), Some(user)) = (body.binding.assignment().cloned(), body.user) else {
            let message = format!("{} is on no permission set", short_id(&request.id));
            let hint = "sessions of a role end with the grant, or by its kill switch: jit revoke GRANT --reason TEXT";
            return Err(Error::new(Exit::Gone, "identity_center.none", message).hint(hint));
        };
        let Some(grant) = request.grant.as_ref().filter(|grant| grant.activated_at.is_some()) else {
            let message = format!("{} has given no access", short_id(&request.id));
            let status = format!("jit status {}", short_id(&request.id));
            return Err(Error::new(Exit::Gone, "identity_center.none", message).try_(status));
        };
        Ok(Self {
            goes_on: GoesOn::of(grant),
            until: grant.ended_at.filter(|_| GoesOn::of(grant).is_none()).unwrap_or(now),
            request,
            assignment,
            user,
        })
    }

    fn deny(&self) -> SessionDeny<'_> {
        SessionDeny::new(&self.assignment, &self.user, self.until)
    }

    /// The last of them is dead from then on.
    fn dead_at(&self) -> Timestamp {
        self.deny().before().plus(self.assignment.session)
    }

    fn note(&self, ctx: &Ctx, desk: &Desk) {
        let (who, account, words) = (
            self.request.beneficiary.called(),
            &self.assignment.account,
            desk.words(),
        );
        let (before, id) = (words.at(self.deny().before()), short_id(&self.request.id));
        ctx.ui.note(&format!(
            "Denies everything to sessions that {who} began before {before} in {account}."
        ));
        if let Some((message, mend)) = self.goes_on.map(|why| why.words(&who, &id)) {
            ctx.ui.warn(&message, &mend);
        }
        ctx.ui.note(
            "Attach it in AWS Organizations to that account or above it. The management account obeys no such policy.",
        );
        ctx.ui.note(&format!("Then  jit aws deny-sessions {id} --check"));
        ctx.ui.note(&format!(
            "After {} nothing is left for it to deny: take it away then.",
            words.at(self.dead_at())
        ));
    }
}

/// Looks at what is attached over the account, as the shell's own AWS identity.
fn check(ctx: &Ctx, desk: &Desk, sessions: &Sessions) -> Result<()> {
    if sessions.goes_on.is_none() && sessions.dead_at() <= desk.backend.now() {
        // no policy is needed for what is dead, and none may be there any more
        return judged(ctx, desk, sessions, None);
    }
    let (settings, runtime) = shell(ctx)?;
    let region = sessions.assignment.partition.default_region();
    let over = runtime.block_on(async {
        let clients = ShellClients::find(&settings, &endpoints(&ctx.env), region).await;
        let account = &sessions.assignment.account;
        Reader::new(clients).policies_over(account).await
    });
    match over.map_err(|error| unread(error, NEEDS))? {
        Over::Management => {
            let message = format!(
                "{} is the management account: no policy binds it",
                sessions.assignment.account
            );
            Err(Error::new(Exit::Unexpected, "aws.findings", message).hint(format!(
                "its sessions end by themselves at {}",
                desk.words().at(sessions.dead_at())
            )))
        }
        Over::Policies(policies) => judged(ctx, desk, sessions, Some(&policies)),
    }
}

/// Says what `policies` do to the sessions, where any can be left.
fn judged(ctx: &Ctx, desk: &Desk, sessions: &Sessions, policies: Option<&[AttachedPolicy]>) -> Result<()> {
    let (deny, words, is_dead) = (sessions.deny(), desk.words(), policies.is_none());
    let policies = policies.unwrap_or_default();
    let of = |policy: &AttachedPolicy| deny.judge(&policy.text);
    let by: Vec<&AttachedPolicy> = policies.iter().filter(|policy| of(policy) == Denied::All).collect();
    // what denies those of before does not deny the next
    let is_well = is_dead || (!by.is_empty() && sessions.goes_on.is_none());
    if ctx.ui.is_json() {
        let checked = Checked {
            request: &sessions.request.id,
            account: &sessions.assignment.account,
            user: &sessions.user,
            begun_before: deny.before(),
            denied: !by.is_empty(),
            over: is_dead,
            goes_on: sessions.goes_on,
            by: by.iter().map(|policy| By::of(policy)).collect(),
        };
        ctx.ui.json("jit/aws-deny-sessions/1", &checked)?;
        return if is_well {
            Ok(())
        } else {
            Err(Error::said(Exit::Unexpected))
        };
    }
    for policy in &by {
        let line = format!("denied  by {} ({}) on {}", policy.name, policy.id, policy.target);
        ctx.ui.marked(State::Live, &line)?;
    }
    if is_dead {
        let line = format!("over    the last of them died at {}", words.at(sessions.dead_at()));
        ctx.ui.marked(State::Live, &line)?;
    }
    if is_well {
        return Ok(());
    }
    let (id, who) = (short_id(&sessions.request.id), sessions.request.beneficiary.called());
    let findings = |message| Error::new(Exit::Unexpected, "aws.findings", message);
    if let Some((message, mend)) = sessions.goes_on.map(|why| why.words(&who, &id)) {
        return Err(findings(message).hint(mend));
    }
    let early = policies.iter().map(of).max();
    let message = match early {
        Some(Denied::Before(at)) => format!("sessions that {who} began since {} are not denied", words.at(at)),
        Some(Denied::No | Denied::All) | None => format!("no policy over the account denies the sessions of {who}"),
    };
    Err(findings(message).hint(format!(
        "attach what this prints: jit aws deny-sessions {id} > deny.json"
    )))
}

impl<'a> By<'a> {
    fn of(policy: &'a AttachedPolicy) -> Self {
        Self {
            id: &policy.id,
            name: &policy.name,
            target: &policy.target,
        }
    }
}
