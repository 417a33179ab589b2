#![doc = include_str!("../README.md")]

mod digest;
mod error;
mod event;
mod follow;
mod header;
mod id;
mod keys;
pub mod limits;
mod memory;
mod place;
mod port;
mod prepare;
mod seal;

pub use digest::Digest;
pub use error::{Expected, JournalError};
pub use event::{Append, Appended, Body, NewEvent, Recorded, TOMBSTONE};
pub use follow::{Batch, Followed, Follower};
pub use header::{HEADER_VERSION, Header};
pub use id::{
    BadName, Channel, CommandId, EventId, EventType, Kid, Position, Pseudonym, Revision, StreamId, Subject,
    Tenant,
};
pub use keys::{DataKey, KeyState, KeyStore, MasterKey, MemoryKeyStore};
pub use memory::MemoryJournal;
pub use port::{Filter, Journal, Page};
