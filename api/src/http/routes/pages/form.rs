//! A form that was sent, and who reads the page that answers it: what every handler of a form is given.

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::response::Response;

use super::catalogue::asked;
use super::page::Reader;
use crate::http::App;
use crate::http::flat_form::Flat;
use crate::http::sent::Sent;

/// A form, with the collectivity in its address and the language that its reader prefers.
pub(super) struct Form {
    pub(super) reader: Reader,
    pub(super) sent: Flat,
}

impl FromRequest<App> for Form {
    /// A page that says what is wrong.
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let named = RawPathParams::from_request_parts(&mut parts, app).await;
        let tenant = named.ok().and_then(|named| {
            let mut named = named.iter();
            named.find(|(name, _)| *name == "tenant").map(|(_, tenant)| tenant.to_owned())
        });
        let query = asked(parts.uri.query().map(str::to_owned));
        let reader = Reader::new(&tenant.unwrap_or_default(), &query, &parts.headers);
        match Sent::read(Request::from_parts(parts, body), app).await {
            Ok(sent) => Ok(Self { reader, sent: sent.flat }),
            Err(problem) => Err(reader.problem(app, problem)),
        }
    }
}
