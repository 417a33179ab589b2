//! When an effect may go out: at once, when the quiet time is over, or gathered with others. Decided from the settings, the
//! request and the hour; nothing is written here.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use guichet_engine::Known;
use guichet_engine::rules::process::{Delivery, Party, Priority};
use guichet_engine::rules::request::{ClockStatus, Recipient, Subject};
use guichet_projections::OutboxItem;

use crate::outbound::quiet::Quiet;
use crate::settings::messages::Section;

/// When an effect goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Timing {
    /// Now, in a message of its own.
    Now,
    /// Now, with others for the same people.
    Gathered,
    /// Not before this instant (UTC).
    Later(DateTime<Utc>),
}

/// Whether the settings ever keep an effect waiting, so that most installations look no further.
pub(super) fn may_wait(settings: &Section) -> bool {
    settings.digest_minutes > 0 || settings.quiet_hours.is_some() || settings.quiet_closed_days
}

/// When `item` goes out, as things stand at `now` (UTC).
pub(super) fn timing(item: &OutboxItem, known: &Known, settings: &Section, now: DateTime<Utc>) -> Timing {
    match &item.recipient {
        Recipient::Requester => to_requester(item, known, settings, now),
        // Mail to an office waits in its own inbox.
        Recipient::Administration(_) => Timing::Now,
        Recipient::Party(party) => to_staff(item, party, known, settings, now),
    }
}

fn to_requester(item: &OutboxItem, known: &Known, settings: &Section, now: DateTime<Utc>) -> Timing {
    let waits = match item.by {
        Delivery::Sms | Delivery::Phone => true,
        Delivery::Email => settings.quiet_mail,
        Delivery::Letter | Delivery::Counter | Delivery::Screen | Delivery::Social => false,
    };
    let Some(over) = over(&settings.quiet(), known, now).filter(|_| waits) else { return Timing::Now };
    // What was promised, or has a term of the law, is told in time whatever the hour.
    let running = known.request.clocks.iter().filter(|clock| clock.status == ClockStatus::Running);
    let told = matches!(item.subject, Subject::Acknowledgement | Subject::Answer);
    let pressing = told && running.map(|clock| clock.due).min().is_some_and(|due| due <= over);
    if pressing { Timing::Now } else { Timing::Later(over) }
}

fn to_staff(
    item: &OutboxItem,
    party: &Party,
    known: &Known,
    settings: &Section,
    now: DateTime<Utc>,
) -> Timing {
    let on_call = |except: &Vec<String>| match party {
        Party::Service(service) => except.contains(service),
        Party::ServiceInCharge => known.request.service.as_ref().is_some_and(|id| except.contains(id)),
        Party::Role(_) | Party::Person(_) => false,
    };
    let quiet = settings.quiet_staff_except.as_ref().is_some_and(|except| !on_call(except));
    let over = over(&settings.quiet(), known, now).filter(|_| quiet);
    if let Some(over) = over {
        return Timing::Later(over);
    }
    if settings.digest_minutes == 0 || is_urgent(item, known) {
        return Timing::Now;
    }
    match window_end(item.asked, settings.digest_minutes) {
        end if end > now => Timing::Later(end),
        _ => Timing::Gathered,
    }
}

/// What is never gathered: a promise that was not kept, and whatever concerns an urgent request.
fn is_urgent(item: &OutboxItem, known: &Known) -> bool {
    matches!(item.subject, Subject::Breach(_)) || known.request.priority == Priority::Urgent
}

fn over(quiet: &Quiet, known: &Known, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let plan = &known.plan;
    quiet.over(now, plan.calendar(&plan.definition().calendar)?)
}

/// The end of the window in which something was asked for: windows lie side by side, so that what was asked for in one of
/// them becomes due together.
fn window_end(asked: DateTime<Utc>, minutes: u32) -> DateTime<Utc> {
    let window = TimeDelta::minutes(minutes.into());
    let begun = asked.duration_trunc(window).unwrap_or(asked);
    begun.checked_add_signed(window).unwrap_or(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_lie_side_by_side() {
        let end = |asked: &str| window_end(asked.parse().unwrap(), 30).to_rfc3339();
        assert_eq!(end("2026-11-03T09:00:00Z"), "2026-11-03T09:30:00+00:00");
        assert_eq!(end("2026-11-03T09:29:59Z"), "2026-11-03T09:30:00+00:00");
        assert_eq!(end("2026-11-03T09:30:00Z"), "2026-11-03T10:00:00+00:00");
    }
}
