//! Several servers on one database: who is there, who leads, and which version's tables anybody still uses.

use std::time::Duration;

use sqlx::postgres::{PgConnection, PgListener};
use sqlx::{AssertSqlSafe, Connection, Executor};

use super::session::{Postgres, SHARED};
use crate::error::ProjectionError;

/// A server that does not beat for this long is taken for dead by PostgreSQL, which ends its session and with it its
/// lead: a frozen program, a cut network.
const SILENCE: &str = "4s";

/// How long a beat may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The number of the lock for one thing that is done in the schema `$1` names.
macro_rules! lock {
    ($what:literal, $schema:literal) => {
        concat!("hashtextextended('guichet ", $what, " ' || ", $schema, ", 0)")
    };
}

/// The session by which a server is present. It does nothing else, so it always beats.
pub(crate) struct Presence {
    connection: PgConnection,
    /// The number of its server process.
    pub(in crate::store) pid: i32,
}

impl Postgres {
    /// Says that this server uses these tables.
    pub(in crate::store) async fn arrive(&self) -> Result<Presence, ProjectionError> {
        let options = self.options.clone().options([("idle_session_timeout", SILENCE)]);
        let mut connection = PgConnection::connect_with(&options).await?;
        let sql = concat!("SELECT pg_advisory_lock_shared(", lock!("uses", "current_schema()"), ")");
        connection.execute(sql).await?;
        let pid = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut connection).await?;
        Ok(Presence { connection, pid })
    }

    /// Hears of every commit of the leader.
    pub(in crate::store) async fn listen(&self) -> Result<PgListener, ProjectionError> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.listen(&self.schema).await?;
        Ok(listener)
    }
}

impl Presence {
    /// Takes the lead if nobody has it; it lasts as long as the session.
    pub(in crate::store) async fn try_lead(&mut self) -> Result<bool, ProjectionError> {
        let sql = concat!("SELECT pg_try_advisory_lock(", lock!("leads", "current_schema()"), ")");
        let question = sqlx::query_scalar(sql).fetch_one(&mut self.connection);
        tokio::time::timeout(PATIENCE, question).await.map_err(|_| silent())?.map_err(Into::into)
    }

    /// Says that this server is still there.
    pub(in crate::store) async fn beat(&mut self) -> Result<(), ProjectionError> {
        tokio::time::timeout(PATIENCE, self.connection.ping())
            .await
            .map_err(|_| silent())?
            .map_err(Into::into)
    }

    /// Notes the hour, for [`drop_unused`].
    pub(in crate::store) async fn note(&mut self) -> Result<(), ProjectionError> {
        let note = note("current_schema()");
        tokio::time::timeout(PATIENCE, self.connection.execute(AssertSqlSafe(note)))
            .await
            .map_err(|_| silent())??;
        Ok(())
    }
}

fn silent() -> ProjectionError {
    ProjectionError::Unavailable { reason: "it did not answer in time".to_owned() }
}

/// Notes that a schema is in use now.
pub(super) fn note(schema: &str) -> String {
    format!(
        "INSERT INTO {SHARED}.model_set (name, touched) VALUES ({schema}, now()) \
         ON CONFLICT (name) DO UPDATE SET touched = now()"
    )
}

/// In a transaction: draws a number for a new lead, if the session `witness` has it, after ending the session in which
/// the leader before wrote. Whatever that one had under way is rolled back then, and it cannot go on.
pub(in crate::store) async fn take_lead(
    connection: &mut PgConnection,
    witness: i32,
) -> Result<Option<i64>, ProjectionError> {
    let end = "SELECT pg_terminate_backend(a.pid) FROM leadership l JOIN pg_stat_activity a \
        ON a.pid = l.pid AND (EXTRACT(EPOCH FROM a.backend_start) * 1000000)::bigint = l.since \
        WHERE a.pid <> pg_backend_pid() AND EXISTS (SELECT 1 FROM pg_locks WHERE pid = $1 AND locktype = 'advisory')";
    sqlx::query(end).bind(witness).execute(&mut *connection).await?;
    let sql = concat!(
        "UPDATE leadership SET epoch = epoch + 1, pid = pg_backend_pid(), since = (SELECT \
         (EXTRACT(EPOCH FROM backend_start) * 1000000)::bigint FROM pg_stat_activity WHERE pid = pg_backend_pid()) \
         WHERE EXISTS (SELECT 1 FROM pg_locks WHERE pid = $1 AND locktype = 'advisory' AND granted \
         AND mode = 'ExclusiveLock' AND objsubid = 1 \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         AND ((classid::bigint << 32) | objid::bigint) = ",
        lock!("leads", "current_schema()"),
        ") RETURNING epoch"
    );
    Ok(sqlx::query_scalar(sql).bind(witness).fetch_optional(connection).await?)
}

/// All sets of tables in the database: name, microseconds since they were last noted in use, whether a server is
/// present, bytes on disk.
pub(in crate::store) async fn sets(
    connection: &mut PgConnection,
) -> Result<Vec<(String, Option<i64>, bool, i64)>, ProjectionError> {
    let sql = format!(
        "SELECT n.nspname::text, (EXTRACT(EPOCH FROM now() - s.touched) * 1000000)::bigint, \
         EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         AND ((classid::bigint << 32) | objid::bigint) = {}), \
         COALESCE((SELECT SUM(pg_total_relation_size(c.oid)) FROM pg_class c \
         WHERE c.relnamespace = n.oid AND c.relkind = 'r'), 0)::bigint \
         FROM pg_namespace n LEFT JOIN {SHARED}.model_set s ON s.name = n.nspname \
         WHERE n.nspname ~ '^guichet_models_[0-9a-f]{{8}}$' ORDER BY 1",
        lock!("uses", "n.nspname")
    );
    Ok(sqlx::query_as(AssertSqlSafe(sql)).fetch_all(connection).await?)
}

/// In a transaction: drops a set, unless a server is present. Its name is one that [`sets`] gave.
pub(in crate::store) async fn drop_set(
    connection: &mut PgConnection,
    name: &str,
) -> Result<bool, ProjectionError> {
    let lock = concat!("SELECT pg_try_advisory_xact_lock(", lock!("uses", "$1"), ")");
    if !sqlx::query_scalar::<_, bool>(lock).bind(name).fetch_one(&mut *connection).await? {
        return Ok(false);
    }
    let drop = format!("DROP SCHEMA IF EXISTS {name} CASCADE");
    connection.execute(AssertSqlSafe(drop)).await?;
    let forget = format!("DELETE FROM {SHARED}.model_set WHERE name = $1");
    sqlx::query(AssertSqlSafe(forget)).bind(name).execute(connection).await?;
    Ok(true)
}
