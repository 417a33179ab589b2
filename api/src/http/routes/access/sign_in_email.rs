//! Signing in with a code that is sent to an e-mail address: asked for, and given back.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use guichet_engine::rules::text::Language;
use guichet_projections::Session;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::sign_in::{is_challenge, known, problem};
use crate::http::App;
use crate::http::extract::{At, Json, Wishes};
use crate::http::openapi::ProblemAnswer;
use crate::http::problem::Problem;
use crate::http::routes::account::{CodeSentAnswer, code_sent, email, own, wrong};
use crate::sign_in::{Browser, Given, GivenFault, SignIn, SignInFault, digest};

/// Whose address a code is to be sent to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "address": "camille@exemple.example", "language": "fr" }))]
pub(crate) struct AskCodeBody {
    /// The e-mail address.
    #[schema(max_length = 254)]
    address: String,
    /// The language of the mail, `fr` or `en`; as `Accept-Language` says if none.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    language: Option<Language>,
    /// Of a portal on another origin: the SHA-256 of a verifier that it keeps, in base64url (RFC 7636, `S256`). Without it
    /// the code is tied to the browser by a cookie.
    #[serde(default)]
    #[schema(min_length = 43, max_length = 43, pattern = "^[A-Za-z0-9_-]{43}$")]
    challenge: Option<String>,
}

/// A code that comes back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "address": "camille@exemple.example", "code": "1234 5678" }))]
pub(crate) struct GiveCodeBody {
    /// The address that it was sent to.
    #[schema(max_length = 254)]
    address: String,
    /// The code, with or without blanks.
    #[schema(max_length = 40)]
    code: String,
    /// Of a portal: the verifier of the challenge with which it asked.
    #[serde(default)]
    #[schema(min_length = 43, max_length = 128)]
    verifier: Option<String>,
}

/// Somebody who is signed in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "kind": "citizen", "ends": "2026-11-03T19:00:00Z" }))]
pub(crate) struct SignedInAnswer {
    /// What a portal shows as `Authorization: Bearer …` from now on; a browser has its cookie instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// `citizen`.
    kind: String,
    /// When the session ends, however much it is used (UTC).
    ends: DateTime<Utc>,
}

/// Have a code sent to an e-mail address, to sign in with it.
///
/// The answer is the same, and comes as fast, whatever is known of the address. The code is good once, for ten minutes, for
/// the browser that asked; what asked before in the same browser is good no more.
#[utoipa::path(
    post, path = "/v1/{tenant}/sign-in/email", tag = "public", operation_id = "sign_in_email", security(()),
    request_body = AskCodeBody,
    responses(
        (status = 202, description = "The code is on its way.", body = CodeSentAnswer)
    )
)]
pub(crate) async fn sign_in_email(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Json(body): Json<AskCodeBody>,
) -> Result<Response, Problem> {
    let language = body.language.unwrap_or(wishes.language);
    if body.challenge.as_ref().is_some_and(|challenge| !is_challenge(challenge)) {
        return Err(problem(SignInFault::Elsewhere));
    }
    let challenge = body.challenge.as_deref();
    let cookie = asked(&app, &tenant, &wishes, (&body.address, challenge), language).await?;
    let mut response = code_sent();
    set(&mut response, cookie.as_deref().into_iter());
    Ok(response)
}

/// Has a code sent for a portal's challenge, or for the browser that calls; its cookie is what is given back.
pub(in crate::http::routes) async fn asked(
    app: &App,
    tenant: &str,
    wishes: &Wishes,
    (address, challenge): (&str, Option<&str>),
    language: Language,
) -> Result<Option<String>, Problem> {
    reached(app, tenant, wishes).await?;
    let address = readable(address)?;
    let bound = match challenge {
        Some(_) => None,
        None => Some(wishes.bound(app).map_or_else(|| SignIn::bind(&app.guichet), Ok).map_err(problem)?),
    };
    let by = match (challenge, &bound) {
        (Some(challenge), _) => Browser::Challenge(challenge),
        (None, bound) => Browser::Cookie(bound.as_deref().unwrap_or_default()),
    };
    app.sign_in.ask_code(&app.guichet, tenant, (&address, by), language).await?;
    Ok(bound.map(|bound| app.sign_in.cookies().bind(&bound)))
}

/// Give the code that was sent: a session is opened, as a cookie or, for a portal, as a token.
#[utoipa::path(
    post, path = "/v1/{tenant}/sign-in/email/confirm", tag = "public", operation_id = "sign_in_email_confirm",
    security(()),
    request_body = GiveCodeBody,
    responses(
        (status = 200, description = "Signed in.", body = SignedInAnswer),
        (status = 403, response = ProblemAnswer)
    )
)]
pub(crate) async fn sign_in_email_confirm(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Json(body): Json<GiveCodeBody>,
) -> Result<Response, Problem> {
    let verifier = body.verifier.as_deref();
    let (token, session) = given(&app, &tenant, &wishes, (&body.address, &body.code), verifier).await?;
    let cookies = app.sign_in.cookies();
    let cookies = if verifier.is_some() { Vec::new() } else { cookies.open(&tenant, &token, "") };
    let token = verifier.is_some().then_some(token);
    let answer = SignedInAnswer { token, kind: session.kind, ends: session.ends };
    let mut response = axum::Json(answer).into_response();
    set(&mut response, cookies.iter().map(String::as_str));
    Ok(response)
}

/// Opens a session with a code.
pub(in crate::http::routes) async fn given(
    app: &App,
    tenant: &str,
    wishes: &Wishes,
    (address, code): (&str, &str),
    verifier: Option<&str>,
) -> Result<(String, Session), Problem> {
    reached(app, tenant, wishes).await?;
    let address = readable(address)?;
    let (challenge, bound) = (verifier.map(digest), wishes.bound(app));
    let by = match (&challenge, &bound) {
        (Some(challenge), _) => Browser::Challenge(challenge),
        // A page of another site must not sign anybody in, not even as somebody else.
        (None, Some(bound)) => {
            wishes.must_be_own_page()?;
            Browser::Cookie(bound)
        }
        // No code was ever sent for a browser without a cookie.
        (None, None) => return Err(crate::accounts::codes::CodeError::Wrong.into()),
    };
    let before = wishes.session_cookie(app, tenant).filter(|_| verifier.is_none());
    let language = wishes.language;
    let given = Given { address: &address, code, by, before: before.as_deref(), language };
    app.sign_in.code_given(&app.guichet, tenant, &given).await.map_err(|fault| match fault {
        GivenFault::Code(error) => error.into(),
        GivenFault::SignIn(fault) => problem(fault),
        GivenFault::Engine(error) => error.into(),
    })
}

/// Whether citizens of this collectivity sign in by e-mail, and whether the caller has not tried too often.
async fn reached(app: &App, tenant: &str, wishes: &Wishes) -> Result<(), Problem> {
    known(app, tenant).await?;
    if !app.sign_in.is_by_email() {
        return Err(Problem::not_found());
    }
    app.look_ups.take(tenant, wishes.address, app.guichet.now()).map(drop).map_err(Problem::too_many)
}

/// The address, if it can be one. Line ends and blanks, which would make another header of a mail, are in none.
fn readable(address: &str) -> Result<String, Problem> {
    email(address, "/address").map_err(|fault| own(wrong(vec![fault])))
}

/// Sets cookies.
pub(in crate::http::routes) fn set<'c>(response: &mut Response, cookies: impl Iterator<Item = &'c str>) {
    for cookie in cookies {
        if let Ok(cookie) = HeaderValue::from_str(cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
}
