//! What has happened to a request.
//!
//! Each event is a struct in `happened.rs` and one line in the list at the end of this file. Its wire name never
//! changes; a change of shape that old events do not fit is a new version, upcast when read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::appointment::*;
use super::clock::ClockChange;
use super::happened::*;
use super::payment::*;

/// An event: what happened, and what that did to the request's clocks.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What happened.
    pub what: What,
    /// What that did to its clocks.
    pub clocks: Vec<ClockChange>,
}

impl From<What> for Event {
    fn from(what: What) -> Self {
        Self { what, clocks: Vec::new() }
    }
}

/// The body of an event as it is written.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Body<T> {
    pub(crate) data: T,
    #[serde(default = "no_clocks", skip_serializing_if = "Vec::is_empty")]
    pub(crate) clocks: Vec<ClockChange>,
}

fn no_clocks() -> Vec<ClockChange> {
    Vec::new()
}

/// Why stored bytes are not an event.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Written by a newer version, or by something else.
    #[error("no event is called `{0}` in this version")]
    UnknownType(String),
    /// The body does not have the shape of its type.
    #[error("the body of a `{kind}` event does not have its shape: {source}")]
    Shape {
        /// The type.
        kind: String,
        /// What is wrong.
        source: serde_json::Error,
    },
}

macro_rules! events {
    ($( $name:ident => $wire:literal ),* $(,)?) => {
        /// What happened: one variant for each event there is.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(missing_docs, reason = "each variant is documented by its struct")]
        pub enum What { $( $name($name) ),* }

        $( impl From<$name> for What { fn from(event: $name) -> Self { Self::$name(event) } } )*
        $( impl From<$name> for Event { fn from(event: $name) -> Self { What::$name(event).into() } } )*

        impl What {
            /// Wire names of all events, in the order of the list.
            pub const NAMES: &[&str] = &[$( $wire ),*];

            /// The wire name, for ever.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $( Self::$name(_) => $wire ),* }
            }
        }

        /// The body as it is written: personal values in clear, for the journal to seal.
        impl Serialize for Event {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match &self.what {
                    $( What::$name(data) => BodyRef { data, clocks: &self.clocks }.serialize(serializer) ),*
                }
            }
        }

        impl Event {
            /// The event in a body that the journal gave back, sealed or opened.
            ///
            /// # Errors
            /// [`DecodeError`] when the type is unknown or the body has another shape.
            pub fn decode(kind: &str, body: &[u8]) -> Result<Self, DecodeError> {
                match kind {
                    $( $wire => serde_json::from_slice::<Body<$name>>(body)
                        .map(|body| Self { what: What::$name(body.data), clocks: body.clocks })
                        .map_err(|source| DecodeError::Shape { kind: kind.into(), source }), )*
                    other => Err(DecodeError::UnknownType(other.into())),
                }
            }
        }

        /// The JSON Schema of each event's body, by wire name; what they share goes into the generator's definitions.
        #[must_use]
        pub fn event_schemas(generator: &mut schemars::SchemaGenerator) -> Vec<(&'static str, schemars::Schema)> {
            vec![$( ($wire, generator.subschema_for::<Body<$name>>()) ),*]
        }
    };
}

#[derive(Serialize)]
struct BodyRef<'a, T> {
    data: &'a T,
    #[serde(skip_serializing_if = "<[ClockChange]>::is_empty")]
    clocks: &'a [ClockChange],
}

events! {
    Received => "request.received",
    Acknowledged => "request.acknowledged",
    Qualified => "request.qualified",
    Reclassified => "request.reclassified",
    Migrated => "request.migrated",
    Assigned => "request.assigned",
    Reassigned => "request.reassigned",
    Claimed => "request.claimed",
    Released => "request.released",
    TaskOpened => "request.task_opened",
    TaskSkipped => "request.task_skipped",
    TaskCompleted => "request.task_completed",
    TaskLate => "request.task_late",
    Visited => "request.visited",
    Asked => "request.asked",
    Reminded => "request.reminded",
    Replied => "request.replied",
    Lapsed => "request.lapsed",
    Suspended => "request.suspended",
    Resumed => "request.resumed",
    Extended => "request.extended",
    Noted => "request.noted",
    Messaged => "request.messaged",
    Drafted => "request.drafted",
    Submitted => "request.submitted",
    ApprovalOpened => "request.approval_opened",
    Approved => "request.approved",
    Returned => "request.returned",
    Delegated => "request.delegated",
    ApprovalLate => "request.approval_late",
    Validated => "request.validated",
    DeliveryOpened => "request.delivery_opened",
    Delivered => "request.delivered",
    DeliveryFailed => "request.delivery_failed",
    Withdrawn => "request.withdrawn",
    Cancelled => "request.cancelled",
    Refused => "request.refused",
    Forwarded => "request.forwarded",
    ForwardArrived => "request.forward_arrived",
    ForwardBlocked => "request.forward_blocked",
    Merged => "request.merged",
    Reopened => "request.reopened",
    Rated => "request.rated",
    CommitmentWarned => "request.commitment_warned",
    CommitmentBroken => "request.commitment_broken",
    Notified => "request.notified",
    NotificationFailed => "request.notification_failed",
    PaymentRequested => "request.payment_requested",
    PaymentStarted => "request.payment_started",
    PaymentSettled => "request.payment_settled",
    PaymentFailed => "request.payment_failed",
    PaymentReminded => "request.payment_reminded",
    PaymentLapsed => "request.payment_lapsed",
    PaymentCancelled => "request.payment_cancelled",
    PaymentRefunded => "request.payment_refunded",
    AppointmentOffered => "request.appointment_offered",
    AppointmentChosen => "request.appointment_chosen",
    InterventionSet => "request.intervention_set",
    AppointmentReminded => "request.appointment_reminded",
    AppointmentLapsed => "request.appointment_lapsed",
    AppointmentCancelled => "request.appointment_cancelled",
    AttendanceRecorded => "request.attendance_recorded",
}
