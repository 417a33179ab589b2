//! What may be asked of a request.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::actor::{Recipient, RequestId};
use super::appointment::{AppointmentParty, Slot};
use super::clock::TimerKind;
use super::forwarding::PassedOn;
use super::migration::{ClockPolicy, Mapping};
use super::payment::PaymentFailure;
use super::requester::{Contact, RequesterKind};
use crate::commitment::Budget;
use crate::process::{Channel, Complexity, DefinitionHash, Delivery, Opener, Priority};
use crate::text::Language;

/// Who a request is for, as a door hears it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequesterInput {
    /// Person, organisation or association.
    #[serde(default)]
    pub kind: RequesterKind,
    /// The language they are written to in.
    #[serde(default)]
    pub language: Language,
    /// How they wish to be answered.
    #[serde(default)]
    pub preferred: Option<Delivery>,
    /// Whether they have an account.
    #[serde(default)]
    pub account: bool,
    /// Which account: said by the door through which its holder came, and believed from nobody else.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub account_id: Option<Uuid>,
    /// How to reach them.
    #[serde(default)]
    pub contact: Contact,
}

/// A draw of chance that `decide` needs: it is an argument, so that a replay is exact.
#[derive(Clone, PartialEq, Eq)]
pub struct Tracking {
    /// The tracking code.
    pub code: String,
    /// Its keyed digest, in hexadecimal.
    pub digest: String,
}

/// Never prints the code.
impl std::fmt::Debug for Tracking {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Tracking(…)")
    }
}

