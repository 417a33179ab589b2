//! What can be asked for, and with which form. Public.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use guichet_engine::rules::process::Opener;
use guichet_engine::rules::text::Text;
use guichet_projections::{CatalogueEntry, CatalogueOrder, CatalogueQuery};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::App;
use crate::http::extract::{Ask, At};
use crate::http::openapi::{CatalogueAnswer, ProcessAnswer};
use crate::http::problem::Problem;

/// Which processes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// Words: with or without accents, mistyped or not, or others that mean the same.
    #[param(max_length = 200)]
    q: Option<String>,
    /// In which order: what fits best (`best`, if nothing is said), the most viewed first (`views`), or by theme
    /// (`theme`).
    #[param(inline)]
    order: Option<Order>,
    /// Of this theme.
    theme: Option<String>,
    /// How many at once: 1 to 1,000, by default 50.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// In which order processes come.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// What fits the words best first; without words, the most viewed.
    Best,
    /// The most viewed first.
    Views,
    /// By theme, then by title.
    Theme,
}

impl From<Order> for CatalogueOrder {
    fn from(order: Order) -> Self {
        match order {
            Order::Best => Self::Best,
            Order::Views => Self::Views,
            Order::Theme => Self::Theme,
        }
    }
}

/// The longest search, in characters.
const SEARCH_CHARACTERS_MAX: usize = 200;

/// A process that may be meant instead.
#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct Related {
    /// The process.
    process: String,
    /// What people call it.
    title: Text,
}

/// A process with its form.
#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct Offered<'a> {
    #[serde(flatten)]
    entry: CatalogueEntry,
    /// The processes of `see_also` that are offered, with their titles.
    related: Vec<Related>,
    form: &'a [guichet_engine::rules::process::Field],
    law: &'a guichet_engine::rules::process::Law,
    privacy: &'a guichet_engine::rules::process::Privacy,
}

/// Search the processes that citizens may open.
#[utoipa::path(
    get, path = "/v1/{tenant}/catalogue", tag = "public", operation_id = "catalogue_search", security(()),
    params(Filter),
    responses(
        (status = 200, description = "Processes, the best match first.", body = CatalogueAnswer)
    )
)]
pub(crate) async fn search(
    State(app): State<App>,
    At(tenant): At<String>,
    Ask(filter): Ask<Filter>,
) -> Result<Response, Problem> {
    if app.guichet.engine().organisation_now(&tenant).await?.is_none() {
        return Err(Problem::not_found());
    }
    if filter.q.as_ref().is_some_and(|words| words.chars().count() > SEARCH_CHARACTERS_MAX) {
        return Err(Problem::malformed(
            "query.invalid",
            format!("Une recherche a {SEARCH_CHARACTERS_MAX} caractères au plus."),
            format!("A search has {SEARCH_CHARACTERS_MAX} characters at most."),
        ));
    }
    let query = CatalogueQuery {
        tenant: Some(tenant),
        search: filter.q,
        theme: filter.theme,
        kind: None,
        open_to: Some(Opener::Citizen),
        order: filter.order.map(CatalogueOrder::from).unwrap_or_default(),
        limit: filter.limit.unwrap_or_default(),
    };
    Ok(axum::Json(app.guichet.read_models().catalogue(&query).await?).into_response())
}

/// Read a process with its form.
#[utoipa::path(
    get, path = "/v1/{tenant}/catalogue/{theme}/{process}", tag = "public", operation_id = "catalogue_read", security(()),
    responses(
        (status = 200, description = "The process and its form.", body = ProcessAnswer)
    )
)]
pub(crate) async fn process(
    State(app): State<App>,
    At((tenant, theme, process)): At<(String, String, String)>,
) -> Result<Response, Problem> {
    let name = format!("{theme}/{process}");
    let models = app.guichet.read_models();
    let entry = models.catalogue_entry(&tenant, &name).await?.value.ok_or_else(Problem::not_found)?;
    let definition = models.definition(&entry.definition).ok_or_else(Problem::not_found)?;
    models.viewed(&tenant, &name).await?;
    let mut related = Vec::new();
    for other in &entry.see_also {
        let found = models.catalogue_entry(&tenant, other).await?.value;
        related.extend(found.map(|entry| Related { process: entry.process, title: entry.title }));
    }
    let answer = Offered {
        entry,
        related,
        form: &definition.form,
        law: &definition.law,
        privacy: &definition.privacy,
    };
    Ok(axum::Json(answer).into_response())
}
