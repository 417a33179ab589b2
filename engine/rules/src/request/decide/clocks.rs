//! Which clocks an event starts, changes, pauses, resumes, stops or drops.

use chrono::{DateTime, Utc};

use super::board::{Board, SILENCE};
use super::legal;
use crate::process::{Moment, Plan};
use crate::request::clock::ClockChange;
use crate::request::state::{Hold, Request};
use crate::request::{Rejection, What};

/// What `what` does to the clocks of the request, which is `after` it; `hold` is why it rested before.
#[allow(clippy::too_many_lines, reason = "one arm for each event: a list, not a procedure")]
pub(super) fn changes(
    what: &What,
    after: &Request,
    hold: Option<&Hold>,
    plan: &Plan,
    at: DateTime<Utc>,
) -> Result<Vec<ClockChange>, Rejection> {
    let mut board = Board::new(after, plan, at);
    match what {
        What::Received(_) => {
            board.reach(&Moment::Received)?;
            legal::start(&mut board)?;
        }
        What::Acknowledged(_) => board.reach(&Moment::Acknowledged)?,
        What::Qualified(_) => {
            board.rebudget()?;
            board.reach(&Moment::Qualified)?;
        }
        What::Reclassified(_) => {
            board.reclassify()?;
            legal::reclassify(&mut board, false)?;
        }
        What::Migrated(event) => board.migrate(event.promises)?,
        What::Assigned(_) => {
            board.reach(&Moment::Assigned)?;
            board.reach_treated()?;
        }
        What::TaskSkipped(event) => board.skip_task(&event.task)?,
        What::TaskCompleted(event) => board.finish_task(&event.task)?,
        What::Asked(event) => {
            board.pauses()?;
            legal::asked(&mut board, &event.pieces);
        }
        What::Replied(event) => {
            board.end_of_rest(hold)?;
            if event.complete {
                legal::completed(&mut board, hold)?;
            }
        }
        What::Lapsed(event) => {
            board.at = event.reply_by;
            board.pauses()?;
            legal::lapsed(&mut board, event.reply_by)?;
        }
        What::Resumed(_) => {
            board.end_of_rest(hold)?;
            if matches!(hold, Some(Hold::WaitingForRequester { .. })) {
                legal::completed(&mut board, hold)?;
            }
        }
        What::Suspended(_)
        | What::Submitted(_)
        | What::Returned(_)
        | What::Approved(_)
        | What::PaymentRequested(_)
        | What::PaymentSettled(_)
        | What::PaymentLapsed(_)
        | What::PaymentCancelled(_) => board.pauses()?,
        What::Extended(event) => board.extend(&event.commitment, event.by)?,
        What::Validated(_) => {
            board.pauses()?;
            board.reach(&Moment::Validated)?;
        }
        What::Delivered(_) => {
            // The answer also tells that the request was received.
            board.stop_until(&Moment::Acknowledged);
            board.reach(&Moment::Delivered)?;
            board.stop(SILENCE);
            board.drop_all();
        }
        // An express decision of rejection leaves no silence behind it.
        What::Refused(_) => {
            board.stop(SILENCE);
            board.drop_all();
        }
        What::Withdrawn(_) | What::Cancelled(_) | What::Forwarded(_) | What::Merged(_) => board.drop_all(),
        What::Reopened(_) => {
            board.new_cycle()?;
            legal::reopened(&mut board)?;
        }
        What::ForwardArrived(_)
        | What::ForwardBlocked(_)
        | What::Reassigned(_)
        | What::Claimed(_)
        | What::Released(_)
        | What::TaskOpened(_)
        | What::TaskLate(_)
        | What::Visited(_)
        | What::Reminded(_)
        | What::Noted(_)
        | What::Messaged(_)
        | What::Drafted(_)
        | What::ApprovalOpened(_)
        | What::Delegated(_)
        | What::ApprovalLate(_)
        | What::DeliveryOpened(_)
        | What::DeliveryFailed(_)
        | What::Rated(_)
        | What::CommitmentWarned(_)
        | What::CommitmentBroken(_)
        | What::Notified(_)
        | What::NotificationFailed(_)
        | What::PaymentStarted(_)
        | What::PaymentFailed(_)
        | What::PaymentReminded(_)
        | What::PaymentRefunded(_)
        | What::AppointmentOffered(_)
        | What::AppointmentChosen(_)
        | What::InterventionSet(_)
        | What::AppointmentReminded(_)
        | What::AppointmentLapsed(_)
        | What::AppointmentCancelled(_)
        | What::AttendanceRecorded(_) => {}
    }
    Ok(board.into_changes())
}
