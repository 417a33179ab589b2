//! Codes that were sent to somebody's address to prove that it is theirs. They follow from no event and last some
//! minutes: only digests stand here, under a secret that is elsewhere.

use chrono::{DateTime, TimeDelta, Utc};

use crate::error::ProjectionError;
use crate::read_models::ReadModels;
use crate::store::{Columns, Table, Value, bytes, instant, int};

/// Codes that are awaited. No rebuild touches them, and all versions share them.
pub(crate) static CHALLENGES: Table = Table {
    name: "challenge",
    columns: &[
        bytes("id"),
        bytes("code"),
        bytes("content"),
        int("expires"),
        int("tries"),
        int("asked"),
        int("since"),
    ],
    key: 1,
    indexes: &[],
    append_only: false,
};

/// How many codes go to one address in an hour.
pub const CHALLENGES_MAX: u32 = 5;
/// How often a code may be guessed wrong before it is worth nothing.
pub const CHALLENGE_TRIES_MAX: u32 = 5;

/// The span over which codes to one address are counted.
const WINDOW: TimeDelta = TimeDelta::hours(1);

/// A code that is sent, by digests alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Of the address, and of what it is proven for.
    pub id: [u8; 32],
    /// Of the code.
    pub code: [u8; 32],
    /// Of what is done once it is proven.
    pub content: [u8; 32],
    /// Until when it can be given (UTC).
    pub expires: DateTime<Utc>,
}

/// Which row an address has, and since when how many codes went there.
async fn row(
    connection: &mut crate::store::Connection<'_>,
    id: &[u8; 32],
) -> Result<Option<(i64, DateTime<Utc>)>, ProjectionError> {
    let sql = "SELECT asked, since FROM challenge WHERE id = ?";
    let rows = connection.run(sql, &[Value::Bytes(id.to_vec())]).await?;
    let read = |row| -> Result<(i64, DateTime<Utc>), ProjectionError> {
        let mut at = Columns::new(row);
        Ok((at.take()?, instant(at.take()?)))
    };
    rows.first().map(read).transpose()
}

impl ReadModels {
    /// Notes a code that is about to be sent; the one before is worth nothing from now on. The instant (UTC) from which
    /// another may be sent, where too many went to that address lately.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn challenge(
        &self,
        challenge: &Challenge,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, ProjectionError> {
        let forget = [Value::from(now - WINDOW), Value::from(now)];
        self.database()
            .shared(async |connection| {
                let gone = "DELETE FROM challenge WHERE since < ? AND expires < ?";
                connection.run(gone, &forget).await?;
                let known = row(connection, &challenge.id).await?;
                let counted = known.filter(|(_, since)| now - *since < WINDOW);
                if let Some((_, since)) = counted.filter(|(asked, _)| *asked >= i64::from(CHALLENGES_MAX)) {
                    return Ok(Some(since + WINDOW));
                }
                let (asked, since) = counted.unwrap_or((0, now));
                let put = "INSERT INTO challenge (id, code, content, expires, tries, asked, since) \
                    VALUES (?, ?, ?, ?, 0, ?, ?) ON CONFLICT (id) DO UPDATE SET code = excluded.code, \
                    content = excluded.content, expires = excluded.expires, tries = 0, asked = excluded.asked, \
                    since = excluded.since";
                let values = [
                    Value::Bytes(challenge.id.to_vec()),
                    Value::Bytes(challenge.code.to_vec()),
                    Value::Bytes(challenge.content.to_vec()),
                    challenge.expires.into(),
                    (asked + 1).into(),
                    since.into(),
                ];
                connection.run(put, &values).await?;
                Ok(None)
            })
            .await
    }

    /// Takes a code back in: true once for the right one, given in time and for what it was sent for.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn challenge_met(
        &self,
        challenge: &Challenge,
        now: DateTime<Utc>,
    ) -> Result<bool, ProjectionError> {
        self.database()
            .shared(async |connection| {
                let id = Value::Bytes(challenge.id.to_vec());
                // One statement decides and spends it: a code is worth something once.
                let right = "UPDATE challenge SET expires = 0 WHERE id = ? AND code = ? AND content = ? \
                    AND expires > ? AND tries < ? RETURNING id";
                let values = [
                    id.clone(),
                    Value::Bytes(challenge.code.to_vec()),
                    Value::Bytes(challenge.content.to_vec()),
                    now.into(),
                    CHALLENGE_TRIES_MAX.into(),
                ];
                if !connection.run(right, &values).await?.is_empty() {
                    return Ok(true);
                }
                connection.run("UPDATE challenge SET tries = tries + 1 WHERE id = ?", &[id]).await?;
                Ok(false)
            })
            .await
    }
}
