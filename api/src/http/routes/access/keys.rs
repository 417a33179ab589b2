//! Keys of agents and programs, managed by those of the staff who may.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use guichet_projections::ProjectionError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::App;
use crate::http::extract::{At, Json, Wishes};
use crate::http::openapi::ProblemAnswer;
use crate::http::problem::Problem;
use crate::rights::keys::{AccessError, Holder, KeyEntry, KeyTerms, PROGRAM_SCOPES};
use crate::rights::{KeyScopes, Scope};

/// The longest that a replaced key goes on opening, in days.
const GRACE_DAYS_MAX: u32 = 90;

/// What a new key is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "integrator": "portail", "scopes": ["requests:receive"], "processes": ["voirie"] }))]
pub(crate) struct NewKey {
    /// For this program, by a name of your choice. People sign in; keys of their own are made on the server.
    #[schema(max_length = 32, pattern = "^[A-Za-z0-9_.-]+$")]
    integrator: String,
    /// What it lets through at most; the usual if nothing is said.
    #[schema(value_type = Option<Vec<String>>, max_items = 64)]
    scopes: Option<Vec<Scope>>,
    /// Processes (`voirie/chaussee-abimee`) and themes (`voirie`) that it is limited to; all of them if empty.
    #[serde(default)]
    #[schema(max_items = 100)]
    processes: Vec<String>,
    /// From when on it opens nothing (UTC).
    expires: Option<DateTime<Utc>>,
}

/// How a key is replaced.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "grace_days": 7 }))]
pub(crate) struct Replace {
    /// How many days the old key goes on opening.
    #[schema(maximum = 90)]
    grace_days: u32,
}

/// A key, without itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyAnswer {
    /// By what it is called.
    id: String,
    /// The staff code of its holder.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    /// The program that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    integrator: Option<String>,
    /// What it lets through at most; whatever its holder may do if this is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
    /// What it is limited to; nothing if empty.
    processes: Vec<String>,
    /// When it was made (UTC).
    created: DateTime<Utc>,
    /// From when on it opens nothing (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<DateTime<Utc>>,
    /// When it was taken back (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked: Option<DateTime<Utc>>,
    /// The key that takes its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced_by: Option<String>,
}

/// A key that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MadeKey {
    /// The key itself: it is never shown again.
    secret: String,
    /// What is kept of it.
    key: KeyAnswer,
}

/// The keys of a collectivity.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeysAnswer {
    /// The oldest first, those that open nothing any more included.
    keys: Vec<KeyAnswer>,
}

impl From<KeyEntry> for KeyAnswer {
    fn from(entry: KeyEntry) -> Self {
        let (agent, integrator) = match entry.holder {
            Holder::Agent(code) => (Some(code), None),
            Holder::Integrator(name) => (None, Some(name)),
        };
        let names = |scopes: Vec<Scope>| scopes.into_iter().map(|scope| scope.name().to_owned()).collect();
        Self {
            id: entry.id,
            agent,
            integrator,
            scopes: entry.scopes.map(names),
            processes: entry.processes,
            created: entry.created,
            expires: entry.expires,
            revoked: entry.revoked,
            replaced_by: entry.replaced_by,
        }
    }
}

/// List the keys of the collectivity.
#[utoipa::path(
    get, path = "/v1/{tenant}/keys", tag = "agents", operation_id = "keys_list", security(("key" = ["keys:manage"])),
    responses(
        (status = 200, description = "The keys, without themselves.", body = KeysAnswer)
    )
)]
pub(crate) async fn keys_list(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    wishes.needs(&app, &tenant, Scope::KeysManage).await?;
    let keys = app.access.list(&tenant).await?;
    Ok(axum::Json(KeysAnswer { keys: keys.into_iter().map(KeyAnswer::from).collect() }).into_response())
}

/// Make a key. It is shown once.
#[utoipa::path(
    post, path = "/v1/{tenant}/keys", tag = "agents", operation_id = "keys_make", security(("key" = ["keys:manage"])),
    request_body = NewKey,
    responses(
        (status = 201, description = "Made.", body = MadeKey),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn keys_make(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Json(new): Json<NewKey>,
) -> Result<Response, Problem> {
    let caller = wishes.needs_caller(&app, &tenant, Scope::KeysManage).await?;
    let holder = Holder::Integrator(new.integrator);
    if caller.is_limited() || !caller.may_give(new.scopes.as_deref().unwrap_or(&PROGRAM_SCOPES)) {
        return Err(too_much());
    }
    let terms =
        KeyTerms { tenant, holder, scopes: new.scopes, processes: new.processes, expires: new.expires };
    let made = app.access.make(&terms, app.guichet.ambient()).await?;
    Ok((StatusCode::CREATED, axum::Json(shown(made))).into_response())
}

/// Take a key back: it opens nothing from now on.
#[utoipa::path(
    post, path = "/v1/{tenant}/keys/{key}/revoke", tag = "agents", operation_id = "keys_revoke",
    security(("key" = ["keys:manage"])),
    params(
        ("key" = String, Path, description = "The key, as the list calls it.", example = "3fa94b0c12de")
    ),
    responses(
        (status = 200, description = "Taken back, now or before.", body = KeyAnswer)
    )
)]
pub(crate) async fn keys_revoke(
    State(app): State<App>,
    At((tenant, key)): At<(String, String)>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    wishes.needs(&app, &tenant, Scope::KeysManage).await?;
    let entry = app.access.revoke(&tenant, &key, app.guichet.now()).await?;
    Ok(axum::Json(KeyAnswer::from(entry)).into_response())
}

