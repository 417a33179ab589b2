//! Ideas: when the public sees one, and when it may vote for it.

use chrono::{DateTime, Utc};

use super::decide::moments::published_after;
use super::rejection::{Ground, Rejection};
use super::state::{Request, Stage};
use crate::process::{Definition, Plan, Voting};
use crate::text::Text;

/// Since when the public sees an idea (UTC); none where it does not: its process publishes none, nobody has looked at it
/// yet, or it came to nothing.
#[must_use]
pub fn published(request: &Request, definition: &Definition) -> Option<DateTime<Utc>> {
    let voting = definition.voting.as_ref()?;
    let lives = match request.stage {
        Stage::Received
        | Stage::Withdrawn
        | Stage::Cancelled
        | Stage::Refused
        | Stage::Forwarded { .. }
        | Stage::Merged { .. } => false,
        Stage::Qualified
        | Stage::Assigned
        | Stage::InValidation(_)
        | Stage::Validated { .. }
        | Stage::Delivered { .. } => true,
    };
    // Without a title there is nothing to show.
    shown(request, &voting.title).filter(|_| lives)?;
    published_after(request, voting.after.as_deref())
}

/// The text of a field that the public sees.
#[must_use]
pub fn shown<'r>(request: &'r Request, field: &str) -> Option<&'r str> {
    request.form.get(field)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// The amount of a field that the public sees, in cents.
#[must_use]
pub fn shown_cents(request: &Request, field: &str) -> Option<i64> {
    let amount = request.form.get(field)?.get("amount")?.as_str()?;
    let (whole, cents) = amount.split_once('.').unwrap_or((amount, "0"));
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(cents.parse::<i64>().ok()?)
}

/// How the public votes for an idea now; a refusal where it does not.
///
/// # Errors
/// `idea.unknown`, `voting.not_open`, `voting.over`.
pub fn may_vote<'p>(request: &Request, plan: &'p Plan, now: DateTime<Utc>) -> Result<&'p Voting, Rejection> {
    let definition = plan.definition();
    let voting = definition.voting.as_ref().filter(|_| published(request, definition).is_some());
    let voting = voting.ok_or_else(|| {
        let text = Text::new("Il n’y a pas d’idée de ce nom.", "There is no such idea.");
        Rejection::new("idea.unknown", text).because(Ground::Absence)
    })?;
    let today = plan
        .calendar(&definition.calendar)
        .map_or_else(|| now.date_naive(), |calendar| calendar.local_date(now));
    if voting.from.is_some_and(|from| today < from) {
        let text = Text::new("Le vote n’est pas encore ouvert.", "The vote has not begun yet.");
        return Err(Rejection::new("voting.not_open", text));
    }
    if voting.until.is_some_and(|until| until < today) || request.stage.is_finished() {
        let text = Text::new("Le vote est clos.", "The vote is over.");
        return Err(Rejection::new("voting.over", text));
    }
    Ok(voting)
}
