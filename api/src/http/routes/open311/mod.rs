//! Open311 GeoReport v2 (<https://wiki.open311.org/GeoReport_v2/>), in XML and in JSON, so that clients of it work unchanged.
//!
//! A service is a process of the kind report or question that citizens may open; its attributes are the fields of the
//! form, but for one place, one description and one medium, which have arguments of their own. `expected_datetime` is the
//! instant of the commitment `answer`, or of the law. What everybody sees holds nothing that anybody said.

mod answer;
mod call;
mod form;
mod media;
mod receive;
mod requests;
mod services;
mod status;
mod updates;

use axum::extract::DefaultBodyLimit;
use axum::routing::any;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::App;
use crate::http::extract::Wishes;
use crate::http::problem::Problem;
use crate::http::sent::FORM_BYTES_MAX;

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(services::open311_discovery_xml))
        .routes(routes!(services::open311_discovery_json))
        .routes(routes!(services::open311_v2_discovery_xml))
        .routes(routes!(services::open311_v2_discovery_json))
        .routes(routes!(services::open311_services_xml))
        .routes(routes!(services::open311_services_json))
        .routes(routes!(services::open311_service))
        .merge(
            OpenApiRouter::new()
                .routes(routes!(requests::open311_requests_xml, receive::open311_receive_xml))
                .routes(routes!(requests::open311_requests_json, receive::open311_receive_json))
                .layer(DefaultBodyLimit::max(FORM_BYTES_MAX)),
        )
        .routes(routes!(requests::open311_request))
        .routes(routes!(receive::open311_token))
        .routes(routes!(updates::open311_updates_xml, updates::open311_update_xml))
        .routes(routes!(updates::open311_updates_json, updates::open311_update_json))
        // What does not exist is said in Open311's words as well.
        .route("/open311/v2/{*rest}", any(nothing))
}

async fn nothing(uri: axum::http::Uri, wishes: Wishes) -> axum::response::Response {
    let format = if uri.path().ends_with(".json") { answer::Format::Json } else { answer::Format::Xml };
    answer::Fault::from(Problem::not_found()).answer(format, wishes.language)
}
