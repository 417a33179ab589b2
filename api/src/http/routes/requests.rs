//! Requests as agents and programs read them.

use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use guichet_engine::Known;
use guichet_engine::rules::process::{Channel, Complexity, Kind, Priority};
use guichet_engine::rules::records::access::{Data, Ground};
use guichet_engine::rules::request::{ForwardStanding, RequestId, TaskStatus};
use guichet_engine::rules::text::Text;
use guichet_projections::{CardOrder, CardQuery};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::dossier::{Dossier, reading_ground};
use crate::http::App;
use crate::http::answers::{Promise, page, promises, tag, true_at};
use crate::http::extract::{Ask, At, Wishes, request_id};
use crate::http::openapi::{
    CardOrderWord, CardsAnswer, ChannelWord, ComplexityWord, DossierAnswer, ExplanationAnswer, KindWord,
    PriorityWord, TimelineAnswer, Words,
};
use crate::http::problem::Problem;
use crate::rights::{Principal, Scope};

/// Which requests, and in which order.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// Of this process.
    process: Option<String>,
    /// Of this theme.
    theme: Option<String>,
    /// Of this kind.
    #[param(value_type = Option<KindWord>)]
    kind: Option<Kind>,
    /// That came in this way.
    #[param(value_type = Option<ChannelWord>)]
    channel: Option<Channel>,
    /// In one of these stages, separated by commas.
    stage: Option<String>,
    /// In the charge of this service.
    service: Option<String>,
    /// In the hands of this agent.
    agent: Option<String>,
    /// At least this urgent.
    #[param(value_type = Option<PriorityWord>)]
    priority: Option<Priority>,
    /// In this neighbourhood.
    area: Option<String>,
    /// Only open ones, or only finished ones.
    open: Option<bool>,
    /// With a promise due before this instant (UTC).
    due_before: Option<DateTime<Utc>>,
    /// Received at this instant (UTC) or later.
    received_from: Option<DateTime<Utc>>,
    /// Received before this instant (UTC).
    received_until: Option<DateTime<Utc>>,
    /// `newest` (the default), `oldest` or `due`.
    #[param(value_type = Option<CardOrderWord>)]
    order: Option<CardOrder>,
    /// How many at once: 1 to 1,000, by default 50.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// What the page before gave as `next`.
    cursor: Option<String>,
}

impl Filter {
    fn query(self, tenant: String) -> CardQuery {
        let stages = self.stage.unwrap_or_default();
        CardQuery {
            tenant: Some(tenant),
            process: self.process,
            theme: self.theme,
            kind: self.kind,
            channel: self.channel,
            stage: stages.split(',').filter(|stage| !stage.is_empty()).map(str::to_owned).collect(),
            service: self.service,
            agent: self.agent,
            priority: self.priority,
            area: self.area,
            open: self.open,
            due_before: self.due_before,
            received_from: self.received_from,
            received_until: self.received_until,
            account: None,
            order: self.order.unwrap_or_default(),
            limit: self.limit.unwrap_or_default(),
            cursor: self.cursor,
            ..CardQuery::default()
        }
    }
}

/// A request in full.
#[derive(Serialize, ToSchema)]
pub(crate) struct RequestAnswer {
    request: uuid::Uuid,
    process: String,
    #[schema(value_type = Words)]
    title: Text,
    /// The version of the process that it follows.
    definition: String,
    stage: String,
    /// `waiting_for_requester` or `suspended`, if it rests.
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<String>,
    #[schema(value_type = ChannelWord)]
    channel: Channel,
    received: DateTime<Utc>,
    #[schema(value_type = ComplexityWord)]
    complexity: Complexity,
    #[schema(value_type = PriorityWord)]
    priority: Priority,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    tasks: Vec<TaskAnswer>,
    /// Where it came from, if another collectivity of the installation passed it on.
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<OriginAnswer>,
    /// To whom it was passed on, and whether it got there.
    #[serde(skip_serializing_if = "Option::is_none")]
    forwarding: Option<ForwardingAnswer>,
    promises: Vec<Promise>,
    /// Commands that the bearer of this key could give now.
    allowed: Vec<String>,
    /// What was said: opened for the agents who deal with the request, left out for others and for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<DossierAnswer>)]
    dossier: Option<Dossier>,
    revision: u64,
}