/// What is asked of a request. The JSON form names the command in `command`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "command", deny_unknown_fields)]
pub enum Command {
    /// Record a request. The only command on a stream that does not exist yet.
    Receive {
        /// The process.
        process: String,
        /// The way it came in.
        channel: Channel,
        /// Who opens it.
        opened_by: Opener,
        /// Who it is for.
        #[serde(default)]
        requester: RequesterInput,
        /// The form.
        #[serde(default)]
        form: Map<String, Value>,
        /// The number it has in the system it comes from.
        #[serde(default)]
        external: Option<String>,
        /// When the first administration received it (UTC), if it was passed on from there (CRPA L114-3).
        #[serde(default)]
        first_received_at: Option<DateTime<Utc>>,
        /// The answer given at once: first-contact resolution, all milestones in one append.
        #[serde(default)]
        answer: Option<String>,
        /// Where it came from, if another collectivity of the installation passed it on: said by the engine, and believed
        /// from nobody else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(skip)]
        origin: Option<PassedOn>,
    },
    /// Report that the requester was told it is recorded.
    Acknowledge {
        /// How.
        by: Delivery,
    },
    /// Say which process it is, complete it, rate it.
    Qualify {
        /// Another process, if it was the wrong one.
        #[serde(default)]
        process: Option<String>,
        /// Complexity; the rules decide if none is given.
        #[serde(default)]
        complexity: Option<Complexity>,
        /// Priority; the rules decide if none is given.
        #[serde(default)]
        priority: Option<Priority>,
        /// Fields completed.
        #[serde(default)]
        form: Map<String, Value>,
    },
    /// Let it follow another version of its process.
    Migrate {
        /// The version.
        definition: DefinitionHash,
        /// What becomes of the promises under way; they keep their due instants if nothing is said.
        #[serde(default)]
        promises: ClockPolicy,
        /// What parts of the old version are called in the new one.
        #[serde(default)]
        mapping: Mapping,
        /// The SHA-256 of the migration plan that it is part of, in hexadecimal.
        #[serde(default)]
        plan: Option<String>,
    },
    /// Give it to another service.
    Reassign {
        /// The service.
        to: String,
        /// Why.
        reason: String,
    },
    /// Take it.
    Claim {},
    /// Give it back to the service.
    Release {},
    /// Report a task done.
    Complete {
        /// The task.
        task: String,
        /// What was found and done.
        #[serde(default)]
        report: Map<String, Value>,
    },
    /// Report a visit of the place.
    Visit {
        /// What was found.
        finding: String,
        /// Whether the place was made safe.
        #[serde(default)]
        made_safe: bool,
    },
    /// Ask the requester for something.
    Ask {
        /// What.
        question: String,
        /// Pieces that are missing.
        #[serde(default)]
        pieces: Vec<String>,
        /// The term given; that of the process if none.
        #[serde(default)]
        within: Option<Budget>,
    },
    /// The requester's answer.
    Reply {
        /// In words.
        #[serde(default)]
        text: Option<String>,
        /// Fields given or corrected.
        #[serde(default)]
        form: Map<String, Value>,
        /// Whether nothing is missing any more.
        #[serde(default = "yes")]
        complete: bool,
    },
    /// Let it rest.
    Suspend {
        /// Why.
        reason: String,
        /// Until when (UTC).
        #[serde(default)]
        until: Option<DateTime<Utc>>,
    },
    /// Go on.
    Resume {},
    /// Put a promise off.
    Extend {
        /// The commitment.
        commitment: String,
        /// How much longer.
        by: Budget,
        /// The article, or the reason of service.
        basis: String,
    },
    /// Leave a note for colleagues.
    Note {
        /// The note.
        text: String,
    },
    /// Write to the requester.
    Message {
        /// The message.
        text: String,
    },
    /// Draft the answer.
    Draft {
        /// The answer.
        text: String,
    },
    /// Send the draft to validation.
    Submit {},
    /// Draft and submit in one.
    Answer {
        /// The answer.
        text: String,
    },
    /// Approve a step of the circuit.
    Approve {
        /// The step.
        step: String,
    },
    /// Return the draft for rework.
    Return {
        /// The step.
        step: String,
        /// Why.
        reason: String,
    },
    /// Let someone else decide a step.
    Delegate {
        /// The step.
        step: String,
        /// Staff code.
        to: String,
    },
    /// Report that the requester has the answer.
    Deliver {
        /// How.
        by: Delivery,
    },
    /// Report that the answer did not arrive.
    FailDelivery {
        /// The means that failed.
        by: Delivery,
        /// Why, without addresses.
        reason: String,
    },
    /// Answer at first contact a request that is only just recorded: the other milestones in one append.
    Resolve {
        /// The answer given.
        text: String,
    },
    /// The requester takes it back.
    Withdraw {
        /// Why.
        #[serde(default)]
        reason: Option<String>,
    },
    /// Close it, for a reason.
    Cancel {
        /// Why.
        reason: String,
    },
    /// Refuse it as inadmissible.
    Refuse {
        /// Why.
        reason: String,
        /// The article.
        #[serde(default)]
        basis: Option<String>,
    },
    /// Pass it on to the competent administration.
    Forward {
        /// A tenant's id, or the id or name of an administration elsewhere.
        to: String,
        /// The process under which a tenant of the same installation receives it; the same one if nothing is said.
        #[serde(default)]
        process: Option<String>,
        /// The article.
        #[serde(default)]
        basis: Option<String>,
    },
    /// Report that what was passed on is a request of the other collectivity now.
    ConfirmForward {
        /// The request that it is there.
        request: RequestId,
    },
    /// Report that the other collectivity cannot take what was passed on, for now.
    BlockForward {
        /// The code of the reason.
        reason: String,
    },
    /// Say that it is the same as another.
    Merge {
        /// The other.
        into: RequestId,
    },
    /// Take it up again.
    Reopen {
        /// Why.
        reason: String,
    },
    /// Say how it went.
    Rate {
        /// From 1 to 5.
        score: u8,
        /// In words.
        #[serde(default)]
        comment: Option<String>,
    },
    /// A timer's instant has come.
    Elapse {
        /// What the timer is for.
        timer: TimerKind,
        /// The instant it was set for (UTC).
        due: DateTime<Utc>,
    },
    /// Report an effect done.
    Notify {
        /// The effect.
        effect: String,
        /// Who was told.
        recipient: Recipient,
    },
    /// Report that an effect could not be done.
    FailNotification {
        /// The effect.
        effect: String,
        /// Who could not be told.
        recipient: Recipient,
        /// Why, without addresses.
        reason: String,
        /// Whether it had been handed over already: its carrier tells only now that it did not arrive.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        late: bool,
    },
    /// Ask the requester to pay.
    RequestPayment {
        /// How much, in cents of euro, at most 10,000,000.
        amount: u64,
        /// What for.
        label: String,
        /// The end of the term (UTC); the process's own time to reply if none is given.
        #[serde(default)]
        due: Option<DateTime<Utc>>,
    },
    /// Go to the provider's page.
    StartPayment {
        /// The payment's number.
        payment: u32,
    },
    /// Report that the money was taken: by the provider, or at the counter.
    SettlePayment {
        /// The payment's number.
        payment: u32,
        /// The attempt; none at the counter.
        #[serde(default)]
        reference: Option<String>,
        /// The provider's number, or that of the receipt.
        transaction: String,
        /// How much, in cents: what was asked.
        amount: u64,
        /// In which currency.
        #[serde(default = "euros")]
        currency: String,
    },
    /// Report that an attempt to pay came to nothing.
    FailPayment {
        /// The payment's number.
        payment: u32,
        /// The attempt.
        reference: String,
        /// Why.
        reason: PaymentFailure,
    },
    /// Ask for a payment no longer.
    CancelPayment {
        /// The payment's number.
        payment: u32,
        /// Why.
        reason: String,
    },
    /// Record that money was given back.
    RefundPayment {
        /// The payment's number.
        payment: u32,
        /// How much, in cents: at most what was taken and not given back yet.
        amount: u64,
        /// Why.
        reason: String,
    },
    /// Offer dates to choose from.
    OfferAppointment {
        /// The slots, at most 50, all in the future.
        slots: Vec<Slot>,
        /// Where.
        place: String,
        /// What for.
        what: String,
    },
    /// Choose one of the dates offered.
    ChooseAppointment {
        /// When the slot begins (UTC).
        slot: DateTime<Utc>,
    },
    /// Say when a team comes.
    SetIntervention {
        /// From when (UTC).
        from: DateTime<Utc>,
        /// Until when (UTC).
        until: DateTime<Utc>,
    },
    /// Call an appointment or an intervention off.
    CancelAppointment {
        /// Who calls it off, where an agent notes it; the town hall if nothing is said.
        #[serde(default)]
        by: Option<AppointmentParty>,
        /// Why.
        reason: String,
    },
    /// Record whether they came.
    RecordAttendance {
        /// Whether they came.
        came: bool,
    },
}

