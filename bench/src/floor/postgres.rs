//! What PostgreSQL allows, `synchronous_commit` on, through the driver that Guichet uses.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection, Row as _};

use super::{BATCH_EVENTS, Batch, Each, Row};
use crate::measure::{Fault, Stopwatch, quantile};

const TABLE: &str = "DROP TABLE IF EXISTS floor_event; CREATE TABLE floor_event (position BIGINT GENERATED ALWAYS AS IDENTITY \
     PRIMARY KEY, stream TEXT NOT NULL, revision BIGINT NOT NULL, header TEXT NOT NULL, body TEXT NOT NULL, \
     UNIQUE (stream, revision))";

/// A connection to the server named by its address, with an empty table.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn fresh(url: &str) -> Result<PgConnection, Fault> {
    let mut connection = url.parse::<PgConnectOptions>()?.disable_statement_logging().connect().await?;
    sqlx::raw_sql(TABLE).execute(&mut connection).await?;
    Ok(connection)
}

/// Drops the table and goes.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn leave(mut connection: PgConnection) -> Result<(), Fault> {
    sqlx::raw_sql("DROP TABLE floor_event").execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// One insert and commit after the other on one connection: the whole time, the median and the 99th percentile of one.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn singles(url: &str, rows: &[Row]) -> Result<(Duration, Duration, Duration), Fault> {
    let mut connection = fresh(url).await?;
    let mut each = Vec::with_capacity(rows.len());
    let watch = Stopwatch::start();
    for row in rows {
        let own = Stopwatch::start();
        sqlx::query("INSERT INTO floor_event (stream, revision, header, body) VALUES ($1, $2, $3, $4)")
            .bind(&row.stream)
            .bind(row.revision)
            .bind(&row.header)
            .bind(&row.body)
            .execute(&mut connection)
            .await?;
        each.push(own.elapsed());
    }
    let elapsed = watch.elapsed();
    leave(connection).await?;
    each.sort_unstable();
    Ok((elapsed, quantile(&each, 0.5), quantile(&each, 0.99)))
}

/// Writes each batch in one statement over arrays, one transaction and one commit, and waits for each.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn groups(url: &str, batches: &[&[Row]]) -> Result<Duration, Fault> {
    let mut connection = fresh(url).await?;
    let watch = Stopwatch::start();
    for batch in batches {
        let column = |of: fn(&Row) -> &str| batch.iter().map(of).collect::<Vec<_>>();
        sqlx::query(
            "INSERT INTO floor_event (stream, revision, header, body) \
             SELECT * FROM UNNEST($1::text[], $2::bigint[], $3::text[], $4::text[])",
        )
        .bind(column(|row| &row.stream))
        .bind(batch.iter().map(|row| row.revision).collect::<Vec<_>>())
        .bind(column(|row| &row.header))
        .bind(column(|row| &row.body))
        .execute(&mut connection)
        .await?;
    }
    let elapsed = watch.elapsed();
    leave(connection).await?;
    Ok(elapsed)
}

/// Copies all rows in, in one command and one commit, then out again: the time of each.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn copies(url: &str, rows: &[Row]) -> Result<(Duration, Duration), Fault> {
    use sqlx::postgres::PgPoolCopyExt;
    let pool =
        sqlx::PgPool::connect_with(url.parse::<PgConnectOptions>()?.disable_statement_logging()).await?;
    sqlx::raw_sql(TABLE).execute(&pool).await?;
    let watch = Stopwatch::start();
    let mut copy = pool.copy_in_raw("COPY floor_event (stream, revision, header, body) FROM STDIN").await?;
    for rows in rows.chunks(512) {
        let mut text = String::new();
        for row in rows {
            // Only the body can hold a backslash: the escapes of its JSON.
            let body = row.body.replace('\\', "\\\\");
            text.push_str(&format!("{}\t{}\t{}\t{body}\n", row.stream, row.revision, row.header));
        }
        copy.send(text.into_bytes()).await?;
    }
    copy.finish().await?;
    let into = watch.elapsed();
    let watch = Stopwatch::start();
    let mut bytes = 0;
    let mut out = pool
        .copy_out_raw(
            "COPY (SELECT header, body FROM floor_event ORDER BY position) TO STDOUT (FORMAT BINARY)",
        )
        .await?;
    while let Some(chunk) = next(&mut out).await {
        bytes += chunk?.len();
    }
    let out_of = watch.elapsed();
    drop(out);
    std::hint::black_box(bytes);
    sqlx::raw_sql("DROP TABLE floor_event").execute(&pool).await?;
    pool.close().await;
    Ok((into, out_of))
}

/// The next item of a stream.
async fn next<S: futures_core::Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    std::future::poll_fn(|context| std::pin::Pin::new(&mut *stream).poll_next(context)).await
}

const PAGE: &str =
    "SELECT position, header, body FROM guichet.events WHERE position > $1 ORDER BY position LIMIT $2";

/// Reads the rows of a journal in order, as a stream on one connection.
///
/// # Errors
/// When the server refuses or `each` does.
pub(crate) async fn read(url: &str, each: &mut Each<'_>) -> Result<(), Fault> {
    let mut connection = url.parse::<PgConnectOptions>()?.disable_statement_logging().connect().await?;
    let mut rows = sqlx::query(PAGE).bind(0_i64).bind(i64::MAX).fetch(&mut connection);
    while let Some(row) = next(&mut rows).await {
        let row = row?;
        each(row.try_get(1)?, row.try_get::<&str, _>(2)?.as_bytes())?;
    }
    drop(rows);
    Ok(connection.close().await?)
}

/// Projects a journal into one table with a row for each request: pages read and decoded, coalesced in memory, written
/// by one statement over arrays.
///
/// # Errors
/// When the server refuses or an event cannot be read.
pub(crate) async fn project(url: &str) -> Result<Duration, Fault> {
    let mut connection = url.parse::<PgConnectOptions>()?.disable_statement_logging().connect().await?;
    let table = "CREATE TABLE floor_card (stream TEXT PRIMARY KEY, events BIGINT NOT NULL, last TEXT NOT NULL, since TEXT NOT NULL)";
    sqlx::raw_sql(table).execute(&mut connection).await?;
    let (watch, mut after) = (Stopwatch::start(), 0_i64);
    loop {
        let limit = i64::try_from(BATCH_EVENTS)?;
        let rows = sqlx::query(PAGE).bind(after).bind(limit).fetch_all(&mut connection).await?;
        let Some(last) = rows.last() else { break };
        after = last.try_get(0)?;
        let mut batch = Batch::default();
        for row in &rows {
            batch.take(row.try_get(1)?, row.try_get::<&str, _>(2)?.as_bytes())?;
        }
        let (mut streams, mut events, mut lasts, mut sinces) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (stream, card) in batch.cards {
            streams.push(stream);
            events.push(card.events);
            lasts.push(card.last);
            sinces.push(card.since);
        }
        sqlx::query(
            "INSERT INTO floor_card SELECT * FROM UNNEST($1::text[], $2::bigint[], $3::text[], $4::text[]) \
             ON CONFLICT (stream) DO UPDATE SET events = floor_card.events + excluded.events, last = excluded.last, since = excluded.since",
        )
        .bind(streams)
        .bind(events)
        .bind(lasts)
        .bind(sinces)
        .execute(&mut connection)
        .await?;
    }
    let elapsed = watch.elapsed();
    sqlx::raw_sql("DROP TABLE floor_card").execute(&mut connection).await?;
    connection.close().await?;
    Ok(elapsed)
}
