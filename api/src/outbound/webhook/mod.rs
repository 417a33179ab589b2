//! Changes sent to addresses that integrators registered: CloudEvents 1.0 in structured JSON, signed as Standard Webhooks
//! says. What is wanted stands in the journal (`guichet_engine::rules::records::webhook`), how far each was told beside the
//! read models (`guichet_projections`, `deliveries`), and `workers::Webhooks` carries it out.

mod address;
mod envelope;
mod schedule;
mod send;
mod sign;

pub use address::{ADDRESS_CHARACTERS_MAX, AddressFault, checked_address};
pub use envelope::{Change, ChangePromise, Envelope, TYPE_PREFIX};
pub use schedule::{
    ATTEMPTS_MAX, FAILING_MAX, FAILURES_BEFORE_REST, REST_MAX, RETRY_AFTER_MAX, rest_after, wait_after,
};
pub use send::{DELIVERY_MAX, Outcome, Sender, Signed};
pub use sign::{SECRET_BYTES, SECRET_PREFIX, fresh_secret, signature};
