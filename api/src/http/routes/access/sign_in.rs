//! Signing in through an identity provider: going there, coming back, and a portal that fetches the session.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::App;
use crate::http::extract::{Ask, At, Json, Wishes};
use crate::http::openapi::ProblemAnswer;
use crate::http::problem::Problem;
use crate::sign_in::{Came, Kind, ProviderFault, SignInFault};

/// Where to go once somebody is signed in.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Back {
    /// A path of this server, or an address of a portal that the installation knows; `/` if nothing is said.
    #[param(max_length = 1024, example = "/")]
    #[serde(rename = "return")]
    back: Option<String>,
    /// Of a portal: the SHA-256 of a verifier that it keeps, in base64url (RFC 7636, `S256`). It fetches the session then.
    #[param(min_length = 43, max_length = 43, pattern = "^[A-Za-z0-9_-]{43}$")]
    challenge: Option<String>,
}

/// What the provider sends along with whoever comes back.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Brought {
    /// The code that it granted.
    #[param(max_length = 4096)]
    code: Option<String>,
    /// What was sent along.
    #[param(max_length = 512)]
    state: Option<String>,
    /// Who says so.
    #[param(max_length = 1024)]
    iss: Option<String>,
}

/// What a portal shows to fetch a session.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "code": "q0m3sJ8k1xv5nT7bYw2rPz4uHc6dLf9gAe0iKo1tVjM",
    "verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
}))]
pub(crate) struct Fetch {
    /// What came back with the person, as `sign_in`.
    #[schema(max_length = 128)]
    code: String,
    /// The verifier of the challenge with which they were sent.
    #[schema(min_length = 43, max_length = 128)]
    verifier: String,
}

/// A session that a portal fetched.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Fetched {
    /// What is shown as `Authorization: Bearer …` from now on.
    token: String,
    /// `agent` or `citizen`.
    kind: String,
    /// When it ends, however much it is used (UTC).
    ends: DateTime<Utc>,
}

/// Sign in: go to the identity provider of agents or of citizens.
///
/// To be opened in the browser. The provider leads back to `callback`, which sets the session as a cookie and goes on to
/// `return`. A portal on another origin sends a `challenge` along, is led back to with `sign_in=…` and fetches the session.
#[utoipa::path(
    get, path = "/v1/{tenant}/sign-in/{kind}", tag = "public", operation_id = "sign_in_begin", security(()),
    params(
        ("kind" = String, Path, description = "`agents` or `citizens`.", example = "citizens"),
        Back
    ),
    responses(
        (status = 303, description = "To the identity provider."),
        (status = 422, response = ProblemAnswer)
    )
)]
pub(crate) async fn sign_in_begin(
    State(app): State<App>,
    At((tenant, kind)): At<(String, Kind)>,
    Ask(back): Ask<Back>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    known(&app, &tenant).await?;
    app.arrivals
        .take(&format!("{tenant}/sign-in"), wishes.address, app.guichet.now())
        .map_err(Problem::too_many)?;
    if back.challenge.as_ref().is_some_and(|challenge| !is_challenge(challenge)) {
        return Err(problem(SignInFault::Elsewhere));
    }
    let wanted = (back.back.as_deref(), back.challenge.as_deref());
    let bound = wishes.bound(&app);
    let gone = app.sign_in.go(&app.guichet, (&tenant, kind), wanted, bound).await;
    let (url, bound) = gone.map_err(problem)?;
    Ok(led(url.as_str(), &[app.sign_in.cookies().bind(&bound)]))
}