/// Replace a key by one with the same holder, rights and limits. It is shown once.
#[utoipa::path(
    post, path = "/v1/{tenant}/keys/{key}/rotate", tag = "agents", operation_id = "keys_rotate",
    security(("key" = ["keys:manage"])),
    params(
        ("key" = String, Path, description = "The key, as the list calls it.", example = "3fa94b0c12de")
    ),
    request_body = Replace,
    responses(
        (status = 201, description = "The new key.", body = MadeKey),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn keys_rotate(
    State(app): State<App>,
    At((tenant, key)): At<(String, String)>,
    wishes: Wishes,
    Json(replace): Json<Replace>,
) -> Result<Response, Problem> {
    let caller = wishes.needs_caller(&app, &tenant, Scope::KeysManage).await?;
    if replace.grace_days > GRACE_DAYS_MAX {
        return Err(Problem::unprocessable(
            "key.grace",
            "L’ancienne clé reste valable 90 jours au plus.",
            "The old key stays valid for 90 days at most.",
        ));
    }
    let old = app.access.list(&tenant).await?.into_iter().find(|entry| entry.id == key);
    let old = old.ok_or_else(Problem::not_found)?;
    let gives = match (&old.holder, old.key_scopes()) {
        (Holder::Integrator(_), KeyScopes::Only(scopes)) => caller.may_give(&scopes),
        (Holder::Integrator(_), KeyScopes::All) | (Holder::Agent(_), _) => false,
    };
    if caller.is_limited() || !gives {
        return Err(too_much());
    }
    let grace = TimeDelta::days(i64::from(replace.grace_days));
    let rotated = app.access.rotate(&tenant, &key, grace, app.guichet.ambient()).await?;
    Ok((StatusCode::CREATED, axum::Json(shown(rotated))).into_response())
}

/// Nobody gives what they do not have, nor a key with which one acts in somebody else's name.
fn too_much() -> Problem {
    Problem::forbidden(
        "Cette clé donnerait plus de droits que vous n’en avez, ou agirait au nom d’un agent.",
        "That key would give more rights than you have, or act in an agent’s name.",
    )
}

fn shown((secret, entry): (String, KeyEntry)) -> MadeKey {
    MadeKey { secret, key: entry.into() }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        problem(error)
    }
}

fn problem(error: AccessError) -> Problem {
    let words = error.to_string();
    let wrong = |code: &str, fr: &str| Problem::unprocessable(code, fr, words.clone());
    match &error {
        AccessError::Unknown(_) => Problem::not_found(),
        AccessError::Holder(_) => wrong(
            "key.holder",
            "Un titulaire s’écrit en lettres sans accents, chiffres, « _ », « - » et « . », 32 au plus.",
        ),
        AccessError::Tenant(_) => Problem::not_found(),
        AccessError::Scope(_) => wrong("key.scope", "Un programme ne peut pas avoir l’un de ces droits."),
        AccessError::Limit(_) => {
            wrong("key.processes", "Ce n’est ni une démarche ni un thème, ou il y en a plus de cent.")
        }
        AccessError::Expired => wrong("key.expired", "Une clé ne peut pas expirer dans le passé."),
        AccessError::TooMany => Problem::new(
            StatusCode::CONFLICT,
            "key.too_many",
            "Il y a déjà trop de clés.",
            "There are too many keys already.",
        ),
        AccessError::Table(ProjectionError::Unavailable { .. } | ProjectionError::Store { .. }) => {
            tracing::error!(error = %error, "keys cannot be looked up");
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "keys.unavailable",
                "Les clés ne peuvent pas être vérifiées pour l’instant ; rien n’a été fait.",
                "Keys cannot be checked for now; nothing was done.",
            )
            .retry_after(2)
        }
        AccessError::Table(_) | AccessError::File { .. } | AccessError::Chance(_) => {
            tracing::error!(error = %error, "the keys cannot be changed");
            Problem::internal()
        }
    }
}
