//! What a read model is told: each event once, and each request that a batch touched once.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, NaiveDate, Utc};
use guichet_journal::Position;
use guichet_rules::calendar::Calendar;
use guichet_rules::organisation::Organisation;
use guichet_rules::process::{Definition, DefinitionHash, Delivery, Plan};
use guichet_rules::request::{Event, Hold, Meta, Recipient, Request, What};

use super::decode::Record;
use crate::store::Rows;

/// A published version of a process, as read models need it.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) hash: DefinitionHash,
    pub(crate) definition: Arc<Definition>,
    calendar: Option<Calendar>,
    plan: OnceLock<Result<Plan, String>>,
}

impl Process {
    pub(crate) fn new(hash: DefinitionHash, definition: Arc<Definition>) -> Self {
        let sheet = definition.calendars.get(&definition.calendar);
        let calendar = sheet.and_then(|sheet| Calendar::compile(sheet).ok());
        Self { hash, definition, calendar, plan: OnceLock::new() }
    }

    /// Its plan, compiled when it is first needed.
    pub(crate) fn plan(&self) -> Result<&Plan, String> {
        let compile = || Plan::compile(Arc::clone(&self.definition)).map_err(|error| error.to_string());
        self.plan.get_or_init(compile).as_ref().map_err(Clone::clone)
    }

    /// The day on which an instant falls where the process is treated; in UTC if its calendar cannot be used.
    pub(crate) fn local_date(&self, instant: DateTime<Utc>) -> NaiveDate {
        self.calendar.as_ref().map_or_else(|| instant.date_naive(), |calendar| calendar.local_date(instant))
    }
}

/// What read models count along the history of a request and its state does not say.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Trace {
    /// Letters that the town hall posted for it.
    pub(crate) letters: u32,
    /// How long it waited for the requester, in microseconds; waits that ended only.
    pub(crate) waited: i64,
    /// Whether the draft was returned and not sent to validation again.
    pub(crate) returned: bool,
    /// Commitments of the present cycle that warned.
    pub(crate) warned: Vec<String>,
    /// Messages to the requester that did not arrive, told at once or long after.
    pub(crate) undelivered: u32,
    /// The last of them that nobody has looked after yet, by its effect.
    pub(crate) unreached: Option<String>,
}

/// Since when a request waits for the requester, if it does.
pub(crate) fn waiting_since(request: Option<&Request>) -> Option<DateTime<Utc>> {
    match request?.hold {
        Some(Hold::WaitingForRequester { since, .. }) => Some(since),
        Some(Hold::Suspended { .. }) | None => None,
    }
}

impl Trace {
    /// Takes in one event. `waiting` says since when the request waited before it.
    #[allow(clippy::too_many_lines, reason = "one arm for each event: a list, not a procedure")]
    pub(crate) fn follow(
        &mut self,
        waiting: Option<DateTime<Utc>>,
        event: &Event,
        meta: &Meta,
        after: &Request,
    ) {
        if let Some(since) = waiting.filter(|_| waiting_since(Some(after)).is_none()) {
            self.waited += (meta.occurred_at - since).num_microseconds().unwrap_or(0).max(0);
        }
        self.reach(event, meta);
        match &event.what {
            What::Acknowledged(done) => self.count_letter(done.by),
            What::Delivered(done) => self.count_letter(done.by),
            What::Returned(done) => self.returned |= done.effective && done.to.is_none(),
            What::Approved(done) => self.returned |= done.returned,
            What::Submitted(_) | What::Validated(_) => self.returned = false,
            What::CommitmentWarned(warned) => self.warned.push(warned.commitment.clone()),
            What::Reopened(_) | What::Reclassified(_) => {
                self.returned = false;
                self.warned.clear();
            }
            What::Received(_)
            | What::Qualified(_)
            | What::Migrated(_)
            | What::Assigned(_)
            | What::Reassigned(_)
            | What::Claimed(_)
            | What::Released(_)
            | What::TaskOpened(_)
            | What::TaskSkipped(_)
            | What::TaskCompleted(_)
            | What::TaskLate(_)
            | What::Visited(_)
            | What::Asked(_)
            | What::Reminded(_)
            | What::Replied(_)
            | What::Lapsed(_)
            | What::Suspended(_)
            | What::Resumed(_)
            | What::Extended(_)
            | What::Noted(_)
            | What::Messaged(_)
            | What::Drafted(_)
            | What::ApprovalOpened(_)
            | What::Delegated(_)
            | What::ApprovalLate(_)
            | What::DeliveryOpened(_)
            | What::DeliveryFailed(_)
            | What::Withdrawn(_)
            | What::Cancelled(_)
            | What::Refused(_)
            | What::Forwarded(_)
            | What::ForwardArrived(_)
            | What::ForwardBlocked(_)
            | What::Merged(_)
            | What::Rated(_)
            | What::CommitmentBroken(_)
            | What::Notified(_)
            | What::NotificationFailed(_)
            | What::PaymentRequested(_)
            | What::PaymentStarted(_)
            | What::PaymentSettled(_)
            | What::PaymentFailed(_)
            | What::PaymentReminded(_)
            | What::PaymentLapsed(_)
            | What::PaymentCancelled(_)
            | What::PaymentRefunded(_)
            | What::AppointmentOffered(_)
            | What::AppointmentChosen(_)
            | What::InterventionSet(_)
            | What::AppointmentReminded(_)
            | What::AppointmentLapsed(_)
            | What::AppointmentCancelled(_)
            | What::AttendanceRecorded(_) => {}
        }
    }

