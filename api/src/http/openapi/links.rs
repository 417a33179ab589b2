//! What an answer can be used for next, so that programs (and tests that make up their own ways) can walk from one
//! operation to another.

use serde_json::{Map, Value, json};

/// From the answer of one operation to the next.
struct Link {
    from: &'static str,
    status: &'static str,
    to: &'static str,
    /// Where each parameter of the next comes from.
    parameters: &'static [(&'static str, &'static str)],
    /// A field of the next body and where it comes from.
    body: Option<(&'static str, &'static str)>,
}

const TENANT: (&str, &str) = ("tenant", "$request.path.tenant");
const MADE: (&str, &str) = ("request", "$response.body#/request");
const READ: (&str, &str) = ("request", "$request.path.request");
const LISTED: (&str, &str) = ("request", "$response.body#/value/items/0/request");

const fn to(
    from: &'static str,
    status: &'static str,
    to: &'static str,
    parameters: &'static [(&'static str, &'static str)],
) -> Link {
    Link { from, status, to, parameters, body: None }
}

const LINKS: &[Link] = &[
    to("requests_receive", "201", "requests_read", &[TENANT, MADE]),
    to("requests_receive", "201", "requests_command", &[TENANT, MADE]),
    to("requests_receive", "201", "requests_timeline", &[TENANT, MADE]),
    to("requests_receive", "201", "requests_explanation", &[TENANT, MADE]),
    to("requests_receive", "201", "requests_diagram", &[TENANT, MADE]),
    Link {
        body: Some(("code", "$response.body#/tracking_code")),
        ..to("requests_receive", "201", "follow_read", &[TENANT])
    },
    to("requests_list", "200", "requests_read", &[TENANT, LISTED]),
    to("requests_list", "200", "requests_command", &[TENANT, LISTED]),
    to("requests_command", "200", "requests_command", &[TENANT, READ]),
    to("requests_command", "200", "requests_timeline", &[TENANT, READ]),
    to("requests_command", "200", "requests_explanation", &[TENANT, READ]),
    to("requests_read", "200", "requests_command", &[TENANT, READ, ("If-Match", "$response.header.ETag")]),
];

/// Writes the links that begin at this operation.
pub(super) fn add(operation: &mut Map<String, Value>) {
    let Some(id) = operation.get("operationId").and_then(Value::as_str).map(str::to_owned) else { return };
    for link in LINKS.iter().filter(|link| link.from == id) {
        let answer = operation.get_mut("responses").and_then(|answers| answers.get_mut(link.status));
        let Some(answer) = answer.and_then(Value::as_object_mut) else { continue };
        let parameters: Map<String, Value> =
            link.parameters.iter().map(|(name, from)| ((*name).to_owned(), json!(from))).collect();
        let mut next = Map::new();
        next.insert("operationId".to_owned(), json!(link.to));
        next.insert("parameters".to_owned(), json!(parameters));
        next.extend(link.body.map(|(field, from)| ("requestBody".to_owned(), json!({ field: from }))));
        let links = answer.entry("links").or_insert_with(|| json!({}));
        if let Some(links) = links.as_object_mut() {
            links.insert(link.to.to_owned(), Value::Object(next));
        }
    }
}
