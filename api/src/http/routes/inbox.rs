//! What an agent has to do.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use guichet_projections::{InboxQuery, Whose};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::extract::{Ask, At, Wishes};
use crate::http::openapi::InboxAnswer;
use crate::http::problem::Problem;
use crate::http::{App, position};
use crate::rights::{Principal, Scope};

/// Whose inbox: the bearer's own if nothing is said.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// That of a service.
    service: Option<String>,
    /// That of a role.
    role: Option<String>,
    /// How many at once: 1 to 1,000, by default 50.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Read an inbox: the bearer's own, stand-ins included, or that of a service or role.
#[utoipa::path(
    get, path = "/v1/{tenant}/inbox", tag = "agents", operation_id = "inbox_read", security(("key" = ["inbox:read"])),
    params(Filter),
    responses(
        (status = 200, description = "Things to do, the most urgent first.", body = InboxAnswer)
    )
)]
pub(crate) async fn inbox(
    State(app): State<App>,
    At(tenant): At<String>,
    Ask(filter): Ask<Filter>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    let principal = wishes.needs(&app, &tenant, Scope::InboxRead).await?;
    let Principal::Agent(person) = principal else {
        return Err(Problem::forbidden(
            "Seule la clé d’un agent ouvre une corbeille.",
            "Only an agent’s key opens an inbox.",
        ));
    };
    let whose = match (filter.service, filter.role) {
        (Some(service), _) => Whose::Service(service),
        (None, Some(role)) => Whose::Role(role),
        (None, None) => {
            let zone = chrono_tz::Europe::Paris;
            Whose::Person { person, day: app.guichet.now().with_timezone(&zone).date_naive() }
        }
    };
    let query = InboxQuery { tenant, whose, work: Vec::new(), limit: filter.limit.unwrap_or_default() };
    let answer = app.guichet.read_models().inbox(&query).await?;
    let mut response = axum::Json(&answer).into_response();
    position::tell(response.headers_mut(), answer.as_of);
    Ok(response)
}
