//! Forms: every wrong field at once, canonical values, personal ones kept apart.

use serde_json::{Value, json};

use super::*;
use crate::process::*;
use crate::request::*;

fn faults(story: &mut Story, values: Value) -> Vec<(String, String)> {
    let rejection =
        story.rejection(&agent("a02"), receive("voirie/chaussee-abimee", Channel::Counter, values));
    assert_eq!(rejection.code, "form.invalid");
    rejection.fields.into_iter().map(|fault| (fault.pointer, fault.code)).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned())).collect()
}

#[test]
fn all_wrong_fields_are_named_at_once() {
    let mut story = Story::of(vec![pothole()]);
    let digest = "a".repeat(64);
    let file = |kind: &str, size: u64| json!({ "name": "p", "type": kind, "size": size, "sha256": digest });
    let wrong = json!({
        "place": [148.0, 4.3], "danger": "oui", "photos": [file("image/jpeg", 10), file("image/png", 2000)],
        "details": "caché", "witness": "abc", "colour": "red",
    });
    let expected = [
        ("/colour", "field.unknown"),
        ("/danger", "field.type"),
        ("/details", "field.not_shown"),
        ("/photos/1/size", "field.max_size"),
        ("/photos/1/type", "field.accept"),
        ("/place", "field.type"),
        ("/witness", "field.type"),
    ];
    assert_eq!(faults(&mut story, wrong), pairs(&expected));
    assert_eq!(faults(&mut story, json!({})), pairs(&[("/place", "field.required")]));
    let long = json!({ "place": [48.9, 4.3], "danger": true, "details": "x".repeat(21), "photos": vec![file("image/jpeg", 1); 4] });
    assert_eq!(
        faults(&mut story, long),
        pairs(&[("/details", "field.max_length"), ("/photos", "field.at_most")])
    );
}

#[test]
fn what_identifies_people_is_marked_in_the_event_and_sealed_in_the_state() {
    let mut story = Story::of(vec![pothole()]);
    let who = reachable(Some("camille@example.org"), None, None);
    let values = json!({ "place": [48.9, 4.3], "witness": "06 12 34 56 78" });
    let command = received_from("voirie/chaussee-abimee", Channel::Counter, values, who);
    let events = story.world.submit(0, &agent("a02"), &command).unwrap();
    let body = serde_json::to_value(&events[0]).unwrap();
    assert_eq!(body["data"]["form"]["witness"], json!({ "$personal": "requester", "value": "0612345678" }));
    assert_eq!(body["data"]["requester"]["contact"]["$personal"], "requester");
    assert_eq!(body["data"]["tracking"]["$personal"], "requester");
    assert_eq!(body["data"]["form"]["place"], json!({ "lat": 48.9, "lon": 4.3 }));
    let state = format!("{:?}", story.request());
    for secret in ["0612345678", "camille", "Durand", "234-567"] {
        assert!(!state.contains(secret), "{secret} is in the state");
        assert!(
            !format!("{events:?}").contains(secret) || secret == "0612345678",
            "{secret} is in a debug line"
        );
    }
}

#[test]
fn a_contact_that_cannot_be_used_is_refused_with_the_form() {
    let mut story = Story::of(vec![pothole()]);
    let who = reachable(Some("camille at example"), Some("12"), None);
    let command = received_from("voirie/chaussee-abimee", Channel::Web, json!({ "place": [48.9, 4.3] }), who);
    let rejection = story.rejection(&Actor::Requester, command);
    let pointers: Vec<_> = rejection.fields.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, ["/requester/contact/email", "/requester/contact/phone"]);
}

/// The canonical form of a value of this type, or the code of what is wrong with it.
fn check(kind: FieldType, value: Value) -> Result<Value, String> {
    let field = Field {
        field: "f".into(),
        kind,
        label: same("f"),
        help: None,
        required: Requirement::Optional,
        shown_when: None,
        options: vec![
            FieldOption { value: "a".into(), label: same("a") },
            FieldOption { value: "b".into(), label: same("b") },
        ],
        accept: Vec::new(),
        at_most: None,
        max_size: None,
        min: Some(0.0),
        max: Some(100.0),
        max_length: None,
        personal: false,
    };
    let given = form(json!({ "f": value }));
    let typed = crate::request::form::typed(&[field], &given);
    match typed.faults.first() {
        Some(fault) => Err(fault.code.clone()),
        None => Ok(typed.form.get("f").cloned().unwrap_or_default()),
    }
}

