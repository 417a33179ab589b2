//! Ideas that the public sees, and its votes. What is shown stands in fields that the sheet names; who proposed an idea and
//! who is for it is shown to nobody.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDate, Utc};
use guichet_engine::RecordReceipt;
use guichet_engine::rules::process::{Delivery, Voter};
use guichet_engine::rules::request::{RequestId, may_vote};
use guichet_engine::rules::text::Language;
use guichet_projections::{Idea, IdeaOrder, IdeaQuery};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::account::{CodeSentAnswer, code_sent, email, holder, own, wrong};
use crate::accounts;
use crate::accounts::codes::{self, Proof, Purpose};
use crate::accounts::votes::{Ballot, vote, voted};
use crate::http::App;
use crate::http::extract::{Ask, At, Json, Wishes, request_id};
use crate::http::openapi::ProblemAnswer;
use crate::http::problem::Problem;
use crate::rights::Principal;

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(ideas_list))
        .routes(routes!(ideas_one))
        .routes(routes!(ideas_vote, ideas_withdraw_vote))
        .routes(routes!(ideas_vote_by_email))
        .routes(routes!(ideas_vote_by_email_confirm))
}

/// Which ideas, and in which order.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdeasFilter {
    /// Of this process.
    process: Option<String>,
    /// In this neighbourhood.
    area: Option<String>,
    /// `votes` (the default) or `newest`.
    #[param(value_type = Option<String>)]
    order: Option<IdeaOrder>,
    /// How many at once: 1 to 100, by default 50.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// What the page before gave as `next`. Where votes come in meanwhile, an idea may move from one page to another.
    cursor: Option<String>,
}

/// An idea, as everybody sees it.
#[derive(Serialize, ToSchema)]
pub(crate) struct IdeaAnswer {
    /// The request.
    request: Uuid,
    /// Its process.
    process: String,
    /// Its title.
    title: String,
    /// Its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    /// The amount it asks for, in cents.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_cents: Option<i64>,
    /// The neighbourhood of its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    area: Option<String>,
    /// Latitude of its place, in degrees (WGS 84).
    #[serde(skip_serializing_if = "Option::is_none")]
    lat: Option<f64>,
    /// Longitude of its place, in degrees (WGS 84).
    #[serde(skip_serializing_if = "Option::is_none")]
    lon: Option<f64>,
    /// The stage: `qualified`, `assigned`, `validated` or `delivered`.
    stage: String,
    /// Since when everybody sees it (UTC).
    published: DateTime<Utc>,
    /// How many people are for it.
    votes: u64,
}

/// Ideas, with their votes at one position.
#[derive(Serialize, ToSchema)]
pub(crate) struct IdeasAnswer {
    /// This stretch of them.
    ideas: Vec<IdeaAnswer>,
    /// How many there are in all.
    n: u64,
    /// The position at which the votes are exactly these.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<String>,
    /// How to go on; nothing at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// An idea, its votes at one position, and how it is voted for.
#[derive(Serialize, ToSchema)]
pub(crate) struct IdeaInFull {
    /// The idea.
    #[serde(flatten)]
    idea: IdeaAnswer,
    /// The position at which the votes are exactly these.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<String>,
    /// Whether votes are taken now.
    open: bool,
    /// The first day of the vote.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<NaiveDate>,
    /// The last day of the vote.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<NaiveDate>,
    /// Who votes: `account`, or `email` for whoever proves an address as well.
    #[schema(value_type = String)]
    by: Voter,
    /// Whether whoever is signed in is for it; nothing where nobody is.
    #[serde(skip_serializing_if = "Option::is_none")]
    voted: Option<bool>,
}

impl From<Idea> for IdeaAnswer {
    fn from(idea: Idea) -> Self {
        Self {
            request: idea.request.0,
            process: idea.process,
            title: idea.title,
            summary: idea.summary,
            cost_cents: idea.cost,
            area: idea.area,
            lat: idea.lat,
            lon: idea.lon,
            stage: idea.stage,
            published: idea.published,
            votes: idea.votes,
        }
    }
}

/// The ideas that everybody sees, with their votes. The position lets a client ask again only once something has changed.
#[utoipa::path(
    get, path = "/v1/{tenant}/ideas", tag = "public", security(()),
    params(IdeasFilter),
    responses(
        (status = 200, description = "Ideas.", body = IdeasAnswer)
    )
)]
pub(crate) async fn ideas_list(
    State(app): State<App>,
    At(tenant): At<String>,
    Ask(filter): Ask<IdeasFilter>,
) -> Result<Response, Problem> {
    if app.guichet.engine().organisation_now(&tenant).await?.is_none() {
        return Err(Problem::not_found());
    }
    let query = IdeaQuery {
        tenant,
        process: filter.process,
        area: filter.area,
        order: filter.order.unwrap_or_default(),
        limit: filter.limit.unwrap_or(50).clamp(1, 100),
        cursor: filter.cursor,
    };
    let found = app.guichet.read_models().ideas(&query).await?;
    let answer = IdeasAnswer {
        ideas: found.value.items.into_iter().map(IdeaAnswer::from).collect(),
        n: found.n,
        as_of: found.as_of.map(|position| position.to_string()),
        next: found.value.next,
    };
    Ok(axum::Json(answer).into_response())
}

