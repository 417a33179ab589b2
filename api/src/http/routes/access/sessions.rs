//! Who is signed in, and signing out.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use url::Url;
use utoipa::ToSchema;

use super::sign_in::known;
use super::sign_in_email::set;
use crate::http::App;
use crate::http::extract::{At, Wishes};
use crate::http::openapi::ProblemAnswer;
use crate::http::problem::Problem;
use crate::rights::{Principal, Scope};
use crate::sign_in::{Kind, digest};

/// Who calls, and what they may do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "kind": "agent", "holder": "a01", "name": "Sylvie Marchand", "scopes": ["requests:read"] }))]
pub(crate) struct SessionAnswer {
    /// `agent`, `integrator`, `citizen`, or `nobody`.
    kind: String,
    /// A staff code, the name of a program, or the id of an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<String>,
    /// The name of a member of staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// What they may do here.
    scopes: Vec<String>,
}

/// A session that was ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignedOut {
    /// Where to go to sign out at the identity provider too, if it offers that.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
}

/// Who am I, and what may I do?
#[utoipa::path(
    get, path = "/v1/{tenant}/session", tag = "public", operation_id = "session_read", security(()),
    responses(
        (status = 200, description = "Whoever calls, by cookie, key or session.", body = SessionAnswer)
    )
)]
pub(crate) async fn session_read(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    known(&app, &tenant).await?;
    let mut answer =
        SessionAnswer { kind: "nobody".to_owned(), holder: None, name: None, scopes: Vec::new() };
    if let Some(principal) = wishes.caller(&app, &tenant).await? {
        for scope in Scope::ALL {
            if wishes.needs_caller(&app, &tenant, *scope).await.is_ok() {
                answer.scopes.push(scope.name().to_owned());
            }
        }
        let (kind, holder) = match &principal {
            Principal::Agent(code) => ("agent", code.clone()),
            Principal::Integrator(name) => ("integrator", name.clone()),
            Principal::Citizen(account) => ("citizen", account.to_string()),
        };
        if let Principal::Agent(code) = &principal {
            let organisation = app.guichet.engine().organisation_now(&tenant).await?.unwrap_or_default();
            answer.name = organisation.person(code).map(|person| person.name.clone());
        }
        (answer.kind, answer.holder) = (kind.to_owned(), Some(holder));
    }
    Ok(axum::Json(answer).into_response())
}

/// Sign out.
#[utoipa::path(
    post, path = "/v1/{tenant}/sign-out", tag = "public", operation_id = "session_end", security(()),
    responses(
        (status = 200, description = "The session is over, if there was one.", body = SignedOut),
        (status = 403, response = ProblemAnswer)
    )
)]
pub(crate) async fn session_end(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    known(&app, &tenant).await?;
    let provider = ended(&app, &tenant, &wishes).await?;
    let mut response = axum::Json(SignedOut { provider: provider.map(String::from) }).into_response();
    set(&mut response, app.sign_in.cookies().close(&tenant).iter().map(String::as_str));
    Ok(response)
}

/// Ends the session that was shown, if there is one; where to sign out at the identity provider too.
pub(in crate::http::routes) async fn ended(
    app: &App,
    tenant: &str,
    wishes: &Wishes,
) -> Result<Option<Url>, Problem> {
    let Some(token) = wishes.session_token(app, tenant)? else { return Ok(None) };
    let held = app.sign_in.holder(&app.guichet, tenant, &token, app.guichet.now()).await?;
    let Some((principal, _)) = held else { return Ok(None) };
    app.guichet.read_models().session_end(&digest(&token)).await?;
    let kind = if matches!(principal, Principal::Agent(_)) { Kind::Agents } else { Kind::Citizens };
    // Who signed in by e-mail has no identity token to be signed out with.
    let Some(hint) = wishes.hint(app, tenant).filter(|hint| !hint.is_empty()) else { return Ok(None) };
    // The session here is over whether or not the provider answers.
    Ok(app.sign_in.farewell(&app.guichet, kind, &hint).await.ok().flatten())
}