/// Where a request came from.
#[derive(Serialize, ToSchema)]
pub(crate) struct OriginAnswer {
    /// The collectivities that it passed through, the first seized first.
    through: Vec<String>,
    /// What the last of them is called.
    #[schema(value_type = Words)]
    title: Text,
    /// The request that it was there.
    request: uuid::Uuid,
}

/// To whom a request was passed on.
#[derive(Serialize, ToSchema)]
pub(crate) struct ForwardingAnswer {
    /// A collectivity's id, an administration's id, or the name of one that is on no list.
    to: String,
    /// What it is called.
    #[schema(value_type = Words)]
    title: Text,
    /// How it gets there: `installation`, `email` or `letter`.
    means: String,
    /// Whether it got there: `under_way`, `blocked`, `arrived` or `sent`.
    standing: String,
    /// The code of the reason for which it cannot be taken there, while that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The request that it is there, once it arrived at a collectivity of the installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<uuid::Uuid>,
}

impl OriginAnswer {
    fn of(known: &Known) -> Option<Self> {
        let origin = known.request.origin.as_ref()?;
        let title = known.organisation.addressee(origin.from());
        Some(Self { through: origin.through.clone(), title, request: origin.request.0 })
    }
}

impl ForwardingAnswer {
    fn of(known: &Known) -> Option<Self> {
        let passed = known.request.forwarding.as_ref()?;
        let request = match &passed.standing {
            ForwardStanding::Arrived { request } => Some(request.0),
            ForwardStanding::UnderWay | ForwardStanding::Blocked { .. } | ForwardStanding::Sent => None,
        };
        Some(Self {
            to: passed.to.clone(),
            title: known.organisation.addressee(&passed.to),
            means: passed.means.id().to_owned(),
            standing: passed.standing.id().to_owned(),
            reason: passed.blocked().map(str::to_owned),
            request,
        })
    }
}

/// A task of a request.
#[derive(Serialize, ToSchema)]
pub(crate) struct TaskAnswer {
    task: String,
    /// `open`, `done`, `skipped` or `dropped`.
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<DateTime<Utc>>,
    late: bool,
}

/// List requests.
#[utoipa::path(
    get, path = "/v1/{tenant}/requests", tag = "agents", operation_id = "requests_list", security(("key" = ["requests:read"])),
    params(Filter),
    responses(
        (status = 200, description = "Cards, with how many there are and at which position that is true.", body = CardsAnswer)
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    At(tenant): At<String>,
    Ask(filter): Ask<Filter>,
    address: Uri,
    wishes: Wishes,
) -> Result<Response, Problem> {
    let caller = wishes.needs_caller(&app, &tenant, Scope::RequestsRead).await?;
    let about = filter.process.as_deref().or(filter.theme.as_deref());
    if caller.is_limited() && !about.is_some_and(|about| caller.reaches(about)) {
        return Err(Problem::beyond_key());
    }
    if filter.limit.is_some_and(|limit| limit == 0 || limit > guichet_projections::PAGE_ROWS_MAX) {
        return Err(Problem::malformed(
            "query.limit",
            "« limit » va de 1 à 1 000.",
            "“limit” goes from 1 to 1,000.",
        ));
    }
    let answer = app.guichet.read_models().cards(&filter.query(tenant)).await?;
    Ok(page(&answer, &address))
}