/// One idea, with its votes.
#[utoipa::path(
    get, path = "/v1/{tenant}/ideas/{request}", tag = "public", security(()),
    params(
        ("request" = Uuid, Path, description = "The idea.")
    ),
    responses(
        (status = 200, description = "The idea.", body = IdeaInFull)
    )
)]
pub(crate) async fn ideas_one(
    State(app): State<App>,
    At((tenant, request)): At<(String, String)>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    let account = match wishes.caller(&app, &tenant).await? {
        Some(Principal::Citizen(account)) => Some(account),
        Some(Principal::Agent(_) | Principal::Integrator(_)) | None => None,
    };
    in_full(&app, &tenant, request_id(&request)?, account).await
}

async fn in_full(
    app: &App,
    tenant: &str,
    request: RequestId,
    account: Option<Uuid>,
) -> Result<Response, Problem> {
    let found = app.guichet.read_models().idea(tenant, request).await?;
    let idea = found.value.ok_or_else(Problem::not_found)?;
    let known = app.guichet.request(tenant, request).await?;
    let voting = known.plan.definition().voting.as_ref().ok_or_else(Problem::not_found)?;
    let voted = match account {
        Some(account) => Some(voted(&app.guichet, tenant, request, account).await?),
        None => None,
    };
    let answer = IdeaInFull {
        idea: idea.into(),
        as_of: found.as_of.map(|position| position.to_string()),
        open: may_vote(&known.request, &known.plan, app.guichet.now()).is_ok(),
        from: voting.from,
        until: voting.until,
        by: voting.by,
        voted,
    };
    Ok(axum::Json(answer).into_response())
}

async fn shown(
    app: &App,
    wishes: &Wishes,
    tenant: &str,
    ballot: Ballot,
    done: RecordReceipt,
) -> Result<Response, Problem> {
    if let Some((position, wait)) = done.position.zip(wishes.wait) {
        // Whoever asked to wait is answered all the same when the lists take longer.
        let _ = app.guichet.wait_for(position, wait).await;
    }
    in_full(app, tenant, ballot.request, Some(ballot.account)).await
}

