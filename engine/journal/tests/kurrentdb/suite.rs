//! The conformance suite.

use std::sync::Arc;

use async_trait::async_trait;
use guichet_journal::conformance::{Place, Store};
use guichet_journal::{Journal, JournalError, KurrentJournal, MemoryKeyStore, conformance_tests};

use crate::server::Cluster;

struct Clusters {
    nodes: usize,
    tells_last: bool,
}

struct InCluster {
    cluster: Cluster,
    keys: Arc<MemoryKeyStore>,
}

#[async_trait]
impl Store for Clusters {
    async fn place(&self) -> Result<Box<dyn Place>, JournalError> {
        let cluster = Cluster::with(self.nodes, self.tells_last).await;
        Ok(Box::new(InCluster { cluster, keys: Arc::new(MemoryKeyStore::new()?) }))
    }
}

#[async_trait]
impl Place for InCluster {
    async fn open(&self) -> Result<Arc<dyn Journal>, JournalError> {
        let keys = Arc::clone(&self.keys);
        Ok(Arc::new(KurrentJournal::open(&self.cluster.url(), keys).await?))
    }

    fn outlives(&self) -> bool {
        true
    }
}

mod one_node {
    use super::*;

    conformance_tests!(Clusters { nodes: 1, tells_last: true });
}
