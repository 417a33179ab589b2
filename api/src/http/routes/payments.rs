//! Payments: the way to the provider's page, the provider's word, the way back, and the list for those who look after
//! the money.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use chrono::{DateTime, Utc};
use guichet_engine::rules::request::{
    Actor, CURRENCY, Command, CommandId, Payment, PaymentStatus, Request, RequestId, What,
    payment_of_reference,
};
use guichet_engine::rules::text::Language;
use guichet_engine::{EngineError, Span, Submission, tenant_of};
use guichet_projections::{PaymentFilter, PaymentRow};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::follow::find;
use super::payment_totals;
use crate::dossier::Dossier;
use crate::http::App;
use crate::http::extract::{Ask, At, Json, Wishes, is_json, parse};
use crate::http::openapi::ProblemAnswer;
use crate::http::problem::Problem;
use crate::payments::{Notice, PageAsked, Provider, ProviderError, hear, signature};
use crate::rights::Scope;

/// The most rows of a page of payments.
const PAYMENTS_PAGE_MAX: u32 = 500;

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(start))
        .routes(routes!(notified))
        .routes(routes!(back))
        .routes(routes!(list))
        .routes(routes!(payment_totals::totals))
}

/// Which payment to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "code": "7K3M-9XQ2-AB", "payment": 1 }))]
pub(crate) struct StartBody {
    /// The tracking code, with or without hyphens, in capitals or not.
    #[schema(max_length = 64)]
    code: String,
    /// The payment's number; the one that is awaited if nothing is said.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 20)]
    payment: Option<u32>,
}

/// Where to pay.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "url": "https://paiement.example/p/5f0c", "payment": 1,
    "reference": "2R7XF8B6A0QMZ1T4C9KJ3H5N8W0101", "amount": 4250, "currency": "EUR"
}))]
pub(crate) struct Started {
    /// The provider's page: send the browser there.
    #[schema(format = "uri")]
    url: String,
    /// The payment's number.
    payment: u32,
    /// The name of this attempt. It says nothing of the request to anybody.
    reference: String,
    /// How much, in cents.
    amount: u64,
    /// In which currency (ISO 4217).
    currency: String,
}

