//! What gateways report of text messages that were handed to them.

use std::time::Duration;

use axum::extract::{Request, State};
use guichet_engine::EngineError;
use guichet_engine::rules::process::Delivery;
use utoipa::ToSchema;

use super::gateway::{needed, sent};
use super::mail::Arrived;
use super::unset;
use crate::channels::gateway::Sent;
use crate::channels::take::undelivered;
use crate::channels::thread::{Thread, of_reference};
use crate::channels::{Became, TakeError};
use crate::http::App;
use crate::http::extract::{At, Wishes};
use crate::http::problem::Problem;
use crate::settings::channels::SmsReports;

/// The longest id or word of a report, in bytes.
const WORD_BYTES_MAX: usize = 200;
/// The most characters of a gateway's code that are recorded.
const CODE_CHARACTERS_MAX: usize = 40;
/// How often a message is looked for that a report names: a gateway may be faster than what notes its id.
const LOOKS: usize = 4;
/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// What became of a text message, by the names that are used unless the settings give those of the gateway.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it stands for the schema of a body")]
#[schema(example = json!({
    "reference": "8d698e70-82cc-5089-85b7-f13ddea0fe6f.1-0", "id": "g-77", "status": "undelivered", "error": "27"
}))]
pub(crate) struct SmsReportBody {
    /// Our own id of the message, which the gateway was given as `{id}`.
    reference: Option<String>,
    /// The gateway's own id of it.
    id: Option<String>,
    /// What became of it.
    status: String,
    /// Why not, as a code.
    error: Option<String>,
}

/// Report what became of a text message.
///
/// JSON or a form, one message each, by names and words that the settings give. Instead of a key, the gateway may sign or
/// show a shared secret, as for messages that it brings. A message that did not arrive is marked on its request, however
/// long ago it was handed over; one that arrived, or is under way, changes nothing. The same report again counts once.
#[utoipa::path(
    post, path = "/v1/{tenant}/channels/sms/reports", tag = "agents", operation_id = "channels_sms_report",
    security(("key" = ["channels:deliver"])),
    request_body(content((SmsReportBody = "application/json"), (SmsReportBody = "application/x-www-form-urlencoded")), description = "The report."),
    responses(
        (status = 200, description = "What became of it.", body = Arrived)
    )
)]
pub(crate) async fn channels_sms_report(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    request: Request,
) -> Result<axum::Json<Arrived>, Problem> {
    let settings = &app.guichet.options().settings.channels.sms;
    let gateway = settings.iter().find(|gateway| gateway.tenant == tenant);
    let proof = gateway.and_then(|gateway| gateway.proof.as_ref());
    let report = sent(&app, &tenant, &wishes, proof, request).await?;
    let names = &gateway.ok_or_else(unset)?.reports;
    let status = needed(&report, &names.status, WORD_BYTES_MAX)?;
    if !names.failed.contains(&status) {
        let arrived = names.delivered.contains(&status);
        return Ok(axum::Json(Became::Ignored(if arrived { "delivered" } else { "under_way" }).into()));
    }
    let Some(thread) = about(&app, &report, names).await? else {
        return Ok(axum::Json(Became::Ignored("unknown").into()));
    };
    let reason = match code(&report, names) {
        Some(code) => format!("the gateway reported {code}"),
        None => "the gateway reported that the message did not arrive".to_owned(),
    };
    let became = match undelivered(&app.guichet, &tenant, thread, (Delivery::Sms, reason)).await {
        Ok(became) => became,
        // A request of another collectivity is as unknown here as one that never was.
        Err(TakeError::Engine(EngineError::UnknownRequest)) => Became::Ignored("unknown"),
        Err(error) => return Err(error.into()),
    };
    Ok(axum::Json(became.into()))
}

/// The message that a report is about, by our own id or by the gateway's.
async fn about(app: &App, report: &Sent, names: &SmsReports) -> Result<Option<Thread>, Problem> {
    let word = |name: &str| report.text(name).map(|text| text.trim().to_owned());
    let fits = |text: &String| (1..=WORD_BYTES_MAX).contains(&text.len());
    if let Some(thread) = word(&names.reference).filter(fits).and_then(|id| of_reference(&id)) {
        return Ok(Some(thread));
    }
    let Some(id) = word(&names.id).filter(fits) else { return Ok(None) };
    for look in 0..LOOKS {
        if look > 0 {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        if let Some(message) = app.guichet.read_models().handed(&id).await? {
            return Ok(of_reference(&message));
        }
    }
    Ok(None)
}

/// The gateway's code for why not: letters, digits and a few signs, because it is recorded for ever.
fn code(report: &Sent, names: &SmsReports) -> Option<String> {
    let plain = |symbol: &char| symbol.is_ascii_alphanumeric() || "._- ".contains(*symbol);
    let code: String = report.text(&names.error)?.chars().filter(plain).take(CODE_CHARACTERS_MAX).collect();
    let code = code.trim();
    (!code.is_empty()).then(|| code.to_owned())
}
