//! What a request, a decision and a grant are, and what follows from an event.
//! Owns every rule of the lifecycle. Refuses I/O, clocks, randomness, the environment and `async`:
//! all of them come in as arguments.

pub mod accounts;
pub mod apply;
pub mod assignment;
pub mod called;
pub mod case;
pub mod change;
pub mod decision;
pub mod digest;
pub mod directory;
pub mod drift;
pub mod effect;
pub mod event;
pub mod filing;
pub mod grant;
pub mod id;
pub mod issuer_key;
pub mod key_life;
pub mod lock;
pub mod membership;
pub mod person;
pub mod refusal;
pub mod request;
#[cfg(test)]
mod samples;
pub mod sealing;
pub mod sign_in;
pub mod start;
pub mod target;
pub mod text;
pub mod time;
#[cfg(test)]
mod values;
pub mod word;
pub mod workflow;
pub mod workload;

pub use accounts::{AccountFacts, Choice, Chosen};
pub use apply::apply;
pub use assignment::{Assignment, AssignmentRoad, FoundBy, Instance};
pub use case::{Case, Held};
pub use change::{Actor, AuditEvent, Change, Effect, EffectId, Once, Postpone, Row};
pub use decision::{Decision, Verdict};
pub use digest::Digest;
pub use directory::{DirectoryGroup, DirectoryMember, DirectoryUser, HeldGroup, Known, MembersChange};
pub use event::{Event, Filing, Vote};
pub use filing::{Standing, standing};
pub use grant::{EndCause, Grant, GrantState, Kill, KillState, Killed};
pub use id::{DeviceId, GrantId, KeyId, PersonId, RequestId, SessionId};
pub use issuer_key::IssuerKey;
pub use lock::{Lift, Lock, Scope};
pub use membership::{Membership, MembershipState};
pub use person::{Bound, Device, KeyStorage, Person, Session, SignInCode, SignInMethod};
pub use refusal::{Code, Refusal};
pub use request::{Body, Extends, Frozen, Request, RequestState};
pub use sealing::SealingCheck;
pub use sign_in::sign_in;
pub use target::{Binding, KillSwitch, Partition, Road, RoleBinding, Trace};
pub use text::{Comment, Narrowing, PersonName, Reason, TargetName, Ticket};
pub use time::{Duration, Timestamp};
pub use workflow::{Stage, Workflow};
pub use workload::{Behind, Enrolled, StartedBy, Wanted, Workload, WorkloadKind};
