//! The files of one's own requests.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::requests::own;
use super::{holder, opened};
use crate::attachments::Asked;
use crate::http::App;
use crate::http::extract::{At, Wishes, request_id};
use crate::http::openapi::ProblemAnswer;
use crate::http::problem::Problem;
use crate::http::routes::files::answer;

/// Fetch a file that I sent with one of my requests.
///
/// Files that agents added are not among them. Photos may be shown; anything else is to be saved. `Range` fetches a part.
#[utoipa::path(
    get, path = "/v1/{tenant}/account/requests/{request}/files/{sha256}", tag = "account",
    security(("key" = ["account"])),
    params(
        ("sha256" = String, Path, description = "The file, by its digest."),
        ("Range" = Option<String>, Header, description = "One range of bytes, such as `bytes=0-1023`.")
    ),
    responses(
        (status = 200, description = "The file.", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "A part of it.", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 304, description = "It has not changed: the `ETag` is its digest."),
        (status = 416, response = ProblemAnswer)
    )
)]
pub(crate) async fn account_file(
    State(app): State<App>,
    At((tenant, request, sha256)): At<(String, String, String)>,
    wishes: Wishes,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let account = holder(&wishes, &app, &tenant).await?;
    let me = opened(&app, &tenant, account).await?;
    let known = own(&app, &tenant, account, &me, request_id(&request)?).await?;
    // What people sent themselves is theirs: who looks at it is nobody whom they would have to be told of.
    answer(&app, &tenant, known.request.id, &sha256, Asked::ByRequester, &headers).await
}
