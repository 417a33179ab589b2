//! What the readers ask.

use std::borrow::Cow;
use std::path::Path;

use sqlx::sqlite::{SqlitePoolOptions, SqliteRow};
use sqlx::{Row, SqlitePool};

use super::{JOURNAL_FILE, fault, rare, schema};
use crate::chunk::{SEPARATOR, split};
use crate::error::JournalError;
use crate::event::Recorded;
use crate::id::{Position, Revision, StreamId};
use crate::limits::READ_EVENTS_MAX;
use crate::port::{Filter, Page};

/// Connections that read at the same time.
const READERS_MAX: u32 = 4;

pub(super) async fn pool(path: &Path) -> Result<SqlitePool, JournalError> {
    let options = SqlitePoolOptions::new().max_connections(READERS_MAX).test_before_acquire(false);
    options.connect_with(schema::reading(path)).await.map_err(|error| fault::reading(&error, path))
}

pub(super) fn failed(error: &sqlx::Error) -> JournalError {
    fault::reading(error, Path::new(JOURNAL_FILE))
}

/// Position token, header and body, in this order of columns.
pub(super) fn recorded(row: &SqliteRow) -> Result<Recorded, sqlx::Error> {
    let token: i64 = row.try_get(0)?;
    let (header, body): (&[u8], &[u8]) = (row.try_get(1)?, row.try_get(2)?);
    Ok(Recorded::new(Position::from_token(token.unsigned_abs()), text(header).into(), text(body).into()))
}

/// SQLite's integers are signed; no journal reaches the half of them.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn rows(limit: usize) -> i64 {
    i64::try_from(limit.clamp(1, READ_EVENTS_MAX)).unwrap_or(i64::MAX)
}

pub(super) async fn stream(
    pool: &SqlitePool,
    stream: &StreamId,
    from: Revision,
    limit: usize,
) -> Result<Vec<Recorded>, JournalError> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let query = sqlx::query(
        "SELECT position, header, body FROM events
         WHERE birth = (SELECT position FROM events WHERE stream = ?1) AND revision >= ?2 ORDER BY revision LIMIT ?3",
    );
    let query = query.bind(stream.as_str()).bind(signed(from.get())).bind(rows(limit));
    let rows = query.fetch_all(pool).await.map_err(|error| failed(&error))?;
    rows.iter().map(recorded).collect::<Result<_, _>>().map_err(|error| failed(&error))
}

/// Events that come in one row: each row of a result costs a passage between threads, which is dearer than reading the event.
const CHUNK_EVENTS: usize = 128;

pub(super) async fn page(
    pool: &SqlitePool,
    after: Option<Position>,
    filter: &Filter,
    limit: usize,
) -> Result<Page, JournalError> {
    if let Some(page) = rare::page(pool, after, filter, limit).await? {
        return Ok(page);
    }
    let mut left = limit.clamp(1, READ_EVENTS_MAX);
    let (mut through, mut events) = (after, Vec::new());
    let mut asked = left.min(CHUNK_EVENTS);
    let mut chunk = Chunk::read(pool.clone(), through, asked).await?;
    loop {
        left -= asked;
        // The next chunk is read while this one is taken apart.
        let next_asked = left.min(CHUNK_EVENTS);
        let ahead = match chunk.last()? {
            Some(last) if next_asked > 0 => {
                Some(tokio::spawn(Chunk::read(pool.clone(), Some(last), next_asked)))
            }
            Some(_) | None => None,
        };
        let found = chunk.events(pool, through, asked).await?;
        let at_end = found.len() < asked;
        through = found.last().map(Recorded::position).or(through);
        events.extend(found.into_iter().filter(|event| filter.wants(event)));
        match ahead {
            Some(ahead) if !at_end => {
                asked = next_asked;
                chunk = ahead.await.map_err(JournalError::unavailable)??;
            }
            Some(_) | None => return Ok(Page { events, through, at_end }),
        }
    }
}

/// Consecutive events in a single row, not yet taken apart.
struct Chunk(SqliteRow);

impl Chunk {
    async fn read(pool: SqlitePool, after: Option<Position>, count: usize) -> Result<Self, JournalError> {
        let query = sqlx::query(
            "SELECT group_concat(position, char(30)), group_concat(header, char(30)), group_concat(body, char(30)) FROM
             (SELECT position, header, body FROM events WHERE position > ?1 ORDER BY position LIMIT ?2)",
        );
        let query = query.bind(signed(after.map_or(0, Position::token))).bind(rows(count));
        query.fetch_one(&pool).await.map(Self).map_err(|error| failed(&error))
    }

