//! Personal data.

use super::tools::{contents, ensure, event, everything, stream, with_events};
use super::{Failure, Outcome, Store};
use crate::error::Expected;
use crate::event::{Append, Recorded};
use crate::id::{Kid, Revision, StreamId};
use crate::port::Journal;
use crate::verify_all;

const BODY: &str = r#"{"who":{"$personal":"p1","value":{"name":"Ines Dupont","codes":[1.0,2]}},"by":[{"$personal":"p2","value":"06 12 34"}],"gone":{"$personal":"p3"},"again":{"$personal":"p1","value":null},"where":"Marne"}"#;
const WITHOUT_P1: &str = r#"{"who":{"$personal":"p1"},"by":[{"$personal":"p2","value":"06 12 34"}],"gone":{"$personal":"p3"},"again":{"$personal":"p1"},"where":"Marne"}"#;

fn two_events(stream: &StreamId, expected: Expected) -> Result<Append, Failure> {
    with_events(
        stream,
        expected,
        vec![event("request.received", BODY)?, event("request.noted", "{\"plain\":true}")?],
    )
}

async fn first(journal: &dyn Journal, stream: &StreamId) -> Result<Recorded, Failure> {
    let read = journal.read(stream, Revision::FIRST, 1).await?;
    read.into_iter().next().ok_or_else(|| Failure("the stream is empty".to_owned()))
}

fn keys(event: &Recorded) -> Result<Vec<Kid>, Failure> {
    Ok(event.header()?.keys.clone())
}

pub(super) async fn personal_parts_are_sealed_and_open_again(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let journal = place.open().await?;
    let stream = stream()?;
    let receipt = journal.append(two_events(&stream, Expected::NoStream)?).await?;
    for stored in [&receipt.events, &everything(journal.as_ref(), 10).await?] {
        for (event, clear) in stored.iter().zip([BODY, "{\"plain\":true}"]) {
            let text = format!("{}{}", event.stored_header(), event.stored_body());
            ensure!(
                !["Ines", "06 12", "name"].iter().any(|secret| text.contains(secret)),
                "a person's data are stored in clear"
            );
            ensure!(journal.open(event).await? == clear, "another body was opened");
            ensure!(event.is_sealed() == (clear == BODY), "not sealed as it should be");
        }
    }
    let sealed = first(journal.as_ref(), &stream).await?;
    ensure!(keys(&sealed)?.len() == 2, "two persons need two keys, not {:?}", keys(&sealed)?);
    let value: serde_json::Value = sealed.decode()?;
    let kid = value.pointer("/who/kid").and_then(serde_json::Value::as_str).unwrap_or_default();
    ensure!(
        keys(&sealed)?.iter().any(|key| key.as_str() == kid),
        "a part names a key that the header does not"
    );
    ensure!(value.pointer("/gone/$personal").is_some() && value.pointer("/where").is_some(), "{value}");
    let report = verify_all(journal.as_ref()).await?;
    ensure!(report.is_sound() && report.opened == 2, "{report:?}");
    Ok(())
}

pub(super) async fn a_destroyed_key_erases(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let mut journal = place.open().await?;
    let (stream, other) = (stream()?, stream()?);
    journal.append(two_events(&stream, Expected::NoStream)?).await?;
    journal.append(two_events(&other, Expected::NoStream)?).await?;
    let before = everything(journal.as_ref(), 10).await?;
    let keys_before = keys(&first(journal.as_ref(), &stream).await?)?;
    let Some(kid) = keys_before.first() else { return Err(Failure("no key".to_owned())) };
    journal.keys().destroy(kid).await?;
    journal.keys().restore(kid).await?;
    for _ in 0..2 {
        let erased = journal.open(&first(journal.as_ref(), &stream).await?).await?;
        ensure!(erased == WITHOUT_P1, "erased, the body reads {erased}");
        ensure!(
            journal.open(&first(journal.as_ref(), &other).await?).await? == BODY,
            "another request was erased too"
        );
        ensure!(
            contents(&everything(journal.as_ref(), 10).await?) == contents(&before),
            "erasing changed what is stored"
        );
        let report = verify_all(journal.as_ref()).await?;
        ensure!(report.is_sound() && report.erased == 1, "{report:?}");
        if !place.outlives() {
            break;
        }
        journal.close().await;
        journal = place.open().await?;
    }
    let again = journal.append(two_events(&stream, Expected::Exists)?).await?;
    let Some(event) = again.events.first() else { return Err(Failure("no event".to_owned())) };
    ensure!(!keys(event)?.contains(kid), "a destroyed key was used again");
    ensure!(journal.open(event).await? == BODY, "what came after the erasure cannot be read");
    Ok(())
}

pub(super) async fn a_revoked_key_hides_until_restored(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let journal = place.open().await?;
    let stream = stream()?;
    journal.append(two_events(&stream, Expected::NoStream)?).await?;
    let event = first(journal.as_ref(), &stream).await?;
    let keys_used = keys(&event)?;
    let Some(kid) = keys_used.first() else { return Err(Failure("no key".to_owned())) };
    journal.keys().revoke(kid).await?;
    ensure!(journal.open(&event).await? == WITHOUT_P1, "a revoked key still opens");
    journal.keys().restore(kid).await?;
    ensure!(journal.open(&event).await? == BODY, "a restored key does not open");
    Ok(())
}

pub(super) async fn each_person_has_one_key_in_each_stream(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let mut journal = place.open().await?;
    let (one, other) = (stream()?, stream()?);
    let mut used = Vec::new();
    for (stream, expected) in
        [(&one, Expected::NoStream), (&other, Expected::NoStream), (&one, Expected::Exists)]
    {
        let receipt = journal.append(two_events(stream, expected)?).await?;
        used.extend(receipt.events.first().map(keys).transpose()?);
    }
    if place.outlives() {
        journal.close().await;
        journal = place.open().await?;
    }
    // A refused append must not make the journal forget which keys the stream uses.
    let refused = journal.append(two_events(&one, Expected::NoStream)?).await;
    ensure!(refused.is_err(), "a stream was begun twice");
    let receipt = journal.append(two_events(&one, Expected::Exists)?).await?;
    used.extend(receipt.events.first().map(keys).transpose()?);
    let [first, elsewhere, second, third] = used.as_slice() else { return Err(Failure(format!("{used:?}"))) };
    ensure!(first == second && first == third, "a person's key changed within a stream: {used:?}");
    ensure!(first.iter().all(|kid| !elsewhere.contains(kid)), "two streams share a key: {used:?}");
    Ok(())
}