/// Come back from the identity provider.
#[utoipa::path(
    get, path = "/v1/{tenant}/sign-in/{kind}/callback", tag = "public", operation_id = "sign_in_callback", security(()),
    params(
        ("kind" = String, Path, description = "`agents` or `citizens`.", example = "citizens"),
        Brought
    ),
    responses(
        (status = 303, description = "Signed in: on to where they wanted to go, with the session as a cookie."),
        (status = 403, response = ProblemAnswer)
    )
)]
pub(crate) async fn sign_in_callback(
    State(app): State<App>,
    At((tenant, kind)): At<(String, Kind)>,
    Ask(brought): Ask<Brought>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    known(&app, &tenant).await?;
    let bound = wishes.bound(&app);
    let before = wishes.session_cookie(&app, &tenant);
    let came = Came {
        code: brought.code.as_deref(),
        state: brought.state.as_deref().unwrap_or_default(),
        issuer: brought.iss.as_deref(),
        bound: bound.as_deref(),
        before: before.as_deref(),
    };
    let signed = app.sign_in.come(&app.guichet, (&tenant, kind), &came).await.map_err(problem)?;
    let cookies = app.sign_in.cookies();
    let set = signed.opened.map(|(token, hint)| cookies.open(&tenant, &token, &hint));
    Ok(led(&signed.back, &set.unwrap_or_default()))
}

/// Fetch the session of somebody who was led back to a portal.
#[utoipa::path(
    post, path = "/v1/{tenant}/sign-in/fetch", tag = "public", operation_id = "sign_in_fetch", security(()),
    request_body = Fetch,
    responses(
        (status = 200, description = "The session.", body = Fetched)
    )
)]
pub(crate) async fn sign_in_fetch(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Json(fetch): Json<Fetch>,
) -> Result<Response, Problem> {
    known(&app, &tenant).await?;
    app.strangers.take(&tenant, wishes.address, app.guichet.now()).map_err(Problem::too_many)?;
    let fetched = app.sign_in.fetch(&app.guichet, &tenant, &fetch.code, &fetch.verifier).await;
    let fetched = fetched.map_err(problem)?;
    let answer = Fetched { token: fetched.token, kind: fetched.session.kind, ends: fetched.session.ends };
    Ok(axum::Json(answer).into_response())
}

pub(super) fn is_challenge(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

pub(super) async fn known(app: &App, tenant: &str) -> Result<(), Problem> {
    let organisation = app.guichet.engine().organisation_now(tenant).await?;
    organisation.map(|_| ()).ok_or_else(Problem::not_found)
}

/// On to another address, with cookies.
fn led(to: &str, cookies: &[String]) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    for cookie in cookies {
        if let Ok(cookie) = HeaderValue::from_str(cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

/// Why nobody is signed in, in words. What exactly is wrong with a token stands in the log, for the operator.
pub(super) fn problem(fault: SignInFault) -> Problem {
    match fault {
        SignInFault::Unconfigured => Problem::not_found(),
        SignInFault::Elsewhere => Problem::unprocessable(
            "sign_in.return",
            "On ne peut pas revenir à cette adresse : un chemin de ce serveur, ou un portail déclaré avec son « challenge ».",
            "One cannot go back to that address: a path of this server, or a portal that is known with its “challenge”.",
        ),
        SignInFault::Stale => Problem::malformed(
            "sign_in.stale",
            "Cette connexion a expiré, a déjà servi ou vient d’un autre navigateur : recommencez.",
            "This sign-in is over, was used already or comes from another browser: start again.",
        ),
        SignInFault::GivenUp => Problem::malformed(
            "sign_in.given_up",
            "La connexion n’a pas abouti chez le fournisseur d’identité.",
            "The sign-in was not completed at the identity provider.",
        ),
        SignInFault::Unknown => Problem::new(
            StatusCode::FORBIDDEN,
            "sign_in.unknown",
            "Cette identité n’est celle d’aucun agent de la collectivité.",
            "This identity is nobody’s of the collectivity’s staff.",
        ),
        SignInFault::Provider(ProviderFault::Silent(_)) => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "sign_in.provider",
            "Le fournisseur d’identité ne répond pas : réessayez dans un instant.",
            "The identity provider does not answer: try again in a moment.",
        )
        .retry_after(10),
        SignInFault::Provider(ProviderFault::Refused | ProviderFault::Token(_) | ProviderFault::Level) => {
            Problem::new(
                StatusCode::FORBIDDEN,
                "sign_in.untrusted",
                "Ce que dit le fournisseur d’identité n’a pas pu être vérifié : recommencez.",
                "What the identity provider says could not be verified: start again.",
            )
        }
        SignInFault::Engine(error) => error.into(),
        SignInFault::Store(error) => error.into(),
    }
}
