//! What the readers ask.

use sqlx::Row;
use sqlx::postgres::{PgPool, PgRow};

use super::connection::asked;
use super::rare;
use super::seen::Seen;
use crate::chunk::split;
use crate::error::JournalError;
use crate::event::Recorded;
use crate::id::{Position, Revision, StreamId};
use crate::limits::READ_EVENTS_MAX;
use crate::port::{Filter, Page};

/// Position token, header and body, in this order of columns.
pub(super) fn recorded(row: &PgRow) -> Result<Recorded, sqlx::Error> {
    let token: i64 = row.try_get(0)?;
    let (header, body): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
    Ok(Recorded::new(Position::from_token(token.unsigned_abs()), header.into(), body.into()))
}

/// PostgreSQL's integers are signed; no journal reaches the half of them.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn rows(limit: usize) -> i64 {
    i64::try_from(limit.clamp(1, READ_EVENTS_MAX)).unwrap_or(i64::MAX)
}

pub(super) async fn head(pool: &PgPool) -> Result<Option<Position>, JournalError> {
    let last: Option<i64> =
        asked(|| async { sqlx::query_scalar("SELECT max(position) FROM events").fetch_one(pool).await })
            .await?;
    Ok(last.map(|last| Position::from_token(last.unsigned_abs())))
}

pub(super) async fn stream(
    pool: &PgPool,
    stream: &StreamId,
    from: Revision,
    limit: usize,
) -> Result<Vec<Recorded>, JournalError> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    asked(|| async {
        let query = sqlx::query(
            "SELECT position, header, body FROM events
             WHERE birth = (SELECT position FROM events WHERE stream = $1) AND revision >= $2 ORDER BY revision LIMIT $3",
        );
        let query = query.bind(stream.as_str()).bind(signed(from.get())).bind(rows(limit));
        query.fetch_all(pool).await?.iter().map(recorded).collect()
    })
    .await
}

/// Events that come in one row: enough to hide the way to the server, few enough that the next chunk is read while one is taken apart.
const CHUNK_EVENTS: usize = 1024;

pub(super) async fn page(
    pool: &PgPool,
    seen: &Seen,
    after: Option<Position>,
    filter: &Filter,
    limit: usize,
) -> Result<Page, JournalError> {
    if let Some(page) = rare::page(pool, seen, after, filter, limit).await? {
        return Ok(page);
    }
    let mut left = limit.clamp(1, READ_EVENTS_MAX);
    let (mut through, mut events) = (after, Vec::new());
    let mut due = left.min(CHUNK_EVENTS);
    let mut chunk = chunk(pool.clone(), through, due).await?;
    loop {
        left -= due;
        let ahead = match last_of_full(&chunk, due)? {
            Some(last) if left > 0 => {
                Some(tokio::spawn(self::chunk(pool.clone(), Some(last), left.min(CHUNK_EVENTS))))
            }
            Some(_) | None => None,
        };
        let found = events_of(pool, &chunk, through, due).await?;
        let at_end = found.len() < due;
        if let Some(last) = found.last() {
            through = Some(last.position());
            seen.note(last);
        }
        events.extend(found.into_iter().filter(|event| filter.wants(event)));
        match ahead {
            Some(ahead) if !at_end => {
                due = left.min(CHUNK_EVENTS);
                chunk = ahead.await.map_err(JournalError::unavailable)??;
            }
            Some(_) | None => return Ok(Page { events, through, at_end }),
        }
    }
}

/// Consecutive events in a single row, not yet taken apart.
async fn chunk(pool: PgPool, after: Option<Position>, count: usize) -> Result<PgRow, JournalError> {
    asked(|| async {
        let query = sqlx::query(
            "SELECT max(position), count(*), string_agg(position::text, E'\\x1e'), string_agg(header, E'\\x1e'), string_agg(body, E'\\x1e')
             FROM (SELECT position, header, body FROM events WHERE position > $1 ORDER BY position LIMIT $2) AS chunk",
        );
        query.bind(signed(after.map_or(0, Position::token))).bind(rows(count)).fetch_one(&pool).await
    })
    .await
}

/// The position of the last event of a chunk that holds all it was asked for; none when the journal ended before.
fn last_of_full(chunk: &PgRow, due: usize) -> Result<Option<Position>, JournalError> {
    let fault = |error: sqlx::Error| JournalError::unavailable(error);
    let (last, count): (Option<i64>, i64) =
        (chunk.try_get(0).map_err(fault)?, chunk.try_get(1).map_err(fault)?);
    let full = usize::try_from(count).is_ok_and(|count| count == due);
    Ok(last.filter(|_| full).map(|last| Position::from_token(last.unsigned_abs())))
}

async fn events_of(
    pool: &PgPool,
    chunk: &PgRow,
    after: Option<Position>,
    count: usize,
) -> Result<Vec<Recorded>, JournalError> {
    let column = |index| chunk.try_get::<Option<&str>, usize>(index).map_err(JournalError::unavailable);
    let (Some(positions), Some(headers), Some(bodies)) = (column(2)?, column(3)?, column(4)?) else {
        return Ok(Vec::new());
    };
    match split(positions, headers, bodies) {
        Some(events) => Ok(events),
        None => one_by_one(pool, after, count).await,
    }
}

/// For chunks that do not come apart as they were put together, which only damage explains.
async fn one_by_one(
    pool: &PgPool,
    after: Option<Position>,
    count: usize,
) -> Result<Vec<Recorded>, JournalError> {
    asked(|| async {
        let query = sqlx::query(
            "SELECT position, header, body FROM events WHERE position > $1 ORDER BY position LIMIT $2",
        );
        let query = query.bind(signed(after.map_or(0, Position::token))).bind(rows(count));
        query.fetch_all(pool).await?.iter().map(recorded).collect()
    })
    .await
}

/// The stored bodies of a stream that hold sealed parts, oldest first.
pub(super) async fn sealed_bodies(pool: &PgPool, stream: &StreamId) -> Result<Vec<String>, JournalError> {
    asked(|| async {
        let query = sqlx::query_scalar(
            "SELECT body FROM events
             WHERE birth = (SELECT position FROM events WHERE stream = $1) AND header LIKE '%]}' ORDER BY revision",
        );
        query.bind(stream.as_str()).fetch_all(pool).await
    })
    .await
}
