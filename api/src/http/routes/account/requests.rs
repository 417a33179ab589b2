//! The requests of an account: those made in it, and earlier ones that were taken into it by their codes.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use guichet_engine::rules::records::contact::Account;
use guichet_engine::rules::request::{Actor, Command, RequestId};
use guichet_engine::rules::text::Text;
use guichet_engine::{Known, Submission};
use guichet_projections::{AccountCards, Card, CardQuery};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{AccountAnswer, changed, holder, opened};
use crate::attachments::form_of_mut;
use crate::http::App;
use crate::http::answers::{Promise, ReceiptAnswer, promises, receipt, tag};
use crate::http::extract::{Ask, At, Json, Wishes, request_id};
use crate::http::openapi::{CommandBody, ProblemAnswer};
use crate::http::problem::Problem;
use crate::http::routes::files::proven;
use crate::http::routes::follow::{self, FollowBody, Followed};
use crate::http::routes::payments::{Started, Visit, begin, no_store};
use crate::http::words;

/// Which of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct HistoryFilter {
    /// Only open ones, or only finished ones.
    open: Option<bool>,
    /// How many at once: 1 to 100, by default 20.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// What the page before gave as `next`.
    cursor: Option<String>,
}

/// The requests of an account, the last made first.
#[derive(Serialize, ToSchema)]
pub(crate) struct HistoryAnswer {
    /// This stretch of them.
    requests: Vec<HistoryLine>,
    /// How many there are in all.
    n: u64,
    /// How to go on; nothing at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// One request of an account.
#[derive(Serialize, ToSchema)]
pub(crate) struct HistoryLine {
    /// The request.
    request: Uuid,
    /// Its process.
    process: String,
    /// What it is about.
    #[schema(value_type = Object)]
    title: Text,
    /// The stage.
    stage: String,
    /// The stage in words, in the reader's language.
    words: String,
    /// Whether something is still to be done.
    open: bool,
    /// Whether an answer of the requester, or their payment, is awaited.
    waits_for_you: bool,
    /// When it was made (UTC).
    received: DateTime<Utc>,
    /// What the town hall promised.
    promises: Vec<Promise>,
}

/// Which requests are those of an account.
pub(in crate::http::routes) fn cards_of(account: Uuid, known: &Account) -> AccountCards {
    let since = known.opened.unwrap_or(DateTime::<Utc>::MAX_UTC);
    AccountCards { account, since, linked: known.requests.iter().copied().collect() }
}

/// A request of this account; what is not is not there.
pub(in crate::http::routes) async fn own(
    app: &App,
    tenant: &str,
    account: Uuid,
    holder: &Account,
    request: RequestId,
) -> Result<Known, Problem> {
    let known = app.guichet.request(tenant, request).await?;
    let made = known.request.requester.account_id == Some(account)
        && holder.opened.is_some_and(|opened| opened <= known.request.milestones.received);
    if made || holder.requests.contains(&request) { Ok(known) } else { Err(Problem::not_found()) }
}

/// The history of my requests.
#[utoipa::path(
    get, path = "/v1/{tenant}/account/requests", tag = "account", security(("key" = ["account"])),
    params(HistoryFilter),
    responses(
        (status = 200, description = "My requests, the last made first.", body = HistoryAnswer)
    )
)]
pub(crate) async fn account_requests(
    State(app): State<App>,
    At(tenant): At<String>,
    Ask(filter): Ask<HistoryFilter>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    let account = holder(&wishes, &app, &tenant).await?;
    let known = opened(&app, &tenant, account).await?;
    let query = CardQuery {
        tenant: Some(tenant.clone()),
        account: Some(cards_of(account, &known)),
        open: filter.open,
        limit: filter.limit.unwrap_or(20).clamp(1, 100),
        cursor: filter.cursor,
        ..CardQuery::default()
    };
    let found = app.guichet.read_models().cards(&query).await?;
    let mut requests = Vec::with_capacity(found.value.items.len());
    for card in found.value.items {
        requests.push(line(&app, &wishes, &tenant, card).await?);
    }
    let answer = HistoryAnswer { requests, n: found.n, next: found.value.next };
    Ok(axum::Json(answer).into_response())
}

async fn line(app: &App, wishes: &Wishes, tenant: &str, card: Card) -> Result<HistoryLine, Problem> {
    let known = app.guichet.request(tenant, card.request).await?;
    let stage = known.request.stage.id();
    Ok(HistoryLine {
        request: card.request.0,
        process: known.request.process.clone(),
        title: known.plan.definition().title.clone(),
        stage: stage.to_owned(),
        words: words::stage(stage).get(wishes.language).to_owned(),
        open: !known.request.stage.is_finished(),
        waits_for_you: matches!(card.hold.as_deref(), Some("waiting_for_requester" | "waiting_for_payment")),
        received: known.request.milestones.received,
        promises: promises(&known.request),
    })
}

