//! The suite.

use std::sync::Arc;

use async_trait::async_trait;
use guichet_journal::conformance::{Place, Store};
use guichet_journal::{Journal, JournalError, conformance_tests};

use crate::tools::{Database, present};

struct Databases;

#[async_trait]
impl Store for Databases {
    async fn place(&self) -> Result<Box<dyn Place>, JournalError> {
        Ok(Box::new(InDatabase(Database::new().await)))
    }
}

struct InDatabase(Database);

#[async_trait]
impl Place for InDatabase {
    async fn open(&self) -> Result<Arc<dyn Journal>, JournalError> {
        Ok(Arc::new(self.0.open().await?))
    }

    async fn open_beside(&self) -> Option<Result<Arc<dyn Journal>, JournalError>> {
        Some(self.open().await)
    }

    fn outlives(&self) -> bool {
        true
    }
}

conformance_tests!(Databases, if present());
