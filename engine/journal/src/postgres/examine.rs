//! What the database itself says about the journal.

use sqlx::postgres::PgConnection;

use super::options::PostgresOptions;
use super::{connection, fault};
use crate::error::JournalError;
use crate::id::Position;

/// Settings without which an acknowledged event can be lost.
const SETTINGS: &str = "
    SELECT name || ' is ' || CASE name WHEN 'synchronous_commit' THEN reset_val ELSE setting END || ': ' || CASE name
        WHEN 'fsync' THEN 'a loss of power can destroy the whole database'
        WHEN 'full_page_writes' THEN 'a loss of power can tear pages of the database'
        ELSE 'other programs on this server may lose what they were told is durable; this one asks for on by itself'
    END
    FROM pg_settings
    WHERE name IN ('fsync', 'full_page_writes') AND setting <> 'on'
       OR name = 'synchronous_commit' AND reset_val NOT IN ('on', 'remote_apply')
    ORDER BY name";

/// Indexes that are missing or broken, and a partition table that does not say what is there.
const INDEXES: &str = "
    SELECT format('the index %s is missing or broken', wanted.name)
    FROM partitions
    CROSS JOIN LATERAL (VALUES (format('events_%s', number), format('events_%s_by_position', number)),
                               (format('events_%s', number), format('events_%s_by_stream', number)),
                               ('events', 'events_by_place'), ('events', 'events_by_command')) AS wanted (table_name, name)
    WHERE NOT EXISTS (
        SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(wanted.name) AND indrelid = to_regclass(wanted.table_name)
            AND indisunique AND indisvalid AND indisready)
    UNION
    SELECT format('the partition events_%s is missing', number) FROM partitions
    WHERE NOT EXISTS (
        SELECT 1 FROM pg_inherits WHERE inhparent = 'events'::regclass AND inhrelid = to_regclass(format('events_%s', number)))
    UNION
    SELECT 'the trigger that refuses changes is missing or disabled'
    WHERE NOT EXISTS (
        SELECT 1 FROM pg_trigger WHERE tgrelid = 'events'::regclass AND tgname = 'events_stay' AND tgenabled IN ('O', 'A'))
    ORDER BY 1";

/// Holes, and rows filed under another place than their header says.
const STRAYS: &str = r#"
    SELECT position FROM (
        SELECT event.position, event.revision, event.birth, event.header, first.stream AS name, first.revision AS first_revision,
               lag(event.position) OVER (ORDER BY event.position) AS before
        FROM events AS event LEFT JOIN events AS first ON first.position = event.birth
    ) AS placed
    WHERE position <> coalesce(before, 0) + 1 OR name IS NULL OR first_revision <> 0
       OR substring(header FROM '"n":([0-9]+)')::bigint IS DISTINCT FROM revision
       OR substring(header FROM '"stream":"([^"]*)"') IS DISTINCT FROM name
    ORDER BY position LIMIT 100"#;

pub(super) async fn examine(options: &PostgresOptions) -> Result<Vec<String>, JournalError> {
    let fault = |error: sqlx::Error| fault::reading(&error);
    let mut connection: PgConnection = connection::connect(options).await?;
    let mut wrong: Vec<String> = Vec::new();
    for question in [SETTINGS, INDEXES] {
        let said: Vec<String> =
            sqlx::query_scalar(question).fetch_all(&mut connection).await.map_err(fault)?;
        wrong.extend(said);
    }
    // The whole table is gone through, by whatever way is the shortest, however long it takes.
    let free = "SET statement_timeout = 0; SET enable_seqscan = on; SET enable_hashjoin = on; SET enable_mergejoin = on";
    sqlx::raw_sql(free).execute(&mut connection).await.map_err(fault)?;
    let strays: Vec<i64> = sqlx::query_scalar(STRAYS).fetch_all(&mut connection).await.map_err(fault)?;
    wrong.extend(strays.into_iter().map(|token| {
        let position = Position::from_token(token.unsigned_abs());
        format!("the event at position {position} is not the next of the journal, or filed under another place than its header says")
    }));
    Ok(wrong)
}
