//! Scenarios: a small town hall on a fake clock, in which requests are made, treated and answered, timers fire in
//! order and effects are carried out at once. Pure, like everything in this crate.

mod coverage;
mod deal;
mod expect;
mod record;
mod run;
mod who;
mod world;

pub use coverage::{Branch, Coverage, PromiseSeen, Way, coverage};
pub use record::{Recorded, Source, Unrecordable, record};
pub use run::{Outcome, Problem, StepOutcome, run};
pub use world::{Case, World};
