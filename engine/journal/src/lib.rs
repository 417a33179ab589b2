#![doc = include_str!("../README.md")]

mod chunk;
pub mod conformance;
mod digest;
mod error;
mod event;
mod follow;
mod group;
mod header;
mod id;
mod instant;
mod keys;
#[cfg(feature = "kurrentdb")]
mod kurrentdb;
pub mod limits;
mod memory;
mod place;
mod port;
mod postgres;
mod prepare;
mod queue;
mod seal;
mod sequencer;
mod sqlite;
mod thread;
mod verify;

pub use digest::Digest;
pub use error::{Expected, JournalError};
pub use event::{Append, Appended, Body, NewEvent, Recorded, TOMBSTONE};
pub use follow::{Batch, Followed, Follower};
pub use header::{HEADER_VERSION, Header, Outline};
pub use id::{
    BadName, Channel, CommandId, EventId, EventType, Kid, Position, Pseudonym, Revision, StreamId, Subject,
    Tenant,
};
pub use keys::{
    DataKey, KEYS_FILE, KeyState, KeyStore, MASTER_FILE, MasterKey, MemoryKeyStore, PostgresKeyStore,
    SqliteKeyStore,
};
#[cfg(feature = "kurrentdb")]
pub use kurrentdb::{KurrentJournal, KurrentOptions, Patience};
pub use memory::MemoryJournal;
pub use port::{Filter, Journal, Page};
pub use postgres::{PostgresJournal, PostgresMoment, PostgresOptions};
pub use sqlite::{Copied, CopiedKeys, JOURNAL_FILE, SqliteBeside, SqliteJournal, copy_journal, copy_keys};
pub use verify::{FINDINGS_MAX, Finding, Verification, Wrong, verify_all, verify_stream};
