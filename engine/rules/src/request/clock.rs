//! The clocks of a request: its public promises, its legal clock, and the instants at which something must happen.

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::commitment::{Budget, MonthRule, Pause};
use crate::process::{DefinitionHash, PauseReason};

/// A warning that falls before the due instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// How much of the time is gone then, in percent.
    pub percent: u8,
    /// The instant (UTC).
    pub at: DateTime<Utc>,
}

/// What an event does to a commitment. Due instants are recorded here, with the operands they were made from, and are
/// never worked out again from other rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "change")]
pub enum ClockChange {
    /// It starts.
    Started {
        /// Name of the commitment; `silence` for the legal clock.
        commitment: String,
        /// What it counts from (UTC).
        from: DateTime<Utc>,
        /// How long it may take.
        budget: Budget,
        /// How months end.
        #[serde(default)]
        month_rule: MonthRule,
        /// The calendar, a key of the definition's calendars.
        calendar: String,
        /// The rule that gave the budget: a JSON pointer into the definition.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<String>,
        /// When it is due (UTC).
        due: DateTime<Utc>,
        /// When to warn.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<Warning>,
    },
    /// Its budget, calendar or start is another from now on: requalified, reclassified, extended.
    Changed {
        /// Name of the commitment.
        commitment: String,
        /// What it counts from now (UTC).
        from: DateTime<Utc>,
        /// Its budget now.
        budget: Budget,
        /// How months end.
        #[serde(default)]
        month_rule: MonthRule,
        /// Its calendar now.
        calendar: String,
        /// The rule that gave it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<String>,
        /// When it is due now; none while it is paused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<DateTime<Utc>>,
        /// When to warn now.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<Warning>,
    },
    /// It stops counting for a while.
    Paused {
        /// Name of the commitment.
        commitment: String,
        /// Since when (UTC).
        at: DateTime<Utc>,
        /// Why.
        reason: PauseReason,
    },
    /// It counts again.
    Resumed {
        /// Name of the commitment.
        commitment: String,
        /// Since when (UTC).
        at: DateTime<Utc>,
        /// When it is due now.
        due: DateTime<Utc>,
        /// When to warn now.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<Warning>,
    },
    /// What was promised is done.
    Stopped {
        /// Name of the commitment.
        commitment: String,
        /// When (UTC).
        at: DateTime<Utc>,
        /// Whether at or before its due instant.
        kept: bool,
    },
    /// It no longer applies: the request ended another way, or the new process has no such promise.
    Dropped {
        /// Name of the commitment.
        commitment: String,
    },
}

impl ClockChange {
    /// The commitment that it changes.
    #[must_use]
    pub fn commitment(&self) -> &str {
        match self {
            Self::Started { commitment, .. }
            | Self::Changed { commitment, .. }
            | Self::Paused { commitment, .. }
            | Self::Resumed { commitment, .. }
            | Self::Stopped { commitment, .. }
            | Self::Dropped { commitment } => commitment,
        }
    }
}

/// Where a clock stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClockStatus {
    /// Counting.
    Running,
    /// Not counting for now.
    Paused,
    /// Stopped in time.
    Kept,
    /// Stopped too late.
    Late,
    /// No longer applies.
    Dropped,
}

/// A clock of a request: one commitment in one cycle (reopening starts another cycle beside the closed one).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Clock {
    /// Name of the commitment.
    pub commitment: String,
    /// The cycle, from 0.
    pub cycle: u32,
    /// What it counts from (UTC).
    pub from: DateTime<Utc>,
    /// How long it may take, extensions included.
    pub budget: Budget,
    /// By how much it was extended so far, in the unit of the budget.
    pub extended_by: Option<Budget>,
    /// How months end.
    pub month_rule: MonthRule,
    /// The calendar.
    pub calendar: String,
    /// The rule that gave the budget.
    pub rule: Option<String>,
    /// When it is due (UTC); while paused, the instant that was due when the pause began.
    pub due: DateTime<Utc>,
    /// Warnings still to come.
    pub warnings: Vec<Warning>,
    /// Pauses; the last one is open while the clock is paused.
    pub pauses: Vec<Pause>,
    /// Where it stands.
    pub status: ClockStatus,
    /// Whether it was found broken: past due and not stopped.
    pub broken: bool,
    /// When it stopped (UTC).
    pub stopped_at: Option<DateTime<Utc>>,
    /// The version of the process whose rules it was made from, where the request follows another one by now: `rule`
    /// points into this one then.
    pub made_under: Option<DefinitionHash>,
}

/// What a timer is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimerKind {
    /// A commitment's warning at this percentage.
    Warning {
        /// Name of the commitment.
        commitment: String,
        /// Percentage.
        percent: u8,
    },
    /// A commitment's due instant.
    Breach {
        /// Name of the commitment.
        commitment: String,
    },
    /// The requester is reminded.
    Reminder,
    /// The term given to the requester ends.
    Lapse,
    /// A suspension ends.
    SuspensionEnd,
    /// A task is late.
    Task(String),
    /// A step of the circuit is late.
    Step(String),
    /// The requester is reminded of a payment, by its number.
    PaymentReminder(u32),
    /// The term of a payment ends.
    PaymentLapse(u32),
    /// The requester is reminded of an appointment.
    AppointmentReminder,
    /// The time to choose an appointment ends.
    AppointmentLapse,
}

/// An instant at which something must happen by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Timer {
    /// The instant (UTC).
    pub due: DateTime<Utc>,
    /// What for.
    pub kind: TimerKind,
}

impl Timer {
    /// The first instant at which it fires (UTC). What is done at the very instant of a term is in time, so a term is
    /// over right after it; instants are told to the microsecond.
    #[must_use]
    pub fn fires_at(&self) -> DateTime<Utc> {
        match self.kind {
            TimerKind::Warning { .. }
            | TimerKind::Reminder
            | TimerKind::SuspensionEnd
            | TimerKind::PaymentReminder(_)
            | TimerKind::AppointmentReminder
            // A slot that has begun can no longer be chosen.
            | TimerKind::AppointmentLapse => self.due,
            TimerKind::Breach { .. }
            | TimerKind::Lapse
            | TimerKind::Task(_)
            | TimerKind::Step(_)
            | TimerKind::PaymentLapse(_) => self.due + TimeDelta::microseconds(1),
        }
    }

    /// By what timers of one request are put in order.
    #[must_use]
    pub fn order(&self) -> (DateTime<Utc>, &TimerKind) {
        (self.fires_at(), &self.kind)
    }
}
