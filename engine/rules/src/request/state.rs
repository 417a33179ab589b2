//! What a request is, because of what has happened to it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::actor::{Recipient, RequestId};
use super::appointment::Appointment;
use super::clock::{Clock, ClockStatus, Timer};
use super::forwarding::{Forwarding, Origin};
use super::payment::{Payment, PaymentStatus};
use super::requester::Requester;
use crate::process::{Channel, Complexity, DefinitionHash, Delivery, Opener, PaidBefore, Party, Priority};

/// What stands beside an event: who, where, when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// The collectivity.
    pub tenant: String,
    /// The actor's pseudonym.
    pub actor: String,
    /// When it happened (UTC).
    pub occurred_at: DateTime<Utc>,
    /// When it was recorded (UTC), never before it happened.
    pub recorded_at: DateTime<Utc>,
}

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Its id.
    pub id: RequestId,
    /// The collectivity it was made to.
    pub tenant: String,
    /// Its process.
    pub process: String,
    /// The version that it is pinned to.
    pub definition: DefinitionHash,
    /// The way it came in.
    pub channel: Channel,
    /// Who opened it.
    pub opened_by: Opener,
    /// Who it is for, without what identifies them.
    pub requester: Requester,
    /// The form; personal fields are sealed.
    pub form: Map<String, Value>,
    /// The keyed digest of the tracking code.
    pub tracking_digest: String,
    /// The number it has in the system it was imported from.
    pub external: Option<String>,
    /// When the first administration received it (UTC), if it was passed on from there.
    pub first_received_at: Option<DateTime<Utc>>,
    /// Where it came from, if another collectivity of the installation passed it on.
    pub origin: Option<Origin>,
    /// What became of it, if it was passed on; none where an older version recorded that, for agents did it by hand.
    pub forwarding: Option<Forwarding>,
    /// When each milestone was first reached in the present cycle (UTC).
    pub milestones: Milestones,
    /// When the requester was told that it is recorded.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// How much study it needs.
    pub complexity: Complexity,
    /// How soon it should be taken up.
    pub priority: Priority,
    /// The service in charge.
    pub service: Option<String>,
    /// The agent who has it.
    pub agent: Option<String>,
    /// Its tasks, by name, once they were opened or skipped.
    pub tasks: BTreeMap<String, Task>,
    /// Its clocks, those of closed cycles included.
    pub clocks: Vec<Clock>,
    /// The cycle, from 0; reopening starts another.
    pub cycle: u32,
    /// Why it rests, if it does.
    pub hold: Option<Hold>,
    /// The draft of the answer, without its text.
    pub draft: Option<Draft>,
    /// Where it stands.
    pub stage: Stage,
    /// How many times it changed hands between services.
    pub reassignments: u32,
    /// How many people of the town hall acted on it, by pseudonym.
    pub touched_by: Vec<String>,
    /// The requester's rating.
    pub rating: Option<u8>,
    /// Effects reported done or failed: what stands here is never asked for twice.
    pub effects_done: Vec<(String, Recipient)>,
    /// Effects that did not reach whom they were for, told at once or long after they were handed over.
    pub effects_failed: Vec<String>,
    /// Payments asked for, in the order of their numbers.
    pub payments: Vec<Payment>,
    /// The last appointment or intervention, whatever became of it.
    pub appointment: Option<Appointment>,
    /// When it was finished (UTC), however it ended; none while it is not.
    pub closed_at: Option<DateTime<Utc>>,
    /// When the last event was recorded (UTC).
    pub updated_at: DateTime<Utc>,
}

/// When the five milestones were reached (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Milestones {
    /// Received: when the request was made, wherever it was recorded.
    pub received: DateTime<Utc>,
    /// Qualified.
    pub qualified: Option<DateTime<Utc>>,
    /// Assigned.
    pub assigned: Option<DateTime<Utc>>,
    /// Validated.
    pub validated: Option<DateTime<Utc>>,
    /// Delivered.
    pub delivered: Option<DateTime<Utc>>,
}

/// Where a request stands. Each stage holds what only it has.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// Recorded; to be qualified.
    Received,
    /// Qualified; to be assigned.
    Qualified,
    /// A service treats it and drafts the answer.
    Assigned,
    /// The draft is in the approval circuit.
    InValidation(Box<Approval>),
    /// The answer may go out.
    Validated {
        /// The means chosen, once it is chosen.
        by: Option<Delivery>,
        /// Means that failed already.
        failed: Vec<Delivery>,
    },
    /// The requester has the answer.
    Delivered {
        /// How.
        by: Delivery,
    },
    /// Taken back by the requester.
    Withdrawn,
    /// Closed by an agent.
    Cancelled,
    /// Inadmissible.
    Refused,
    /// Passed on to another administration.
    Forwarded {
        /// To whom.
        to: String,
    },
    /// The same as another.
    Merged {
        /// The other.
        into: RequestId,
    },
}

