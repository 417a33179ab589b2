//! What the cases are made of.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use guichet_journal::{
    Append, Appended, Body, CommandId, Digest, Expected, Filter, Journal, JournalError, KurrentJournal,
    KurrentOptions, MemoryKeyStore, NewEvent, Patience, Recorded, Revision, StreamId,
};
use uuid::Uuid;

use crate::server::Cluster;

static DRAWN: AtomicU64 = AtomicU64::new(1);

/// A patience that fails soon enough for a test.
pub(crate) fn hasty() -> Patience {
    Patience {
        call: Duration::from_millis(400),
        total: Duration::from_secs(2),
        pause: Duration::from_millis(10),
        watch: Duration::from_millis(100),
    }
}

/// A patience that outlasts an election.
pub(crate) fn steady() -> Patience {
    Patience { total: Duration::from_secs(20), ..hasty() }
}

/// The keys that all programs of a test share.
pub(crate) fn keys() -> Arc<MemoryKeyStore> {
    static KEYS: OnceLock<Arc<MemoryKeyStore>> = OnceLock::new();
    Arc::clone(KEYS.get_or_init(|| Arc::new(MemoryKeyStore::new().unwrap())))
}

pub(crate) async fn open(cluster: &Cluster, patience: Patience) -> KurrentJournal {
    let options = KurrentOptions::parse(&cluster.url()).unwrap().with_patience(patience);
    KurrentJournal::open_with(options, keys()).await.unwrap()
}

pub(crate) fn draw() -> Uuid {
    let number = DRAWN.fetch_add(1, Ordering::Relaxed);
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("kurrent {number}").as_bytes())
}

pub(crate) fn stream() -> StreamId {
    StreamId::new(&"ville".parse().unwrap(), "request", draw()).unwrap()
}

pub(crate) fn command(stream: &StreamId, expected: Expected, count: usize) -> Append {
    let id = draw();
    let instant = "2026-03-02T09:00:00Z".parse().unwrap();
    let event = NewEvent {
        event_type: "request.noted".parse().unwrap(),
        occurred_at: instant,
        definition: None,
        actor: None,
        body: Body::parse(format!("{{\"of\":\"{id}\"}}")).unwrap(),
    };
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
        let page = journal.read_all(after, &Filter::everything(), 500).await.unwrap();
        all.extend(page.events);
        after = page.through;
        if page.at_end {
            return all;
        }
    }
}

pub(crate) async fn standing(journal: &dyn Journal, stream: &StreamId) -> usize {
    journal.read(stream, Revision::FIRST, 100).await.unwrap().len()
}

/// An answer, in time.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("an answer in time")
}

pub(crate) fn is_first(answer: &Result<Appended, JournalError>) -> bool {
    answer.as_ref().is_ok_and(|receipt| !receipt.repeated && receipt.revision == Revision::FIRST)
}
