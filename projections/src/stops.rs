//! Who asked not to be written to any more, by keyed digests of their numbers. Nothing of it follows from the journal, so
//! a rebuild leaves it alone.

use crate::error::ProjectionError;
use crate::read_models::ReadModels;
use crate::store::{Table, text};

/// The numbers.
pub(crate) static TABLE: Table =
    Table { name: "message_stop", columns: &[text("digest")], key: 1, indexes: &[], append_only: false };

impl ReadModels {
    /// Notes that nobody is to write to this number (a keyed digest of it) any more, or that one may again.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn note_stop(&self, digest: &str, stopped: bool) -> Result<(), ProjectionError> {
        let sql = if stopped {
            "INSERT INTO message_stop (digest) VALUES (?) ON CONFLICT (digest) DO NOTHING"
        } else {
            "DELETE FROM message_stop WHERE digest = ?"
        };
        let values = [digest.into()];
        self.database().shared(async |connection| connection.run(sql, &values).await.map(drop)).await
    }

    /// Whether nobody is to write to this number.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn is_stopped(&self, digest: &str) -> Result<bool, ProjectionError> {
        let sql = "SELECT digest FROM message_stop WHERE digest = ?";
        let values = [digest.into()];
        self.database().shared(async |connection| Ok(!connection.run(sql, &values).await?.is_empty())).await
    }
}