    /// Counts what did not arrive, and what is done about it: somebody of the town hall wrote again or noted how they
    /// reached the requester, or the requester wrote.
    fn reach(&mut self, event: &Event, meta: &Meta) {
        let by_agent = meta.actor.starts_with("agent:");
        if let What::NotificationFailed(failed) = &event.what {
            if failed.recipient == Recipient::Requester {
                self.undelivered += 1;
                self.unreached = Some(failed.effect.clone());
            }
        } else if let What::DeliveryFailed(_) = &event.what {
            // The sheet names another means, and the answer goes on by that.
            self.undelivered += 1;
        } else if matches!(&event.what, What::Replied(_) | What::Reopened(_) | What::Rated(_))
            || by_agent && matches!(&event.what, What::Noted(_) | What::Messaged(_) | What::Delivered(_))
        {
            self.unreached = None;
        }
    }

    fn count_letter(&mut self, by: Delivery) {
        self.letters += u32::from(by == Delivery::Letter);
    }
}

/// A request as the runner holds it between events.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    /// Its state.
    pub(crate) request: Request,
    /// What its state does not say.
    pub(crate) trace: Trace,
    /// The number of its first event's position: the key of its rows, because rows of requests that are worked on at
    /// the same time then lie side by side.
    pub(crate) rid: i64,
    /// The revision of its last event.
    pub(crate) revision: u64,
}

/// One event, with what it did. Nothing personal in it is opened.
pub(crate) struct Change<'a> {
    pub(crate) position: Position,
    pub(crate) revision: u64,
    pub(crate) event: &'a Event,
    pub(crate) meta: &'a Meta,
    /// The absent person in whose name it was done.
    pub(crate) on_behalf_of: Option<&'a str>,
    /// The request after it.
    pub(crate) after: &'a Held,
    pub(crate) process: &'a Process,
    pub(crate) organisation: &'a Organisation,
}

/// What a batch did to one request: as it stood before the batch, as it stands after it. Rows that are a function of
/// the state are made from this, so each is written once however many events touched it.
pub(crate) struct Turn<'a> {
    pub(crate) before: Option<(&'a Held, &'a Process)>,
    pub(crate) after: &'a Held,
    pub(crate) process: &'a Process,
}

/// Something published.
pub(crate) enum Publication<'a> {
    Process { tenant: &'a str, process: &'a Process },
    Retired { tenant: &'a str, process: &'a str },
    Organisation { tenant: &'a str, organisation: &'a Organisation },
}

/// A read model's folding side. What it writes depends on the events alone, never on how they were cut into batches.
pub(crate) trait Fold: Send {
    /// One event of a request.
    ///
    /// # Errors
    /// A sentence, when it cannot be folded.
    fn event(&mut self, change: &Change<'_>, rows: &mut Rows) -> Result<(), String> {
        let _ = (change, rows);
        Ok(())
    }

    /// One request that the batch touched, after all its events.
    fn request(&mut self, turn: &Turn<'_>, rows: &mut Rows) {
        let _ = (turn, rows);
    }

    /// A process or an organisation entered into force.
    fn publication(&mut self, publication: &Publication<'_>, rows: &mut Rows) {
        let _ = (publication, rows);
    }

    /// One event of a record beside requests.
    ///
    /// # Errors
    /// A sentence, when it cannot be folded.
    fn record(&mut self, record: &Record<'_>, rows: &mut Rows) -> Result<(), String> {
        let _ = (record, rows);
        Ok(())
    }
}
