//! The list of routes, and the OpenAPI document made from it and from the types.

use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use guichet_engine::rules::request::{Command, RequesterInput};
use serde_json::{Map, Value, json};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi as Document, Ref, RefOr, Schema};
use utoipa::{Modify, OpenApi, PartialSchema, ToResponse, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::problem::Problem;
use super::routes::{
    access, account, alerts, appointments, catalogue, changes, channels, commands, dashboard, diagram, files,
    follow, health, ideas, inbox, open311, outbox, page, pages, payments, proposals, receive, requests,
    webhooks,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Guichet",
        description = "Receives, routes, follows and answers the requests of citizens, and keeps the promises made to them. \
            Every refusal is a problem (RFC 9457) with a stable code and its sentence in French and English."
    ),
    components(schemas(Problem, CommandBody), responses(ProblemAnswer)),
    tags(
        (name = "public", description = "For citizens and the portals that stand between."),
        (name = "agents", description = "For the town hall's people and programs: with a key."),
        (name = "operators", description = "For whoever runs the server.")
    ),
    modifiers(&Key)
)]
struct Api;

struct Key;

impl Modify for Key {
    fn modify(&self, document: &mut Document) {
        let scheme = SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some("A key made by `guichet key`, for one collectivity."))
                .build(),
        );
        document.components.get_or_insert_with(Default::default).add_security_scheme("key", scheme);
    }
}

/// A problem.
#[derive(ToResponse)]
#[response(description = "Why it was not done.", content_type = "application/problem+json")]
#[allow(dead_code, reason = "it stands for the schema of an answer")]
pub(crate) struct ProblemAnswer(Problem);

/// A command, as the engine's own schema describes it.
#[derive(Debug)]
pub(crate) struct CommandBody;

impl PartialSchema for CommandBody {
    fn schema() -> RefOr<Schema> {
        utoipa::openapi::Object::default().into()
    }
}

impl ToSchema for CommandBody {
    fn name() -> std::borrow::Cow<'static, str> {
        "Command".into()
    }
}

/// A requester, as the engine's own schema describes it.
#[derive(Debug)]
pub(crate) struct RequesterBody;

impl PartialSchema for RequesterBody {
    fn schema() -> RefOr<Schema> {
        Ref::from_schema_name("RequesterInput").into()
    }
}

impl ToSchema for RequesterBody {}

/// A request as it is received.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it stands for the schema of a body")]
pub(crate) struct IncomingBody {
    /// The process, for example `voirie/chaussee-abimee`.
    process: String,
    /// The way it came in; `web` if nothing is said. Without a key: `web` or `mobile`.
    #[schema(value_type = Option<String>)]
    channel: Option<String>,
    /// Who opens it; `citizen` if nothing is said.
    opened_by: Option<String>,
    /// Who it is for.
    #[schema(inline)]
    requester: Option<RequesterBody>,
    /// The form, as the catalogue describes it.
    #[schema(value_type = Object)]
    form: Option<Value>,
    /// The number it has in the system it comes from; with a key only.
    external: Option<String>,
    /// The answer, if it was given at once; with an agent's key only.
    answer: Option<String>,
    /// When it was made (UTC), if that was before now; with a key only.
    occurred_at: Option<chrono::DateTime<chrono::Utc>>,
    /// When another administration first received it (UTC), if it was forwarded from there; with a key only.
    first_received_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// Every route there is. A new one is its file and one line here.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(receive::receive, requests::list))
        .routes(routes!(follow::follow))
        .routes(routes!(follow::act))
        .routes(routes!(requests::one))
        .routes(routes!(requests::timeline))
        .routes(routes!(requests::explanation))
        .routes(routes!(diagram::request))
        .routes(routes!(diagram::process))
        .routes(routes!(commands::command))
        .routes(routes!(inbox::inbox))
        .routes(routes!(dashboard::dashboard))
        .routes(routes!(catalogue::search))
        .routes(routes!(catalogue::process))
        .merge(
            OpenApiRouter::new()
                .routes(routes!(proposals::propose))
                .layer(DefaultBodyLimit::max(proposals::PROPOSAL_BYTES_MAX)),
        )
        .routes(routes!(proposals::versions))
        .merge(access::routes())
        .merge(account::routes())
        .merge(alerts::routes())
        .merge(appointments::routes())
        .merge(changes::routes())
        .merge(channels::routes())
        .merge(files::routes())
        .merge(ideas::routes())
        .merge(open311::routes())
        .merge(outbox::routes())
        .merge(pages::routes())
        .merge(payments::routes())
        .merge(webhooks::routes())
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .route("/", get(page::page))
        .route("/openapi.json", get(async || axum::Json(document())))
}

/// The OpenAPI document.
#[must_use]
pub fn document() -> Value {
    let (_, document) = routes().split_for_parts();
    let mut document = serde_json::to_value(document).unwrap_or_default();
    let mut schemas = Map::new();
    adopt(&mut schemas, "Command", schemars_of::<Command>());
    adopt(&mut schemas, "RequesterInput", schemars_of::<RequesterInput>());
    if let Some(known) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        known.extend(schemas);
    }
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        paths
            .values_mut()
            .filter_map(Value::as_object_mut)
            .flat_map(Map::values_mut)
            .for_each(add_common_answers);
    }
    document
}

/// What any route may answer, whatever it is for.
fn add_common_answers(operation: &mut Value) {
    let with_body = operation.get("requestBody").is_some();
    let common: &[&str] = if with_body { &["400", "413", "415", "503"] } else { &["400", "503"] };
    let Some(answers) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    for status in common {
        let problem = json!({ "$ref": "#/components/responses/ProblemAnswer" });
        answers.entry(*status).or_insert(problem);
    }
}

fn schemars_of<T: schemars::JsonSchema>() -> Value {
    serde_json::to_value(schemars::schema_for!(T)).unwrap_or_else(|_| json!({}))
}

/// Takes a schema of the engine in, with those that it refers to. OpenAPI 3.1 speaks JSON Schema itself, so only the
/// places of the references change.
fn adopt(schemas: &mut Map<String, Value>, name: &str, mut schema: Value) {
    if let Some(object) = schema.as_object_mut() {
        object.remove("$schema");
        if let Some(Value::Object(parts)) = object.remove("$defs") {
            for (part, mut value) in parts {
                move_references(&mut value);
                schemas.insert(part, value);
            }
        }
    }
    move_references(&mut schema);
    schemas.insert(name.to_owned(), schema);
}

fn move_references(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                match value {
                    Value::String(text) if key == "$ref" => {
                        *text = text.replace("#/$defs/", "#/components/schemas/");
                    }
                    other => move_references(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(move_references),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
