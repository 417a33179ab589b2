//! Telling other servers what this one has written: after the commit, on a connection of its own, a few words for many appends.

use std::time::Duration;

use sqlx::postgres::PgConnection;
use tokio::sync::watch;

use super::connection::{connect, in_time};
use super::options::PostgresOptions;
use crate::error::JournalError;
use crate::limits::POSTGRES_CONNECT_SECONDS_MAX;

/// Appends that come closer together are told of at once.
const REST: Duration = Duration::from_millis(5);

/// Tells until the sequencer ends. What cannot be told is found by asking.
pub(super) async fn notify(options: PostgresOptions, channel: String, mut written: watch::Receiver<u64>) {
    let mut connection = None;
    while written.changed().await.is_ok() {
        let position = *written.borrow_and_update();
        if let Err(error) = tell(&mut connection, &options, &channel, position).await {
            tracing::debug!(%error, "other servers were not told of an append; they will ask");
            connection = None;
        }
        tokio::time::sleep(REST).await;
    }
}

async fn tell(
    connection: &mut Option<PgConnection>,
    options: &PostgresOptions,
    channel: &str,
    position: u64,
) -> Result<(), JournalError> {
    let fault = |error: sqlx::Error| super::fault::reading(&error);
    if connection.is_none() {
        let mut made = connect(options).await?;
        // There is nothing to make durable, so nothing to wait for.
        sqlx::raw_sql("SET synchronous_commit = off").execute(&mut made).await.map_err(fault)?;
        *connection = Some(made);
    }
    let Some(connection) = connection else { return Ok(()) };
    let told = sqlx::query("SELECT pg_notify($1, $2)").bind(channel).bind(position.to_string());
    in_time(POSTGRES_CONNECT_SECONDS_MAX, told.execute(connection)).await.map(drop).map_err(fault)
}
