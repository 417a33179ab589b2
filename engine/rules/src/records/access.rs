//! Who looked at personal data, and when (GDPR, articles 5 (2) and 32).
//!
//! There is one record for each person or program, request and hour: looking again within the hour adds nothing to what
//! is known. The record holds nothing personal; who looked stands, as a pseudonym, on its event.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::record_events;
use crate::request::RequestId;

/// The kind of its streams.
pub const ACCESS: &str = "access";

record_events! {
    /// What happened.
    AccessEvent {
        /// Personal data was opened.
        DataOpened = "access.opened",
    }
}

/// Personal data was opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataOpened {
    /// Whose: the request that it belongs to.
    pub request: RequestId,
    /// What was opened.
    pub what: Data,
    /// By which right.
    pub ground: Ground,
    /// The beginning of the hour (UTC).
    pub hour: DateTime<Utc>,
}

/// What was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Data {
    /// What was said in the request, contact included.
    Dossier,
    /// A file that came with it.
    File,
}

impl Data {
    /// Its name in records and addresses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dossier => "dossier",
            Self::File => "file",
        }
    }
}

/// By which right personal data was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// The request is in their hands.
    InCharge,
    /// They work in the service in charge of it.
    Service,
    /// The sheet names them for its qualification.
    Qualification,
    /// They have a task of it.
    Task,
    /// They are to approve its answer, or stand in for who is.
    Approval,
    /// It stands on the program's key.
    Key,
    /// They send out what the town hall owes on paper.
    Outbox,
    /// They work at the command line of the server.
    Console,
}

impl Ground {
    /// Its name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InCharge => "in_charge",
            Self::Service => "service",
            Self::Qualification => "qualification",
            Self::Task => "task",
            Self::Approval => "approval",
            Self::Key => "key",
            Self::Outbox => "outbox",
            Self::Console => "console",
        }
    }
}

/// What happens when somebody opens data: nothing where it is on record for this hour.
#[must_use]
pub fn opened(on_record: bool, event: DataOpened) -> Vec<AccessEvent> {
    if on_record { Vec::new() } else { vec![event.into()] }
}
