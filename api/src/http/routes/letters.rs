//! Letters ready to print.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use guichet_engine::rules::records::access::{Data, Ground};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::App;
use crate::http::extract::{At, Wishes, request_id};
use crate::http::openapi::ProblemAnswer;
use crate::http::problem::Problem;
use crate::outbound::letter::{LetterError, letter, pdf};
use crate::rights::Scope;

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(letters_print))
}

/// Print a letter that a request asks for, as PDF: A4, its address in the window of a DL envelope.
#[utoipa::path(
    get, path = "/v1/{tenant}/requests/{request}/letters/{effect}", tag = "agents",
    security(("key" = ["outbox:manage"])),
    params(
        ("effect" = String, Path, description = "The effect, as the outbox names it, with or without `.pdf`.")
    ),
    responses(
        (status = 200, description = "The letter.", body = Vec<u8>, content_type = "application/pdf"),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn letters_print(
    State(app): State<App>,
    At((tenant, request, effect)): At<(String, String, String)>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    let principal = wishes.needs(&app, &tenant, Scope::OutboxManage).await?;
    let effect = effect.strip_suffix(".pdf").unwrap_or(&effect);
    let request = request_id(&request)?;
    let written = letter(&app.guichet, &tenant, request, effect, app.guichet.now()).await?;
    // Who is written to, where, and what they are told: recorded before it is given out.
    let opened = (Data::Dossier, Ground::Outbox);
    app.accesses.note(&app.guichet, (&tenant, &principal), request, opened).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/pdf"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"letter.pdf\""),
    ];
    Ok((headers, pdf(&written)).into_response())
}

impl From<LetterError> for Problem {
    fn from(error: LetterError) -> Self {
        match error {
            LetterError::Engine(error) => Self::from(error),
            LetterError::Unknown => Self::not_found(),
            LetterError::NoAddress => Self::new(
                axum::http::StatusCode::CONFLICT,
                "letter.no_address",
                "Le demandeur n’a pas donné d’adresse postale, ou elle a été effacée.",
                "The requester gave no postal address, or it was erased.",
            ),
        }
    }
}
