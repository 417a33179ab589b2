//! The runner: it follows the journal, folds each event once, and moves rows and checkpoints together.

mod change;
mod decode;
mod folder;
mod known;
mod lead;
mod live;
mod pump;
mod rebuild;
mod schema;
mod states;
mod status;

#[cfg(test)]
pub(crate) use change::Trace;
pub(crate) use change::{Change, Fold, Held, Process, Publication, Turn};
pub(crate) use decode::Record;
pub(crate) use known::Known;
pub(crate) use lead::stand_for_lead;
pub(crate) use live::{astray, follow};
pub use rebuild::Rebuilt;
pub(crate) use rebuild::{Goal, rebuild};
pub(crate) use schema::{checkpoints, create, prepare, prepare_shared};
#[cfg(test)]
pub(crate) use states::States;
pub(crate) use status::Progress;
pub use status::{RunState, Status};
