//! Discovery, the list of services, and what each asks for.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use guichet_engine::rules::process::Definition;
use guichet_engine::rules::text::Language;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{ErrorRow, Fault, Format, written};
use super::call::{Call, answered, code_of, is_service, no_service, process_of};
use super::form::{Attribute, attributes};
use crate::http::App;
use crate::http::extract::{At, Wishes};
use crate::http::flat_form::Flat;

/// What the address of the specification is; clients look for it.
const SPECIFICATION: &str = "http://wiki.open311.org/GeoReport_v2";

/// Where Open311 is served.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Open311Discovery)]
pub(crate) struct Discovery {
    /// A number that grows with every change of the services, padded so that texts compare as it does.
    changeset: String,
    /// Whom to ask.
    contact: String,
    /// How to get a key.
    key_service: String,
    /// The endpoints.
    endpoints: Vec<Endpoint>,
}

/// An endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Open311Endpoint)]
pub(crate) struct Endpoint {
    /// The specification.
    #[schema(value_type = String)]
    specification: &'static str,
    /// Its address.
    url: String,
    /// When it last changed.
    changeset: String,
    /// `production` or `test`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind: &'static str,
    /// The media types that it answers in.
    #[schema(value_type = Vec<String>)]
    formats: [&'static str; 2],
}

/// A service: a process that citizens may open.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Open311Service, example = json!({ "service_code": "voirie.chaussee-abimee", "service_name": "Chaussée abîmée, nid-de-poule",
    "description": "Trou, affaissement …", "metadata": true, "type": "realtime", "keywords": "trou,bitume", "group": "Voirie" }))]
pub(crate) struct Service {
    /// Its code.
    service_code: String,
    /// Its name.
    service_name: String,
    /// A paragraph about it.
    #[schema(required)]
    description: Option<String>,
    /// Whether it has a definition with attributes.
    metadata: bool,
    /// Always `realtime`: the id comes with the answer.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind: &'static str,
    /// Words by which it is found, separated by commas.
    #[schema(required)]
    keywords: Option<String>,
    /// Its theme.
    group: String,
}

/// What a service asks for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Open311ServiceDefinition)]
pub(crate) struct ServiceDefinition {
    /// Its code.
    service_code: String,
    /// What is asked, in order.
    attributes: Vec<Attribute>,
}

macro_rules! discovery {
    ($name:ident, $path:tt, $format:expr, $body:ty, $type:tt) => {
        /// Where Open311 is served.
        ///
        /// This address stays; what it gives may change.
        #[utoipa::path(
            get, path = $path, tag = "open311", security(()),
            responses((status = 200, description = "Where, in which formats, whom to ask.", body = $body, content_type = $type))
        )]
        pub(crate) async fn $name(State(app): State<App>, wishes: Wishes) -> Response {
            written(StatusCode::OK, $format, "discovery", &discovery(&app, wishes.language))
        }
    };
}

discovery!(open311_discovery_xml, "/open311/discovery.xml", Format::Xml, String, "text/xml");
discovery!(open311_discovery_json, "/open311/discovery.json", Format::Json, Discovery, "application/json");
discovery!(open311_v2_discovery_xml, "/open311/v2/discovery.xml", Format::Xml, String, "text/xml");
discovery!(
    open311_v2_discovery_json,
    "/open311/v2/discovery.json",
    Format::Json,
    Discovery,
    "application/json"
);

fn discovery(app: &App, language: Language) -> Discovery {
    let options = app.guichet.options();
    let settings = &options.settings.open311;
    let definitions = app.guichet.engine().definitions();
    let first = definitions.tenants().first().and_then(|tenant| {
        let organisation = definitions.organisation(tenant)?;
        let collectivity = organisation.tenant(tenant)?;
        Some([collectivity.email.as_str(), &collectivity.phone].join(" ").trim().to_owned())
    });
    let keys = match language {
        Language::Fr => "La mairie donne les clés ; écrivez à l’adresse de contact.",
        Language::En => "Keys are given by the town hall; write to the contact address.",
    };
    let changeset = format!("{:010}", definitions.changes());
    let endpoint = Endpoint {
        specification: SPECIFICATION,
        url: format!("{}/open311/v2", options.public_url.trim_end_matches('/')),
        changeset: changeset.clone(),
        kind: if settings.production { "production" } else { "test" },
        formats: ["text/xml", "application/json"],
    };
    Discovery {
        changeset,
        contact: settings.contact.clone().or(first).unwrap_or_default(),
        key_service: settings.key_service.clone().unwrap_or_else(|| keys.to_owned()),
        endpoints: vec![endpoint],
    }
}

