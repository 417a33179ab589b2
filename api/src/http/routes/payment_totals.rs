//! What was paid, by process and month, for those who look after the money.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use guichet_engine::rules::request::CURRENCY;
use guichet_engine::tenant_of;
use guichet_projections::PaymentTotal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::App;
use crate::http::extract::{Ask, At, Wishes};
use crate::http::problem::Problem;
use crate::rights::Scope;

/// Of which months.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct TotalsQuery {
    /// The first month, `2026-01`.
    #[param(pattern = "^[0-9]{4}-(0[1-9]|1[0-2])$")]
    from: Option<String>,
    /// The last month, `2026-12`.
    #[param(pattern = "^[0-9]{4}-(0[1-9]|1[0-2])$")]
    until: Option<String>,
}

/// What one process took in one month.
#[derive(Serialize, ToSchema)]
pub(crate) struct TotalLine {
    /// The process.
    process: String,
    /// The month in which the money came, in the zone of the process’s calendar.
    month: String,
    /// Payments made.
    payments: u64,
    /// How much was taken for them, in cents.
    received: u64,
    /// How much of it was given back since, in cents.
    refunded: u64,
    /// In which currency (ISO 4217).
    currency: &'static str,
}

/// What was taken, by process and month.
#[derive(Serialize, ToSchema)]
pub(crate) struct PaymentTotals {
    /// The latest month first.
    totals: Vec<TotalLine>,
    /// How many payments stand behind it.
    count: u64,
}

/// What was paid, by process and month.
#[utoipa::path(
    get, path = "/v1/{tenant}/payments/totals", tag = "agents", operation_id = "payments_totals",
    security(("key" = ["payments:manage"])),
    params(TotalsQuery),
    responses(
        (status = 200, description = "What each process took in each month.", body = PaymentTotals)
    )
)]
pub(crate) async fn totals(
    State(app): State<App>,
    At(tenant): At<String>,
    Ask(query): Ask<TotalsQuery>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    wishes.needs(&app, &tenant, Scope::PaymentsManage).await?;
    tenant_of(&tenant)?;
    if !query.from.iter().chain(&query.until).all(|month| is_month(month)) {
        return Err(Problem::malformed(
            "query.invalid",
            "Un mois s’écrit comme 2026-11.",
            "A month is written like 2026-11.",
        ));
    }
    let months = (query.from.as_deref(), query.until.as_deref());
    let found = app.guichet.read_models().payment_totals(&tenant, months).await?;
    let line = |total: &PaymentTotal| TotalLine {
        process: total.process.clone(),
        month: total.month.clone(),
        payments: total.payments,
        received: total.received,
        refunded: total.refunded,
        currency: CURRENCY,
    };
    let totals = found.value.iter().map(line).collect();
    Ok(axum::Json(PaymentTotals { totals, count: found.n }).into_response())
}

/// Four digits, a hyphen, and a month of the year.
fn is_month(text: &str) -> bool {
    let month = text.split_once('-').filter(|(year, month)| year.len() == 4 && month.len() == 2);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    month.is_some_and(|(year, month)| {
        digits(year) && digits(month) && month.parse::<u32>().is_ok_and(|month| (1..=12).contains(&month))
    })
}
