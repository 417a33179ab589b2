//! The conformance suite, twice: each journal in a database of its own, and all of them in one database, each under a prefix of its own.
//! The second runs on a real node when `GUICHET_TEST_KURRENTDB` holds its address, with the name and password of an administrator.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use guichet_journal::conformance::{Place, Store};
use guichet_journal::{Journal, JournalError, KurrentJournal, MemoryKeyStore, conformance_tests};
use tokio::runtime::Runtime;

use crate::server::Cluster;

struct Here {
    url: String,
    keys: Arc<MemoryKeyStore>,
    /// Lives as long as the place.
    _cluster: Option<Cluster>,
}

#[async_trait]
impl Place for Here {
    async fn open(&self) -> Result<Arc<dyn Journal>, JournalError> {
        let keys = Arc::clone(&self.keys);
        Ok(Arc::new(KurrentJournal::open(&self.url, keys).await?))
    }

    async fn open_beside(&self) -> Option<Result<Arc<dyn Journal>, JournalError>> {
        Some(self.open().await)
    }

    fn outlives(&self) -> bool {
        true
    }
}

mod a_database_each {
    use super::*;

    struct Each;

    #[async_trait]
    impl Store for Each {
        async fn place(&self) -> Result<Box<dyn Place>, JournalError> {
            let cluster = Cluster::of(1).await;
            let keys = Arc::new(MemoryKeyStore::new()?);
            Ok(Box::new(Here { url: cluster.url(), keys, _cluster: Some(cluster) }))
        }
    }

    conformance_tests!(Each);
}

mod one_database_for_all {
    use super::*;

    struct Shared;

    /// A real node, or three of ours, such as older servers are: they do not tell the number of a stream's last event.
    fn node() -> &'static str {
        static NODE: OnceLock<(String, Option<(Runtime, Cluster)>)> = OnceLock::new();
        let start = || match std::env::var("GUICHET_TEST_KURRENTDB") {
            Ok(url) => (url, None),
            Err(_) => std::thread::spawn(|| {
                let runtime = Runtime::new().unwrap();
                let cluster = runtime.block_on(Cluster::with(3, false));
                (cluster.url(), Some((runtime, cluster)))
            })
            .join()
            .unwrap(),
        };
        &NODE.get_or_init(start).0
    }

    #[async_trait]
    impl Store for Shared {
        async fn place(&self) -> Result<Box<dyn Place>, JournalError> {
            let node = node();
            // A number that no run before this one has used: what it wrote is still there.
            let prefix = format!("essai{:016x}.", RandomState::new().hash_one(0));
            let separator = if node.contains('?') { '&' } else { '?' };
            let url = format!("{node}{separator}streamPrefix={prefix}");
            Ok(Box::new(Here { url, keys: Arc::new(MemoryKeyStore::new()?), _cluster: None }))
        }
    }

    conformance_tests!(Shared);
}
