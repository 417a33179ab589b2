//! Events are written for ever: every line of `events.jsonl` is one that a released version may have written. It must
//! be read, and written again just so. A line is never changed; a new shape is a new line.

use serde_json::Value;

use crate::request::*;

fn lines() -> Vec<(String, Value)> {
    include_str!("events.jsonl")
        .lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line).unwrap();
            (value["type"].as_str().unwrap().to_owned(), value["body"].clone())
        })
        .collect()
}

#[test]
fn every_event_there_is_has_a_line_and_reads_as_it_was_written() {
    let lines = lines();
    for name in What::NAMES {
        assert!(lines.iter().any(|(kind, _)| kind == name), "{name} has no line");
    }
    for (kind, body) in lines {
        let event = Event::decode(&kind, &serde_json::to_vec(&body).unwrap()).unwrap();
        assert_eq!(event.what.name(), kind);
        assert_eq!(serde_json::to_value(&event).unwrap(), body, "{kind}");
    }
}

#[test]
fn every_event_folds_wherever_it_stands() {
    let meta = Meta {
        tenant: "ville".into(),
        actor: "agent:a01".into(),
        occurred_at: super::paris("2026-05-04T10:00"),
        recorded_at: super::paris("2026-05-04T10:00"),
    };
    let mut request = None;
    for (kind, body) in lines().into_iter().chain(lines()) {
        let event = Event::decode(&kind, &serde_json::to_vec(&body).unwrap()).unwrap();
        request = evolve(request, &event, &meta);
        assert!(request.is_some());
    }
    let orphan = Event::from(Resumed {});
    assert_eq!(evolve(None, &orphan, &meta), None);
}

#[test]
fn what_this_version_does_not_know_is_an_error_and_never_ignored() {
    assert!(matches!(Event::decode("request.teleported", b"{}"), Err(DecodeError::UnknownType(_))));
    assert!(matches!(Event::decode("request.claimed", br#"{"data":{}}"#), Err(DecodeError::Shape { .. })));
}

#[test]
fn a_sealed_an_opened_and_an_erased_value_are_all_read() {
    let read = |reason: &str| {
        let body = format!(r#"{{"data":{{"reason":{reason}}}}}"#);
        match Event::decode("request.cancelled", body.as_bytes()).unwrap().what {
            What::Cancelled(event) => event.reason,
            other => panic!("{other:?}"),
        }
    };
    let opened = read(r#"{"$personal":"requester","value":"Erreur"}"#);
    assert_eq!(opened.known().map(String::as_str), Some("Erreur"));
    assert_eq!(read(r#"{"$subject":"requester","$sealed":"AAAA","kid":"k1"}"#), opened.sealed());
    assert!(read(r#"{"$personal":"requester"}"#).is_erased());
}
