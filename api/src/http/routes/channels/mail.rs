//! Mails, handed over by a mail server.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::header;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::unset;
use crate::channels::Became;
use crate::channels::post::{PostError, deliver, mailbox};
use crate::http::App;
use crate::http::extract::{At, Wishes};
use crate::http::problem::Problem;
use crate::rights::Scope;

/// What became of a message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "became": "reply", "request": "8d698e70-82cc-5089-85b7-f13ddea0fe6f", "repeated": false }))]
pub(crate) struct Arrived {
    /// `request`: a new request; `reply`: a word on one; `noted`: a note on one that is closed; `undelivered`: a mark that
    /// a message of ours did not arrive; `followed`: a question about a request, answered at once; `ignored`: nothing.
    became: &'static str,
    /// The request.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Uuid>,
    /// Why nothing became of it: `auto_submitted`, `precedence`, `responder`, `list`, `null_sender`, `daemon`, `absence`,
    /// `our_own`, `loop`, `spam`, `no_sender`, `empty` or `report`; of text messages `stopped` and `started`;
    /// of reports on them `delivered`, `under_way` and `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// Whether the same message had come before; then nothing happened now.
    repeated: bool,
}

impl From<Became> for Arrived {
    fn from(became: Became) -> Self {
        let (word, request, reason, again) = match became {
            Became::Request { request, repeated, .. } => ("request", Some(request), None, repeated),
            Became::Reply { request, repeated } => ("reply", Some(request), None, repeated),
            Became::Noted { request, repeated } => ("noted", Some(request), None, repeated),
            Became::Undelivered { request } => ("undelivered", Some(request), None, false),
            Became::Followed { request } => ("followed", Some(request), None, false),
            Became::Ignored(why) => ("ignored", None, Some(why), false),
        };
        Self { became: word, request: request.map(|request| request.0), reason, repeated: again }
    }
}

/// Hand over a mail.
///
/// The mail as it stands (RFC 5322), headers first. It becomes a request, or a word on the one that it answers; programs
/// that answer by themselves are ignored. The same mail again counts once. 503 and 429 mean: keep it and try again.
#[utoipa::path(
    post, path = "/v1/{tenant}/channels/mail", tag = "agents", operation_id = "channels_mail", security(("key" = ["channels:deliver"])),
    request_body(
        content = String, content_type = "message/rfc822", description = "The mail, 25 MiB at most.",
        example = json!("From: Jeanne <jeanne@exemple.example>\r\nSubject: Lampadaire\r\n\r\nLe lampadaire est en panne.\r\n")
    ),
    responses(
        (status = 200, description = "What became of it.", body = Arrived),
        (status = 401, response = crate::http::openapi::ProblemAnswer),
        (status = 403, response = crate::http::openapi::ProblemAnswer),
        (status = 404, response = crate::http::openapi::ProblemAnswer),
        (status = 409, response = crate::http::openapi::ProblemAnswer),
        (status = 422, response = crate::http::openapi::ProblemAnswer),
        (status = 429, response = crate::http::openapi::ProblemAnswer)
    )
)]
pub(crate) async fn channels_mail(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    request: Request,
) -> Result<axum::Json<Arrived>, Problem> {
    wishes.needs(&app, &tenant, Scope::ChannelsDeliver).await?;
    if mailbox(&app.guichet, &tenant, &[]).is_none() {
        return Err(unset());
    }
    let kind =
        request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("message/rfc822") {
        return Err(Problem::new(
            axum::http::StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "body.not_mail",
            "Le corps doit être un courriel (« Content-Type: message/rfc822 »).",
            "The body must be a mail (“Content-Type: message/rfc822”).",
        ));
    }
    // Before a byte of it is in memory.
    let _place = app.guichet.limits().place().ok_or_else(Problem::busy)?;
    let bytes = Bytes::from_request(request, &app).await?;
    match deliver(&app.guichet, &tenant, None, bytes.to_vec()).await {
        Ok(Some(became)) => Ok(axum::Json(became.into())),
        Ok(None) => Err(unset()),
        Err(PostError::Take(error) | PostError::Reused(error)) => Err(error.into()),
        Err(PostError::Unreadable(_) | PostError::Broken) => Err(Problem::unprocessable(
            "mail.unreadable",
            "Ces octets ne se lisent pas comme un courriel.",
            "These bytes cannot be read as a mail.",
        )),
    }
}