/// Begin to pay: the answer says where.
///
/// The citizen's browser goes to the provider's page and comes back to `payments/return`; whether it was paid is told by
/// the provider alone, and shown by `follow`.
#[utoipa::path(
    post, path = "/v1/{tenant}/payments/start", tag = "public", operation_id = "payments_start", security(()),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client.")
    ),
    request_body = StartBody,
    responses(
        (status = 200, description = "Where to pay.", body = Started),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn start(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Json(body): Json<StartBody>,
) -> Result<Response, Problem> {
    let request = find(&app, &tenant, &wishes, &body.code).await?;
    let visit = Visit {
        request,
        payment: body.payment,
        command_id: wishes.command_id(&app)?,
        expected: wishes.expected()?,
    };
    let started = begin(&app, &tenant, visit).await?;
    let mut response = axum::Json(started).into_response();
    no_store(&mut response);
    Ok(response)
}

/// A visit to the provider's page that a requester asks for. Asked for again with the same id, it is the same visit.
pub(crate) struct Visit {
    /// The request.
    pub(crate) request: RequestId,
    /// The payment's number; the one that is awaited if none.
    pub(crate) payment: Option<u32>,
    /// The id of the command.
    pub(crate) command_id: CommandId,
    /// The revision that the requester saw.
    pub(crate) expected: Option<u64>,
}

impl Started {
    /// The provider's page.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

/// Begins to pay: the requester is known, by their code or their account.
pub(crate) async fn begin(app: &App, tenant: &str, visit: Visit) -> Result<Started, Problem> {
    let provider = app.guichet.payments().provider(tenant).ok_or_else(no_provider)?;
    let known = app.guichet.request(tenant, visit.request).await?;
    let awaited = known.request.payments.iter().rev().find(|known| known.status == PaymentStatus::Awaited);
    let payment = visit.payment.or(awaited.map(|payment| payment.number)).ok_or_else(nothing_awaited)?;
    let submission = Submission {
        tenant: tenant.to_owned(),
        request: Some(visit.request),
        command: Command::StartPayment { payment },
        actor: Actor::Requester,
        command_id: visit.command_id,
        occurred_at: None,
        expected: visit.expected,
    };
    let receipt = app.submit(submission).await?;
    let begun = receipt.events.iter().find_map(|event| match &event.what {
        What::PaymentStarted(event) => Some(event.reference.clone()),
        _ => None,
    });
    let reference = begun.ok_or_else(Problem::internal)?;
    let page = page_asked(app, tenant, &provider, (visit.request, payment, &reference)).await?;
    let (amount, currency) = (page.amount, page.currency.clone());
    let url = provider.page(&page, app.guichet.now()).await.map_err(|error| unavailable(&error))?;
    Ok(Started { url, payment, reference, amount, currency })
}

/// What the provider is asked for, with the label as it stands in the journal.
async fn page_asked(
    app: &App,
    tenant: &str,
    provider: &Provider,
    (request, payment, reference): (RequestId, u32, &str),
) -> Result<PageAsked, Problem> {
    let history = app.guichet.history(tenant, request, &Span::default(), true).await?;
    let asked = history.iter().find_map(|entry| match &entry.event.what {
        What::PaymentRequested(event) if event.payment == payment => Some(event.clone()),
        _ => None,
    });
    let asked = asked.ok_or_else(Problem::not_found)?;
    let public = &app.guichet.options().public_url;
    let address = |path: &str| provider.address(public, path).map_err(|error| unavailable(&error));
    let mut return_url = address(&format!("/v1/{tenant}/payments/return"))?;
    return_url.query_pairs_mut().append_pair("reference", reference);
    Ok(PageAsked {
        merchant: provider.merchant().to_owned(),
        reference: reference.to_owned(),
        amount: asked.amount,
        currency: CURRENCY.to_owned(),
        label: asked.label.known().cloned().unwrap_or_default(),
        return_url: return_url.into(),
        notification_url: address(&format!("/v1/{tenant}/payments/notifications"))?.into(),
    })
}

fn no_provider() -> Problem {
    Problem::conflict(
        "payment.not_offered",
        "Cette collectivité n’encaisse pas en ligne.",
        "This collectivity takes no money online.",
    )
}

fn nothing_awaited() -> Problem {
    Problem::conflict("payment.not_asked", "Aucun paiement n’est attendu.", "No payment is awaited.")
}

fn unavailable(error: &ProviderError) -> Problem {
    tracing::warn!(%error, "a payment provider does not help");
    Problem::provider_unavailable()
}

pub(crate) fn no_store(response: &mut Response) {
    response.headers_mut().insert(header::CACHE_CONTROL, axum::http::HeaderValue::from_static("no-store"));
}

/// A payment as the requester sees it.
#[derive(Serialize, ToSchema)]
pub(crate) struct PaymentView {
    /// Its number within the request, from 1.
    payment: u32,
    /// Where it stands.
    #[schema(value_type = PaymentStanding)]
    status: PaymentStatus,
    /// What for.
    label: String,
    /// How much, in cents.
    amount: u64,
    /// In which currency (ISO 4217).
    currency: &'static str,
    /// The end of its term (UTC).
    due: DateTime<Utc>,
    /// When it was paid (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    settled: Option<DateTime<Utc>>,
    /// How much was given back, in cents.
    refunded: u64,
    /// Whether it may be made now: `payments/start` says where.
    may_start: bool,
}

/// The payments of a request, with what they are for.
pub(crate) fn payment_views(request: &Request, dossier: &Dossier) -> Vec<PaymentView> {
    let labels = dossier.payments.iter().map(String::as_str).chain(std::iter::repeat(""));
    let open = !request.stage.is_finished();
    let view = |(payment, label): (&Payment, &str)| PaymentView {
        payment: payment.number,
        status: payment.status,
        label: label.to_owned(),
        amount: payment.amount,
        currency: CURRENCY,
        due: payment.due,
        settled: payment.settled_at,
        refunded: payment.refunded,
        may_start: open && matches!(payment.status, PaymentStatus::Awaited | PaymentStatus::Lapsed),
    };
    request.payments.iter().zip(labels).map(view).collect()
}

/// What stands after the provider's word.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "reference": "2R7XF8B6A0QMZ1T4C9KJ3H5N8W0101", "status": "settled" }))]
pub(crate) struct Noted {
    /// The attempt.
    reference: String,
    /// Where the payment stands: `awaited`, `settled`, `lapsed` or `cancelled`.
    #[schema(value_type = PaymentStanding)]
    status: PaymentStatus,
}

/// Where a payment stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "it stands for the schema of the rules' own word")]
pub(crate) enum PaymentStanding {
    /// Asked for and not paid.
    Awaited,
    /// Paid.
    Settled,
    /// Not paid in its term.
    Lapsed,
    /// No longer asked for.
    Cancelled,
}

/// The provider says what became of a payment.
///
/// Only who signs with the collectivity's secret is heard. The same word again, or a later and weaker one, changes
/// nothing and is answered with what stands.
#[utoipa::path(
    post, path = "/v1/{tenant}/payments/notifications", tag = "public",
    operation_id = "payments_notify", security(()),
    params(
        ("Payment-Signature" = String, Header,
            description = "`t=SECONDS,v1=HEX`: HMAC-SHA256 over the seconds, a full stop and the body.")
    ),
    request_body = Notice,
    responses(
        (status = 200, description = "Heard.", body = Noted),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn notified(
    State(app): State<App>,
    At(tenant): At<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    if !is_json(&headers) {
        return Err(Problem::not_json());
    }
    let body = body?;
    let signed = headers.get(signature::HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // A collectivity without a provider, or none at all, answers as a wrong signature does.
    let provider = app.guichet.payments().provider(&tenant).ok_or_else(unsigned)?;
    let recognised =
        provider.recognises(app.guichet.now(), signed, &body).map_err(|error| unavailable(&error))?;
    if !recognised {
        metrics::counter!("guichet_payments_unsigned_total").increment(1);
        return Err(unsigned());
    }
    let notice: Notice = parse(&body)?;
    if notice.merchant != provider.merchant() {
        return Err(Problem::not_found());
    }
    let heard = match hear(&app.guichet, &tenant, &notice).await {
        Ok(heard) => heard,
        Err(EngineError::Rejected(rejection)) => {
            // Signed, and still not what was asked: somebody should look at that.
            tracing::warn!(code = rejection.code, "a provider says what cannot be");
            return Err(Problem::from(*rejection));
        }
        Err(error) => return Err(error.into()),
    };
    let mut response =
        axum::Json(Noted { reference: notice.reference, status: heard.status }).into_response();
    no_store(&mut response);
    Ok(response)
}

fn unsigned() -> Problem {
    Problem::unsigned()
}

/// What the browser brings back. Nothing of it is believed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Back {
    /// The name of the attempt.
    #[param(max_length = 30)]
    reference: Option<String>,
}

/// The page that the browser comes back to: what the journal knows of the payment, in words.
///
/// Other parameters of the address, which providers like to add, are ignored.
#[utoipa::path(
    get, path = "/v1/{tenant}/payments/return", tag = "public", operation_id = "payments_return", security(()),
    params(Back),
    responses(
        (status = 200, description = "A page.", body = String, content_type = "text/html")
    )
)]
pub(crate) async fn back(
    State(app): State<App>,
    At(tenant): At<String>,
    Ask(asked): Ask<Back>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    let reference = asked.reference.unwrap_or_default();
    let (request, number) = payment_of_reference(&reference).ok_or_else(Problem::not_found)?;
    let known = app.guichet.request(&tenant, request).await?;
    let payment = known.request.payments.iter().find(|payment| payment.number == number);
    let payment = payment.filter(|payment| payment.attempt(&reference).is_some());
    let (title, said) = words(payment.ok_or_else(Problem::not_found)?.status, wishes.language);
    let lang = if wishes.language == Language::En { "en" } else { "fr" };
    let refresh = if wishes.language == Language::En { "Refresh" } else { "Actualiser" };
    let page = format!(
        "<!doctype html><html lang=\"{lang}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title></head>\
         <body><main><h1>{title}</h1><p>{said}</p><p><a href=\"?reference={reference}\">{refresh}</a></p></main></body></html>"
    );
    let mut response = Html(page).into_response();
    no_store(&mut response);
    Ok(response)
}

fn words(status: PaymentStatus, language: Language) -> (&'static str, &'static str) {
    match (status, language) {
        (PaymentStatus::Settled, Language::Fr) => (
            "Paiement reçu",
            "Nous avons bien reçu votre paiement. La suite figure sur la page de suivi de votre demande.",
        ),
        (PaymentStatus::Settled, Language::En) => (
            "Payment received",
            "We have received your payment. The page of your request shows what comes next.",
        ),
        (PaymentStatus::Awaited | PaymentStatus::Lapsed, Language::Fr) => (
            "Paiement non confirmé",
            "L’organisme de paiement ne nous a pas encore confirmé ce paiement. Cela peut prendre quelques minutes ; ne payez pas une seconde fois avant d’avoir actualisé cette page.",
        ),
        (PaymentStatus::Awaited | PaymentStatus::Lapsed, Language::En) => (
            "Payment not confirmed",
            "The payment provider has not confirmed this payment yet. It may take some minutes; please do not pay again before you have refreshed this page.",
        ),
        (PaymentStatus::Cancelled, Language::Fr) => (
            "Paiement sans objet",
            "Ce paiement n’est plus demandé. S’il a été débité, il vous sera remboursé.",
        ),
        (PaymentStatus::Cancelled, Language::En) => {
            ("Nothing to pay", "This payment is no longer asked for. If it was taken, it will be given back.")
        }
    }
}

/// Which payments.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// Only those that stand so: `awaited`, `settled`, `lapsed` or `cancelled`.
    #[param(value_type = Option<PaymentStanding>)]
    status: Option<PaymentStatus>,
    /// Where the page before ended.
    cursor: Option<String>,
    /// The most rows, 100 if nothing is said.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// A payment as those see it who look after the money.
#[derive(Serialize, ToSchema)]
pub(crate) struct Listed {
    /// The request.
    request: Uuid,
    /// Its process.
    process: String,
    /// Its number within the request, from 1.
    payment: u32,
    /// Where it stands.
    #[schema(value_type = PaymentStanding)]
    status: PaymentStatus,
    /// How much was asked for, in cents.
    amount: u64,
    /// How much was taken, in cents.
    received: u64,
    /// How much was given back, in cents.
    refunded: u64,
    /// In which currency (ISO 4217).
    currency: &'static str,
    /// Since when it is asked for (UTC).
    asked: DateTime<Utc>,
    /// The end of its term (UTC).
    due: DateTime<Utc>,
    /// When it was paid (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    settled: Option<DateTime<Utc>>,
}

impl From<&PaymentRow> for Listed {
    fn from(row: &PaymentRow) -> Self {
        Self {
            request: row.request.0,
            process: row.process.clone(),
            payment: row.payment,
            status: row.status,
            amount: row.amount,
            received: row.received,
            refunded: row.refunded,
            currency: CURRENCY,
            asked: row.asked,
            due: row.due,
            settled: row.settled,
        }
    }
}

/// A page of payments.
#[derive(Serialize, ToSchema)]
pub(crate) struct PaymentsPage {
    /// The payments, in the order of their requests.
    payments: Vec<Listed>,
    /// How many there are in all.
    count: u64,
    /// Where the next page begins; none after the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// Payments of the collectivity.
#[utoipa::path(
    get, path = "/v1/{tenant}/payments", tag = "agents", operation_id = "payments_list",
    security(("key" = ["payments:manage"])),
    params(ListQuery),
    responses(
        (status = 200, description = "A page of payments.", body = PaymentsPage)
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    At(tenant): At<String>,
    Ask(query): Ask<ListQuery>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    wishes.needs(&app, &tenant, Scope::PaymentsManage).await?;
    tenant_of(&tenant)?;
    let limit = query.limit.unwrap_or(100);
    if !(1..=PAYMENTS_PAGE_MAX).contains(&limit) {
        return Err(Problem::malformed(
            "query.invalid",
            format!("Une page compte de 1 à {PAYMENTS_PAGE_MAX} paiements."),
            format!("A page has 1 to {PAYMENTS_PAGE_MAX} payments."),
        ));
    }
    let after = match query.cursor.as_deref() {
        None => None,
        Some(text) => Some(cursor_of(text).ok_or_else(Problem::bad_cursor)?),
    };
    let filter = PaymentFilter { status: query.status, after, limit };
    let found = app.guichet.read_models().payments(&tenant, &filter).await?;
    let full = u32::try_from(found.value.len()).is_ok_and(|rows| rows == limit);
    let last = found.value.last().filter(|_| full).map(|row| format!("{}-{}", row.cursor.0, row.cursor.1));
    let payments = found.value.iter().map(Listed::from).collect();
    Ok((StatusCode::OK, axum::Json(PaymentsPage { payments, count: found.n, cursor: last })).into_response())
}

fn cursor_of(text: &str) -> Option<(i64, i64)> {
    let (rid, place) = text.split_once('-')?;
    Some((rid.parse().ok()?, place.parse().ok()?))
}
