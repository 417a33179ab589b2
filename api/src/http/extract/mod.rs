//! What handlers are given: checked bodies, ids, keys, wishes. Each refusal is a [`Problem`].

mod body;
mod caller;
mod header;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::extract::{ConnectInfo, FromRequestParts, Path, Query, RawPathParams};
use axum::http::request::Parts;
use guichet_engine::rules::request::{CommandId, RequestId};
use guichet_engine::rules::text::Language;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::App;
use super::problem::Problem;
use crate::rights::Principal;
pub(crate) use body::{Json, is_json, parse};
pub(crate) use caller::Caller;
use header::{bearer, expected, idempotency, is_own_page, whose};
pub(crate) use header::{language_of, wait_of};

/// The collectivity in the path, and, where there is one, what follows it.
pub(crate) struct At<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &App) -> Result<Self, Problem> {
        let Path(value) = Path::<T>::from_request_parts(parts, state).await?;
        Ok(Self(value))
    }
}

/// What stands behind the question mark.
pub(crate) struct Ask<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Ask<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &App) -> Result<Self, Problem> {
        let Query(value) = Query::<T>::from_request_parts(parts, state).await?;
        Ok(Self(value))
    }
}

/// What a client's headers say.
#[derive(Debug, Clone)]
pub(crate) struct Wishes {
    /// The language it reads.
    pub(crate) language: Language,
    /// Where it calls from, as far as that is known.
    pub(crate) address: Option<IpAddr>,
    /// The id under which it sends a command.
    idempotency: Result<Option<CommandId>, Problem>,
    /// The revision that it expects.
    expected: Result<Option<u64>, Problem>,
    /// How long it would wait for read models to have seen its command.
    pub(crate) wait: Option<Duration>,
    /// Its key or its session's token, if it sent one.
    key: Option<String>,
    /// Its cookies, if it sent any.
    cookies: Option<String>,
    /// Whether it would change something and may have been made to by a page of another site.
    foreign: bool,
    /// What its path names.
    about: About,
    /// Who it is, where the program around these routes knows already.
    known: Option<Recognised>,
}

/// The request or process that a path names.
#[derive(Debug, Clone, Default)]
struct About {
    request: Option<String>,
    process: Option<String>,
}

impl About {
    fn of(named: &RawPathParams) -> Self {
        let part = |name: &str| named.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        let process = part("theme").zip(part("process"));
        Self {
            request: part("request").map(str::to_owned),
            process: process.map(|(theme, process)| format!("{theme}/{process}")),
        }
    }
}

/// Someone whom the program around the routes has recognised already, for one collectivity: it puts this among the
/// extensions of a request, which nothing that comes over the wire can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    /// The collectivity.
    pub tenant: String,
    /// Who.
    pub principal: Principal,
}

impl FromRequestParts<App> for Wishes {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &App) -> Result<Self, Problem> {
        let named = RawPathParams::from_request_parts(parts, state).await;
        let headers = &parts.headers;
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        Ok(Self {
            language: language_of(headers),
            address,
            idempotency: idempotency(
                headers,
                text("idempotency-key"),
                &whose(parts, text("authorization"), address),
            ),
            expected: expected(headers, text("if-match")),
            wait: text("prefer").and_then(wait_of),
            key: text("authorization").and_then(bearer),
            cookies: text("cookie").map(str::to_owned),
            foreign: !parts.method.is_safe() && !is_own_page(headers, &state.sign_in.origin()),
            // A path that cannot be read names nothing; the handler's own reading of it refuses.
            about: named.map(|named| About::of(&named)).unwrap_or_default(),
            known: parts.extensions.get().cloned(),
        })
    }
}

/// The request that a path names.
pub(crate) fn request_id(text: &str) -> Result<RequestId, Problem> {
    Uuid::parse_str(text).map(RequestId).map_err(|_| Problem::not_found())
}
