//! Erasing the persons of a request.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use guichet_engine::rules::records::erasure::{Basis, ErasureOrdered, REFERENCE_MAX};
use guichet_engine::rules::request::{Ground, Rejection};
use guichet_engine::rules::text::Text;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::account::fault;
use crate::http::App;
use crate::http::extract::{At, Json, Wishes, request_id};
use crate::http::openapi::ProblemAnswer;
use crate::http::problem::Problem;
use crate::rights::Scope;

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(requests_erase))
}

/// Why the persons of a request are erased (GDPR, article 17 (1)).
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ErasureBasis {
    /// It is not needed any more: its retention is over (point a).
    Unneeded,
    /// The person withdrew consent, or objects (points b and c).
    Asked,
    /// It should never have been kept (point d).
    Unlawful,
    /// A law or a court demands it (point e).
    Obliged,
}

/// An order to erase.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErasureOrder {
    /// Why.
    basis: ErasureBasis,
    /// What it rests on: the agreement of the archives (Code du patrimoine, article L212-2), a decision, the number of
    /// the person’s demand. Nothing personal belongs there.
    #[schema(min_length = 1, max_length = 200)]
    reference: String,
}

/// What was erased.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErasureAnswer {
    /// The request.
    request: Uuid,
    /// Why, as it was first ordered.
    basis: ErasureBasis,
    /// What it rests on, as it was first ordered.
    reference: String,
    /// When it was first ordered (UTC).
    ordered_at: DateTime<Utc>,
    /// How many files went this time; those that another request names stay.
    files: usize,
}

/// Erase the persons of a finished request, for ever, and its files.
///
/// What its sheet calls personal cannot be read any more, in no copy of the journal; dates, decisions, figures and proofs stay.
/// Who ordered it, and on which ground, is on record. Sent again, it goes on where it broke off and erases what was
/// added since; the first order stands.
#[utoipa::path(
    post, path = "/v1/{tenant}/requests/{request}/erasure", tag = "agents", security(("key" = ["requests:erase"])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client.")
    ),
    request_body(content = ErasureOrder, example = json!({ "basis": "unneeded", "reference": "Visa AD51 2026-118" })),
    responses(
        (status = 200, description = "Erased.", body = ErasureAnswer, example = json!({
            "request": "8d698e70-82cc-5089-85b7-f13ddea0fe6f", "basis": "unneeded", "reference": "Visa AD51 2026-118",
            "ordered_at": "2028-11-04T09:00:00Z", "files": 1
        })),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn requests_erase(
    State(app): State<App>,
    At((tenant, request)): At<(String, String)>,
    wishes: Wishes,
    Json(wanted): Json<ErasureOrder>,
) -> Result<Response, Problem> {
    let principal = wishes.needs(&app, &tenant, Scope::RequestsErase).await?;
    let length = wanted.reference.chars().count();
    if length == 0 || length > REFERENCE_MAX {
        return Err(unfit().into());
    }
    let wanted = ErasureOrdered {
        request: request_id(&request)?,
        basis: wanted.basis.into(),
        reference: wanted.reference,
    };
    let (actor, command_id) = (principal.actor(), wishes.command_id(&app)?);
    let _place = app.pressure.place().await?;
    let erased = app.guichet.erase_request((&tenant, &actor, command_id), &wanted).await?;
    let answer = ErasureAnswer {
        request: erased.order.request.0,
        basis: erased.order.basis.into(),
        reference: erased.order.reference,
        ordered_at: erased.ordered_at,
        files: erased.files,
    };
    Ok(axum::Json(answer).into_response())
}

fn unfit() -> Rejection {
    let text = Text::new("Des champs sont à corriger.", "Some fields must be corrected.");
    let words = ("Il faut de 1 à 200 caractères.", "It takes 1 to 200 characters.");
    let refusal = Rejection::new("form.invalid", text).because(Ground::Content);
    Rejection { fields: vec![fault("/reference", words.0, words.1)], ..refusal }
}

impl From<ErasureBasis> for Basis {
    fn from(basis: ErasureBasis) -> Self {
        match basis {
            ErasureBasis::Unneeded => Self::Unneeded,
            ErasureBasis::Asked => Self::Asked,
            ErasureBasis::Unlawful => Self::Unlawful,
            ErasureBasis::Obliged => Self::Obliged,
        }
    }
}

impl From<Basis> for ErasureBasis {
    fn from(basis: Basis) -> Self {
        match basis {
            Basis::Unneeded => Self::Unneeded,
            Basis::Asked => Self::Asked,
            Basis::Unlawful => Self::Unlawful,
            Basis::Obliged => Self::Obliged,
        }
    }
}
