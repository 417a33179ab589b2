//! What is remembered beside requests, each kind in streams of its own: people's accounts, votes, alerts, where changes
//! are sent, who looked at what. A kind is one file and one line in the list below.
//!
//! As with requests, deciding reads and never writes: a kind's file holds its events, the state folded from them, and
//! pure functions that answer the events which a command makes happen, or a refusal.

pub mod access;
pub mod alert;
pub mod contact;
pub mod erasure;
pub mod support;
pub mod webhook;

pub use access::AccessEvent;
pub use alert::AlertEvent;
pub use contact::ContactEvent;
pub use erasure::ErasureEvent;
pub use support::SupportEvent;
pub use webhook::WebhookEvent;

use serde::Serialize;

use crate::request::DecodeError;

/// The events of one kind: an enum with one variant for each struct, its wire names, and its way back from a body.
macro_rules! record_events {
    ($(#[$doc:meta])* $enum:ident { $( $(#[$variant_doc:meta])* $name:ident = $wire:literal ),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $enum { $( $(#[$variant_doc])* $name($name) ),* }

        $( impl From<$name> for $enum { fn from(event: $name) -> Self { Self::$name(event) } } )*

        impl $enum {
            /// Wire names of its events, in the order of the list.
            pub const NAMES: &[&str] = &[$( $wire ),*];

            /// The wire name, for ever.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match *self { $( Self::$name(_) => $wire ),* }
            }

            /// The event of this wire name in a body that the journal gave back, sealed or opened.
            ///
            /// # Errors
            /// [`DecodeError`](crate::request::DecodeError).
            pub fn decode(name: &str, body: &[u8]) -> Result<Self, crate::request::DecodeError> {
                $( if name == $wire {
                    return serde_json::from_slice(body).map(Self::$name).map_err(|source| {
                        crate::request::DecodeError::Shape { kind: name.to_owned(), source }
                    });
                } )*
                let _ = body;
                Err(crate::request::DecodeError::UnknownType(name.to_owned()))
            }
        }

        impl serde::Serialize for $enum {
            #[allow(unused_variables, reason = "a kind may have no events yet")]
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match *self { $( Self::$name(ref event) => event.serialize(serializer) ),* }
            }
        }
    };
}
pub(crate) use record_events;

macro_rules! kinds {
    ($( $(#[$doc:meta])* $name:ident($event:ident) = $kind:literal, )*) => {
        /// An event of a record.
        #[derive(Debug, Clone, PartialEq)]
        pub enum RecordEvent { $( $(#[$doc])* $name($event), )* }

        $( impl From<$event> for RecordEvent { fn from(event: $event) -> Self { Self::$name(event) } } )*

        /// The kinds of streams of records.
        pub const RECORD_STREAMS: &[&str] = &[$( $kind ),*];

        impl RecordEvent {
            /// The kind of stream it stands in.
            #[must_use]
            pub fn kind(&self) -> &'static str {
                match self { $( Self::$name(_) => $kind, )* }
            }

            /// The wire name, for ever.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $( Self::$name(event) => event.name(), )* }
            }

            /// The event of a stream of this kind.
            ///
            /// # Errors
            /// [`DecodeError`].
            pub fn decode(kind: &str, name: &str, body: &[u8]) -> Result<Self, DecodeError> {
                match kind {
                    $( $kind => $event::decode(name, body).map(Self::$name), )*
                    _ => Err(DecodeError::UnknownType(name.to_owned())),
                }
            }
        }

        impl Serialize for RecordEvent {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $( Self::$name(event) => event.serialize(serializer), )* }
            }
        }
    };
}

kinds! {
    /// Who looked at personal data.
    Access(AccessEvent) = "access",
    /// One message to all whom it concerns.
    Alert(AlertEvent) = "alert",
    /// A person's account, consents and subscriptions.
    Contact(ContactEvent) = "contact",
    /// That a request's persons were erased.
    Erasure(ErasureEvent) = "erasure",
    /// One person's vote for one request.
    Support(SupportEvent) = "support",
    /// An address that changes are sent to.
    Webhook(WebhookEvent) = "webhook",
}
