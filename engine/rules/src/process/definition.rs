//! The resolved normal form of a process sheet: models, circuits, messages and calendars are inlined, nothing is left
//! to look up, and the layout of the YAML it came from no longer shows. Its SHA-256 is the version of the process.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::circuit::Circuit;
use super::form::Field;
use super::words::{Channel, Complexity, DeliveryChoice, Kind, Missed, Opener, Priority};
use crate::calendar::CalendarSheet;
use crate::commitment::{Budget, MonthRule};
use crate::text::{Language, Text};

/// One rule of a list: the first whose `when` holds gives its `is`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rule<T> {
    /// A CEL expression; the last resort has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// What it gives.
    pub is: T,
}

/// Someone or some people, as sheets name them: `role:x`, `person:x`, `service:x`, or `service` for the service in charge.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// Everyone who holds the role.
    Role(String),
    /// One person.
    Person(String),
    /// Everyone who works in the service.
    Service(String),
    /// The service that the request is assigned to.
    ServiceInCharge,
}

/// The stage of qualification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Qualification {
    /// Who qualifies; nobody when the form is enough and the stage passes by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Party>,
    /// Rules of complexity; simple where the list is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub complexity: Vec<Rule<Complexity>>,
    /// Rules of priority; normal where the list is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub priority: Vec<Rule<Priority>>,
}

/// A task of the treatment; tasks form a directed acyclic graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskSheet {
    /// Its id.
    pub task: String,
    /// What people read; its id if empty.
    #[serde(default)]
    pub title: Text,
    /// Who does it.
    pub by: Party,
    /// How long it may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Budget>,
    /// Tasks that must be finished (done or skipped) before it starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// Under what it is done at all; else it is skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// What must be reported when it is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub report: Vec<Field>,
}

/// How an answer is validated where no circuit is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Simple {
    /// By the agent who answers.
    #[default]
    ByAuthor,
    /// By itself, as soon as the treatment is finished: the delivery message is the answer.
    Automatic,
}

/// The stage of validation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Validation {
    /// The circuit, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circuit: Option<Circuit>,
    /// Under what the circuit is needed; always if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// What else.
    #[serde(default)]
    pub otherwise: Simple,
}

/// A text sent to people, with placeholders `{name}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// Its name, for example `messages/accuse-reception`.
    pub message: String,
    /// Subject of a mail.
    pub subject: Text,
    /// Text of a mail or letter.
    pub body: Text,
    /// Short form for text messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sms: Option<Text>,
}

/// The stage of delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliverySheet {
    /// The first of these by which the requester can be reached; at the counter if none is.
    pub by: Vec<DeliveryChoice>,
    /// The message.
    pub message: Message,
}

/// A point in a request's life at which a clock starts or stops.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Recorded.
    Received,
    /// The requester was told so.
    Acknowledged,
    /// Its process, complexity and priority are known.
    Qualified,
    /// A service is in charge.
    Assigned,
    /// All tasks are finished.
    Treated,
    /// The answer may go out.
    Validated,
    /// The requester has it.
    Delivered,
    /// The named task is finished.
    Task(String),
}

/// What a clock does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// The requester was asked for something.
    WaitingForRequester,
    /// Suspended with a reason.
    Suspended,
    /// An approval circuit is under way.
    Validation,
}

/// Who hears of a warning or a breach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Alarm {
    /// They are told.
    Notify(Party),
    /// They are told, and the request appears in their inbox.
    EscalateTo(Party),
}

/// A public promise or a legal clock of a process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommitmentSheet {
    /// Its name: `acknowledgement`, `answer` …
    pub commitment: String,
    /// What people call it; its name where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Text>,
    /// What starts it.
    pub from: Moment,
    /// What stops it.
    pub until: Moment,
    /// How long it may take.
    pub within: Vec<Rule<Budget>>,
    /// How months end.
    #[serde(default)]
    pub month_rule: MonthRule,
    /// What it does not count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paused_while: Vec<PauseReason>,
    /// Percentages of the time at which to warn, 1 to 99.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warn_at: Vec<u8>,
    /// What becomes of warnings that were missed while nothing ran.
    #[serde(default, skip_serializing_if = "Missed::is_default")]
    pub missed: Missed,
    /// Who hears of a warning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when_warned: Vec<Alarm>,
    /// Who hears of a breach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when_broken: Vec<Alarm>,
    /// The calendar it counts by, a key of [`Definition::calendars`].
    pub calendar: String,
}

