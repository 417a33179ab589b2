//! By which ids carriers know what was handed to them, for as long as they may still tell what became of it. It follows
//! from no event, and a rebuild leaves it alone; losing it costs the news of a message that did not arrive.

use chrono::{DateTime, TimeDelta, Utc};

use crate::error::ProjectionError;
use crate::read_models::ReadModels;
use crate::store::{Columns, Table, Value, int, text};

/// The ids.
pub(crate) static TABLE: Table = Table {
    name: "message_handed",
    columns: &[text("carrier"), text("message"), int("at")],
    key: 1,
    indexes: &[],
    append_only: false,
};

/// How long a carrier may take to tell what became of a message.
pub const HANDED_KEPT: TimeDelta = TimeDelta::days(7);

impl ReadModels {
    /// Notes that a carrier knows the message of this id by `carrier`, an id of its own, at `now` (UTC).
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn note_handed(
        &self,
        carrier: &str,
        message: &str,
        now: DateTime<Utc>,
    ) -> Result<(), ProjectionError> {
        let values: [Value; 3] = [carrier.into(), message.into(), now.into()];
        let over = Value::from(now - HANDED_KEPT);
        self.database()
            .shared(async |connection| {
                connection
                    .run("DELETE FROM message_handed WHERE at < ?", std::slice::from_ref(&over))
                    .await?;
                let put = "INSERT INTO message_handed (carrier, message, at) VALUES (?, ?, ?) \
                    ON CONFLICT (carrier) DO UPDATE SET message = excluded.message, at = excluded.at";
                connection.run(put, &values).await.map(drop)
            })
            .await
    }

    /// The id of the message that a carrier knows by this id of its own.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn handed(&self, carrier: &str) -> Result<Option<String>, ProjectionError> {
        let (sql, values) = ("SELECT message FROM message_handed WHERE carrier = ?", [carrier.into()]);
        let rows = self.database().shared(async |connection| connection.run(sql, &values).await).await?;
        rows.first().map(|row| Columns::new(row).take()).transpose()
    }
}