fn euros() -> String {
    super::payment::CURRENCY.to_owned()
}

fn yes() -> bool {
    true
}

impl Command {
    /// Its name, as in its JSON form.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Receive { .. } => "receive",
            Self::Acknowledge { .. } => "acknowledge",
            Self::Qualify { .. } => "qualify",
            Self::Migrate { .. } => "migrate",
            Self::Reassign { .. } => "reassign",
            Self::Claim {} => "claim",
            Self::Release {} => "release",
            Self::Complete { .. } => "complete",
            Self::Visit { .. } => "visit",
            Self::Ask { .. } => "ask",
            Self::Reply { .. } => "reply",
            Self::Suspend { .. } => "suspend",
            Self::Resume {} => "resume",
            Self::Extend { .. } => "extend",
            Self::Note { .. } => "note",
            Self::Message { .. } => "message",
            Self::Draft { .. } => "draft",
            Self::Submit {} => "submit",
            Self::Answer { .. } => "answer",
            Self::Approve { .. } => "approve",
            Self::Return { .. } => "return",
            Self::Delegate { .. } => "delegate",
            Self::Deliver { .. } => "deliver",
            Self::FailDelivery { .. } => "fail_delivery",
            Self::Resolve { .. } => "resolve",
            Self::Withdraw { .. } => "withdraw",
            Self::Cancel { .. } => "cancel",
            Self::Refuse { .. } => "refuse",
            Self::Forward { .. } => "forward",
            Self::ConfirmForward { .. } => "confirm_forward",
            Self::BlockForward { .. } => "block_forward",
            Self::Merge { .. } => "merge",
            Self::Reopen { .. } => "reopen",
            Self::Rate { .. } => "rate",
            Self::Elapse { .. } => "elapse",
            Self::Notify { .. } => "notify",
            Self::FailNotification { .. } => "fail_notification",
            Self::RequestPayment { .. } => "request_payment",
            Self::StartPayment { .. } => "start_payment",
            Self::SettlePayment { .. } => "settle_payment",
            Self::FailPayment { .. } => "fail_payment",
            Self::CancelPayment { .. } => "cancel_payment",
            Self::RefundPayment { .. } => "refund_payment",
            Self::OfferAppointment { .. } => "offer_appointment",
            Self::ChooseAppointment { .. } => "choose_appointment",
            Self::SetIntervention { .. } => "set_intervention",
            Self::CancelAppointment { .. } => "cancel_appointment",
            Self::RecordAttendance { .. } => "record_attendance",
        }
    }
}
