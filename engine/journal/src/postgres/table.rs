//! The table of events as a server's sequencer sees it: the one connection by which this server writes.
//!
//! A group is written by one call of `append_events` (`migrations/0001_events.sql`): the function takes the lock that all servers share, reads
//! where the journal ends, and gives the positions. No server need know beforehand what the others wrote.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};
use tokio::sync::watch;

use super::connection::{connect, in_time};
use super::options::PostgresOptions;
use super::read::{recorded, signed};
use super::seen::Seen;
use super::{MIGRATIONS, fault, migrate};
use crate::error::JournalError;
use crate::event::Recorded;
use crate::group::EventRow;
use crate::id::{CommandId, Position};
use crate::limits::POSTGRES_RECONNECT_MILLISECONDS_MAX;
use crate::sequencer::{StandingCommand, Stop, Table};

/// A connection that was idle for longer is tried before it is trusted with a group: if it is dead, surely nothing was written.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// Longest wait between two tries to connect.
const PAUSE_MAX: Duration = Duration::from_millis(250);

pub(super) struct PostgresTable {
    options: PostgresOptions,
    /// None after a failure that leaves its state in doubt.
    connection: Option<PgConnection>,
    in_transaction: bool,
    used: Instant,
    /// Whether the last try to connect failed: then callers are refused at once, not kept waiting.
    down: bool,
    seen: Arc<Seen>,
    /// The position token of the last event that this server wrote, for the other servers to hear of.
    written: watch::Sender<u64>,
}

impl PostgresTable {
    pub(super) fn new(options: PostgresOptions, seen: Arc<Seen>, written: watch::Sender<u64>) -> Self {
        Self {
            options,
            connection: None,
            in_transaction: false,
            used: Instant::now(),
            down: true,
            seen,
            written,
        }
    }

    async fn connect(&mut self) -> Result<u64, JournalError> {
        let mut connection = connect(&self.options).await?;
        migrate::apply(&mut connection, &self.options, MIGRATIONS).await?;
        let next = next_position(&mut connection).await.map_err(|error| fault::reading(&error))?;
        self.seen.refuse_another_journal(&mut connection, &self.options).await?;
        self.connection = Some(connection);
        self.in_transaction = false;
        self.used = Instant::now();
        Ok(next)
    }

