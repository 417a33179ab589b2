//! The OpenAPI document: generated, committed, and true.

use std::path::PathBuf;

use axum::body::Body;
use axum::http::Method;
use guichet::http::openapi::document;
use serde_json::Value;

use crate::support::{Town, request};

#[test]
fn the_committed_document_is_the_generated_one() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../schemas/openapi.json");
    let generated = format!("{}\n", serde_json::to_string_pretty(document()).unwrap());
    if std::env::var_os("GUICHET_WRITE_SCHEMAS").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "schemas/openapi.json is behind the routes: run `make schemas` and look at the difference"
    );
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let mut open = vec![document];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(reference)) = object.get("$ref") {
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{reference}");
                }
                open.extend(object.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
}

#[tokio::test]
async fn every_documented_route_answers() {
    let town = Town::new().await;
    let document = document();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|key| ["get", "post"].contains(&key.as_str())) {
            let address = path
                .replace("{tenant}", "ville")
                .replace("{request}", "0198c6a2-0000-7000-8000-0000000000ff")
                .replace("{theme}", "voirie")
                .replace("{process}", "chaussee-abimee");
            let method: Method = method.to_uppercase().parse().unwrap();
            let key = town.agent("a01");
            let answer =
                town.call(request(method.clone(), &address, Some(&key), &[], Body::from("{}"))).await;
            let status = answer.status.as_u16().to_string();
            let documented = &item[method.as_str().to_lowercase()]["responses"];
            assert!(!answer.status.is_server_error(), "{method} {path}: {}", answer.text);
            assert_ne!(status, "405", "{method} {path}");
            assert!(documented.get(&status).is_some(), "{method} {path} answers {status}: {}", answer.text);
        }
    }
}

#[test]
fn the_example_in_the_readme_is_the_one_that_is_run() {
    let (readme, library) = (include_str!("../../README.md"), include_str!("../../src/lib.rs"));
    let example = readme.split("```rust,ignore\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(example.lines().count() > 10);
    for line in example.lines().filter(|line| !line.is_empty()) {
        assert!(library.contains(&format!("//! {line}")), "{line}");
    }
}