/// Be for an idea: once, however often it is sent.
#[utoipa::path(
    put, path = "/v1/{tenant}/ideas/{request}/vote", tag = "account", security(("key" = ["account"])),
    params(
        ("request" = Uuid, Path, description = "The idea."),
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client."),
        ("Prefer" = Option<String>, Header, description = "`wait=5`: answer once the votes show it.")
    ),
    responses(
        (status = 200, description = "The idea.", body = IdeaInFull),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn ideas_vote(
    State(app): State<App>,
    At((tenant, request)): At<(String, String)>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    by_account(&app, &wishes, (&tenant, &request), true).await
}

/// Be for an idea no longer.
#[utoipa::path(
    delete, path = "/v1/{tenant}/ideas/{request}/vote", tag = "account", security(("key" = ["account"])),
    params(
        ("request" = Uuid, Path, description = "The idea."),
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client."),
        ("Prefer" = Option<String>, Header, description = "`wait=5`: answer once the votes show it.")
    ),
    responses(
        (status = 200, description = "The idea.", body = IdeaInFull),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn ideas_withdraw_vote(
    State(app): State<App>,
    At((tenant, request)): At<(String, String)>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    by_account(&app, &wishes, (&tenant, &request), false).await
}

async fn by_account(
    app: &App,
    wishes: &Wishes,
    (tenant, request): (&str, &str),
    supports: bool,
) -> Result<Response, Problem> {
    let account = holder(wishes, app, tenant).await?;
    super::account::opened(app, tenant, account).await?;
    let ballot = Ballot { request: request_id(request)?, account, by: Voter::Account, supports };
    let _place = app.pressure.place().await?;
    let done = vote(&app.guichet, tenant, ballot, wishes.command_id(app)?).await?;
    shown(app, wishes, tenant, ballot, done).await
}

/// Who votes without an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "email": "camille@exemple.example", "language": "fr" }))]
pub(crate) struct VoterBody {
    /// The address to which the code goes.
    #[schema(max_length = 254)]
    email: String,
    /// The language of the message.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    language: Language,
}

/// Who votes without an account, with the code that was sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "email": "camille@exemple.example", "code": "1234 5678" }))]
pub(crate) struct VoterProofBody {
    /// The address to which the code went.
    #[schema(max_length = 254)]
    email: String,
    /// The code, with or without blanks.
    #[schema(max_length = 40)]
    code: String,
}

/// Have a code sent, to be for an idea without an account, where its process allows that.
#[utoipa::path(
    post, path = "/v1/{tenant}/ideas/{request}/votes", tag = "public", security(()),
    params(
        ("request" = Uuid, Path, description = "The idea.")
    ),
    request_body = VoterBody,
    responses(
        (status = 202, description = "The code is on its way.", body = CodeSentAnswer),
        (status = 403, response = ProblemAnswer),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn ideas_vote_by_email(
    State(app): State<App>,
    At((tenant, request)): At<(String, String)>,
    wishes: Wishes,
    Json(body): Json<VoterBody>,
) -> Result<Response, Problem> {
    app.look_ups.take(&tenant, wishes.address, app.guichet.now()).map_err(Problem::too_many)?;
    let known = app.guichet.request(&tenant, request_id(&request)?).await?;
    let voting = may_vote(&known.request, &known.plan, app.guichet.now())?;
    if voting.by != Voter::Email {
        return Err(Problem::forbidden("Pour voter, il faut un compte.", "An account is needed to vote."));
    }
    let address = email(&body.email, "/email").map_err(|fault| own(wrong(vec![fault])))?;
    let content = known.request.id.to_string();
    let (purpose, by) = (Purpose::Vote, Delivery::Email);
    let proof = Proof { tenant: &tenant, purpose, by, address: &address, content: &content };
    codes::ask(&app.guichet, &proof, body.language).await?;
    Ok(code_sent())
}

/// Give the code that was sent: the vote counts.
#[utoipa::path(
    post, path = "/v1/{tenant}/ideas/{request}/votes/confirm", tag = "public", security(()),
    params(
        ("request" = Uuid, Path, description = "The idea."),
        ("Prefer" = Option<String>, Header, description = "`wait=5`: answer once the votes show it.")
    ),
    request_body = VoterProofBody,
    responses(
        (status = 200, description = "The idea.", body = IdeaInFull),
        (status = 403, response = ProblemAnswer),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn ideas_vote_by_email_confirm(
    State(app): State<App>,
    At((tenant, request)): At<(String, String)>,
    wishes: Wishes,
    Json(body): Json<VoterProofBody>,
) -> Result<Response, Problem> {
    app.look_ups.take(&tenant, wishes.address, app.guichet.now()).map_err(Problem::too_many)?;
    let request = request_id(&request)?;
    let known = app.guichet.request(&tenant, request).await?;
    // A code is not spent on a vote that would not be taken.
    may_vote(&known.request, &known.plan, app.guichet.now())?;
    let address = email(&body.email, "/email").map_err(|fault| own(wrong(vec![fault])))?;
    let content = request.to_string();
    let (purpose, by) = (Purpose::Vote, Delivery::Email);
    let proof = Proof { tenant: &tenant, purpose, by, address: &address, content: &content };
    codes::redeem(&app.guichet, &proof, &body.code).await?;
    let account = accounts::account_of(&app.guichet, &tenant, Delivery::Email, &address)?;
    let ballot = Ballot { request, account, by: Voter::Email, supports: true };
    let done = vote(&app.guichet, &tenant, ballot, wishes.command_id(&app)?).await?;
    shown(&app, &wishes, &tenant, ballot, done).await
}
