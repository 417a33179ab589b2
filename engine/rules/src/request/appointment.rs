//! Appointments with the requester, and the dates on which a team comes: the events that tell of them, and how they
//! stand because of those. A request has one at a time.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::personal::Personal;

/// The most slots that one offer may hold.
pub const SLOTS_MAX: usize = 50;

/// From when to when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// The beginning (UTC).
    pub from: DateTime<Utc>,
    /// The end (UTC), after the beginning.
    pub until: DateTime<Utc>,
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppointmentParty {
    /// The requester.
    Requester,
    /// The town hall.
    Service,
}

/// The requester may choose one of these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AppointmentOffered {
    /// Its number within the request, from 1.
    pub appointment: u32,
    /// The slots, earliest first.
    pub slots: Vec<Slot>,
    /// Where.
    pub place: Personal<String>,
    /// What for.
    pub what: Personal<String>,
    /// The end of the choice (UTC): when the last slot begins.
    pub choose_by: DateTime<Utc>,
}

/// A slot was chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AppointmentChosen {
    /// The appointment.
    pub appointment: u32,
    /// The slot.
    pub slot: Slot,
    /// When they are reminded (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_at: Option<DateTime<Utc>>,
}

/// The service says when its team comes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InterventionSet {
    /// Its number within the request, from 1; the same where the date is another one now.
    pub appointment: u32,
    /// When.
    pub slot: Slot,
    /// When they are reminded (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_at: Option<DateTime<Utc>>,
}

/// The requester was reminded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AppointmentReminded {
    /// The appointment.
    pub appointment: u32,
    /// When it begins (UTC).
    pub from: DateTime<Utc>,
    /// Whether nobody is told any more: it was missed while nothing ran.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub untold: bool,
}

/// No slot was chosen before the last one began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AppointmentLapsed {
    /// The appointment.
    pub appointment: u32,
    /// The end of the choice (UTC).
    pub choose_by: DateTime<Utc>,
}

/// It does not take place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AppointmentCancelled {
    /// The appointment.
    pub appointment: u32,
    /// Who cannot, or does not wish to.
    pub by: AppointmentParty,
    /// Why.
    pub reason: Personal<String>,
}

/// Whether the requester came, or the team could do its work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttendanceRecorded {
    /// The appointment.
    pub appointment: u32,
    /// Whether they came.
    pub came: bool,
}

/// Who goes to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppointmentKind {
    /// The requester comes, at a time of their choice.
    Visit,
    /// A team comes.
    Intervention,
}

/// Where an appointment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppointmentStatus {
    /// The requester has to choose.
    Offered,
    /// The date is fixed.
    Fixed,
    /// They came.
    Kept,
    /// They did not come.
    Missed,
    /// It does not take place.
    Cancelled,
    /// Nobody chose.
    Lapsed,
}

/// An appointment, without its place and its purpose: those are personal and stay in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appointment {
    /// Its number within the request, from 1.
    pub number: u32,
    /// Who goes to whom.
    pub kind: AppointmentKind,
    /// Where it stands.
    pub status: AppointmentStatus,
    /// The slots offered, earliest first; none for an intervention.
    pub slots: Vec<Slot>,
    /// The slot that is fixed.
    pub slot: Option<Slot>,
    /// The end of the choice (UTC).
    pub choose_by: Option<DateTime<Utc>>,
    /// When they are reminded (UTC); none once they were.
    pub remind_at: Option<DateTime<Utc>>,
    /// How many times its date or its fate changed: the `SEQUENCE` of its calendar entry (RFC 5545).
    pub sequence: u32,
}

impl Appointment {
    /// Whether it is still to come, or to be chosen.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self.status, AppointmentStatus::Offered | AppointmentStatus::Fixed)
    }
}
