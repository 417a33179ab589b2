//! What holds for every operation, said once: schemas of the rooms below, how collectivities and requests are named,
//! what any route may answer, and which headers come with it.

use serde_json::{Map, Value, json};

use super::links;
use super::plain::{name_commands, plain};
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
        for operation in operations.values_mut() {
            let Some(operation) = operation.as_object_mut() else { continue };
            named(path, operation);
            parameters(path, operation);
            answers(path, operation);
            conditions(path, operation);
            links::add(operation);
        }
    }
    plain(&mut document);
    name_commands(&mut document);
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
                "schema": { "type": "string", "pattern": "^(W/)?\"[0-9a-f]+\"$" }, "example": "\"7\""
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
        (
            "Position",
            json!({
                "description": "The position of the journal from which lists and figures show it, or at which they are true.",
                "schema": { "type": "string", "pattern": "^[0-9a-f]{16}$" }, "example": "00000000000000af"
            }),
        ),
        (
            "Link",
            text(
                "The next page, as `rel=\"next\"` (RFC 8288).",
                "</v1/ville/requests?cursor=1>; rel=\"next\"",
            ),
        ),
        (
            "RateLimit",
            text(
                "How many calls are left and in how many seconds all are back (draft-ietf-httpapi-ratelimit-headers).",
                "\"calls\";r=599;t=1",
            ),
        ),
        (
            "RateLimitPolicy",
            text("The limit: calls at once, and the seconds in which they come back.", "\"calls\";q=600;w=6"),
        ),
        ("PreferenceApplied", text("`wait`, if lists and figures show it now (RFC 7240).", "wait")),
    ];
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What the names that many addresses hold stand for.
const NAMED: [(&str, &str); 4] = [
    ("tenant", "The collectivity."),
    ("request", "The request."),
    ("theme", "The theme."),
    ("process", "The process within its theme."),
];

/// The names in an address that mean the same everywhere, where a route says nothing of its own about them.
fn named(path: &str, operation: &mut Map<String, Value>) {
    let entry = operation.entry("parameters").or_insert_with(|| json!([]));
    let Some(parameters) = entry.as_array_mut() else { return };
    let missing = NAMED.iter().filter(|(name, _)| path.contains(&format!("{{{name}}}")));
    let missing: Vec<Value> = missing
        .filter(|(name, _)| !parameters.iter().any(|known| known.get("name") == Some(&json!(name))))
        .map(|(name, description)| {
            json!({ "name": name, "in": "path", "description": description, "required": true,
                "schema": { "type": "string" } })
        })
        .collect();
    parameters.splice(0..0, missing);
    if parameters.is_empty() {
        operation.remove("parameters");
    }
}

