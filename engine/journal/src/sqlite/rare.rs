//! Events of kinds of streams that are rare, found by the names of their streams: whoever asks only for what was published
//! must not wait for millions of other events to be read and left out.

use sqlx::SqlitePool;

use super::read::{failed, head, recorded, rows, signed};
use crate::error::JournalError;
use crate::id::Position;
use crate::port::{FAR_EVENTS, Filter, Page, RARE_STREAMS_MAX};

/// The births of all streams of these kinds. The index of names is left through from tenant to tenant: a name is
/// `tenant.kind-id`, `/` follows `.` and `.` follows `-`.
const BIRTHS: &str = "
    WITH RECURSIVE tenants(first) AS (
        SELECT min(stream) FROM events WHERE stream IS NOT NULL
        UNION ALL
        SELECT (SELECT min(stream) FROM events WHERE stream > substr(first, 1, instr(first, '.') - 1) || '/')
        FROM tenants WHERE first IS NOT NULL
    ),
    beginnings(name) AS (
        SELECT substr(first, 1, instr(first, '.')) || value FROM tenants, json_each(?1) WHERE first IS NOT NULL
    )
    SELECT position FROM beginnings CROSS JOIN events
    WHERE stream >= name || '-' AND stream < name || '.' LIMIT ?2";

/// The page, if the way by names is the shorter one.
pub(super) async fn page(
    pool: &SqlitePool,
    after: Option<Position>,
    filter: &Filter,
    limit: usize,
) -> Result<Option<Page>, JournalError> {
    let token = after.map_or(0, Position::token);
    // What is found below reaches as far as the journal does now.
    let head = if filter.kinds.is_empty() { None } else { head(pool).await? };
    let Some(head) = head.filter(|head| head.token().saturating_sub(token) > FAR_EVENTS) else {
        return Ok(None);
    };
    let kinds = serde_json::to_string(&filter.kinds).unwrap_or_default();
    let births = sqlx::query_scalar::<_, i64>(BIRTHS).bind(kinds).bind(rows(RARE_STREAMS_MAX + 1));
    let births = births.fetch_all(pool).await.map_err(|error| failed(&error))?;
    if births.len() > RARE_STREAMS_MAX {
        return Ok(None);
    }
    let query = sqlx::query(
        "SELECT position, header, body FROM events WHERE birth IN (SELECT value FROM json_each(?1))
            AND position > ?2 AND position <= ?3 ORDER BY +position LIMIT ?4",
    );
    let births = serde_json::to_string(&births).unwrap_or_default();
    let query = query.bind(births).bind(signed(token)).bind(signed(head.token())).bind(rows(limit));
    let found = query.fetch_all(pool).await.map_err(|error| failed(&error))?;
    let found: Vec<_> =
        found.iter().map(recorded).collect::<Result<_, _>>().map_err(|error| failed(&error))?;
    Ok(Some(Page::of_rare(found, head, filter, limit)))
}
