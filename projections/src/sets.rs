//! The tables of several versions of the program, side by side in one PostgreSQL database.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::ProjectionError;
use crate::read_models::ReadModels;

/// The least time for which a set must have been left alone before it may be dropped: longer than any start takes.
pub const SET_UNUSED_MIN: Duration = Duration::from_secs(600);

/// The tables of one version of the program: of one list of read models, each with its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelSet {
    /// The schema they stand in.
    pub name: String,
    /// Whether they are those of this program.
    pub own: bool,
    /// Whether a server that uses them is running.
    pub in_use: bool,
    /// How long ago a server that uses them was last seen, in seconds; none if that is not known.
    pub unused_seconds: Option<u64>,
    /// What they take on disk, in bytes.
    pub bytes: u64,
}

impl ModelSet {
    fn may_go(&self, unused_for: Duration) -> bool {
        let unused = self.unused_seconds.is_none_or(|seconds| seconds >= unused_for.as_secs());
        !self.own && !self.in_use && unused
    }
}

impl ReadModels {
    /// The sets of tables in this database, one for each version of the program that was started on it; none in SQLite,
    /// where a new version rebuilds the tables of the old one.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn sets(&self) -> Result<Vec<ModelSet>, ProjectionError> {
        let own = self.database().own_set();
        let set = |(name, micros, in_use, bytes): (String, Option<i64>, bool, i64)| ModelSet {
            own: own == Some(name.as_str()),
            name,
            in_use,
            unused_seconds: micros.map(|micros| u64::try_from(micros / 1_000_000).unwrap_or(0)),
            bytes: u64::try_from(bytes).unwrap_or(0),
        };
        Ok(self.database().sets().await?.into_iter().map(set).collect())
    }

    /// Drops the sets of other versions that no server uses and none has used for `unused_for`, at least
    /// [`SET_UNUSED_MIN`]. Their names are returned. A version that comes back makes its tables again from the journal.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn drop_unused(&self, unused_for: Duration) -> Result<Vec<String>, ProjectionError> {
        self.drop_left_for(unused_for.max(SET_UNUSED_MIN)).await
    }

    pub(crate) async fn drop_left_for(&self, unused_for: Duration) -> Result<Vec<String>, ProjectionError> {
        let mut dropped = Vec::new();
        for set in self.sets().await?.into_iter().filter(|set| set.may_go(unused_for)) {
            if self.database().drop_set(&set.name).await? {
                dropped.push(set.name);
            }
        }
        Ok(dropped)
    }
}