/// What the administration's silence means (CRPA L231-1 and L231-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    /// Nothing: no decision is asked for.
    #[default]
    None,
    /// Acceptance.
    Acceptance,
    /// Rejection.
    Rejection,
}

/// The legal clock.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Law {
    /// What silence means.
    pub silence: Silence,
    /// After how long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Budget>,
    /// The article that says so.
    #[serde(default)]
    pub basis: String,
    /// How months end.
    #[serde(default)]
    pub month_rule: MonthRule,
}

/// What becomes of personal data (GDPR art. 5 and 6).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Privacy {
    /// Lawful basis: `public_task`, `legal_obligation`, `consent` or `contract`.
    pub basis: String,
    /// Names of personal fields, beside those that are so by type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub personal: Vec<String>,
    /// How long after closing they are kept.
    pub retain: Budget,
    /// What then: `anonymise`, `delete` or `archive`.
    pub then: String,
}

/// Unit costs, in euro cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Costs {
    /// Of an operation at the counter, by telephone, by letter or on the round.
    pub counter_cents: u64,
    /// Of an operation online.
    pub online_cents: u64,
    /// Of a letter sent.
    pub letter_out_cents: u64,
}

/// Who votes for ideas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Voter {
    /// Whoever has an account.
    #[default]
    Account,
    /// Whoever has an account, or proves an e-mail address.
    Email,
}

/// What of an idea the public sees, and how it votes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Voting {
    /// The field that is its title.
    pub title: String,
    /// The field that is its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The field that is the amount it asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<String>,
    /// The task once which is done it is shown; once it is qualified if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The first day of the vote, in the zone of the process's calendar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
    /// The last day of the vote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
    /// Who votes.
    #[serde(default)]
    pub by: Voter,
}

/// The first instant at which a process asks for money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentMoment {
    /// As soon as the request is recorded, and again where its qualification changes what is to be paid.
    #[default]
    Received,
    /// Once its process, complexity and priority are known.
    Qualified,
    /// Once the answer may go out.
    Validated,
}

/// What waits until the money is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaidBefore {
    /// The tasks of the service.
    Treatment,
    /// The answer.
    #[default]
    Delivery,
}

/// What becomes of a request whose payment was not made in its term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unpaid {
    /// The service decides.
    #[default]
    Service,
    /// It is closed.
    Cancelled,
}

/// What is to be paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Price {
    /// So many cents of euro.
    Cents(u64),
    /// A CEL expression that comes out as cents.
    Expression(String),
}

/// What a process asks its requester to pay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentSheet {
    /// What for, as the requester reads it.
    pub label: Text,
    /// How much: the first rule that holds. What comes out as nothing, or less, is not asked for.
    pub amount: Vec<Rule<Price>>,
    /// When it is asked for.
    #[serde(default)]
    pub from: PaymentMoment,
    /// Under what it is asked for at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The term; that of [`Waiting`] if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Budget>,
    /// After how long a reminder is sent; that of [`Waiting`] if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_after: Option<Budget>,
    /// What waits for it.
    #[serde(default)]
    pub before: PaidBefore,
    /// Whether nothing waits for it, and nothing comes of its not being paid.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// What becomes of the request where it is not paid in its term.
    #[serde(default)]
    pub if_unpaid: Unpaid,
}

/// What happens while the requester is asked for something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Waiting {
    /// They are reminded after this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_after: Option<Budget>,
    /// What becomes of reminders that were missed while nothing ran.
    #[serde(default, skip_serializing_if = "Missed::is_default")]
    pub missed: Missed,
    /// The request goes on without them after this, where the asking names no term.
    pub lapse_after: Budget,
}