    async fn reconnect(&mut self) -> Result<u64, JournalError> {
        let mut left = Duration::from_millis(if self.down { 0 } else { POSTGRES_RECONNECT_MILLISECONDS_MAX });
        let mut pause = Duration::from_millis(10);
        loop {
            let started = Instant::now();
            match self.connect().await {
                Err(JournalError::Unavailable { .. }) if left > Duration::ZERO => {}
                outcome => {
                    self.down = outcome.is_err();
                    return outcome;
                }
            }
            tokio::time::sleep(pause).await;
            left = left.saturating_sub(started.elapsed());
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// The connection, and the way to give it up when an error says so.
    async fn with<T>(
        &mut self,
        ask: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let connection = self.connection.as_mut().ok_or(sqlx::Error::WorkerCrashed)?;
        // The server gives up first, so that its own answer is heard.
        let answer = in_time(self.options.timeout() + 5, ask(connection)).await;
        self.used = Instant::now();
        if let Err(error) = &answer
            && !fault::spares_the_connection(error)
        {
            self.connection = None;
            self.in_transaction = false;
        }
        answer
    }

    async fn reading<T>(
        &mut self,
        ask: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, JournalError> {
        self.with(ask).await.map_err(|error| fault::reading(&error))
    }
}

async fn next_position(connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let next: i64 =
        sqlx::query_scalar("SELECT coalesce(max(position), 0) + 1 FROM events").fetch_one(connection).await?;
    Ok(next.unsigned_abs())
}

#[async_trait]
impl Table for PostgresTable {
    const SHARED: bool = true;

    fn name(&self) -> String {
        self.options.place()
    }

    async fn ready(&mut self) -> Result<Option<u64>, JournalError> {
        if self.connection.is_some() && self.used.elapsed() > TRUSTED_IDLE {
            // An error has made the connection be dropped; it is made anew below.
            let _answer = self.with(async |connection| connection.ping().await).await;
        }
        if self.connection.is_some() { Ok(None) } else { self.reconnect().await.map(Some) }
    }

    async fn next(&mut self) -> Result<u64, JournalError> {
        self.reading(async |connection| next_position(connection).await).await
    }

    async fn last_of(&mut self, streams: &[&str]) -> Result<Vec<(u64, Recorded)>, JournalError> {
        self.reading(async |connection| {
            let query = sqlx::query(
                "SELECT last.position, last.header, '', last.birth FROM unnest($1) AS asked (name)
                 CROSS JOIN LATERAL (SELECT position FROM events WHERE stream = asked.name LIMIT 1) AS first
                 CROSS JOIN LATERAL
                    (SELECT position, birth, header FROM events WHERE birth = first.position ORDER BY revision DESC LIMIT 1) AS last",
            );
            let rows = query.bind(streams).fetch_all(connection).await?;
            rows.iter().map(|row| Ok((row.try_get::<i64, _>(3)?.unsigned_abs(), recorded(row)?))).collect()
        })
        .await
    }

    async fn commands(&mut self, asked: &[(u64, CommandId)]) -> Result<Vec<StandingCommand>, JournalError> {
        let births: Vec<i64> = asked.iter().map(|(birth, _)| signed(*birth)).collect();
        let names: Vec<Vec<u8>> =
            asked.iter().map(|(_, command)| command.uuid().as_bytes().to_vec()).collect();
        self.reading(async |connection| {
            let query = sqlx::query(
                "SELECT asked.number - 1, events.revision, events.fingerprint
                 FROM unnest($1, $2) WITH ORDINALITY AS asked (birth, command, number)
                 JOIN events ON events.birth = asked.birth AND events.command = asked.command",
            );
            let rows = query.bind(&births).bind(&names).fetch_all(connection).await?;
            let command = |row| {
                let asked = usize::try_from(Row::try_get::<i64, _>(row, 0)?).unwrap_or(usize::MAX);
                let first = Row::try_get::<i64, _>(row, 1)?.unsigned_abs();
                Ok(StandingCommand { asked, first, fingerprint: Row::try_get(row, 2)? })
            };
            rows.iter().map(command).collect()
        })
        .await
    }

    async fn stretch(&mut self, birth: u64, first: u64, count: usize) -> Result<Vec<Recorded>, JournalError> {
        self.reading(async |connection| {
            let query = sqlx::query(
                "SELECT position, header, body FROM events WHERE birth = $1 AND revision >= $2 ORDER BY revision LIMIT $3",
            );
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            let rows = query.bind(signed(birth)).bind(signed(first)).bind(count).fetch_all(connection).await?;
            rows.iter().map(recorded).collect()
        })
        .await
    }

    async fn insert(&mut self, rows: Vec<EventRow>) -> Result<u64, Stop> {
        let Some((decided_for, last)) = rows.first().map(|row| row.position).zip(rows.last()) else {
            return Err(Stop::Failed(JournalError::invalid("it holds no event")));
        };
        let (header, count) = (last.header.clone(), u64::try_from(rows.len()).unwrap_or(u64::MAX));
        let committing = self.in_transaction;
        let written = self
            .with(async |connection| {
                let first: i64 = append(decided_for, &rows).fetch_one(&mut *connection).await?;
                if committing {
                    sqlx::raw_sql("COMMIT").execute(connection).await?;
                }
                Ok(first.unsigned_abs())
            })
            .await;
        match written {
            Ok(first) => {
                self.in_transaction = false;
                self.seen.note_header(Position::from_token(first + count - 1), header);
                self.written.send_replace(first + count - 1);
                Ok(first)
            }
            Err(error) if fault::is_taken(&error) => Err(Stop::Taken),
            Err(error) => Err(Stop::Failed(fault::writing(&error))),
        }
    }

    async fn lock(&mut self) -> Result<(), JournalError> {
        self.reading(async |connection| {
            sqlx::raw_sql("BEGIN; SELECT lock_events()").execute(connection).await.map(drop)
        })
        .await?;
        self.in_transaction = true;
        Ok(())
    }

    async fn unlock(&mut self) {
        if self.in_transaction {
            let undone =
                self.with(async |connection| sqlx::raw_sql("ROLLBACK").execute(connection).await).await;
            if undone.is_err() {
                self.connection = None;
            }
            self.in_transaction = false;
        }
    }

    async fn finish(&mut self) {
        if let Some(connection) = self.connection.take() {
            let _gone_anyway = connection.close().await;
        }
    }
}

type Answer<'q> = sqlx::query::QueryScalar<'q, sqlx::Postgres, i64, sqlx::postgres::PgArguments>;

/// The call that writes these rows, decided for positions from `decided_for` on.
fn append(decided_for: u64, rows: &[EventRow]) -> Answer<'_> {
    let birth = |row: &EventRow| match row.birth.checked_sub(decided_for) {
        // The stream begins in this group, at the place that this row has in it.
        Some(place) => -signed(place) - 1,
        None => signed(row.birth),
    };
    fn text(text: &Arc<str>) -> &str {
        text
    }
    let command = |row: &EventRow| row.command.as_ref().map(|(id, _)| id.uuid().as_bytes().to_vec());
    let fingerprint = |row: &EventRow| row.command.as_ref().map(|(_, print)| print.to_vec());
    sqlx::query_scalar("SELECT append_events($1, $2, $3, $4, $5, $6, $7, $8)")
        .bind(signed(decided_for) - 1)
        .bind(rows.iter().map(birth).collect::<Vec<i64>>())
        .bind(rows.iter().map(|row| signed(row.revision)).collect::<Vec<i64>>())
        .bind(rows.iter().map(|row| row.stream.as_ref().map(text)).collect::<Vec<Option<&str>>>())
        .bind(rows.iter().map(command).collect::<Vec<Option<Vec<u8>>>>())
        .bind(rows.iter().map(fingerprint).collect::<Vec<Option<Vec<u8>>>>())
        .bind(rows.iter().map(|row| text(&row.header)).collect::<Vec<&str>>())
        .bind(rows.iter().map(|row| text(&row.body)).collect::<Vec<&str>>())
}
