//! Many requests in one body, each with its own fate.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use guichet_engine::Submission;
use guichet_engine::rules::request::CommandId;
use guichet_engine::rules::tracking::TrackingCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::App;
use crate::http::extract::{At, Wishes, parse};
use crate::http::openapi::IncomingBody;
use crate::http::problem::Problem;
use crate::http::routes::receive::Incoming;
use crate::rights::Scope;

/// The largest batch, in bytes.
pub(crate) const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The most lines of a batch.
pub(crate) const LINES_MAX: usize = 1_000;
/// How long a batch is worked on; lines after that are answered with 503, and the same batch sent again goes on.
const WORK_MAX: Duration = Duration::from_secs(20);
/// The media type of one JSON value a line.
const LINES: &str = "application/x-ndjson";

/// A line of a batch.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: Uuid,
    request: Incoming,
}

/// A line of a batch.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it stands for the schema of a body")]
#[schema(example = json!({ "id": "0198c6a2-0000-7000-8000-0000000000ab", "request": { "process": "voirie/chaussee-abimee", "form": { "place": [48.957, 4.363] } } }))]
pub(crate) struct BatchLine {
    /// Chosen by the client: the same id again answers the first receipt, in whatever batch.
    id: Uuid,
    /// The request.
    #[schema(inline)]
    request: IncomingBody,
}

/// What became of a line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "line": 1, "status": 201, "request": "8d698e70-82cc-5089-85b7-f13ddea0fe6f", "tracking_code": "K7M-4QP-9TXA", "repeated": false }))]
pub(crate) struct BatchAnswer {
    /// The line, from 1; empty lines count.
    line: usize,
    /// The status that it would have had alone: 201 received, 200 received before, else why not.
    status: u16,
    /// The request.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Uuid>,
    /// Its tracking code.
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_code: Option<String>,
    /// Whether it had been received before.
    #[serde(skip_serializing_if = "Option::is_none")]
    repeated: Option<bool>,
    /// Why it was not received.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

/// Receive many requests.
///
/// One JSON value a line, 1,000 lines and 8 MiB at most; one answer a line, in the same order. A line stands or falls
/// alone. Lines answered with 503 were not begun: send the same batch again, what was received is not received twice.
#[utoipa::path(
    post, path = "/v1/{tenant}/batches", tag = "agents", operation_id = "batches_receive",
    security(("key" = ["requests:receive"])),
    request_body(content = BatchLine, content_type = "application/x-ndjson", description = "The lines."),
    responses(
        (status = 200, description = "What became of each line, one JSON value a line.", body = BatchAnswer, content_type = "application/x-ndjson")
    )
)]
pub(crate) async fn batches_receive(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    request: Request,
) -> Result<Response, Problem> {
    let principal = wishes.needs(&app, &tenant, Scope::RequestsReceive).await?;
    if app.guichet.engine().organisation_now(&tenant).await?.is_none() {
        return Err(Problem::not_found());
    }
    let kind =
        request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if ![LINES, "application/jsonl"].iter().any(|known| known.eq_ignore_ascii_case(kind)) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "body.not_lines",
            "Le corps doit être du JSON ligne à ligne (« Content-Type: application/x-ndjson »).",
            "The body must be JSON lines (“Content-Type: application/x-ndjson”).",
        ));
    }
    let _place = app.guichet.limits().place().ok_or_else(Problem::busy)?;
    let body = Bytes::from_request(request, &app).await?;
    let lines: Vec<&[u8]> = body.split(|byte| *byte == b'\n').collect();
    if lines.iter().filter(|line| !line.trim_ascii().is_empty()).count() > LINES_MAX {
        return Err(Problem::unprocessable(
            "batch.too_long",
            format!("{LINES_MAX} lignes au plus."),
            format!("At most {LINES_MAX} lines."),
        ));
    }
    let began = Instant::now();
    let mut answers = Vec::new();
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| !line.trim_ascii().is_empty()) {
        let done = if began.elapsed() > WORK_MAX {
            Err(Problem::busy())
        } else {
            receive(&app, &tenant, principal.actor(), line).await
        };
        let answer = match done {
            Ok(answer) => BatchAnswer { line: index + 1, ..answer },
            Err(problem) => refused(index + 1, problem.speaking(wishes.language)),
        };
        serde_json::to_writer(&mut answers, &answer).map_err(|_| Problem::internal())?;
        answers.push(b'\n');
    }
    Ok(([(header::CONTENT_TYPE, LINES)], answers).into_response())
}

async fn receive(
    app: &App,
    tenant: &str,
    actor: guichet_engine::rules::request::Actor,
    line: &[u8],
) -> Result<BatchAnswer, Problem> {
    if line.len() > crate::http::BODY_BYTES_MAX {
        return Err(Problem::too_large());
    }
    let line: Line = parse(line)?;
    let (mut command, occurred_at) = line.request.command();
    if let Some(form) = crate::attachments::form_of_mut(&mut command) {
        crate::http::routes::files::proven(app, tenant, form).await?;
    }
    let submission = Submission {
        tenant: tenant.to_owned(),
        request: None,
        command,
        actor,
        command_id: CommandId(line.id),
        occurred_at,
        expected: None,
    };
    let done = app.submit(submission).await?;
    Ok(BatchAnswer {
        line: 0,
        status: if done.repeated { 200 } else { 201 },
        request: Some(done.request.0),
        tracking_code: done.tracking.as_ref().map(TrackingCode::spoken),
        repeated: Some(done.repeated),
        problem: None,
    })
}

fn refused(line: usize, problem: Problem) -> BatchAnswer {
    let status = problem.status;
    BatchAnswer { line, status, request: None, tracking_code: None, repeated: None, problem: Some(problem) }
}
