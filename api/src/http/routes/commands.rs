//! Commands of agents and programs.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use guichet_engine::Submission;
use guichet_engine::rules::request::Command;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::attachments::form_of_mut;
use crate::http::App;
use crate::http::answers::{ReceiptAnswer, receipt};
use crate::http::extract::{Ask, At, Json, Wishes, request_id};
use crate::http::openapi::{CommandBody, ProblemAnswer};
use crate::http::problem::Problem;
use crate::http::routes::files::proven;
use crate::rights::Scope;

/// When what the command tells of happened.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct When {
    /// When it happened (UTC), if that was before now: a telephone call noted later, for example.
    occurred_at: Option<DateTime<Utc>>,
}

/// Give a command to a request.
#[utoipa::path(
    post, path = "/v1/{tenant}/requests/{request}/commands", tag = "agents", operation_id = "requests_command", security(("key" = ["requests:act"])),
    params(
        When,
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the request as it was read."),
        ("Prefer" = Option<String>, Header, description = "`wait=5`: answer once lists and figures show it.")
    ),
    request_body(content = CommandBody, examples(
        ("qualify" = (summary = "Let the sheet’s rules rate it and find the service", value = json!({ "command": "qualify" }))),
        ("note" = (summary = "Leave a note for colleagues", value = json!({ "command": "note", "text": "Vu sur place." }))),
        ("message" = (summary = "Write to the requester", value = json!({ "command": "message", "text": "Nous passons demain." }))),
        ("cancel" = (summary = "Close it, for a reason", value = json!({ "command": "cancel", "reason": "Saisie par erreur." })))
    )),
    responses(
        (status = 200, description = "Done.", body = ReceiptAnswer),
        (status = 409, response = ProblemAnswer),
        (status = 412, response = ProblemAnswer)
    )
)]
pub(crate) async fn command(
    State(app): State<App>,
    At((tenant, request)): At<(String, String)>,
    Ask(when): Ask<When>,
    wishes: Wishes,
    Json(mut command): Json<Command>,
) -> Result<Response, Problem> {
    let principal = wishes.needs(&app, &tenant, Scope::RequestsAct).await?;
    if matches!(command, Command::Receive { .. }) {
        return Err(Problem::unprocessable(
            "command.receive_elsewhere",
            "Une demande s’enregistre à l’adresse de la liste des demandes.",
            "A request is received at the address of the list of requests.",
        ));
    }
    if matches!(command, Command::RefundPayment { .. }) {
        // Money goes out at the word of those only who look after it.
        wishes.needs(&app, &tenant, Scope::PaymentsManage).await?;
    }
    if let Some(form) = form_of_mut(&mut command) {
        proven(&app, &tenant, form).await?;
    }
    let submission = Submission {
        request: Some(request_id(&request)?),
        command,
        actor: principal.actor(),
        command_id: wishes.command_id(&app)?,
        occurred_at: when.occurred_at,
        expected: wishes.expected()?,
        tenant,
    };
    let done = app.submit(submission).await?;
    Ok(receipt(&app, &wishes, done, false).await)
}