    fn column<'a, T: sqlx::Decode<'a, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>>(
        &'a self,
        column: usize,
    ) -> Result<T, JournalError> {
        self.0.try_get(column).map_err(|error| failed(&error))
    }

    /// The position of the last event; none when there is no event.
    fn last(&self) -> Result<Option<Position>, JournalError> {
        let positions: Option<&str> = self.column(0)?;
        let last = positions.and_then(|positions| positions.rsplit(SEPARATOR).next());
        Ok(last.and_then(|last| last.parse().ok()).map(Position::from_token))
    }

    async fn events(
        &self,
        pool: &SqlitePool,
        after: Option<Position>,
        count: usize,
    ) -> Result<Vec<Recorded>, JournalError> {
        let positions: Option<&str> = self.column(0)?;
        let Some(positions) = positions else { return Ok(Vec::new()) };
        let (headers, bodies): (&[u8], &[u8]) = (self.column(1)?, self.column(2)?);
        match split(positions, &text(headers), &text(bodies)) {
            Some(events) => Ok(events),
            None => one_by_one(pool, signed(after.map_or(0, Position::token)), count).await,
        }
    }
}

/// Damaged text is passed on, not refused: its digest tells on which event the damage lies, and the others stay readable.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

async fn one_by_one(pool: &SqlitePool, after: i64, count: usize) -> Result<Vec<Recorded>, JournalError> {
    let query = sqlx::query(
        "SELECT position, header, body FROM events WHERE position > ?1 ORDER BY position LIMIT ?2",
    );
    let rows = query.bind(after).bind(rows(count)).fetch_all(pool).await.map_err(|error| failed(&error))?;
    rows.iter().map(recorded).collect::<Result<_, _>>().map_err(|error| failed(&error))
}

/// The stored bodies of a stream that hold sealed parts, oldest first.
pub(super) async fn sealed_bodies(pool: &SqlitePool, stream: &StreamId) -> Result<Vec<String>, JournalError> {
    let query = sqlx::query_scalar(
        "SELECT body FROM events
         WHERE birth = (SELECT position FROM events WHERE stream = ?1) AND header LIKE '%]}' ORDER BY revision",
    );
    query.bind(stream.as_str()).fetch_all(pool).await.map_err(|error| failed(&error))
}

/// The events of the stream born at `?1` from revision `?2` on, `?3` of them.
pub(super) const STRETCH: &str = "SELECT position, header, body FROM events WHERE birth = ?1 AND revision >= ?2 ORDER BY revision LIMIT ?3";

/// The position of the last event.
pub(super) async fn head(pool: &SqlitePool) -> Result<Option<Position>, JournalError> {
    let last: Result<Option<i64>, sqlx::Error> =
        sqlx::query_scalar("SELECT max(position) FROM events").fetch_one(pool).await;
    let last = last.map_err(|error| failed(&error))?;
    Ok(last.map(|token| Position::from_token(token.unsigned_abs())))
}

/// What SQLite and a comparison of the columns with the headers find wrong.
pub(super) async fn examine(pool: &SqlitePool) -> Result<Vec<String>, JournalError> {
    let fault = |error: sqlx::Error| failed(&error);
    let said: Vec<String> =
        sqlx::query_scalar("PRAGMA integrity_check(100)").fetch_all(pool).await.map_err(fault)?;
    let mut wrong: Vec<String> = said.into_iter().filter(|line| line != "ok").collect();
    let strays: Vec<i64> = sqlx::query_scalar(
        "SELECT event.position FROM events AS event LEFT JOIN events AS first ON first.position = event.birth
         WHERE NOT json_valid(event.header) OR event.header ->> 'n' <> event.revision
            OR first.stream IS NULL OR first.stream <> event.header ->> 'stream' OR first.revision <> 0
         ORDER BY event.position LIMIT 100",
    )
    .fetch_all(pool)
    .await
    .map_err(fault)?;
    wrong.extend(strays.into_iter().map(|token| {
        let position = Position::from_token(token.unsigned_abs());
        format!("the event at position {position} is filed under another place than its header says")
    }));
    Ok(wrong)
}
