//! The store in memory passes the suite.

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use guichet_journal::conformance::{Place, Store};
    use guichet_journal::{Journal, JournalError, MemoryJournal, conformance_tests};

    struct InMemory;

    #[async_trait]
    impl Store for InMemory {
        async fn place(&self) -> Result<Box<dyn Place>, JournalError> {
            Ok(Box::new(Self))
        }
    }

    #[async_trait]
    impl Place for InMemory {
        async fn open(&self) -> Result<Arc<dyn Journal>, JournalError> {
            Ok(Arc::new(MemoryJournal::new()?))
        }

        fn outlives(&self) -> bool {
            false
        }
    }

    conformance_tests!(InMemory);
}
