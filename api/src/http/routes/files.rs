//! Files that requests name: sent before the request, fetched with it.
//!
//! What an upload answers is put into the form as it is. Its `proof` is what lets it be named: a digest alone, which
//! others may have read in a form, lets nobody attach a file that they never had and fetch it then.

mod download;
mod proof;

use axum::body::Body;
use axum::extract::multipart::{Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::attachments::Uploaded;
use crate::http::App;
use crate::http::extract::{At, Wishes};
use crate::http::problem::Problem;
use crate::rights::{Principal, Scope};
pub(crate) use download::answer;
pub(crate) use proof::proven;

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<App> {
    // Files have a limit of their own, counted as they arrive.
    let uploads = OpenApiRouter::new().routes(routes!(files_upload)).layer(DefaultBodyLimit::disable());
    OpenApiRouter::new()
        .merge(uploads)
        .routes(routes!(download::files_download))
        .routes(routes!(download::files_follow))
}

/// A file as a form sends it.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it stands for the schema of a body")]
pub(crate) struct FileForm {
    /// The file, with its name and its media type.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    file: Vec<u8>,
}

/// Store a file that a request is about to name.
///
/// Send its bytes as the body, with its media type in `Content-Type` and its name in `Content-Disposition`
/// (`attachment; filename*=UTF-8''photo.jpg`), or as the one file of a `multipart/form-data` body. The answer is put
/// into the form's field as it is, within 24 hours; files that no request names are removed then. The type is read in
/// the bytes. Photos are drawn anew: where and with what they were taken is not kept.
#[utoipa::path(
    post, path = "/v1/{tenant}/files", tag = "public", security((), ("key" = ["files:write"])),
    params(
        ("Content-Disposition" = Option<String>, Header, description = "The file’s name.")
    ),
    request_body(content(
        (Vec<u8> = "application/octet-stream"),
        (Vec<u8> = "image/jpeg"),
        (Vec<u8> = "application/pdf"),
        (FileForm = "multipart/form-data")
    ), description = "The file."),
    responses(
        (status = 201, description = "Stored, to be named within a day.", body = Uploaded)
    )
)]
pub(crate) async fn files_upload(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    request: Request,
) -> Result<Response, Problem> {
    match wishes.caller(&app, &tenant).await? {
        // No process is named yet: a key that is limited to some minds that when it names the file.
        Some(Principal::Agent(_) | Principal::Integrator(_)) => {
            wishes.needs_caller(&app, &tenant, Scope::FilesWrite).await?;
        }
        Some(Principal::Citizen(_)) | None => {
            app.arrivals.take(&tenant, wishes.address, app.guichet.now()).map_err(Problem::too_many)?;
        }
    }
    if app.guichet.engine().organisation_now(&tenant).await?.is_none() {
        return Err(Problem::not_found());
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.map(str::to_owned);
    let is_form = kind.as_deref().is_some_and(|kind| kind.trim_start().starts_with("multipart/form-data"));
    let uploaded = if is_form {
        from_form(&app, &tenant, request).await?
    } else {
        let disposition = request.headers().get(header::CONTENT_DISPOSITION);
        // Some programs write the name as it is, in UTF-8.
        let disposition = disposition.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let name = disposition.as_deref().and_then(file_name).unwrap_or_default();
        let body: Body = request.into_body();
        app.guichet.attachments().upload(&tenant, &name, kind.as_deref(), body.into_data_stream()).await?
    };
    Ok((StatusCode::CREATED, axum::Json(uploaded)).into_response())
}

/// The first part that is a file.
async fn from_form(app: &App, tenant: &str, request: Request) -> Result<Uploaded, Problem> {
    let unreadable = |_: MultipartError| malformed_form();
    let mut form = Multipart::from_request(request, app).await.map_err(|_| malformed_form())?;
    while let Some(part) = form.next_field().await.map_err(unreadable)? {
        let Some(name) = part.file_name().map(str::to_owned) else { continue };
        let kind = part.content_type().map(str::to_owned);
        return Ok(app.guichet.attachments().upload(tenant, &name, kind.as_deref(), part).await?);
    }
    Err(malformed_form())
}

fn malformed_form() -> Problem {
    Problem::malformed(
        "file.form_unreadable",
        "Le corps n’est pas un formulaire avec un fichier (« multipart/form-data »).",
        "The body is no form with a file (“multipart/form-data”).",
    )
}

/// The file's name in a `Content-Disposition` (RFC 6266): the one with an alphabet first.
fn file_name(disposition: &str) -> Option<String> {
    let mut plain = None;
    for parameter in disposition.split(';').skip(1) {
        let Some((key, value)) = parameter.split_once('=') else { continue };
        let value = value.trim().trim_matches('"');
        match key.trim().to_ascii_lowercase().as_str() {
            "filename*" => {
                let coded = value.strip_prefix("UTF-8''").or_else(|| value.strip_prefix("utf-8''"))?;
                return Some(decoded(coded));
            }
            "filename" => plain = Some(value.to_owned()),
            _ => {}
        }
    }
    plain
}

/// Text in which bytes are written as `%C3` (RFC 8187).
fn decoded(coded: &str) -> String {
    let mut bytes = Vec::with_capacity(coded.len());
    let mut rest = coded.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let byte = hex.filter(|_| *first == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_browsers_and_programs_write_them() {
        for (header, name) in [
            ("attachment; filename=\"photo.jpg\"", Some("photo.jpg")),
            ("attachment; filename=\"e.jpg\"; filename*=UTF-8''%C3%A9t%C3%A9.jpg", Some("été.jpg")),
            ("inline; filename=a%zz.txt", Some("a%zz.txt")),
            ("attachment; filename*=UTF-8''a%2", Some("a%2")),
            ("attachment", None),
        ] {
            assert_eq!(file_name(header).as_deref(), name, "{header}");
        }
    }
}
