//! Appends, and what is read of them: for the fault cases of every store.

use std::sync::atomic::{AtomicU64, Ordering};

use guichet_journal::{
    Append, Body, CommandId, Digest, Expected, Filter, Journal, NewEvent, Recorded, StreamId,
};
use uuid::Uuid;

static DRAWN: AtomicU64 = AtomicU64::new(0);

pub(crate) fn draw() -> Uuid {
    let number = DRAWN.fetch_add(1, Ordering::Relaxed);
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{} {number}", std::process::id()).as_bytes())
}

pub(crate) fn stream() -> StreamId {
    StreamId::new(&"ville".parse().unwrap(), "request", draw()).unwrap()
}

/// A command of `count` events, each with a person's data.
pub(crate) fn command(stream: &StreamId, expected: Expected, count: usize) -> Append {
    let instant = "2026-03-02T09:00:00Z".parse().unwrap();
    let body =
        r#"{"who":{"$personal":"p1","value":"Ines Dupont"},"what":"A lamp is out in the Rue de Marne"}"#;
    let event = NewEvent {
        event_type: "request.received".parse().unwrap(),
        occurred_at: instant,
        definition: None,
        actor: None,
        body: Body::parse(body.to_owned()).unwrap(),
    };
    let id = draw();
    Append {
        stream: stream.clone(),
        expected,
        command: CommandId::new(id),
        command_digest: Digest::of(id.as_bytes()),
        actor: "agent:12".parse().unwrap(),
        on_behalf_of: None,
        channel: None,
        recorded_at: instant,
        correlation: None,
        causation: None,
        known_keys: Vec::new(),
        events: vec![event; count],
    }
}

pub(crate) async fn everything(journal: &dyn Journal) -> Vec<Recorded> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = journal.read_all(after, &Filter::everything(), 1000).await.unwrap();
        all.extend(page.events);
        after = page.through;
        if page.at_end {
            return all;
        }
    }
}
