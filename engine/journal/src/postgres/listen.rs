//! Hearing what other servers did: notifications, and a question asked at intervals over the same connection, which finds what a lost
//! notification would have told, and finds out when the connection itself is dead.

use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::time::{MissedTickBehavior, interval};

use super::connection::{in_time, pool};
use super::options::PostgresOptions;
use crate::limits::{POSTGRES_CONNECT_SECONDS_MAX, POSTGRES_POLL_MILLISECONDS};

/// Longest wait between two tries to connect.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Somebody who listens.
pub(crate) trait Ear: Send + Sync + 'static {
    /// The question asked at intervals: one row with one number.
    const QUESTION: &'static str;

    /// From here on, notifications are heard.
    fn hears(&self) {}
    /// The connection was lost: notifications may have been missed.
    fn lost(&self) {}
    /// A notification.
    fn heard(&self, payload: &str);
    /// The answer to the question.
    fn answered(&self, number: i64);
}

/// Listens until the task is aborted.
pub(crate) async fn listen(options: PostgresOptions, channel: String, ear: impl Ear) {
    let pool = pool(&options, 1);
    let mut pause = Duration::from_millis(10);
    loop {
        match open(&pool, &channel).await {
            Ok(mut listener) => {
                pause = Duration::from_millis(10);
                let Err(error) = attend(&mut listener, &ear).await;
                ear.lost();
                tracing::warn!(%error, channel, "the connection that hears of other servers was lost and is made again");
            }
            Err(error) => {
                tracing::debug!(%error, channel, "no connection to hear of other servers by");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }
}

async fn open(pool: &sqlx::PgPool, channel: &str) -> Result<PgListener, sqlx::Error> {
    in_time(POSTGRES_CONNECT_SECONDS_MAX, async {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.eager_reconnect(false);
        listener.listen(channel).await?;
        Ok(listener)
    })
    .await
}

async fn attend<E: Ear>(listener: &mut PgListener, ear: &E) -> Result<std::convert::Infallible, sqlx::Error> {
    let mut rhythm = interval(Duration::from_millis(POSTGRES_POLL_MILLISECONDS));
    rhythm.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard_since_asked = false;
    loop {
        tokio::select! {
            told = listener.try_recv() => match told? {
                Some(notification) => ear.heard(notification.payload()),
                None => return Err(sqlx::Error::Io(std::io::ErrorKind::ConnectionAborted.into())),
            },
            _time = rhythm.tick() => {
                let question = sqlx::query_scalar(E::QUESTION).fetch_one(&mut *listener);
                ear.answered(in_time(POSTGRES_CONNECT_SECONDS_MAX, question).await?);
                if !std::mem::replace(&mut heard_since_asked, true) {
                    ear.hears();
                }
            }
        }
    }
}
