//! Reading what designers write: from trees of YAML to definitions, with the place of every part kept.
//!
//! Reading looks at shape only: known keys, right kinds of value, names that exist. What a sheet *means* is looked at
//! by `check` afterwards, on the definition and its places. A part that cannot be read is reported
//! and replaced by something harmless, so that everything else in the file is still looked at in the same run.

mod catalogue;
mod circuit;
mod commitment;
mod desk;
mod expectation;
mod extends;
mod form;
mod organisation;
mod parts;
mod payment;
mod process;
mod scenario;
mod shared;
mod stages;
mod values;
mod verbs;
mod voting;

pub(super) use catalogue::{Header, read_catalogue};
pub(super) use circuit::read_circuit;
pub(super) use desk::{At, Desk, Places};
pub(crate) use expectation::local_time;
pub use expectation::{Expectation, ExpectedPayment};
pub(super) use extends::{Base, IDENTITY, inherit, without_identity};
pub(super) use organisation::read_organisation;
pub(super) use process::{Item, Library, read_process};
pub(crate) use scenario::read_back;
pub(super) use scenario::read_scenarios;
pub use scenario::{Action, Deed, Scenario, ScenarioFile, Step, StepBy, When};
pub(super) use shared::{read_calendar, read_message};
pub(super) use values::json_of;