/// Take an earlier request into my account, with its tracking code.
#[utoipa::path(
    post, path = "/v1/{tenant}/account/requests", tag = "account", security(("key" = ["account"])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client.")
    ),
    request_body = FollowBody,
    responses(
        (status = 200, description = "It is among them now.", body = AccountAnswer),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn account_claim(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Json(body): Json<FollowBody>,
) -> Result<Response, Problem> {
    let account = holder(&wishes, &app, &tenant).await?;
    opened(&app, &tenant, account).await?;
    let request = follow::find(&app, &tenant, &wishes, body.code()).await?;
    changed(&app, &wishes, (&tenant, account), &("link", request), |known| known.link(request)).await
}

/// One of my requests, as with its tracking code.
#[utoipa::path(
    get, path = "/v1/{tenant}/account/requests/{request}", tag = "account", security(("key" = ["account"])),
    responses(
        (status = 200, description = "The request as its requester sees it.", body = Followed)
    )
)]
pub(crate) async fn account_request(
    State(app): State<App>,
    At((tenant, request)): At<(String, String)>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    let account = holder(&wishes, &app, &tenant).await?;
    let me = opened(&app, &tenant, account).await?;
    let known = own(&app, &tenant, account, &me, request_id(&request)?).await?;
    let dossier = app.guichet.dossier(&tenant, &known).await?;
    let mut seen = follow::view(&app, &wishes, &known, dossier);
    seen.passed_on = follow::passed_on(&app, &known).await?;
    let mut response = axum::Json(seen).into_response();
    tag(response.headers_mut(), known.revision);
    Ok(response)
}

/// Which payment of one of my requests.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "payment": 1 }))]
pub(crate) struct AccountPayment {
    /// The payment's number; the one that is awaited if nothing is said.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 20)]
    payment: Option<u32>,
}

/// Begin to pay for one of my requests: the answer says where.
#[utoipa::path(
    post, path = "/v1/{tenant}/account/requests/{request}/payments/start", tag = "account",
    security(("key" = ["account"])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the request as it was read.")
    ),
    request_body = AccountPayment,
    responses(
        (status = 200, description = "Where to pay.", body = Started),
        (status = 409, response = ProblemAnswer),
        (status = 412, response = ProblemAnswer)
    )
)]
pub(crate) async fn account_pay(
    State(app): State<App>,
    At((tenant, request)): At<(String, String)>,
    wishes: Wishes,
    Json(body): Json<AccountPayment>,
) -> Result<Response, Problem> {
    let account = holder(&wishes, &app, &tenant).await?;
    let me = opened(&app, &tenant, account).await?;
    let known = own(&app, &tenant, account, &me, request_id(&request)?).await?;
    let visit = Visit {
        request: known.request.id,
        payment: body.payment,
        command_id: wishes.command_id(&app)?,
        expected: wishes.expected()?,
    };
    let started = begin(&app, &tenant, visit).await?;
    let mut response = axum::Json(started).into_response();
    no_store(&mut response);
    Ok(response)
}

/// Reply to, withdraw, reopen or rate one of my requests.
#[utoipa::path(
    post, path = "/v1/{tenant}/account/requests/{request}/actions", tag = "account",
    security(("key" = ["account"])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the request as it was read."),
        ("Prefer" = Option<String>, Header, description = "`wait=5`: answer once lists and figures show it.")
    ),
    request_body = CommandBody,
    responses(
        (status = 200, description = "Done.", body = ReceiptAnswer),
        (status = 409, response = ProblemAnswer),
        (status = 412, response = ProblemAnswer)
    )
)]
pub(crate) async fn account_act(
    State(app): State<App>,
    At((tenant, request)): At<(String, String)>,
    wishes: Wishes,
    Json(mut command): Json<Command>,
) -> Result<Response, Problem> {
    let account = holder(&wishes, &app, &tenant).await?;
    let me = opened(&app, &tenant, account).await?;
    let known = own(&app, &tenant, account, &me, request_id(&request)?).await?;
    follow::may_act(&command)?;
    if let Some(form) = form_of_mut(&mut command) {
        proven(&app, &tenant, form).await?;
    }
    let submission = Submission {
        request: Some(known.request.id),
        command,
        actor: Actor::Requester,
        command_id: wishes.command_id(&app)?,
        occurred_at: None,
        expected: wishes.expected()?,
        tenant,
    };
    let done = app.submit(submission).await?;
    Ok(receipt(&app, &wishes, done, false).await)
}
