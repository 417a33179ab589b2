//! The events, one struct each: what is told by each kind of event.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::actor::{Recipient, RequestId};
use super::forwarding::{ForwardMeans, Origin};
use super::migration::{CircuitMoved, ClockPolicy, TaskMoved};
use super::personal::Personal;
use super::requester::Requester;
use crate::commitment::Budget;
use crate::process::{Channel, Complexity, DefinitionHash, Delivery, Opener, Party, Priority};

/// Why a rule gave what it gave: the rule's place in the definition.
pub type RulePointer = String;

macro_rules! event_structs {
    ($( $(#[$doc:meta])* $name:ident { $( $(#[$field_doc:meta])* $field:ident : $type:ty ),* $(,)? } )*) => {
        $( $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        pub struct $name { $( $(#[$field_doc])* pub $field: $type ),* } )*
    };
}

event_structs! {
    /// It was recorded.
    Received {
        /// The request.
        request: RequestId,
        /// Its process.
        process: String,
        /// The version of the process that it is pinned to.
        definition: DefinitionHash,
        /// The way it came in.
        channel: Channel,
        /// Who opened it.
        opened_by: Opener,
        /// Who it is for.
        requester: Requester,
        /// The form; personal fields are [`Personal`] values.
        form: Map<String, Value>,
        /// The tracking code, for letters and mails.
        tracking: Personal<String>,
        /// The keyed digest by which the code is found, in hexadecimal.
        tracking_digest: String,
        /// The number it has in the system it was imported from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        external: Option<String>,
        /// When the first administration received it (UTC), if it was passed on from there: implied rejection counts
        /// from then, implied acceptance from the competent one's receipt (CRPA L114-3).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first_received_at: Option<DateTime<Utc>>,
        /// Where it came from, if another collectivity of the installation passed it on (CRPA L114-2).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<Origin>,
    }
    /// The requester was told that it is recorded, and what to expect (CRPA L112-3, R112-5).
    Acknowledged {
        /// How.
        by: Delivery,
    }
    /// Its complexity and priority are known.
    Qualified {
        /// How much study it needs.
        complexity: Complexity,
        /// How soon it should be taken up.
        priority: Priority,
        /// The rule that gave the complexity; none if an agent said it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        complexity_rule: Option<RulePointer>,
        /// The rule that gave the priority; none if an agent said it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        priority_rule: Option<RulePointer>,
        /// Form fields completed by the agent.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        form: Map<String, Value>,
    }
    /// It turned out to be of another process, which it follows from now on.
    Reclassified {
        /// The process it was.
        from: String,
        /// The process it is.
        process: String,
        /// The version it is pinned to.
        definition: DefinitionHash,
        /// The whole form, as far as the new process has the fields. A personal field that is kept as it was is the
        /// marker `{"$kept": true}`: its value stays in the event that brought it.
        form: Map<String, Value>,
    }
    /// It follows another version of its process from now on.
    Migrated {
        /// The version it followed.
        from: DefinitionHash,
        /// The version that it is pinned to now.
        definition: DefinitionHash,
        /// The SHA-256 of the migration plan that it was part of, in hexadecimal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plan: Option<String>,
        /// What became of the promises under way; the changes themselves ride on the event.
        promises: ClockPolicy,
        /// Tasks of the request that are called, done or due otherwise.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tasks: Vec<TaskMoved>,
        /// Form fields that are called otherwise: the old name, the new name. The values stay as they are.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        fields: BTreeMap<String, String>,
        /// Commitments that are called otherwise: the old name, the new name.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        commitments: BTreeMap<String, String>,
        /// The approval circuit under way, if one is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        circuit: Option<CircuitMoved>,
    }
    /// A service is in charge.
    Assigned {
        /// The service.
        service: String,
        /// The rule that chose it; none if an agent did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<RulePointer>,
    }
    /// Another service is in charge.
    Reassigned {
        /// The service until now.
        from: String,
        /// The service from now on.
        to: String,
        /// Why.
        reason: Personal<String>,
    }
    /// An agent takes it.
    Claimed {
        /// Staff code.
        agent: String,
    }
    /// The agent gives it back to the service.
    Released {
        /// Staff code.
        agent: String,
    }
    /// A task can be done.
    TaskOpened {
        /// The task.
        task: String,
        /// Who does it.
        by: Party,
        /// When it is due (UTC), if it has a term.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<DateTime<Utc>>,
    }
    /// A task is not needed.
    TaskSkipped {
        /// The task.
        task: String,
        /// The rule that said so.
        rule: RulePointer,
    }
    /// A task is done.
    TaskCompleted {
        /// The task.
        task: String,
        /// What was found and done; personal fields are [`Personal`] values.
        report: Map<String, Value>,
    }
    /// A task was not done in its term.
    TaskLate {
        /// The task.
        task: String,
        /// When it was due (UTC).
        due: DateTime<Utc>,
    }
    /// A patroller saw the place.
    Visited {
        /// What was found.
        finding: Personal<String>,
        /// Whether the place was made safe.
        made_safe: bool,
    }
    /// The requester is asked for something (CRPA L114-5); the request waits.
    Asked {
        /// What is asked.
        question: Personal<String>,
        /// Pieces that are missing.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pieces: Vec<String>,
        /// The end of the term given (UTC).
        reply_by: DateTime<Utc>,
        /// When they are reminded (UTC).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remind_at: Option<DateTime<Utc>>,
    }
    /// The requester was reminded.
    Reminded {
        /// The end of the term (UTC).
        reply_by: DateTime<Utc>,
        /// Whether nobody is told any more: it was missed while nothing ran.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        untold: bool,
    }
    /// The requester answered.
    Replied {
        /// In words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<Personal<String>>,
        /// Form fields given or corrected.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        form: Map<String, Value>,
        /// Whether nothing is missing any more.
        complete: bool,
    }
    /// The term given to the requester passed without an answer; the request goes on.
    Lapsed {
        /// The end of the term (UTC).
        reply_by: DateTime<Utc>,
    }
    /// It rests, for a reason.
    Suspended {
        /// Why.
        reason: Personal<String>,
        /// Until when (UTC).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<DateTime<Utc>>,
    }
    /// It goes on.
    Resumed {}
    /// A promise is put off, on a legal basis; the requester is told.
    Extended {
        /// The commitment.
        commitment: String,
        /// How much longer.
        by: Budget,
        /// The article, or the reason of service.
        basis: String,
    }
    /// A note between agents.
    Noted {
        /// The note.
        text: Personal<String>,
    }
    /// A message to the requester that asks for nothing.
    Messaged {
        /// The message.
        text: Personal<String>,
    }
    /// An answer is drafted.
    Drafted {
        /// The answer.
        text: Personal<String>,
        /// Staff code of the author.
        author: String,
    }
    /// The draft is sent through the approval circuit.
    Submitted {
        /// The circuit.
        circuit: String,
        /// Staff code of the author.
        author: String,
        /// Steps that are needed, in order.
        steps: Vec<String>,
    }
    /// A step of the circuit can be approved.
    ApprovalOpened {
        /// The step.
        step: String,
        /// Who may approve, by staff code.
        approvers: Vec<String>,
        /// When it is due (UTC), if it has a term.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<DateTime<Utc>>,
    }
    /// Someone approved a step.
    Approved {
        /// The step.
        step: String,
        /// Staff code of who approved; the engine itself where silence is agreement.
        by: String,
        /// The absent approver for whom a stand-in acted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_behalf_of: Option<String>,
        /// Whether the step is passed.
        passed: bool,
        /// Whether everyone has decided, too many refused, and the draft goes back to its author with all the reasons.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        returned: bool,
    }
    /// Someone returned the draft for rework.
    Returned {
        /// The step.
        step: String,
        /// Staff code.
        by: String,
        /// The absent approver for whom a stand-in acted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_behalf_of: Option<String>,
        /// Why.
        reason: Personal<String>,
        /// The step that it goes back to; the author if none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
        /// Whether the refusal takes effect now (else others of the step are still awaited).
        effective: bool,
    }
    /// An approver lets someone else decide a step.
    Delegated {
        /// The step.
        step: String,
        /// Staff code of the approver.
        from: String,
        /// Staff code of who decides now.
        to: String,
    }
    /// A step was not decided in its term.
    ApprovalLate {
        /// The step.
        step: String,
        /// When it was due (UTC).
        due: DateTime<Utc>,
        /// People who may decide as well from now on, by staff code.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        escalated_to: Vec<String>,
    }
    /// The answer may go out.
    Validated {
        /// Staff code; none where the stage passed by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    }
    /// The answer is on its way, or is to be handed over, by this means.
    DeliveryOpened {
        /// The means.
        by: Delivery,
    }
    /// The requester has the answer.
    Delivered {
        /// How.
        by: Delivery,
    }
    /// The answer did not arrive.
    DeliveryFailed {
        /// The means that failed.
        by: Delivery,
        /// Why, in words of the transport, without addresses.
        reason: String,
    }
    /// The requester takes it back.
    Withdrawn {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Personal<String>>,
    }
    /// An agent closes it, for a reason.
    Cancelled {
        /// Why.
        reason: Personal<String>,
    }
    /// It is inadmissible.
    Refused {
        /// Why.
        reason: Personal<String>,
        /// The article.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        basis: Option<String>,
    }
    /// It was passed on to the competent administration, and the requester told (CRPA L114-2).
    Forwarded {
        /// A tenant's id, an administration's id, or the name of one that is on no list.
        to: String,
        /// The process under which a tenant of the same installation receives it, where it is another one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        process: Option<String>,
        /// How it gets there. What older versions wrote does not say it: agents passed it on by hand.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        means: Option<ForwardMeans>,
        /// The article.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        basis: Option<String>,
    }
    /// What was passed on is a request of the other collectivity now.
    ForwardArrived {
        /// The collectivity.
        to: String,
        /// The request that it is there.
        request: RequestId,
    }
    /// The other collectivity cannot take what was passed on, for now.
    ForwardBlocked {
        /// The collectivity.
        to: String,
        /// The code of the reason.
        reason: String,
    }
    /// It is the same as another, which goes on for both.
    Merged {
        /// The other.
        into: RequestId,
    }
    /// It is taken up again, in a new cycle beside the closed one.
    Reopened {
        /// Why.
        reason: Personal<String>,
        /// The new cycle, from 1.
        cycle: u32,
    }
    /// The requester said how it went.
    Rated {
        /// From 1 (bad) to 5 (good).
        score: u8,
        /// In words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<Personal<String>>,
    }
    /// A commitment nears its due instant.
    CommitmentWarned {
        /// The commitment.
        commitment: String,
        /// How much of the time is gone, in percent.
        percent: u8,
        /// The instant at which it was (UTC).
        at: DateTime<Utc>,
        /// Whether nobody is told any more: it was missed while nothing ran.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        untold: bool,
    }
    /// A commitment is past its due instant. It is dated by that instant, whenever it was noticed.
    CommitmentBroken {
        /// The commitment.
        commitment: String,
        /// When it was due (UTC).
        due: DateTime<Utc>,
    }
    /// Someone was told something, or a message was sent.
    Notified {
        /// The effect that asked for it.
        effect: String,
        /// Who.
        recipient: Recipient,
    }
    /// Someone could not be told.
    NotificationFailed {
        /// The effect that asked for it.
        effect: String,
        /// Who.
        recipient: Recipient,
        /// Why, in words of the transport, without addresses.
        reason: String,
    }
}
