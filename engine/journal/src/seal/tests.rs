use super::*;
use crate::id::CommandId;
use uuid::Uuid;

fn key(name: &str, byte: u8) -> (Subject, Kid, DataKey) {
    (name.parse().unwrap(), format!("k{byte}").parse().unwrap(), DataKey::new([byte; 32]))
}

fn stream() -> StreamId {
    "ville.request-0198c6a2-0000-7000-8000-0000000000ab".parse().unwrap()
}

#[test]
fn a_body_without_persons_keeps_its_text_in_an_envelope() {
    let event = EventId::of(CommandId::new(Uuid::from_u128(1)), 0);
    let sealed = seal(r#"{"a": 1.50}"#, &stream(), event, &[]).unwrap();
    assert_eq!(envelope_content(&sealed.text), Some(r#"{"a": 1.50}"#));
    serde_json::from_str::<serde_json::Value>(&sealed.text).unwrap();
    let again = seal(r#"{"a": 1.50}"#, &stream(), event, &[]).unwrap();
    assert_ne!(
        (sealed.digest, sealed.commitment),
        (again.digest, again.commitment),
        "equal bodies must not have equal digests"
    );
}

#[test]
fn sealed_text_shows_nothing_of_the_person() {
    let event = EventId::of(CommandId::new(Uuid::from_u128(1)), 0);
    let body = r#"{"who":{"$personal":"p1","value":{"name":"Ines Dupont"}},"again":[{"value":"06 12","$personal":"p1"}],"x":1}"#;
    assert_eq!(persons(body).unwrap(), ["p1".parse().unwrap()]);
    let sealed = seal(body, &stream(), event, &[key("p1", 1)]).unwrap();
    assert!(!sealed.text.contains("Ines") && !sealed.text.contains("06 12"));
    assert!(sealed.text.starts_with(r#"{"who":{"$sealed":""#) && sealed.text.ends_with(r#""}],"x":1}"#));
    assert_eq!(keys_in(&sealed.text).len(), 2);
}

#[test]
fn malformed_parts_are_refused() {
    for bad in [
        r#"{"$personal":"p","value":1,"other":2}"#,
        r#"{"$personal":"p","$personal":"q"}"#,
        r#"{"$personal":"p","value":1,"value":2}"#,
        r#"{"$personal":7,"value":1}"#,
        r#"{"$personal":"jean@example.fr","value":1}"#,
        r#"{"a":{"$sealed":"x"}}"#,
        r#"{"a":{"\u0024sealed":"x"}}"#,
    ] {
        assert!(persons(bad).is_err(), "{bad}");
    }
}
