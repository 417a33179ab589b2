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

mod properties {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::*;
    use super::stream;
    use crate::header::{Parts, Template};
    use crate::id::{CommandId, Position, Revision};
    use crate::keys::{KeyStore, MemoryKeyStore};
    use uuid::Uuid;

    /// Something to keep secret, recognisable wherever it would show.
    const SECRET: &str = "SECRET";

    fn leaf() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<i16>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
            ".{0,12}".prop_map(Value::from),
            (0..4_usize, ".{0,6}").prop_map(
                |(who, text)| json!({"$personal": format!("p{who}"), "value": format!("{SECRET}{text}")})
            ),
            (0..4_usize)
                .prop_map(|who| json!({"$personal": format!("p{who}"), "value": {"deep": [SECRET, 1.5]}})),
            (0..4_usize).prop_map(|who| json!({"$personal": format!("p{who}")})),
        ]
    }

    fn body() -> impl Strategy<Value = Value> {
        leaf().prop_recursive(4, 24, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::hash_map("[a-z\\\\\"]{1,5}", inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// Seals a body with new keys and wraps it into an event.
    async fn stored(keys: &MemoryKeyStore, text: &str, event: EventId) -> (Recorded, Vec<Subject>) {
        let persons = persons(text).unwrap();
        let mut with_keys = Vec::new();
        for person in &persons {
            let (kid, key) = keys.fresh().await.unwrap();
            with_keys.push((person.clone(), kid, key));
        }
        let sealed = seal(text, &stream(), event, &with_keys).unwrap();
        let instant = chrono::DateTime::UNIX_EPOCH;
        let template = Template::new(&Parts {
            event_type: &"a.b".parse().unwrap(),
            occurred_at: instant,
            recorded_at: instant,
            actor: &"x".parse().unwrap(),
            on_behalf_of: None,
            channel: None,
            command: CommandId::new(Uuid::nil()),
            event,
            correlation: None,
            causation: None,
            definition: None,
            body: sealed.digest,
            commit: sealed.commitment,
            keys: &sealed.keys,
        });
        let header = template.place(&stream(), Revision::FIRST, None);
        (Recorded::new(Position::from_token(1), header, sealed.text.into()), persons)
    }

    proptest! {
        #[test]
        fn any_body_seals_opens_and_commits(value in body(), pretty: bool) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let text = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
            runtime.block_on(async {
                let keys = MemoryKeyStore::new().unwrap();
                let (event, persons) = stored(&keys, &text, EventId::of(CommandId::new(Uuid::nil()), 0)).await;
                prop_assert!(!event.stored_body().contains(SECRET), "{}", event.stored_body());
                serde_json::from_str::<Value>(event.stored_body()).unwrap();
                let opened = open_fully(&keys, &event).await.unwrap();
                // Parts are given back in their shortest spelling, everything else to the byte.
                prop_assert_eq!(serde_json::from_str::<Value>(&opened.text).unwrap(), value.clone());
                prop_assert!(pretty || opened.text == text);
                prop_assert_eq!(opened.commitment, Some(event.header().unwrap().commit));
                for kid in &event.header().unwrap().keys {
                    keys.destroy(kid).await.unwrap();
                }
                let erased = open_fully(&keys, &event).await.unwrap();
                prop_assert!(!erased.text.contains(SECRET));
                prop_assert_eq!(erased.commitment.is_none(), !persons.is_empty());
                serde_json::from_str::<Value>(&erased.text).unwrap();
                Ok(())
            })?;
        }

        #[test]
        fn a_part_moved_or_changed_does_not_open(value in body(), at: prop::sample::Index) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let keys = MemoryKeyStore::new().unwrap();
                let command = CommandId::new(Uuid::nil());
                let (event, persons) = stored(&keys, &value.to_string(), EventId::of(command, 0)).await;
                if persons.is_empty() {
                    return Ok(());
                }
                let own = EventId::of(command, 0).to_string();
                let other = event.stored_header().replace(&own, &EventId::of(command, 1).to_string());
                let moved = Recorded::new(event.position(), other.into(), event.stored_body().into());
                prop_assert!(open_fully(&keys, &moved).await.is_err());
                let sealed = event.stored_body().match_indices("\"$sealed\":\"").map(|(at, mark)| at + mark.len()).collect::<Vec<_>>();
                let place = *at.get(&sealed) + 5;
                let mut bytes = event.stored_body().to_owned().into_bytes();
                bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
                let changed = Recorded::new(event.position(), event.stored_header().into(), String::from_utf8(bytes).unwrap().into());
                prop_assert!(open_fully(&keys, &changed).await.is_err());
                Ok(())
            })?;
        }
    }
}
