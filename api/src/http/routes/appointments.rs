//! Appointments: how the requester sees them, and the file for their calendar. Offering, choosing and calling off are
//! commands.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use guichet_engine::Known;
use guichet_engine::rules::request::{AppointmentKind, AppointmentStatus, Slot};
use guichet_engine::rules::text::Language;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::follow::find;
use crate::calendar_file::of_appointment;
use crate::dossier::Dossier;
use crate::http::App;
use crate::http::extract::{At, Json, Wishes};
use crate::http::problem::Problem;

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(calendar))
}

/// From when to when.
#[derive(Serialize, ToSchema)]
pub(crate) struct SlotView {
    /// The beginning (UTC): what `choose_appointment` names.
    from: DateTime<Utc>,
    /// The end (UTC).
    until: DateTime<Utc>,
}

impl From<&Slot> for SlotView {
    fn from(slot: &Slot) -> Self {
        Self { from: slot.from, until: slot.until }
    }
}

/// Who goes to whom.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "it stands for the schema of the rules' own word")]
pub(crate) enum AppointmentSort {
    /// The requester comes, at a time of their choice.
    Visit,
    /// A team comes.
    Intervention,
}

/// Where an appointment stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "it stands for the schema of the rules' own word")]
pub(crate) enum AppointmentStanding {
    /// A slot is to be chosen.
    Offered,
    /// The date is fixed.
    Fixed,
    /// They came.
    Kept,
    /// They did not come.
    Missed,
    /// It does not take place.
    Cancelled,
    /// Nobody chose.
    Lapsed,
}

/// An appointment, or the date on which a team comes.
#[derive(Serialize, ToSchema)]
pub(crate) struct AppointmentView {
    /// Its number within the request, from 1.
    appointment: u32,
    /// Who goes to whom.
    #[schema(value_type = AppointmentSort)]
    kind: AppointmentKind,
    /// Where it stands.
    #[schema(value_type = AppointmentStanding)]
    status: AppointmentStatus,
    /// The slots to choose from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    slots: Vec<SlotView>,
    /// The slot that is fixed.
    #[serde(skip_serializing_if = "Option::is_none")]
    slot: Option<SlotView>,
    /// Until when a slot can be chosen (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    choose_by: Option<DateTime<Utc>>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    /// What for.
    #[serde(skip_serializing_if = "Option::is_none")]
    what: Option<String>,
    /// The zone by whose clock it is told to people, `Europe/Paris` for example.
    zone: String,
}

/// The last appointment of a request, with its place and purpose.
pub(crate) fn appointment_view(known: &Known, dossier: &Dossier) -> Option<AppointmentView> {
    let appointment = known.request.appointment.as_ref()?;
    let calendar = known.plan.calendar(&known.plan.definition().calendar);
    let open = appointment.status == AppointmentStatus::Offered;
    Some(AppointmentView {
        appointment: appointment.number,
        kind: appointment.kind,
        status: appointment.status,
        slots: appointment.slots.iter().filter(|_| open).map(SlotView::from).collect(),
        slot: appointment.slot.as_ref().map(SlotView::from),
        choose_by: appointment.choose_by.filter(|_| open),
        place: dossier.appointment_place.clone(),
        what: dossier.appointment_subject.clone(),
        zone: calendar.map_or(chrono_tz::Europe::Paris, |calendar| calendar.zone()).name().to_owned(),
    })
}

/// Whose appointment.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "code": "7K3M-9XQ2-AB" }))]
pub(crate) struct CalendarBody {
    /// The tracking code, with or without hyphens, in capitals or not.
    #[schema(max_length = 64)]
    code: String,
}

/// The appointment as a file for a calendar (iCalendar, RFC 5545).
///
/// The code comes in the body, because addresses are logged. A later file of the same appointment changes the entry of
/// the earlier one.
#[utoipa::path(
    post, path = "/v1/{tenant}/appointments/calendar", tag = "public",
    operation_id = "appointments_calendar", security(()),
    request_body = CalendarBody,
    responses(
        (status = 200, description = "The file.", body = String, content_type = "text/calendar")
    )
)]
pub(crate) async fn calendar(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Json(body): Json<CalendarBody>,
) -> Result<Response, Problem> {
    let request = find(&app, &tenant, &wishes, &body.code).await?;
    let known = app.guichet.request(&tenant, request).await?;
    let dossier = app.guichet.dossier(&tenant, &known).await?;
    calendar_answer(&app, &known, &dossier, wishes.language)
}

/// The answer with the file for a calendar.
pub(crate) fn calendar_answer(
    app: &App,
    known: &Known,
    dossier: &Dossier,
    language: Language,
) -> Result<Response, Problem> {
    let said = (dossier.appointment_subject.as_deref(), dossier.appointment_place.as_deref());
    let file = of_appointment(known, said, language, app.guichet.now()).ok_or_else(Problem::not_found)?;
    let mut response = file.text.into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/calendar; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    let name = HeaderValue::from_static("attachment; filename=\"rendez-vous.ics\"");
    headers.insert(header::CONTENT_DISPOSITION, name);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
