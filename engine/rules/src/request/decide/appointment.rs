//! Appointments: slots are offered and chosen, a team announces its date, somebody comes or does not.

use chrono::{DateTime, Duration, NaiveTime, TimeZone, Utc};

use super::decision::Decision;
use super::{REASON, said};
use crate::request::appointment::{
    Appointment, AppointmentCancelled, AppointmentChosen, AppointmentKind, AppointmentOffered,
    AppointmentParty, AppointmentStatus, AttendanceRecorded, InterventionSet, SLOTS_MAX, Slot,
};
use crate::request::{Actor, Personal, Rejection, refusal};

/// The longest slot: a team may announce itself for a whole day, not for a season.
const SLOT_MAX: Duration = Duration::days(31);
/// How far ahead a slot may lie.
const AHEAD_MAX: Duration = Duration::days(3 * 366);
/// The hour of the day before at which people are reminded, by the clock of the process's calendar.
const REMIND_AT: NaiveTime = match NaiveTime::from_hms_opt(10, 0, 0) {
    Some(time) => time,
    None => NaiveTime::MIN,
};

fn live<'d>(d: &'d Decision<'_>) -> Result<&'d Appointment, Rejection> {
    let found = d.request()?.appointment.as_ref().filter(|known| known.is_live());
    found.ok_or_else(refusal::appointment_none)
}

/// The number of the next appointment.
fn next(d: &Decision<'_>) -> Result<u32, Rejection> {
    Ok(d.request()?.appointment.as_ref().map_or(1, |last| last.number.saturating_add(1)))
}

/// A slot must lie ahead and end after it begins.
fn fits(d: &Decision<'_>, slot: &Slot) -> Result<(), Rejection> {
    if slot.from <= d.facts.now {
        return Err(refusal::time_past());
    }
    let length = slot.until - slot.from;
    if length <= Duration::zero() || length > SLOT_MAX || slot.from - d.facts.now > AHEAD_MAX {
        return Err(refusal::slot_unfit());
    }
    Ok(())
}

/// The day before at ten by the calendar's clock; nothing where that is past.
fn remind_at(d: &Decision<'_>, slot: &Slot) -> Option<DateTime<Utc>> {
    let zone = d.plan.calendar(&d.plan.definition().calendar)?.zone();
    let day = slot.from.with_timezone(&zone).date_naive().pred_opt()?;
    let at = zone.from_local_datetime(&day.and_time(REMIND_AT)).earliest()?.with_timezone(&Utc);
    (at > d.at).then_some(at)
}

/// Who handles the request may fix dates for it, until its answer is delivered.
fn arranger(d: &Decision<'_>) -> Result<(), Rejection> {
    d.unfinished()?;
    d.handler().map(|_| ())
}

pub(super) fn offer(d: &mut Decision<'_>, slots: &[Slot], place: &str, what: &str) -> Result<(), Rejection> {
    arranger(d)?;
    if live(d).is_ok() {
        return Err(refusal::appointment_live());
    }
    let mut slots = slots.to_vec();
    slots.sort();
    let (Some(last), true) = (slots.last().copied(), slots.len() <= SLOTS_MAX) else {
        return Err(refusal::slot_unfit());
    };
    for slot in &slots {
        fits(d, slot)?;
    }
    if slots.windows(2).any(|pair| matches!(pair, [one, other] if one.from == other.from)) {
        return Err(refusal::slot_unfit());
    }
    let place = said(place, ("le lieu", "the place"))?.to_owned();
    let what = said(what, ("l’objet du rendez-vous", "what the appointment is for"))?.to_owned();
    d.emit(AppointmentOffered {
        appointment: next(d)?,
        slots,
        place: Personal::requester(place),
        what: Personal::requester(what),
        choose_by: last.from,
    })
}

/// The requester chooses, or an agent who has them on the telephone. A slot is named by its beginning.
pub(super) fn choose(d: &mut Decision<'_>, slot: DateTime<Utc>) -> Result<(), Rejection> {
    d.unfinished()?;
    d.requester_or_staff()?;
    let known = live(d)?;
    if known.status != AppointmentStatus::Offered {
        return Err(refusal::appointment_none());
    }
    let number = known.number;
    let found = known.slots.iter().copied().find(|known| known.from == slot);
    let slot = found.ok_or_else(refusal::slot_unknown)?;
    if slot.from <= d.facts.now {
        return Err(refusal::time_past());
    }
    let remind_at = remind_at(d, &slot);
    d.emit(AppointmentChosen { appointment: number, slot, remind_at })
}

/// A team announces its date, or another one.
pub(super) fn intervene(d: &mut Decision<'_>, slot: Slot) -> Result<(), Rejection> {
    arranger(d)?;
    fits(d, &slot)?;
    let number = match live(d) {
        Ok(known) if known.kind == AppointmentKind::Intervention => known.number,
        Ok(_) => return Err(refusal::appointment_live()),
        Err(_) => next(d)?,
    };
    let remind_at = remind_at(d, &slot);
    d.emit(InterventionSet { appointment: number, slot, remind_at })
}

/// Whoever acts for themselves cancels for themselves; an agent may note that the requester called off.
pub(super) fn cancel(
    d: &mut Decision<'_>,
    by: Option<AppointmentParty>,
    reason: &str,
) -> Result<(), Rejection> {
    d.unfinished()?;
    let by = match d.facts.actor {
        Actor::Agent(_) => {
            d.handler()?;
            by.unwrap_or(AppointmentParty::Service)
        }
        Actor::Requester | Actor::Integrator(_) | Actor::Engine | Actor::Operator(_) => {
            d.requester()?;
            AppointmentParty::Requester
        }
    };
    let number = live(d)?.number;
    let reason = Personal::requester(said(reason, REASON)?.to_owned());
    d.emit(AppointmentCancelled { appointment: number, by, reason })
}

pub(super) fn attend(d: &mut Decision<'_>, came: bool) -> Result<(), Rejection> {
    d.unfinished()?;
    d.staff()?;
    let known = live(d)?;
    let Some(slot) = known.slot else { return Err(refusal::appointment_none()) };
    if d.at < slot.from {
        return Err(refusal::appointment_early());
    }
    let appointment = known.number;
    d.emit(AttendanceRecorded { appointment, came })
}