#[test]
fn every_type_has_its_shape() {
    let good = [
        (FieldType::Text, json!("é"), json!("é")),
        (FieldType::Number, json!(1.5), json!(1.5)),
        (FieldType::Integer, json!(3.0), json!(3)),
        (FieldType::Boolean, json!(true), json!(true)),
        (FieldType::Date, json!("2026-02-28"), json!("2026-02-28")),
        (FieldType::Time, json!("09:05"), json!("09:05")),
        (FieldType::Choice, json!("a"), json!("a")),
        (FieldType::Choice, json!(""), json!(null)),
        (FieldType::Choices, json!(["a", "b", "a"]), json!(["a", "b"])),
        (
            FieldType::Location,
            json!({ "lat": 1, "lon": 2, "area": "q1" }),
            json!({ "lat": 1.0, "lon": 2.0, "area": "q1" }),
        ),
        (FieldType::Location, json!({ "address": "1 rue X" }), json!({ "address": "1 rue X" })),
        (
            FieldType::Organisation,
            json!({ "name": "Foyer", "siret": "12345678901234" }),
            json!({ "name": "Foyer", "siret": "12345678901234" }),
        ),
        (FieldType::Money, json!("12,5 EUR"), json!({ "amount": "12.50", "currency": "EUR" })),
        (
            FieldType::Money,
            json!({ "amount": 12.05, "currency": "EUR" }),
            json!({ "amount": "12.05", "currency": "EUR" }),
        ),
    ];
    for (kind, given, expected) in good {
        assert_eq!(check(kind, given.clone()), Ok(expected), "{kind:?} {given}");
    }
}

#[test]
fn what_has_another_shape_is_refused() {
    let bad = [
        (FieldType::Text, json!(1), "field.type"),
        (FieldType::Number, json!(101), "field.max"),
        (FieldType::Number, json!("1"), "field.type"),
        (FieldType::Integer, json!(1.5), "field.type"),
        (FieldType::Integer, json!(-1), "field.min"),
        (FieldType::Boolean, json!("true"), "field.type"),
        (FieldType::Date, json!("2026-02-29"), "field.type"),
        (FieldType::Time, json!("25:00"), "field.type"),
        (FieldType::Choice, json!("c"), "field.option"),
        (FieldType::Choices, json!(["a", "c"]), "field.option"),
        (FieldType::Location, json!([1]), "field.type"),
        (FieldType::Location, json!({ "address": " " }), "field.type"),
        (FieldType::Location, json!({ "lat": 1, "address": "1 rue X" }), "field.type"),
        (FieldType::Location, json!({ "lat": "north", "address": "1 rue X" }), "field.type"),
        (FieldType::Location, json!({ "lat": 1, "lon": 2, "street": "x" }), "field.type"),
        (FieldType::Files, json!(["x"]), "field.type"),
        (FieldType::Person, json!({ "first_name": "x" }), "field.type"),
        (FieldType::Email, json!("x@y"), "field.type"),
        (FieldType::Phone, json!("+33 x"), "field.type"),
        (FieldType::Iban, json!("FR76 3000 6000 0112 3456 7890 188"), "field.type"),
        (FieldType::Money, json!("12.505 EUR"), "field.type"),
        (FieldType::Money, json!("101 EUR"), "field.max"),
    ];
    for (kind, given, code) in bad {
        assert_eq!(check(kind, given.clone()), Err(code.to_owned()), "{kind:?} {given}");
    }
    let iban = check(FieldType::Iban, json!("fr76 3000 6000 0112 3456 7890 189")).unwrap();
    assert_eq!(iban["value"], "FR7630006000011234567890189");
}

#[test]
fn a_report_is_checked_like_a_form() {
    let mut story = Story::pothole(false);
    let qualify = Command::Qualify {
        process: None,
        complexity: None,
        priority: None,
        form: form(json!({ "danger": false })),
    };
    story.does(&agent("a02"), qualify);
    let rejection = story.rejection(&agent("a05"), complete("visite", json!({ "made_safe": 3 })));
    let found: Vec<_> =
        rejection.fields.iter().map(|fault| (fault.pointer.as_str(), fault.code.as_str())).collect();
    assert_eq!(found, [("/finding", "field.required"), ("/made_safe", "field.type")]);
}
