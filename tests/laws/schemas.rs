//! The contracts in `schemas/` are generated from the types, and stay in step with them.
//! `make schemas` writes them anew after a change that is meant.

use std::fs;

use guichet_rules::process::{
    DRAFT_ABANDONED, Definition, DraftAbandoned, ORGANISATION_PUBLISHED, OrganisationPublished,
    PROCESS_DRAFTED, PROCESS_PUBLISHED, PROCESS_RETIRED, ProcessDrafted, ProcessPublished, ProcessRetired,
};
use guichet_rules::request::{Command, event_schemas};
use guichet_tests::workspace;
use schemars::{SchemaGenerator, schema_for};
use serde_json::{Value, json};

fn events() -> Value {
    let mut generator = SchemaGenerator::default();
    let mut events = event_schemas(&mut generator);
    events.push((PROCESS_PUBLISHED, generator.subschema_for::<ProcessPublished>()));
    events.push((PROCESS_DRAFTED, generator.subschema_for::<ProcessDrafted>()));
    events.push((DRAFT_ABANDONED, generator.subschema_for::<DraftAbandoned>()));
    events.push((PROCESS_RETIRED, generator.subschema_for::<ProcessRetired>()));
    events.push((ORGANISATION_PUBLISHED, generator.subschema_for::<OrganisationPublished>()));
    let bodies: serde_json::Map<String, Value> =
        events.into_iter().map(|(name, schema)| (name.to_owned(), schema.to_value())).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Bodies of events",
        "description": "One property for each wire name: the shape of the body of such an event.",
        "type": "object",
        "properties": bodies,
        "$defs": generator.take_definitions(true),
    })
}

fn generated() -> Vec<(String, Value)> {
    let mut all = vec![
        ("events.schema.json".to_owned(), events()),
        ("command.schema.json".to_owned(), schema_for!(Command).to_value()),
        ("definition.schema.json".to_owned(), schema_for!(Definition).to_value()),
    ];
    // Those of the files that designers write come from the grammar.
    all.extend(guichet_rules::language::schema::schemas());
    all
}

fn written(value: &Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(value).unwrap())
}

#[test]
fn schemas_are_in_step_with_the_types() {
    for (file, value) in generated() {
        let path = workspace().join("schemas").join(&file);
        if std::env::var_os("GUICHET_WRITE_SCHEMAS").is_some() {
            fs::write(&path, written(&value)).unwrap();
        }
        let stored = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            stored == written(&value),
            "schemas/{file} is behind the types: run `make schemas` and look at the difference"
        );
    }
}

#[test]
fn schemas_are_schemas_to_a_validator_that_nobody_here_wrote() {
    for (file, value) in generated() {
        assert!(jsonschema::meta::is_valid(&value), "{file}");
        jsonschema::validator_for(&value).unwrap();
    }
}

#[test]
fn a_command_is_what_its_schema_says() {
    let validator = jsonschema::validator_for(&schema_for!(Command).to_value()).unwrap();
    let good = json!({ "command": "complete", "task": "visite", "report": { "finding": "trou" } });
    assert!(validator.is_valid(&good));
    assert!(!validator.is_valid(&json!({ "command": "complete" })));
    assert!(!validator.is_valid(&json!({ "command": "obliterate" })));
}
