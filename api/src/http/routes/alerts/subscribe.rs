//! News that people ask for by their address alone: asked twice (the second time with the code that was sent there), and
//! ended by a link that needs no signing in (RFC 8058).

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use guichet_engine::rules::process::Delivery;
use guichet_engine::rules::records::contact::Wish;
use guichet_engine::rules::text::{Language, Text};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::accounts::codes::{self, Proof, Purpose, token_account};
use crate::accounts::{self, Identity};
use crate::http::App;
use crate::http::extract::{At, Json, Wishes};
use crate::http::openapi::ProblemAnswer;
use crate::http::problem::Problem;
use crate::http::routes::account::{CodeSentAnswer, Way, WishBody, code_sent, email, own, phone, wrong};

/// News that somebody asks for at an address.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "by": "email", "address": "camille@exemple.example", "wish": { "topic": "voirie" } }))]
pub(crate) struct SubscribeBody {
    /// E-mail or text message.
    by: Way,
    /// The address: an e-mail address or a telephone number.
    #[schema(max_length = 254)]
    address: String,
    /// What news.
    wish: WishBody,
    /// The language of the messages.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    language: Language,
}

/// The same, with the code that was sent to the address.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "code": "1234 5678",
    "subscription": { "by": "email", "address": "camille@exemple.example", "wish": { "topic": "voirie" } }
}))]
pub(crate) struct SubscribeProofBody {
    /// The code, with or without blanks.
    #[schema(max_length = 40)]
    code: String,
    /// What was asked for, as it was.
    subscription: SubscribeBody,
}

/// A subscription that stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SubscribedAnswer {
    /// Its id.
    subscription: Uuid,
    /// What ends it, without signing in: `POST` to `unsubscribe/` and this.
    token: String,
}

/// What was asked for, checked.
struct Asked {
    by: Delivery,
    address: String,
    wish: Wish,
    content: String,
}

fn checked(body: &SubscribeBody) -> Result<Asked, Problem> {
    let address = match body.by {
        Way::Email => email(&body.address, "/address"),
        Way::Sms => phone(&body.address, "/address"),
    };
    let address = address.map_err(|fault| own(wrong(vec![fault])))?;
    let wish = body.wish.wish().map_err(own)?;
    let content = serde_json::to_string(&(&wish, body.language)).map_err(|_| Problem::internal())?;
    Ok(Asked { by: body.by.delivery(), address, wish, content })
}

/// Ask for news at an address: a code goes there, and nothing else until it is given back.
#[utoipa::path(
    post, path = "/v1/{tenant}/subscriptions", tag = "public", security(()),
    request_body = SubscribeBody,
    responses(
        (status = 202, description = "The code is on its way.", body = CodeSentAnswer)
    )
)]
pub(crate) async fn subscriptions_ask(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Json(body): Json<SubscribeBody>,
) -> Result<Response, Problem> {
    app.look_ups.take(&tenant, wishes.address, app.guichet.now()).map_err(Problem::too_many)?;
    let Asked { by, address, content, .. } = checked(&body)?;
    let purpose = Purpose::Subscribe;
    let proof = Proof { tenant: &tenant, purpose, by, address: &address, content: &content };
    codes::ask(&app.guichet, &proof, body.language).await?;
    Ok(code_sent())
}

/// Give the code that was sent: the subscription stands.
#[utoipa::path(
    post, path = "/v1/{tenant}/subscriptions/confirm", tag = "public", security(()),
    request_body = SubscribeProofBody,
    responses(
        (status = 200, description = "The subscription.", body = SubscribedAnswer),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn subscriptions_confirm(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Json(body): Json<SubscribeProofBody>,
) -> Result<Response, Problem> {
    app.look_ups.take(&tenant, wishes.address, app.guichet.now()).map_err(Problem::too_many)?;
    let Asked { by, address, wish, content } = checked(&body.subscription)?;
    let purpose = Purpose::Subscribe;
    let proof = Proof { tenant: &tenant, purpose, by, address: &address, content: &content };
    codes::redeem(&app.guichet, &proof, &body.code).await?;
    let account = accounts::account_of(&app.guichet, &tenant, by, &address)?;
    let own = |way| (by == way).then(|| address.clone());
    let identity = Identity {
        provider: accounts::means(by).to_owned(),
        email: own(Delivery::Email),
        phone: own(Delivery::Sms),
        language: body.subscription.language,
        ..Identity::default()
    };
    accounts::signed_in(&app.guichet, &tenant, account, &identity).await?;
    let id = wishes.command_id(&app)?;
    let subscription = Uuid::new_v5(&account, id.0.as_bytes());
    let decide =
        |known: &guichet_engine::rules::records::contact::Account| known.subscribe(subscription, &wish);
    accounts::change(&app.guichet, (&tenant, account), id, &("subscribe", &wish), decide).await?;
    let now = accounts::sealed(&app.guichet, &tenant, account).await?;
    let known = now.subscriptions.iter().find(|(_, (known, _))| *known == wish);
    let token = codes::unsubscribe_token(&app.guichet, &tenant, account)?;
    let subscription = known.map_or(subscription, |(id, _)| *id);
    Ok(axum::Json(SubscribedAnswer { subscription, token }).into_response())
}

/// The page behind the link in a message: one button. Programs that only look at links end nothing by it.
#[utoipa::path(
    get, path = "/v1/{tenant}/unsubscribe/{token}", tag = "public", security(()),
    params(
        ("token" = String, Path, description = "What the message gave.", max_length = 64)
    ),
    responses(
        (status = 200, description = "A page with one button.", body = String, content_type = "text/html")
    )
)]
pub(crate) async fn unsubscribe_page(
    State(app): State<App>,
    At((tenant, token)): At<(String, String)>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    token_account(&app.guichet, &tenant, &token)?.ok_or_else(Problem::not_found)?;
    let button = Text::new("Ne plus recevoir ces messages", "Receive these messages no longer");
    let button = button.get(wishes.language);
    Ok(page(wishes.language, &format!("<form method=\"post\"><button>{button}</button></form>")))
}

fn page(language: Language, inside: &str) -> Response {
    let code = match language {
        Language::Fr => "fr",
        Language::En => "en",
    };
    let page = format!(
        "<!doctype html><html lang=\"{code}\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Guichet</title><main>{inside}</main></html>"
    );
    let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8");
    (StatusCode::OK, [kind, (header::REFERRER_POLICY, "no-referrer")], page).into_response()
}

/// End what was subscribed to, with what a message gave: by a mail program's one click (RFC 8058) or the page's button.
#[utoipa::path(
    post, path = "/v1/{tenant}/unsubscribe/{token}", tag = "public", security(()),
    params(
        ("token" = String, Path, description = "What the message gave.", max_length = 64)
    ),
    responses(
        (status = 200, description = "Nothing more is sent.", body = String, content_type = "text/html")
    )
)]
pub(crate) async fn unsubscribe(
    State(app): State<App>,
    At((tenant, token)): At<(String, String)>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    let account = token_account(&app.guichet, &tenant, &token)?.ok_or_else(Problem::not_found)?;
    let id = app.guichet.fresh_command_id()?;
    accounts::change(&app.guichet, (&tenant, account), id, &"unsubscribe", |known| {
        Ok(known.unsubscribe(None))
    })
    .await?;
    let done = Text::new(
        "C’est fait : nous ne vous écrirons plus à ce sujet.",
        "Done: we will write to you about this no longer.",
    );
    Ok(page(wishes.language, &format!("<p>{}</p>", done.get(wishes.language))))
}