macro_rules! services {
    ($name:ident, $path:tt, $format:expr, $body:ty, $errors:ty, $type:tt) => {
        /// List the services of Open311.
        #[utoipa::path(
            get, path = $path, tag = "open311", security(()),
            params(("jurisdiction_id" = String, Query, description = "The collectivity: its id or its web domain; may be left out where there is only one.", pattern = "^[a-z0-9][a-z0-9.-]{0,99}$", example = "ville")),
            responses(
                (status = 200, description = "Reports and questions that citizens may open.", body = $body, content_type = $type),
                (status = 400, description = "What is wrong.", body = $errors, content_type = $type),
                (status = 404, description = "No such collectivity.", body = $errors, content_type = $type)
            )
        )]
        pub(crate) async fn $name(State(app): State<App>, RawQuery(query): RawQuery, wishes: Wishes) -> Response {
            let language = wishes.language;
            answered($format, language, services(&app, query, wishes, $format)).await
        }
    };
}

services!(open311_services_xml, "/open311/v2/services.xml", Format::Xml, String, String, "text/xml");
services!(
    open311_services_json,
    "/open311/v2/services.json",
    Format::Json,
    Vec<Service>,
    Vec<ErrorRow>,
    "application/json"
);

async fn services(
    app: &App,
    query: Option<String>,
    wishes: Wishes,
    format: Format,
) -> Result<Response, Fault> {
    let language = wishes.language;
    let call = Call::new(app, Flat::parse(query.unwrap_or_default().as_bytes())?, wishes).await?;
    let definitions = app.guichet.engine().definitions();
    let organisation = definitions.organisation(&call.tenant);
    let group = |theme: &str| {
        let known =
            organisation.as_ref().and_then(|known| known.themes.iter().find(|t| t.theme == theme).cloned());
        known.map_or_else(|| theme.to_owned(), |theme| theme.title.get(language).to_owned())
    };
    let plans = definitions.all_in_force(&call.tenant);
    let offered = plans.iter().map(|plan| plan.definition()).filter(|definition| is_service(definition));
    let rows: Vec<Service> =
        offered.map(|definition| service(definition, group(&definition.theme), language)).collect();
    Ok(written(StatusCode::OK, format, "services", &rows))
}

fn service(definition: &Definition, group: String, language: Language) -> Service {
    let description = definition.description.as_ref().map(|text| text.get(language).to_owned());
    Service {
        service_code: code_of(&definition.process),
        service_name: definition.title.get(language).to_owned(),
        description,
        metadata: !attributes(definition, language).is_empty(),
        kind: "realtime",
        keywords: Some(definition.keywords.join(",")).filter(|words| !words.is_empty()),
        group,
    }
}

/// Read what a service of Open311 asks for.
#[utoipa::path(
    get, path = "/open311/v2/services/{service}", tag = "open311", security(()),
    params(
        ("service" = String, Path, description = "The code of the service and `.xml` or `.json`, for example `voirie.chaussee-abimee.json`."),
        ("jurisdiction_id" = String, Query, description = "The collectivity: its id or its web domain; may be left out where there is only one.", pattern = "^[a-z0-9][a-z0-9.-]{0,99}$", example = "ville")
    ),
    responses(
        (status = 200, description = "Its attributes, in order.", content((ServiceDefinition = "application/json"), (String = "text/xml"))),
        (status = 400, description = "What is wrong.", content((Vec<ErrorRow> = "application/json"), (String = "text/xml"))),
        (status = 404, description = "No such collectivity or service.", content((Vec<ErrorRow> = "application/json"), (String = "text/xml")))
    )
)]
pub(crate) async fn open311_service(
    State(app): State<App>,
    At(service): At<String>,
    RawQuery(query): RawQuery,
    wishes: Wishes,
) -> Response {
    let language = wishes.language;
    let (code, format) = match Format::split(&service) {
        Ok(split) => split,
        Err(fault) => return fault.answer(Format::Json, language),
    };
    answered(format, language, async {
        let call = Call::new(&app, Flat::parse(query.unwrap_or_default().as_bytes())?, wishes).await?;
        let plan = app.guichet.engine().in_force_now(&call.tenant, &process_of(code)).await?;
        let plan = plan.filter(|plan| is_service(plan.definition())).ok_or_else(no_service)?;
        let definition = plan.definition();
        let answer = ServiceDefinition {
            service_code: code_of(&definition.process),
            attributes: attributes(definition, language),
        };
        Ok(written(StatusCode::OK, format, "service_definition", &answer))
    })
    .await
}
