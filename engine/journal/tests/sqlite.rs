//! The SQLite store passes the suite.

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use guichet_journal::conformance::{Place, Store};
    use guichet_journal::{Journal, JournalError, SqliteJournal, conformance_tests};

    struct Folders;

    struct InFolder(tempfile::TempDir);

    #[async_trait]
    impl Store for Folders {
        async fn place(&self) -> Result<Box<dyn Place>, JournalError> {
            Ok(Box::new(InFolder(tempfile::tempdir().unwrap())))
        }
    }

    #[async_trait]
    impl Place for InFolder {
        async fn open(&self) -> Result<Arc<dyn Journal>, JournalError> {
            Ok(Arc::new(SqliteJournal::open(self.0.path()).await?))
        }

        fn outlives(&self) -> bool {
            true
        }
    }

    conformance_tests!(Folders);
}
