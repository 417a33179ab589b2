//! A citizen's account: what is known of them, their requests, consents and subscriptions. Whose account it is follows
//! from the session alone, never from what a client says.

mod consents;
mod export;
mod files;
mod reach;
pub(super) mod requests;
mod view;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use guichet_engine::EngineError;
use guichet_engine::rules::process::Delivery;
use guichet_engine::rules::records::contact::{Account, ContactEvent, Details};
use guichet_engine::rules::request::{FieldFault, Ground, Rejection, email_address, phone_number};
use guichet_engine::rules::text::{Language, Text};

use crate::accounts;
use crate::accounts::codes::CodeError;
use crate::http::App;
use crate::http::extract::{At, Json, Wishes};
use crate::http::openapi::ProblemAnswer;
use crate::http::problem::Problem;
use crate::http::routes::access::sign_in_email::set;
use crate::rights::{Principal, Scope};
pub(super) use consents::WishBody;
pub(super) use reach::{CodeSentAnswer, Way, code_sent};
use view::AccountAnswer;
pub(super) use view::AroundBody;

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(account_show, account_change, account_close))
        .routes(routes!(export::account_export))
        .routes(routes!(requests::account_requests, requests::account_claim))
        .routes(routes!(requests::account_request))
        .routes(routes!(requests::account_act))
        .routes(routes!(files::account_file))
        .routes(routes!(requests::account_pay))
        .routes(routes!(consents::account_consent, consents::account_withdraw_consent))
        .routes(routes!(consents::account_subscribe))
        .routes(routes!(consents::account_unsubscribe))
        .routes(routes!(consents::contact_base))
        .routes(routes!(reach::account_prove))
        .routes(routes!(reach::account_prove_confirm))
}

/// The account of whoever calls. An account that was closed while its session lasted is one no more.
pub(super) async fn holder(wishes: &Wishes, app: &App, tenant: &str) -> Result<Uuid, Problem> {
    match wishes.needs(app, tenant, Scope::Account).await? {
        Principal::Citizen(account) => Ok(account),
        Principal::Agent(_) | Principal::Integrator(_) => Err(Problem::forbidden(
            "Ceci est réservé aux titulaires d’un compte d’usager.",
            "This is for citizens with an account.",
        )),
    }
}

/// The account as it stands, opened for its holder.
pub(super) async fn opened(app: &App, tenant: &str, account: Uuid) -> Result<Account, Problem> {
    let opened = accounts::open(&app.guichet, tenant, account).await?.account;
    if opened.is_open() { Ok(opened) } else { Err(Problem::unauthorized()) }
}

/// Changes the account of whoever calls, and shows it.
pub(super) async fn changed<T, D>(
    app: &App,
    wishes: &Wishes,
    (tenant, account): (&str, Uuid),
    content: &T,
    decide: D,
) -> Result<Response, Problem>
where
    T: serde::Serialize + Sync,
    D: Fn(&Account) -> Result<Vec<ContactEvent>, Rejection> + Send + Sync,
{
    let id = wishes.command_id(app)?;
    let _place = app.pressure.place().await?;
    let done = accounts::change(&app.guichet, (tenant, account), id, content, decide).await;
    let done = done.map_err(|error| match error {
        EngineError::Rejected(rejection) => own(*rejection),
        error => Problem::from(error),
    })?;
    if let Some((position, wait)) = done.position.zip(wishes.wait) {
        // Whoever asked to wait is answered all the same when the lists take longer.
        let _ = app.guichet.wait_for(position, wait).await;
    }
    let account_now = opened(app, tenant, account).await?;
    Ok(axum::Json(AccountAnswer::of(account, &account_now)).into_response())
}

/// What is wrong with fields of a body.
pub(super) fn wrong(faults: Vec<FieldFault>) -> Rejection {
    let text = Text::new("Des champs sont à corriger.", "Some fields must be corrected.");
    Rejection { fields: faults, ..Rejection::new("form.invalid", text).because(Ground::Content) }
}

/// The problem of a refusal whose fields are those of the body itself.
pub(super) fn own(rejection: Rejection) -> Problem {
    let mut problem = Problem::from(rejection);
    for error in &mut problem.errors {
        if let Some(pointer) = error.pointer.strip_prefix("/form") {
            error.pointer = pointer.to_owned();
        }
    }
    problem
}

pub(super) fn fault(pointer: &str, fr: &str, en: &str) -> FieldFault {
    FieldFault { pointer: pointer.to_owned(), code: "field.type".into(), text: Text::new(fr, en) }
}

/// An e-mail address as it is kept.
pub(super) fn email(text: &str, pointer: &str) -> Result<String, FieldFault> {
    email_address(text.trim())
        .ok_or_else(|| fault(pointer, "Il faut une adresse électronique.", "This must be an e-mail address."))
}

/// A telephone number as it is kept.
pub(super) fn phone(text: &str, pointer: &str) -> Result<String, FieldFault> {
    phone_number(text)
        .ok_or_else(|| fault(pointer, "Il faut un numéro de téléphone.", "This must be a telephone number."))
}

