//! Events of kinds of streams that are rare, found by the names of their streams: whoever asks only for what was published
//! must not wait for millions of other events to be read and left out.

use sqlx::postgres::PgPool;

use super::connection::asked;
use super::read::{head, recorded, rows, signed};
use super::seen::Seen;
use crate::error::JournalError;
use crate::event::Recorded;
use crate::id::Position;
use crate::port::{FAR_EVENTS, Filter, Page, RARE_STREAMS_MAX};

/// The births of all streams of these kinds. The indexes of names are left through from tenant to tenant: a name is
/// `tenant.kind-id`, `/` follows `.` and `.` follows `-`.
const BIRTHS: &str = "
    WITH RECURSIVE tenants(first) AS (
        SELECT min(stream) FROM events WHERE stream IS NOT NULL
        UNION ALL
        SELECT (SELECT min(stream) FROM events WHERE stream > split_part(first, '.', 1) || '/')
        FROM tenants WHERE first IS NOT NULL
    ),
    beginnings(name) AS (
        SELECT split_part(first, '.', 1) || '.' || kind COLLATE \"C\" FROM tenants, unnest($1::text[]) AS kind
        WHERE first IS NOT NULL
    )
    SELECT position FROM beginnings JOIN events ON stream >= name || '-' AND stream < name || '.' LIMIT $2";

/// The page, if the way by names is the shorter one.
pub(super) async fn page(
    pool: &PgPool,
    seen: &Seen,
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
    let births = asked(|| async {
        let query = sqlx::query_scalar::<_, i64>(BIRTHS);
        query.bind(&filter.kinds).bind(rows(RARE_STREAMS_MAX + 1)).fetch_all(pool).await
    });
    let births = births.await?;
    if births.len() > RARE_STREAMS_MAX {
        return Ok(None);
    }
    let found: Vec<Recorded> = asked(|| async {
        // The sum keeps the planner from walking through all events in the order of their positions.
        let query = sqlx::query(
            "SELECT position, header, body FROM events WHERE birth = ANY($1) AND position > $2 AND position <= $3
             ORDER BY position + 0 LIMIT $4",
        );
        let query = query.bind(&births).bind(signed(token)).bind(signed(head.token())).bind(rows(limit));
        query.fetch_all(pool).await?.iter().map(recorded).collect()
    })
    .await?;
    if let Some(last) = found.last() {
        seen.note(last);
    }
    Ok(Some(Page::of_rare(found, head, filter, limit)))
}