/// Parameters as they are read: none of them can be null, and what every route has in common is said alike.
fn parameters(path: &str, operation: &mut Map<String, Value>) {
    let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) else { return };
    for parameter in parameters.iter_mut().filter_map(Value::as_object_mut) {
        let nullable = parameter.get_mut("schema").is_some_and(without_null);
        // What stands behind the question mark is said to be in the path where its extractor is one of ours.
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
        if parameter.get("in") == Some(&json!("path")) && !path.contains(&format!("{{{name}}}")) {
            parameter.insert("in".to_owned(), json!("query"));
            parameter.insert("required".to_owned(), json!(!nullable));
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

/// Makes the schema that of something that is left out rather than null; whether it could be null.
fn without_null(schema: &mut Value) -> bool {
    let before = schema.clone();
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
    before != *schema
}

/// What any route may answer, whatever it is for, and the headers of each answer.
fn answers(path: &str, operation: &mut Map<String, Value>) {
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
    common.extend(guarded.then_some("403"));
    // A key that is none is refused wherever it is shown.
    common.extend((!watched).then_some("401"));
    common.extend(path.contains('{').then_some("404"));
    for status in common {
        answers.entry(status).or_insert_with(|| json!({ "$ref": "#/components/responses/ProblemAnswer" }));
    }
    // Open311's doors say what is wrong in their own words, whatever it is.
    let own = answers.get("400").and_then(|answer| answer.get("content")).and_then(Value::as_object).cloned();
    let own = own.filter(|_| path.starts_with("/open311/")).unwrap_or_default();
    for (status, answer) in answers {
        resolve(answer);
        let Some(answer) = answer.as_object_mut() else { continue };
        if matches!(status.as_str(), "400" | "401" | "406" | "413" | "415" | "422" | "429" | "503") {
            // What is refused before a door is reached is refused alike at all of them.
            let content = answer.entry("content").or_insert_with(|| json!({}));
            let problem = json!({ "schema": { "$ref": "#/components/schemas/Problem" } });
            if let Some(content) = content.as_object_mut() {
                content.entry("application/problem+json").or_insert(problem);
                content.extend(own.clone());
            }
        }
        let headers = answer.entry("headers").or_insert_with(|| json!({}));
        let Some(headers) = headers.as_object_mut() else { continue };
        for (header, name) in headers_of(status, watched) {
            let reference = json!({ "$ref": format!("#/components/headers/{name}") });
            headers.entry(header).or_insert(reference);
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

/// Operations whose answers are true at a position of the journal.
const AT_POSITIONS: [&str; 4] = ["requests_list", "requests_timeline", "inbox_read", "dashboard_read"];
/// Operations whose answers carry a tag that tells whether anything has changed.
const TAGGED: [&str; 3] = ["requests_list", "requests_read", "requests_timeline"];
/// Operations that answer with the receipt of a command.
const RECEIPTS: [&str; 4] = ["requests_receive", "requests_command", "follow_act", "processes_propose"];

/// What an operation reads and tells of revisions and positions.
fn conditions(path: &str, operation: &mut Map<String, Value>) {
    let Some(id) = operation.get("operationId").and_then(Value::as_str).map(str::to_owned) else { return };
    let (at_position, tagged) = (AT_POSITIONS.contains(&&*id), TAGGED.contains(&&*id));
    let receipt = RECEIPTS.contains(&&*id);
    if !path.starts_with("/v1/") || !(at_position || tagged || receipt) {
        return;
    }
    let reads = [
        (tagged, "If-None-Match", "The `ETag` of what one has: 304 if nothing has changed."),
        (
            at_position,
            "Guichet-Position",
            "Show nothing older than this position; waits for it, as long as `Prefer: wait` says.",
        ),
    ];
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    for (_, name, description) in reads.into_iter().filter(|(reads, ..)| *reads) {
        let schema = match name {
            "Guichet-Position" => json!({ "type": "string", "pattern": "^[0-9a-f]{16}$" }),
            _ => json!({ "type": "string" }),
        };
        if let Some(parameters) = parameters.as_array_mut() {
            parameters
                .push(json!({ "name": name, "in": "header", "description": description, "schema": schema }));
        }
    }
    let Some(answers) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    if tagged {
        answers.insert(
            "304".to_owned(),
            json!({ "description": "Nothing has changed.", "headers": {
            "ETag": { "$ref": "#/components/headers/ETag" } } }),
        );
    }
    let good = answers.iter_mut().filter(|(status, _)| status.starts_with('2'));
    for headers in good.filter_map(|(_, answer)| answer.get_mut("headers")?.as_object_mut()) {
        let told: [(bool, &str, &str); 5] = [
            (at_position || receipt, "Guichet-Position", "Position"),
            (tagged || receipt, "ETag", "ETag"),
            (receipt, "Preference-Applied", "PreferenceApplied"),
            (matches!(&*id, "requests_receive" | "processes_propose"), "Location", "Location"),
            (id == "requests_list", "Link", "Link"),
        ];
        for (_, header, name) in told.into_iter().filter(|(tells, ..)| *tells) {
            headers.insert(header.to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }));
        }
    }
}

fn headers_of(status: &str, watched: bool) -> Vec<(&'static str, &'static str)> {
    let mut headers = vec![("X-Request-Id", "RequestId")];
    if !watched {
        headers.extend([("RateLimit", "RateLimit"), ("RateLimit-Policy", "RateLimitPolicy")]);
    }
    if (status.starts_with('4') || status.starts_with('5')) && !watched {
        headers.push(("Content-Language", "ContentLanguage"));
    }
    match status {
        "401" => headers.push(("WWW-Authenticate", "WwwAuthenticate")),
        "429" | "503" if !watched => headers.push(("Retry-After", "RetryAfter")),
        _ => {}
    }
    headers
}