/// Read a request: where it stands, what was said, what may be done.
#[utoipa::path(
    get, path = "/v1/{tenant}/requests/{request}", tag = "agents", operation_id = "requests_read", security(("key" = ["requests:read"])),
    responses(
        (status = 200, description = "The request.", body = RequestAnswer)
    )
)]
pub(crate) async fn one(
    State(app): State<App>,
    At((tenant, request)): At<(String, String)>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    let principal = wishes.needs(&app, &tenant, Scope::RequestsRead).await?;
    let known = app.guichet.request(&tenant, request_id(&request)?).await?;
    let dossier = match opens(&app, &tenant, &wishes, &known).await? {
        Some(ground) => {
            let opened = (Data::Dossier, ground);
            app.accesses.note(&app.guichet, (&tenant, &principal), known.request.id, opened).await?;
            Some(app.guichet.dossier(&tenant, &known).await?)
        }
        None => None,
    };
    let allowed = app.guichet.allowed(&known, &principal.actor());
    let request = &known.request;
    let hold = request.hold.as_ref().map(|hold| match hold {
        guichet_engine::rules::request::Hold::WaitingForRequester { .. } => "waiting_for_requester",
        guichet_engine::rules::request::Hold::Suspended { .. } => "suspended",
    });
    let answer = RequestAnswer {
        request: request.id.0,
        process: request.process.clone(),
        title: known.plan.definition().title.clone(),
        definition: request.definition.0.clone(),
        stage: request.stage.id().to_owned(),
        hold: hold.map(str::to_owned),
        channel: request.channel,
        received: request.milestones.received,
        complexity: request.complexity,
        priority: request.priority,
        service: request.service.clone(),
        agent: request.agent.clone(),
        tasks: request.tasks.iter().map(|(name, task)| task_answer(name, task)).collect(),
        origin: OriginAnswer::of(&known),
        forwarding: ForwardingAnswer::of(&known),
        promises: promises(request),
        allowed: allowed.into_iter().map(str::to_owned).collect(),
        dossier,
        revision: known.revision,
    };
    let mut response = axum::Json(answer).into_response();
    tag(response.headers_mut(), known.revision);
    Ok(response)
}

/// By which right whoever calls may have what was said; none for those who may not.
async fn opens(app: &App, tenant: &str, wishes: &Wishes, known: &Known) -> Result<Option<Ground>, Problem> {
    match wishes.needs_caller(app, tenant, Scope::DossiersRead).await {
        Ok(caller) => Ok(match caller.principal {
            Principal::Agent(code) => reading_ground(known, &code, app.guichet.now().date_naive()),
            Principal::Integrator(_) => Some(Ground::Key),
            Principal::Citizen(_) => None,
        }),
        Err(problem) if problem.needs.is_some() => Ok(None),
        Err(problem) => Err(problem),
    }
}

fn task_answer(name: &str, task: &guichet_engine::rules::request::Task) -> TaskAnswer {
    let status = match task.status {
        TaskStatus::Open => "open",
        TaskStatus::Done => "done",
        TaskStatus::Skipped => "skipped",
        TaskStatus::Dropped => "dropped",
    };
    TaskAnswer { task: name.to_owned(), status: status.to_owned(), due: task.due, late: task.late }
}

/// Read a request's history in words, without anything personal.
#[utoipa::path(
    get, path = "/v1/{tenant}/requests/{request}/timeline", tag = "agents", operation_id = "requests_timeline", security(("key" = ["requests:read"])),
    responses(
        (status = 200, description = "Its events, the first first.", body = TimelineAnswer)
    )
)]
pub(crate) async fn timeline(
    State(app): State<App>,
    At((tenant, request)): At<(String, String)>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    wishes.needs(&app, &tenant, Scope::RequestsRead).await?;
    let request: RequestId = request_id(&request)?;
    let answer = app.guichet.read_models().timeline(&tenant, request).await?;
    if answer.value.is_empty() {
        return Err(Problem::not_found());
    }
    let mut response = axum::Json(&answer).into_response();
    true_at(response.headers_mut(), answer.as_of);
    Ok(response)
}

/// Read why a request went where it went, and why each promise is due when it is.
#[utoipa::path(
    get, path = "/v1/{tenant}/requests/{request}/explanation", tag = "agents", operation_id = "requests_explanation", security(("key" = ["requests:read"])),
    responses(
        (status = 200, description = "Choices with their rules, promises with their reckoning.", body = ExplanationAnswer)
    )
)]
pub(crate) async fn explanation(
    State(app): State<App>,
    At((tenant, request)): At<(String, String)>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    wishes.needs(&app, &tenant, Scope::RequestsRead).await?;
    let explained = app.guichet.explain(&tenant, request_id(&request)?).await?;
    Ok(axum::Json(explained).into_response())
}
