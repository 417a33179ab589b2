//! Commitments: how long something may take, when it is due, and why.
//!
//! Everything here is a plain function of a [`Calendar`](crate::calendar::Calendar), a start, a [`Budget`] and
//! the [`Pause`]s: the same history gives the same instants whenever and wherever it is replayed.

mod budget;
mod due;
mod explanation;
mod legal;
mod open_time;
mod pause;
mod question;
mod sentences;
mod warning;

pub use budget::{Budget, BudgetError, MonthRule, Unit};
pub use due::{Due, NoDue, due, due_instant};
pub use explanation::{ClosureSkipped, CountedPause, DueRule, Explanation, HolidaySkipped, PauseEffect};
pub use legal::{
    ImpliedDecision, LegalClock, LegalHistory, LegalRule, PiecesAsked, SilenceMeans, implied_decision,
};
pub use open_time::open_time;
pub use pause::{Pause, PauseError};
pub use question::{LineError, Question, answer_line};
pub use warning::warning;
