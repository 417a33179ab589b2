//! Everything that is held about whoever is signed in (GDPR, articles 15 and 20).

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use guichet_engine::Span;
use guichet_engine::rules::request::Contact;
use guichet_projections::CardQuery;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::requests::cards_of;
use super::{AccountAnswer, holder, opened};
use crate::accounts;
use crate::attachments::{StoredFile, files_of_requester};
use crate::dossier::Dossier;
use crate::http::App;
use crate::http::extract::{Ask, At, Wishes};
use crate::http::problem::Problem;
use crate::http::routes::appointments::{AppointmentView, appointment_view};
use crate::http::routes::payments::{PaymentView, payment_views};

/// How many requests an export holds at once.
const REQUESTS_AT_ONCE: u32 = 100;

/// Where an export goes on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportFrom {
    /// What the part before gave as `next`.
    cursor: Option<String>,
}

/// Everything that is held about somebody.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExportAnswer {
    /// The collectivity that holds it.
    collectivity: String,
    /// When it was put together (UTC).
    at: DateTime<Utc>,
    /// The account.
    account: AccountAnswer,
    /// What happened to the account, in order.
    history: Vec<AccountEvent>,
    /// Where the account is signed in now, the last first.
    sessions: Vec<ExportedSession>,
    /// Requests, the last made first.
    requests: Vec<ExportedRequest>,
    /// How to go on where there are more requests; nothing at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Something that happened to an account.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccountEvent {
    /// When (UTC).
    at: DateTime<Utc>,
    /// What, by the name of the event.
    event: String,
    /// With its content, opened.
    #[schema(value_type = Object)]
    content: Value,
}

/// Somebody who is signed in with the account.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExportedSession {
    /// Since when (UTC).
    opened: DateTime<Utc>,
    /// When it was last used (UTC), a minute exact.
    used: DateTime<Utc>,
    /// When it ends (UTC).
    ends: DateTime<Utc>,
}

/// A file that was sent with a request.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExportedFile {
    /// Its name.
    name: String,
    /// Its media type.
    #[serde(rename = "type")]
    kind: String,
    /// Its size in bytes.
    size: u64,
    /// Its digest.
    sha256: String,
    /// Where it is fetched, on this server.
    path: String,
}

/// A request with what was said in it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExportedRequest {
    /// The request.
    request: Uuid,
    /// Its process.
    process: String,
    /// The stage.
    stage: String,
    /// When it was made (UTC).
    received: DateTime<Utc>,
    /// How you can be reached, as you said then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    contact: Option<Contact>,
    /// What you filled in.
    #[schema(value_type = Object)]
    form: Map<String, Value>,
    /// What you replied last.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<String>,
    /// What you were told.
    messages: Vec<String>,
    /// The answer, once it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    /// What you sent along.
    files: Vec<ExportedFile>,
    /// What was to be paid, and what became of it.
    payments: Vec<PaymentView>,
    /// The last appointment there was.
    #[serde(skip_serializing_if = "Option::is_none")]
    appointment: Option<AppointmentView>,
    /// How you rated it, 1 to 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    rating: Option<u8>,
}

/// Everything that is held about me.
#[utoipa::path(
    get, path = "/v1/{tenant}/account/export", tag = "account", security(("key" = ["account"])),
    params(ExportFrom),
    responses(
        (status = 200, description = "The account, its history, and requests with what was said in them.", body = ExportAnswer)
    )
)]
pub(crate) async fn account_export(
    State(app): State<App>,
    At(tenant): At<String>,
    Ask(from): Ask<ExportFrom>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    let account = holder(&wishes, &app, &tenant).await?;
    let known = opened(&app, &tenant, account).await?;
    let query = CardQuery {
        tenant: Some(tenant.clone()),
        account: Some(cards_of(account, &known)),
        limit: REQUESTS_AT_ONCE,
        cursor: from.cursor,
        ..CardQuery::default()
    };
    let found = app.guichet.read_models().cards(&query).await?;
    let mut requests = Vec::with_capacity(found.value.items.len());
    for card in &found.value.items {
        requests.push(exported(&app, &tenant, card.request).await?);
    }
    let history = accounts::history(&app.guichet, &tenant, account).await?;
    let history = history.into_iter().map(|entry| AccountEvent {
        at: entry.meta.occurred_at,
        event: entry.event.name().to_owned(),
        content: serde_json::to_value(&entry.event).unwrap_or_default(),
    });
    let (models, now, idle) = (app.guichet.read_models(), app.guichet.now(), app.sign_in.idle());
    let holder = account.to_string();
    let sessions = models.sessions_of((&tenant, accounts::CITIZEN, &holder), now, idle).await?;
    let sessions = sessions.into_iter();
    let answer = ExportAnswer {
        sessions: sessions
            .map(|one| ExportedSession { opened: one.opened, used: one.touched, ends: one.ends })
            .collect(),
        account: AccountAnswer::of(account, &known),
        at: app.guichet.now(),
        history: history.collect(),
        requests,
        next: found.value.next,
        collectivity: tenant,
    };
    let mut response = axum::Json(answer).into_response();
    let name = HeaderValue::from_static("attachment; filename=\"export.json\"");
    response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}

async fn exported(
    app: &App,
    tenant: &str,
    request: guichet_engine::rules::request::RequestId,
) -> Result<ExportedRequest, Problem> {
    let known = app.guichet.request(tenant, request).await?;
    // One reading of the history for both: what was said, and the files that it names.
    let history = app.guichet.history(tenant, request, &Span::default(), true).await?;
    let dossier = Dossier::of(&history, &known.request);
    let file = |file: StoredFile| ExportedFile {
        path: format!("/v1/{tenant}/account/requests/{}/files/{}", request.0, file.sha256),
        name: file.name,
        kind: file.kind,
        size: file.size,
        sha256: file.sha256,
    };
    Ok(ExportedRequest {
        request: request.0,
        process: known.request.process.clone(),
        stage: known.request.stage.id().to_owned(),
        received: known.request.milestones.received,
        files: files_of_requester(&history).into_iter().map(file).collect(),
        payments: payment_views(&known.request, &dossier),
        appointment: appointment_view(&known, &dossier),
        contact: dossier.contact,
        form: dossier.form,
        reply: dossier.reply,
        messages: dossier.messages,
        answer: dossier.answer.filter(|_| known.request.milestones.delivered.is_some()),
        rating: known.request.rating,
    })
}
