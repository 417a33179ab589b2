//! Appointments.

use crate::request::appointment::{
    Appointment, AppointmentChosen, AppointmentKind, AppointmentOffered, AppointmentStatus, InterventionSet,
};
use crate::request::state::Request;

pub(super) fn offered(request: &mut Request, event: &AppointmentOffered) {
    request.appointment = Some(Appointment {
        number: event.appointment,
        kind: AppointmentKind::Visit,
        status: AppointmentStatus::Offered,
        slots: event.slots.clone(),
        slot: None,
        choose_by: Some(event.choose_by),
        remind_at: None,
        sequence: 0,
    });
}

pub(super) fn chosen(request: &mut Request, event: &AppointmentChosen) {
    if let Some(appointment) = &mut request.appointment {
        appointment.status = AppointmentStatus::Fixed;
        appointment.slot = Some(event.slot);
        appointment.remind_at = event.remind_at;
    }
}

pub(super) fn intervention(request: &mut Request, event: &InterventionSet) {
    let same = request.appointment.as_ref().filter(|known| known.number == event.appointment);
    let sequence = same.map_or(0, |known| known.sequence.saturating_add(1));
    request.appointment = Some(Appointment {
        number: event.appointment,
        kind: AppointmentKind::Intervention,
        status: AppointmentStatus::Fixed,
        slots: Vec::new(),
        slot: Some(event.slot),
        choose_by: None,
        remind_at: event.remind_at,
        sequence,
    });
}

pub(super) fn reminded(request: &mut Request) {
    if let Some(appointment) = &mut request.appointment {
        appointment.remind_at = None;
    }
}

pub(super) fn became(request: &mut Request, status: AppointmentStatus) {
    if let Some(appointment) = &mut request.appointment {
        appointment.status = status;
        appointment.sequence = appointment.sequence.saturating_add(1);
    }
}

/// A request that ended expects nobody any more.
pub(super) fn dropped(request: &mut Request) {
    if request.appointment.as_ref().is_some_and(Appointment::is_live) {
        became(request, AppointmentStatus::Cancelled);
    }
}
