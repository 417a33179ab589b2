//! Carrying requests under way over to another version of their process: planned first, then applied as planned.
//!
//! A plan is worked out by the rules that will decide it, on the requests as they stand. Applying it sends one command
//! a request, with an id made from the plan and the request, so a plan applied twice, or interrupted and applied again,
//! moves every request once.

mod apply;
mod consider;
mod plan;

pub use apply::{Applied, Stale};
pub use consider::{Considered, PromiseMoved, Reason, Targets};
pub use plan::{MigrationPlan, Outcome, PLAN_BYTES_MAX, PlanError, Planned, Scope, Summary, SummaryLine};