impl Stage {
    /// The id used in read models, answers and scenarios. `in_validation` is a part of the stage `assigned`: the
    /// milestone `validated` is not reached yet.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Qualified => "qualified",
            Self::Assigned | Self::InValidation(_) => "assigned",
            Self::Validated { .. } => "validated",
            Self::Delivered { .. } => "delivered",
            Self::Withdrawn => "withdrawn",
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
            Self::Forwarded { .. } => "forwarded",
            Self::Merged { .. } => "merged",
        }
    }

    /// Whether nothing more is to be done.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        match self {
            Self::Received
            | Self::Qualified
            | Self::Assigned
            | Self::InValidation(_)
            | Self::Validated { .. } => false,
            Self::Delivered { .. }
            | Self::Withdrawn
            | Self::Cancelled
            | Self::Refused
            | Self::Forwarded { .. }
            | Self::Merged { .. } => true,
        }
    }
}

/// The approval circuit under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The circuit.
    pub circuit: String,
    /// Staff code of the author of the draft.
    pub author: String,
    /// Steps that are needed, in order.
    pub steps: Vec<String>,
    /// The step that is open, once it is.
    pub open: Option<OpenStep>,
    /// Who approved the steps that are passed.
    pub passed: Vec<(String, Vec<String>)>,
}

/// A step that awaits its approvers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenStep {
    /// The step.
    pub step: String,
    /// Who may decide, by staff code.
    pub approvers: Vec<String>,
    /// Who approved so far: (in whose name, by whom).
    pub approved: Vec<(String, String)>,
    /// Who refused so far, by the name in which it was done.
    pub refused: Vec<String>,
    /// Approvers who let someone else decide: (approver, who decides now).
    pub delegated: Vec<(String, String)>,
    /// When it is due (UTC).
    pub due: Option<DateTime<Utc>>,
    /// Whether it was found late.
    pub late: bool,
}

/// A draft of the answer. Its text is personal and stays in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Staff code of the author.
    pub author: String,
    /// When (UTC).
    pub at: DateTime<Utc>,
}

/// A task.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Where it stands.
    pub status: TaskStatus,
    /// Who does it.
    pub by: Option<Party>,
    /// When it is due (UTC).
    pub due: Option<DateTime<Utc>>,
    /// When it was opened (UTC); none if it was skipped.
    pub opened_at: Option<DateTime<Utc>>,
    /// When it was done or skipped (UTC).
    pub finished_at: Option<DateTime<Utc>>,
    /// Whether it was found late.
    pub late: bool,
    /// Its report; personal fields are sealed.
    pub report: Map<String, Value>,
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words say it")]
pub enum TaskStatus {
    Open,
    Done,
    Skipped,
    /// Closed undone, because the request ended.
    Dropped,
}

impl TaskStatus {
    /// Whether tasks that wait for this one may start.
    #[must_use]
    pub fn is_finished(self) -> bool {
        match self {
            Self::Done | Self::Skipped => true,
            Self::Open | Self::Dropped => false,
        }
    }
}

/// Why a request rests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// The requester was asked for something.
    WaitingForRequester {
        /// Since when (UTC).
        since: DateTime<Utc>,
        /// The end of the term (UTC).
        reply_by: DateTime<Utc>,
        /// When they are reminded (UTC); none once they were.
        remind_at: Option<DateTime<Utc>>,
    },
    /// Suspended.
    Suspended {
        /// Since when (UTC).
        since: DateTime<Utc>,
        /// Until when (UTC), if that is known.
        until: Option<DateTime<Utc>>,
    },
}

impl Request {
    /// The clock of `commitment` in the present cycle, if it started.
    #[must_use]
    pub fn clock(&self, commitment: &str) -> Option<&Clock> {
        self.clocks.iter().rev().find(|clock| clock.cycle == self.cycle && clock.commitment == commitment)
    }

    /// The payment that the request waits for: one that is awaited, else the last one asked for in this cycle, while it
    /// is not paid. What is optional keeps nothing back.
    #[must_use]
    pub fn unpaid(&self) -> Option<&Payment> {
        let mine = |payment: &&Payment| payment.cycle == self.cycle && payment.before.is_some();
        let awaited = |payment: &&Payment| mine(payment) && payment.status == PaymentStatus::Awaited;
        let live = self.payments.iter().find(awaited);
        live.or_else(|| self.payments.iter().rfind(mine).filter(|last| last.is_open()))
    }

    /// The payment that alone keeps the request back now: the treatment waits for it, or the answer is ready.
    #[must_use]
    pub fn held_by_payment(&self) -> Option<&Payment> {
        let awaited = self.unpaid().filter(|payment| payment.status == PaymentStatus::Awaited)?;
        let held = match awaited.before? {
            PaidBefore::Treatment => matches!(self.stage, Stage::Assigned | Stage::Validated { .. }),
            PaidBefore::Delivery => matches!(self.stage, Stage::Validated { .. }),
        };
        held.then_some(awaited)
    }

    /// Clocks that have not ended.
    pub fn live_clocks(&self) -> impl Iterator<Item = &Clock> {
        self.clocks.iter().filter(|clock| matches!(clock.status, ClockStatus::Running | ClockStatus::Paused))
    }
}

/// The instants at which something must happen to the request by itself, soonest first.
#[must_use]
pub fn timers(request: &Request) -> Vec<Timer> {
    let mut timers = super::timers::collect(request);
    timers.sort_by(|one, other| one.order().cmp(&other.order()));
    timers
}
