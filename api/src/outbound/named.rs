//! What messages are called where they are listed, by words that programs compare.

use guichet_engine::rules::process::{Delivery, Party};
use guichet_engine::rules::request::{Recipient, Subject};

/// What a message is about.
#[must_use]
pub fn subject(subject: &Subject) -> &'static str {
    match subject {
        Subject::Acknowledgement => "acknowledgement",
        Subject::Answer => "answer",
        Subject::Question => "question",
        Subject::Reply => "reply",
        Subject::Message => "message",
        Subject::News(_) => "news",
        Subject::Slip => "slip",
        Subject::Assignment => "assignment",
        Subject::Task(_) => "task",
        Subject::Approval(_) => "approval",
        Subject::Rework => "rework",
        Subject::Warning(_) => "warning",
        Subject::Breach(_) => "breach",
    }
}

/// Who it goes to: `requester`, `service:…`, `role:…`, `person:…` or `administration:…`.
#[must_use]
pub fn recipient(recipient: &Recipient) -> String {
    match recipient {
        Recipient::Requester => "requester".to_owned(),
        Recipient::Administration(to) => format!("administration:{to}"),
        Recipient::Party(Party::Role(role)) => format!("role:{role}"),
        Recipient::Party(Party::Person(person)) => format!("person:{person}"),
        Recipient::Party(Party::Service(service)) => format!("service:{service}"),
        Recipient::Party(Party::ServiceInCharge) => "service".to_owned(),
    }
}

/// Whether people carry it out, and report it done.
#[must_use]
pub fn is_by_hand(by: Delivery) -> bool {
    match by {
        Delivery::Letter | Delivery::Counter | Delivery::Phone => true,
        Delivery::Email | Delivery::Sms | Delivery::Screen | Delivery::Social => false,
    }
}
