//! Fetching the files of a request: for those who may read it, and for its requester.

use std::io;
use std::ops::Range;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use guichet_engine::Span;
use guichet_engine::rules::records::access::{Data, Ground};
use guichet_engine::rules::request::RequestId;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, Take};
use utoipa::ToSchema;

use crate::attachments::{Asked, Reader, StoredFile, file_in};
use crate::dossier::reading_ground;
use crate::http::App;
use crate::http::extract::{At, Json, Wishes, request_id};
use crate::http::openapi::ProblemAnswer;
use crate::http::problem::Problem;
use crate::http::routes::follow::find;
use crate::rights::{Principal, Scope};

/// Bytes handed over at once.
const PIECE: usize = 64 * 1024;
/// What may be shown in a browser's window: pictures that this program drew itself.
const SHOWN: [&str; 2] = ["image/jpeg", "image/png"];

/// Fetch a file of a request.
///
/// Photos may be shown; anything else is to be saved. `Range` fetches a part.
#[utoipa::path(
    get, path = "/v1/{tenant}/requests/{request}/files/{sha256}", tag = "agents",
    security(("key" = ["files:read"])),
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
pub(crate) async fn files_download(
    State(app): State<App>,
    At((tenant, request, sha256)): At<(String, String, String)>,
    wishes: Wishes,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let principal = wishes.needs(&app, &tenant, Scope::FilesRead).await?;
    let request = request_id(&request)?;
    let known = app.guichet.request(&tenant, request).await?;
    let ground = match &principal {
        Principal::Agent(code) => reading_ground(&known, code, app.guichet.now().date_naive()),
        Principal::Integrator(_) => Some(Ground::Key),
        Principal::Citizen(_) => None,
    };
    let opened = (Data::File, ground.ok_or_else(Problem::not_found)?);
    app.accesses.note(&app.guichet, (&tenant, &principal), request, opened).await?;
    answer(&app, &tenant, request, &sha256, Asked::ByStaff, &headers).await
}

/// A tracking code and a file of that request.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileOfMine {
    /// The code.
    code: String,
    /// The digest of a file that the requester sent.
    #[schema(pattern = "^[0-9a-fA-F]{64}$")]
    sha256: String,
}

/// Fetch a file that one sent oneself, with the tracking code of the request.
#[utoipa::path(
    post, path = "/v1/{tenant}/follow/files", tag = "public", security(()),
    request_body(content = FileOfMine, example = json!({
        "code": "7K3M-9XQ2-4T", "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    })),
    responses(
        (status = 200, description = "The file.", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "A part of it.", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 304, description = "It has not changed: the `ETag` is its digest."),
        (status = 416, response = ProblemAnswer)
    )
)]
pub(crate) async fn files_follow(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    headers: HeaderMap,
    Json(body): Json<FileOfMine>,
) -> Result<Response, Problem> {
    let request = find(&app, &tenant, &wishes, &body.code).await?;
    answer(&app, &tenant, request, &body.sha256, Asked::ByRequester, &headers).await
}

/// The file, if the request names it.
pub(crate) async fn answer(
    app: &App,
    tenant: &str,
    request: RequestId,
    sha256: &str,
    asked: Asked,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let history = app.guichet.history(tenant, request, &Span::default(), true).await?;
    let file = file_in(&history, sha256, asked).ok_or_else(Problem::not_found)?;
    let tag = format!("\"{}\"", file.sha256);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag)) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        insert(response.headers_mut(), header::ETAG, &tag);
        return Ok(response);
    }
    let attachments = app.guichet.attachments();
    let size = file.size;
    let range = match headers.get(header::RANGE).and_then(|value| value.to_str().ok()) {
        Some(asked) => range_of(asked, size)?,
        None => None,
    };
    let from = range.as_ref().map_or(0, |range| range.start);
    let opened = attachments.open_from(tenant, &file.sha256, from).await?.ok_or_else(Problem::not_found)?;
    let length = range.as_ref().map_or(opened.size, |range| range.end - range.start);
    let mut response = Response::new(streamed(opened.reader.take(length)));
    if let Some(range) = &range {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let told = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
        insert(response.headers_mut(), header::CONTENT_RANGE, &told);
    }
    dressed(response.headers_mut(), &file, length, &tag);
    Ok(response)
}

/// No browser runs, guesses or frames what citizens sent.
fn dressed(headers: &mut HeaderMap, file: &StoredFile, length: u64, tag: &str) {
    let shown = SHOWN.contains(&file.kind.as_str());
    let way = if shown { "inline" } else { "attachment" };
    insert(headers, header::CONTENT_TYPE, &file.kind);
    insert(headers, header::CONTENT_DISPOSITION, &format!("{way}; filename*=UTF-8''{}", coded(&file.name)));
    insert(headers, header::CONTENT_LENGTH, &length.to_string());
    insert(headers, header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'");
    insert(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    insert(headers, header::ACCEPT_RANGES, "bytes");
    insert(headers, header::ETAG, tag);
}

fn insert(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    // What no header can hold is left out; names are coded, so it never is one.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// The name with everything but letters, digits and a few signs written as bytes (RFC 8187).
fn coded(name: &str) -> String {
    name.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

/// One range of bytes (RFC 9110, 14.1.2); several, and other units, are answered with the whole.
fn range_of(asked: &str, size: u64) -> Result<Option<Range<u64>>, Problem> {
    let Some((first, last)) = asked.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Ok(None);
    };
    let (first, last) = (first.trim(), last.trim());
    if last.contains(',') {
        return Ok(None);
    }
    let range = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Ok(first), Err(_)) if last.is_empty() => first..size,
        (Err(_), Ok(last)) if first.is_empty() && last > 0 => size.saturating_sub(last)..size,
        (Err(_), Ok(_)) if first.is_empty() => size..size,
        _ => return Ok(None),
    };
    if range.start < range.end {
        return Ok(Some(range));
    }
    Err(Problem::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "range.outside",
        format!("Le fichier n’a que {size} octets."),
        format!("The file has {size} bytes only."),
    ))
}

fn streamed(reader: Take<Reader>) -> Body {
    let pieces = futures_util::stream::try_unfold(reader, |mut reader| async move {
        let mut piece = vec![0; PIECE];
        let read = reader.read(&mut piece).await?;
        piece.truncate(read);
        Ok::<_, io::Error>((read > 0).then(|| (Bytes::from(piece), reader)))
    });
    Body::from_stream(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_what_the_standard_says() {
        for (asked, range) in [
            ("bytes=0-0", Some(0..1)),
            ("bytes=5-", Some(5..10)),
            ("bytes=-3", Some(7..10)),
            ("bytes=-30", Some(0..10)),
            ("bytes=2-99", Some(2..10)),
            ("bytes=3-2", None),
            ("bytes=0-1,3-4", None),
            ("lines=0-1", None),
            ("bytes=x-y", None),
        ] {
            assert_eq!(range_of(asked, 10).unwrap(), range, "{asked}");
        }
        assert_eq!(range_of("bytes=10-", 10).unwrap_err().status, 416);
        assert_eq!(range_of("bytes=-0", 10).unwrap_err().status, 416);
    }

    #[test]
    fn names_in_headers_are_letters_and_coded_bytes() {
        assert_eq!(coded("é\"\r\n;.pdf"), "%C3%A9%22%0D%0A%3B.pdf");
    }
}
