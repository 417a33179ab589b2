//! The examples of the OpenAPI document are sent to a real town hall, and what comes back is held against the document.

use axum::body::Body;
use axum::http::Method;
use guichet::http::openapi::document;
use guichet::rights::Scope;
use serde_json::{Value, json};

use crate::support::{Town, request};

/// The schema at a place of the document, with all that it refers to.
fn validator(schema: &Value) -> jsonschema::Validator {
    let whole = json!({ "allOf": [schema], "components": document()["components"] });
    jsonschema::options().should_validate_formats(true).build(&whole).unwrap()
}

/// The examples of a body or of an answer.
fn examples(content: &Value) -> Vec<Value> {
    let many =
        content["examples"].as_object().into_iter().flatten().map(|(_, example)| example["value"].clone());
    content.get("example").cloned().into_iter().chain(many).collect()
}

struct Call<'a> {
    method: &'a str,
    path: &'a str,
    operation: &'a Value,
}

fn operations() -> Vec<Call<'static>> {
    let paths = document()["paths"].as_object().unwrap();
    let each = |(path, item): (&'static String, &'static Value)| {
        let item = item.as_object().unwrap();
        item.iter().map(move |(method, operation)| Call { method, path, operation }).collect::<Vec<_>>()
    };
    paths.iter().flat_map(each).collect()
}

#[test]
fn every_operation_is_named_once_and_says_who_may_call_it() {
    let mut names = Vec::new();
    for Call { method, path, operation } in operations() {
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no name"));
        assert!(!names.contains(&id), "{id} is the name of two operations");
        names.push(id);
        assert!(operation["security"].is_array(), "{id} does not say who may call it");
        assert!(operation["tags"].as_array().is_some_and(|tags| !tags.is_empty()), "{id} has no tag");
        assert!(
            operation["summary"].as_str().is_some_and(|text| !text.is_empty()),
            "{id} does not say what it does"
        );
    }
}

#[test]
fn no_body_and_no_answer_is_left_without_a_shape() {
    for Call { method, path, operation } in operations() {
        let bodies = operation["requestBody"]["content"].as_object().into_iter().flatten();
        let answers = operation["responses"].as_object().unwrap().values();
        let answers = answers.flat_map(|answer| answer["content"].as_object().into_iter().flatten());
        for (kind, content) in bodies.chain(answers).filter(|(kind, _)| kind.contains("json")) {
            let schema = &content["schema"];
            let bare = schema == &json!({ "type": "object" }) || schema == &json!({});
            assert!(!schema.is_null() && !bare, "{method} {path} ({kind}) is a bare object");
        }
    }
}

#[test]
fn every_example_has_the_shape_that_stands_beside_it() {
    for Call { method, path, operation } in operations() {
        let bodies = operation["requestBody"]["content"].as_object().into_iter().flatten();
        let answers = operation["responses"].as_object().unwrap().values();
        let answers = answers.flat_map(|answer| answer["content"].as_object().into_iter().flatten());
        for (_, content) in bodies.chain(answers).filter(|(kind, _)| kind.contains("json")) {
            for example in examples(content) {
                let faults: Vec<_> =
                    validator(&content["schema"]).iter_errors(&example).map(|e| e.to_string()).collect();
                assert!(faults.is_empty(), "{method} {path}: {faults:?}");
            }
        }
    }
}

#[tokio::test]
async fn every_example_of_a_body_is_taken() {
    let town = Town::new().await;
    // What is kept for some roles is tried as a program.
    let (agent, program) = (town.agent("a01"), town.program("ville", &[Scope::WebhooksManage]));
    let mut tried = 0;
    for Call { method, path, operation } in operations() {
        let content = &operation["requestBody"]["content"]["application/json"];
        for example in examples(content) {
            let made = town.pothole().await;
            let id = made.json["request"].as_str().unwrap();
            let mut body = example.clone();
            if let Some(code) = body.get_mut("code") {
                *code = made.json["tracking_code"].clone();
            }
            let address = path
                .replace("{tenant}", "ville")
                .replace("{request}", id)
                .replace("{theme}", "voirie")
                .replace("{process}", "chaussee-abimee");
            if address.contains('{') {
                // It is about something that another test of that resource makes first.
                continue;
            }
            let public = operation["security"].as_array().unwrap().iter().any(|way| way == &json!({}));
            let kept = operation.pointer("/security/0/key/0") == Some(&json!("webhooks:manage"));
            let key = if kept { program.as_str() } else { agent.as_str() };
            let key = (!public).then_some(key);
            let method: Method = method.to_uppercase().parse().unwrap();
            let call = request(method.clone(), &address, key, &[], Body::from(body.to_string()));
            let (parts, stream) =
                tower::ServiceExt::oneshot(town.router.clone(), call).await.unwrap().into_parts();
            let status = parts.status.as_u16().to_string();
            let answer = &operation["responses"][&status];
            assert!(answer.is_object(), "{method} {path} answers {status}, which the document does not know");
            let kind = parts.headers["content-type"].to_str().unwrap().split(';').next().unwrap().to_owned();
            assert!(answer["content"][&kind].is_object(), "{method} {path} answers {kind}");
            if kind.ends_with("json") {
                let bytes = axum::body::to_bytes(stream, 8 << 20).await.unwrap();
                let json: Value = serde_json::from_slice(&bytes).unwrap();
                let faults: Vec<_> = validator(&answer["content"][&kind]["schema"])
                    .iter_errors(&json)
                    .map(|e| e.to_string())
                    .collect();
                assert!(faults.is_empty(), "{method} {path} {status}: {faults:?}\n{json}");
                let refused = parts.status.is_client_error() || parts.status.is_server_error();
                assert!(!refused || expected(operation), "{method} {path}: the example is refused: {json}");
            }
            tried += 1;
        }
    }
    assert!(tried >= 5, "only {tried} examples");
}

/// Operations whose example needs more of the world than a pothole.
fn expected(operation: &Value) -> bool {
    ["processes_propose", "files_follow", "requests_erase"]
        .contains(&operation["operationId"].as_str().unwrap_or_default())
}
