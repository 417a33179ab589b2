//! What the readers ask.

use sqlx::Row;
use sqlx::postgres::{PgPool, PgRow};

use super::connection::in_time;
use super::fault;
use crate::error::JournalError;
use crate::event::Recorded;
use crate::id::{Position, Revision, StreamId};
use crate::limits::{POSTGRES_STATEMENT_SECONDS_MAX, READ_EVENTS_MAX};
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

fn rows(limit: usize) -> i64 {
    i64::try_from(limit.clamp(1, READ_EVENTS_MAX)).unwrap_or(i64::MAX)
}

async fn asked<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, JournalError> {
    in_time(POSTGRES_STATEMENT_SECONDS_MAX + 5, answer).await.map_err(|error| fault::reading(&error))
}

pub(super) async fn head(pool: &PgPool) -> Result<Option<Position>, JournalError> {
    let last = sqlx::query_scalar("SELECT max(position) FROM events").fetch_one(pool);
    let last: Option<i64> = asked(last).await?;
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
    let query = sqlx::query(
        "SELECT position, header, body FROM events
         WHERE birth = (SELECT position FROM events WHERE stream = $1) AND revision >= $2 ORDER BY revision LIMIT $3",
    );
    let query = query.bind(stream.as_str()).bind(signed(from.get())).bind(rows(limit));
    asked(async { query.fetch_all(pool).await?.iter().map(recorded).collect() }).await
}

pub(super) async fn page(
    pool: &PgPool,
    after: Option<Position>,
    filter: &Filter,
    limit: usize,
) -> Result<Page, JournalError> {
    let query = sqlx::query(
        "SELECT position, header, body FROM events WHERE position > $1 ORDER BY position LIMIT $2",
    );
    let query = query.bind(signed(after.map_or(0, Position::token))).bind(rows(limit));
    let found: Vec<Recorded> =
        asked(async { query.fetch_all(pool).await?.iter().map(recorded).collect() }).await?;
    let at_end = found.len() < limit.clamp(1, READ_EVENTS_MAX);
    let through = found.last().map(Recorded::position).or(after);
    Ok(Page { events: found.into_iter().filter(|event| filter.wants(event)).collect(), through, at_end })
}

/// The stored bodies of a stream that hold sealed parts, oldest first.
pub(super) async fn sealed_bodies(pool: &PgPool, stream: &StreamId) -> Result<Vec<String>, JournalError> {
    let query = sqlx::query_scalar(
        "SELECT body FROM events
         WHERE birth = (SELECT position FROM events WHERE stream = $1) AND header LIKE '%]}' ORDER BY revision",
    );
    asked(query.bind(stream.as_str()).fetch_all(pool)).await
}