impl From<CodeError> for Problem {
    fn from(error: CodeError) -> Self {
        match error {
            CodeError::TooMany(seconds) => Self::too_many(seconds),
            CodeError::Wrong => Self::unprocessable(
                "code.wrong",
                "Ce code n’est pas le bon, ou n’est plus valable : demandez-en un autre.",
                "This code is not the right one, or no longer: ask for another.",
            ),
            CodeError::NotSent => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "message.not_sent",
                "Le message ne peut pas partir pour l’instant : réessayez plus tard.",
                "The message cannot go out now: try again later.",
            )
            .retry_after(60),
            CodeError::Engine(error) => Self::from(error),
            CodeError::ReadModels(error) => Self::from(error),
        }
    }
}

/// Who I am to this collectivity.
#[utoipa::path(
    get, path = "/v1/{tenant}/account", tag = "account", security(("key" = ["account"])),
    responses(
        (status = 200, description = "The account of whoever is signed in.", body = AccountAnswer)
    )
)]
pub(crate) async fn account_show(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    let account = holder(&wishes, &app, &tenant).await?;
    let known = opened(&app, &tenant, account).await?;
    Ok(axum::Json(AccountAnswer::of(account, &known)).into_response())
}

/// What is to be changed: what is left out stays, `null` takes it away.
#[derive(Debug, Deserialize, serde::Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "phone": "+33639980001", "preferred": "sms", "language": "fr" }))]
pub(crate) struct AccountChange {
    /// E-mail address; it counts as theirs once proven.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable, max_length = 254)]
    email: Option<Option<String>>,
    /// Telephone number; it counts as theirs once proven.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable, max_length = 40)]
    phone: Option<Option<String>>,
    /// Postal address, in lines.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable, max_length = 500)]
    address: Option<Option<String>>,
    /// By which means they wish to be told: `email`, `sms` or `letter`.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable)]
    preferred: Option<Option<Delivery>>,
    /// In which language: `fr` or `en`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    language: Option<Language>,
}

/// What was said, be it `null`.
fn said<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

/// The longest postal address, in characters.
const ADDRESS_MAX: usize = 500;

impl AccountChange {
    fn details(&self, known: &Details) -> Result<Details, Rejection> {
        let mut faults = Vec::new();
        let mut take = |said: &Option<Option<String>>,
                        known: &Option<String>,
                        read: &dyn Fn(&str) -> Result<String, FieldFault>| {
            match said {
                None => known.clone(),
                Some(None) => None,
                Some(Some(text)) => read(text).map_err(|fault| faults.push(fault)).ok(),
            }
        };
        let details = Details {
            email: take(&self.email, &known.email, &|text| email(text, "/email")),
            phone: take(&self.phone, &known.phone, &|text| phone(text, "/phone")),
            address: take(&self.address, &known.address, &|text| {
                let text = text.trim();
                let fits = !text.is_empty() && text.chars().count() <= ADDRESS_MAX;
                let fault = || {
                    fault(
                        "/address",
                        "L’adresse est vide ou trop longue.",
                        "The address is empty or too long.",
                    )
                };
                fits.then(|| text.to_owned()).ok_or_else(fault)
            }),
        };
        if faults.is_empty() { Ok(details) } else { Err(wrong(faults)) }
    }

    fn decide(&self, account: &Account) -> Result<Vec<ContactEvent>, Rejection> {
        let mut events = account.reach(self.details(&account.details)?)?;
        let preferred = self.preferred.unwrap_or(account.preferred);
        events.extend(account.prefer(preferred, self.language.unwrap_or(account.language))?);
        Ok(events)
    }
}

/// Change how I am reached.
#[utoipa::path(
    patch, path = "/v1/{tenant}/account", tag = "account", security(("key" = ["account"])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client.")
    ),
    request_body = AccountChange,
    responses(
        (status = 200, description = "The account as it stands now.", body = AccountAnswer),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn account_change(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Json(change): Json<AccountChange>,
) -> Result<Response, Problem> {
    let account = holder(&wishes, &app, &tenant).await?;
    opened(&app, &tenant, account).await?;
    changed(&app, &wishes, (&tenant, account), &change, |known| change.decide(known)).await
}

/// Close my account: all its sessions end at once, subscriptions and consents with them, and what says who I am becomes
/// unreadable for ever. Requests stay as long as the law of their process keeps them.
#[utoipa::path(
    delete, path = "/v1/{tenant}/account", tag = "account", security(("key" = ["account"])),
    responses(
        (status = 204, description = "Closed.")
    )
)]
pub(crate) async fn account_close(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    let account = holder(&wishes, &app, &tenant).await?;
    accounts::close(&app.guichet, &tenant, account)
        .await
        .map_err(|error: EngineError| Problem::from(error))?;
    // Last, so that whoever was interrupted can ask again.
    accounts::sign_out_everywhere(&app.guichet, &tenant, account).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    set(&mut response, app.sign_in.cookies().close(&tenant).iter().map(String::as_str));
    Ok(response)
}
