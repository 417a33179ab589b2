//! What holds for every operation, said once: schemas of the rooms below, how collectivities and requests are named,
//! what any route may answer, and which headers come with it.

use serde_json::{Map, Value, json};

use super::links;
use crate::http::schemas::adopted;

/// What utoipa made of the routes, with everything that holds for all of them.
pub(super) fn finished(mut document: Value) -> Value {
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        insert_all(components, "schemas", adopted());
        insert_all(components, "headers", headers());
    }
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else { return document };
    for (path, item) in paths {
        let Some(operations) = item.as_object_mut() else { continue };
        for (method, operation) in operations {
            let Some(operation) = operation.as_object_mut() else { continue };
            parameters(operation);
            answers(path, method, operation);
            links::add(operation);
        }
    }
    document
}

fn insert_all(components: &mut Map<String, Value>, kind: &str, values: Map<String, Value>) {
    let entry = components.entry(kind).or_insert_with(|| json!({}));
    if let Some(known) = entry.as_object_mut() {
        known.extend(values);
    }
}

/// The headers that answers share.
fn headers() -> Map<String, Value> {
    let text = |description: &str, example: &str| json!({ "description": description, "schema": { "type": "string" }, "example": example });
    let all = [
        (
            "RequestId",
            text(
                "The id of this exchange, to be named when asking for help.",
                "0198c6a2-0000-7000-8000-0000000000ab",
            ),
        ),
        (
            "ContentLanguage",
            json!({
                "description": "The language of the sentences: the one of `fr` and `en` that `Accept-Language` prefers.",
                "schema": { "type": "string", "enum": ["fr", "en"] }, "example": "fr"
            }),
        ),
        (
            "RetryAfter",
            json!({
                "description": "Seconds after which trying again makes sense (RFC 9110, section 10.2.3).",
                "schema": { "type": "integer", "minimum": 1 }, "example": 2
            }),
        ),
        ("WwwAuthenticate", text("How to show who calls (RFC 6750).", "Bearer")),
        (
            "ETag",
            json!({
                "description": "The revision shown, for `If-Match` and `If-None-Match`.",
                "schema": { "type": "string", "pattern": "^\"[0-9]+\"$" }, "example": "\"7\""
            }),
        ),
        (
            "Location",
            json!({
                "description": "Where what was made can be read.",
                "schema": { "type": "string", "format": "uri-reference" },
                "example": "/v1/ville/requests/0198c6a2-0000-7000-8000-0000000000ff"
            }),
        ),
        ("PreferenceApplied", text("`wait`, if lists and figures show it now (RFC 7240).", "wait")),
    ];
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Parameters as they are read: none of them can be null, and what every route has in common is said alike.
fn parameters(operation: &mut Map<String, Value>) {
    let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) else { return };
    for parameter in parameters.iter_mut().filter_map(Value::as_object_mut) {
        if let Some(schema) = parameter.get_mut("schema") {
            without_null(schema);
        }
        let place = parameter.get("in").and_then(Value::as_str).unwrap_or_default();
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
        if let Some((schema, example)) = known_parameter(place, name) {
            parameter.insert("schema".to_owned(), schema);
            parameter.insert("example".to_owned(), example);
        }
    }
}

/// The shapes of the names that many addresses hold, and of the headers that many routes read.
fn known_parameter(place: &str, name: &str) -> Option<(Value, Value)> {
    let text = |pattern: &str, example: &str| {
        Some((json!({ "type": "string", "pattern": pattern }), json!(example)))
    };
    match (place, name) {
        ("path", "tenant") => text("^[a-z][a-z0-9]{0,15}$", "ville"),
        ("path", "request") => Some((
            json!({ "type": "string", "format": "uuid" }),
            json!("0198c6a2-0000-7000-8000-0000000000ff"),
        )),
        ("path", "theme") => text("^[a-z][a-z0-9-]{0,63}$", "voirie"),
        ("path", "process") => text("^[a-z][a-z0-9-]{0,63}$", "chaussee-abimee"),
        ("header", "Idempotency-Key") => {
            text("^[!-~]([ -~]{0,253}[!-~])?$", "0198c6a2-0000-7000-8000-0000000000ab")
        }
        ("header", "If-Match") => text("^(\"[0-9]{1,18}\"|\\*)$", "\"0\""),
        _ => None,
    }
}

/// A schema of something that is left out rather than null.
fn without_null(schema: &mut Value) {
    if let Some(kinds) = schema.get_mut("type").and_then(Value::as_array_mut) {
        kinds.retain(|kind| kind != "null");
        let only = (kinds.len() == 1).then(|| kinds.first().cloned()).flatten();
        if let Some(only) = only {
            schema["type"] = only;
        }
    }
    for word in ["oneOf", "anyOf"] {
        if let Some(either) = schema.get_mut(word).and_then(Value::as_array_mut) {
            either.retain(|one| one.get("type") != Some(&json!("null")));
            if let [only] = either.as_slice() {
                let only = only.clone();
                *schema = only;
            }
        }
    }
}

/// What any route may answer, whatever it is for, and the headers of each answer.
fn answers(path: &str, method: &str, operation: &mut Map<String, Value>) {
    let with_body = operation.contains_key("requestBody");
    let guarded = operation
        .get("security")
        .and_then(Value::as_array)
        .is_some_and(|ways| ways.iter().any(|way| way.as_object().is_some_and(|way| !way.is_empty())));
    let Some(answers) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    let watched = matches!(path, "/health" | "/ready");
    let mut common = vec!["400", "406"];
    common.extend(with_body.then_some(["413", "415", "422"]).into_iter().flatten());
    common.extend((!watched).then_some(["429", "503"]).into_iter().flatten());
    common.extend(guarded.then_some(["401", "403"]).into_iter().flatten());
    common.extend(path.contains('{').then_some("404"));
    for status in common {
        answers.entry(status).or_insert_with(|| json!({ "$ref": "#/components/responses/ProblemAnswer" }));
    }
    let _ = method;
    for (status, answer) in answers {
        resolve(answer);
        let Some(answer) = answer.as_object_mut() else { continue };
        let headers = answer.entry("headers").or_insert_with(|| json!({}));
        let Some(headers) = headers.as_object_mut() else { continue };
        for (header, name) in headers_of(status) {
            let reference = json!({ "$ref": format!("#/components/headers/{name}") });
            headers.entry(*header).or_insert(reference);
        }
    }
}

/// A problem is written out where it is answered, so that its headers can stand beside it.
fn resolve(answer: &mut Value) {
    if answer.get("$ref").is_some_and(|place| place == "#/components/responses/ProblemAnswer") {
        *answer = json!({
            "description": "Why it was not done.",
            "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } }
        });
    }
}

fn headers_of(status: &str) -> &'static [(&'static str, &'static str)] {
    match status {
        "401" => &[
            ("X-Request-Id", "RequestId"),
            ("Content-Language", "ContentLanguage"),
            ("WWW-Authenticate", "WwwAuthenticate"),
        ],
        "429" | "503" => &[
            ("X-Request-Id", "RequestId"),
            ("Content-Language", "ContentLanguage"),
            ("Retry-After", "RetryAfter"),
        ],
        status if status.starts_with('4') => {
            &[("X-Request-Id", "RequestId"), ("Content-Language", "ContentLanguage")]
        }
        _ => &[("X-Request-Id", "RequestId")],
    }
}
