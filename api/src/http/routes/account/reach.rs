//! Proving that an address in the account is theirs.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use guichet_engine::rules::process::Delivery;
use guichet_engine::rules::records::contact::Account;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AccountAnswer, changed, holder, opened};
use crate::accounts::codes::{self, CODE_MINUTES, Proof, Purpose};
use crate::http::App;
use crate::http::extract::{At, Json, Wishes};
use crate::http::openapi::ProblemAnswer;
use crate::http::problem::Problem;

/// By which means somebody is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    /// By e-mail.
    Email,
    /// By text message.
    Sms,
}

impl Way {
    /// The same, as the rules call it.
    pub(crate) fn delivery(self) -> Delivery {
        match self {
            Self::Email => Delivery::Email,
            Self::Sms => Delivery::Sms,
        }
    }
}

/// Which address is to be proven.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "by": "email" }))]
pub(crate) struct ProveBody {
    /// The e-mail address or the telephone number of the account.
    by: Way,
}

/// The code that was sent to an address.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "by": "email", "code": "1234 5678" }))]
pub(crate) struct ProofBody {
    /// The address.
    by: Way,
    /// The code, with or without blanks.
    #[schema(max_length = 40)]
    code: String,
}

/// A code is on its way.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CodeSentAnswer {
    /// For how many minutes it can be given.
    minutes: i64,
}

/// Says that a code is on its way; the same whatever is known of the address.
pub(crate) fn code_sent() -> Response {
    (StatusCode::ACCEPTED, axum::Json(CodeSentAnswer { minutes: CODE_MINUTES })).into_response()
}

fn address(account: &Account, by: Way) -> Result<String, Problem> {
    let known = match by {
        Way::Email => account.details.email.clone(),
        Way::Sms => account.details.phone.clone(),
    };
    known.ok_or_else(|| {
        Problem::unprocessable(
            "account.no_address",
            "Le compte n’a pas d’adresse de cette sorte.",
            "The account has no address of this kind.",
        )
    })
}

/// Have a code sent to an address of the account.
#[utoipa::path(
    post, path = "/v1/{tenant}/account/proofs", tag = "account", security(("key" = ["account"])),
    request_body = ProveBody,
    responses(
        (status = 202, description = "The code is on its way.", body = CodeSentAnswer)
    )
)]
pub(crate) async fn account_prove(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Json(body): Json<ProveBody>,
) -> Result<Response, Problem> {
    let account = holder(&wishes, &app, &tenant).await?;
    let known = opened(&app, &tenant, account).await?;
    let (address, content) = (address(&known, body.by)?, account.to_string());
    let (purpose, by) = (Purpose::Reach, body.by.delivery());
    let proof = Proof { tenant: &tenant, purpose, by, address: &address, content: &content };
    codes::ask(&app.guichet, &proof, known.language).await?;
    Ok(code_sent())
}

/// Give the code that was sent: the address counts as theirs.
#[utoipa::path(
    post, path = "/v1/{tenant}/account/proofs/confirm", tag = "account", security(("key" = ["account"])),
    request_body = ProofBody,
    responses(
        (status = 200, description = "The account as it stands now.", body = AccountAnswer),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn account_prove_confirm(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Json(body): Json<ProofBody>,
) -> Result<Response, Problem> {
    let account = holder(&wishes, &app, &tenant).await?;
    let known = opened(&app, &tenant, account).await?;
    let (address, content) = (address(&known, body.by)?, account.to_string());
    let (purpose, by) = (Purpose::Reach, body.by.delivery());
    let proof = Proof { tenant: &tenant, purpose, by, address: &address, content: &content };
    codes::redeem(&app.guichet, &proof, &body.code).await?;
    let proven = |now: &Account| {
        // An address that was changed meanwhile is another one.
        if self::address(now, body.by).is_ok_and(|current| current == address) {
            now.prove(by)
        } else {
            Ok(Vec::new())
        }
    };
    changed(&app, &wishes, (&tenant, account), &("prove", body.by), proven).await
}
