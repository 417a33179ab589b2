//! What the cases are made of.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use guichet_journal::{
    Appended, Journal, JournalError, KurrentJournal, KurrentOptions, MemoryKeyStore, Patience, Revision,
    StreamId,
};

pub(crate) use crate::appends::{command, draw, everything, stream};
use crate::server::Cluster;

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