/// A process, resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Definition {
    /// Its id: `theme/name`.
    pub process: String,
    /// Its theme.
    pub theme: String,
    /// The collectivities that offer it.
    pub tenants: Vec<String>,
    /// What people call it.
    pub title: Text,
    /// A paragraph for the catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
    /// What kind of request it is.
    pub kind: Kind,
    /// Who may open one.
    pub open_to: Vec<Opener>,
    /// Through which channels; all of them if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Channel>,
    /// Words by which it is found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// Processes a citizen may have meant instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub see_also: Vec<String>,
    /// The form.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub form: Vec<Field>,
    /// Who qualifies, and by what rules.
    pub qualification: Qualification,
    /// Which service is in charge.
    pub assignment: Vec<Rule<String>>,
    /// What is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub treatment: Vec<TaskSheet>,
    /// Who validates the answer.
    pub validation: Validation,
    /// How the answer goes out.
    pub delivery: DeliverySheet,
    /// The acknowledgement of receipt (CRPA L112-3, L112-11).
    pub acknowledgement: Message,
    /// Waiting for the requester.
    pub waiting: Waiting,
    /// Until which milestone the requester may withdraw.
    pub withdrawable_until: Moment,
    /// How long after delivery the request may be reopened.
    pub reopenable_for: Budget,
    /// The promises.
    pub commitments: Vec<CommitmentSheet>,
    /// The calendars that the promises and tasks count by.
    pub calendars: BTreeMap<String, CalendarSheet>,
    /// The one that tasks, steps and waiting count by, a key of `calendars`.
    pub calendar: String,
    /// What silence means.
    pub law: Law,
    /// What becomes of personal data.
    pub privacy: Privacy,
    /// Unit costs.
    pub costs: Costs,
    /// Texts for the side ways, by name: `asked`, `refused`, `forwarded`, `extended`, `withdrawn` …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub messages: BTreeMap<String, Message>,
    /// What of an idea the public sees, and how it votes; nothing where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voting: Option<Voting>,
    /// What the requester is asked to pay; nothing where the process is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentSheet>,
}

/// The version of a process: the SHA-256 of its normal form, in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct DefinitionHash(pub String);

/// Where each rule of a definition stands in the designer's files, by JSON pointer into the definition. It is kept
/// beside the published definition for explanations, and is no part of the version.
pub type Sources = BTreeMap<String, SourceLine>;

/// A place in a designer's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceLine {
    /// Path inside the catalogue.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
}

impl Definition {
    /// Everyone whom the sheet names: who qualifies, is in charge, does tasks, approves, is told.
    pub fn parties(&self) -> impl Iterator<Item = Party> + '_ {
        let services = self
            .assignment
            .iter()
            .map(|rule| Party::Service(rule.is.strip_prefix("service:").unwrap_or(&rule.is).to_owned()));
        let steps = self.validation.circuit.iter().flat_map(|circuit| &circuit.steps);
        let alarms =
            self.commitments.iter().flat_map(|sheet| sheet.when_warned.iter().chain(&sheet.when_broken));
        let told = alarms.map(|alarm| match alarm {
            Alarm::Notify(party) | Alarm::EscalateTo(party) => party.clone(),
        });
        services
            .chain(self.qualification.by.clone())
            .chain(self.treatment.iter().map(|task| task.by.clone()))
            .chain(steps.flat_map(|step| step.by.clone()))
            .chain(told)
    }

    /// The version: SHA-256 over the JSON of the normal form. Object keys come in the order of the type, maps are
    /// sorted, so two sheets that mean the same hash alike.
    ///
    /// # Errors
    /// When the definition cannot be written as JSON, which a number that is not finite causes.
    pub fn hash(&self) -> Result<DefinitionHash, serde_json::Error> {
        let bytes = serde_json::to_vec(self)?;
        Ok(DefinitionHash(Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// The commitment with this name.
    #[must_use]
    pub fn commitment(&self, name: &str) -> Option<&CommitmentSheet> {
        self.commitments.iter().find(|c| c.commitment == name)
    }

    /// The task with this name.
    #[must_use]
    pub fn task(&self, name: &str) -> Option<&TaskSheet> {
        self.treatment.iter().find(|t| t.task == name)
    }

    /// The words for `language`; a helper for titles.
    #[must_use]
    pub fn title_in(&self, language: Language) -> &str {
        self.title.get(language)
    }
}
