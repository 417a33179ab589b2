//! Connections, and what is set on each of them whatever the server's configuration says.

use std::future::Future;
use std::io::ErrorKind;
use std::time::Duration;

use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Row};

use super::fault;
use super::options::PostgresOptions;
use crate::error::JournalError;
use crate::limits::{POSTGRES_CONNECT_SECONDS_MAX, POSTGRES_STATEMENT_SECONDS_MAX};

/// The oldest server that this program is tested with.
const VERSION_MIN: i32 = 150_000;

/// - An acknowledged event is durable: nothing weaker than `synchronous_commit = on`.
/// - `append_events` must see what was committed while it waited: read committed.
/// - No statement, and no transaction whose client went away, keeps the others waiting for ever.
/// - Every query here goes by an index, also before the server has gathered statistics.
const SETTINGS: &str = "
    SELECT set_config('search_path', quote_ident($1), false),
           set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false),
           set_config('default_transaction_isolation', 'read committed', false),
           set_config('default_transaction_read_only', 'off', false),
           set_config('statement_timeout', $2 || 's', false),
           set_config('idle_in_transaction_session_timeout', '10s', false),
           set_config('enable_seqscan', 'off', false),
           set_config('enable_hashjoin', 'off', false),
           set_config('enable_mergejoin', 'off', false),
           set_config('jit', 'off', false)";

const ABOUT: &str = "SELECT current_setting('server_version_num')::integer, current_setting('server_encoding'), pg_is_in_recovery()";

/// Waits for the database, but not for ever: a server that vanished from the network answers nothing at all.
pub(crate) async fn in_time<T>(
    seconds: u64,
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    match tokio::time::timeout(Duration::from_secs(seconds), asked).await {
        Ok(answer) => answer,
        Err(_) => Err(sqlx::Error::Io(std::io::Error::new(
            ErrorKind::TimedOut,
            format!("the database did not answer within {seconds} seconds"),
        ))),
    }
}

async fn set(connection: &mut PgConnection, options: &PostgresOptions) -> Result<(), sqlx::Error> {
    sqlx::query(SETTINGS)
        .bind(options.schema())
        .bind(options.timeout().to_string())
        .persistent(false)
        .execute(connection)
        .await
        .map(drop)
}

/// A connection of its own, to a server that can be written.
pub(crate) async fn connect(options: &PostgresOptions) -> Result<PgConnection, JournalError> {
    let opened = async {
        let mut connection = options.connect().connect().await?;
        set(&mut connection, options).await?;
        let about = sqlx::query(ABOUT).persistent(false).fetch_one(&mut connection).await?;
        Ok((connection, about))
    };
    let (connection, about) =
        in_time(POSTGRES_CONNECT_SECONDS_MAX, opened).await.map_err(|error| fault::reading(&error))?;
    let fault = |error: sqlx::Error| fault::reading(&error);
    let (version, encoding, standby): (i32, String, bool) = (
        about.try_get(0).map_err(fault)?,
        about.try_get(1).map_err(fault)?,
        about.try_get(2).map_err(fault)?,
    );
    let refused = if version < VERSION_MIN {
        "the server is older than PostgreSQL 15"
    } else if encoding != "UTF8" {
        "the database is not encoded in UTF8; create it with: createdb --encoding=UTF8 --template=template0"
    } else if standby {
        "the server is a standby and cannot be written"
    } else {
        return Ok(connection);
    };
    Err(JournalError::unavailable(refused))
}

/// A connection that was idle for longer is tried before it is used.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// How often a question is asked again when the connection turns out to be dead: a pool may hold many that died together.
const TRIES_MAX: u32 = 12;

/// Asks on a pool what may be asked twice.
pub(crate) async fn asked<T, F: Future<Output = Result<T, sqlx::Error>>>(
    ask: impl Fn() -> F,
) -> Result<T, JournalError> {
    let mut tries = 0;
    loop {
        match in_time(POSTGRES_STATEMENT_SECONDS_MAX + 5, ask()).await {
            Err(sqlx::Error::Io(error)) if tries < TRIES_MAX && error.kind() != ErrorKind::TimedOut => {
                tries += 1
            }
            answer => return answer.map_err(|error| fault::reading(&error)),
        }
    }
}

/// Connections made as they are needed.
pub(crate) fn pool(options: &PostgresOptions, most: u32) -> PgPool {
    let set_on_each = options.clone();
    PgPoolOptions::new()
        .max_connections(most)
        .acquire_timeout(Duration::from_secs(POSTGRES_CONNECT_SECONDS_MAX))
        .test_before_acquire(false)
        .before_acquire(|connection, about| {
            Box::pin(async move {
                if about.idle_for > TRUSTED_IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(move |connection, _| {
            let options = set_on_each.clone();
            Box::pin(async move { set(connection, &options).await })
        })
        .connect_lazy_with(options.connect().clone())
}
