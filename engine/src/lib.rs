#![doc = include_str!("../README.md")]

mod ambient;
mod census;
mod definitions;
mod error;
mod file;
mod flight;
mod history;
mod job;
mod names;
mod proposals;
mod publication;
mod records;
mod shared;
mod submit;

pub use ambient::{Ambient, Chance, Clock, ManualClock};
pub use census::Census;
pub use definitions::Definitions;
pub use error::EngineError;
pub use guichet_journal as journal;
pub use guichet_rules as rules;
pub use history::{Entry, Known, Span};
pub use names::{request_stream, tenant_of};
pub use proposals::{Proposal, Settled, VersionEntry};
pub use publication::{Publication, Published};
pub use records::{RecordEntry, RecordReceipt, RecordSubmission};
pub use submit::{Engine, Receipt, Submission};
