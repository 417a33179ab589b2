//! The last event that this server has written or read: proof of which journal it knows.

use std::sync::{Arc, Mutex, PoisonError};

use sqlx::postgres::PgConnection;

use super::fault;
use super::options::PostgresOptions;
use super::read::signed;
use crate::error::JournalError;
use crate::event::Recorded;
use crate::id::Position;

#[derive(Default)]
pub(super) struct Seen(Mutex<Option<(Position, Arc<str>)>>);

impl Seen {
    pub(super) fn note(&self, event: &Recorded) {
        self.note_header(event.position(), event.header_text());
    }

    pub(super) fn note_header(&self, position: Position, header: Arc<str>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.as_ref().is_none_or(|(before, _)| *before < position) {
            *seen = Some((position, header));
        }
    }

    /// A database that was put back from a backup, or whose standby took over too early, has lost events that were acknowledged or read. It
    /// cannot come to that without every connection being lost, so it is looked for whenever one to write by is made.
    pub(super) async fn refuse_another_journal(
        &self,
        connection: &mut PgConnection,
        options: &PostgresOptions,
    ) -> Result<(), JournalError> {
        let Some((position, header)) = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone() else {
            return Ok(());
        };
        let query = sqlx::query_scalar("SELECT header FROM events WHERE position = $1");
        let query = query.bind(signed(position.token())).fetch_optional(connection);
        let stands: Option<String> = query.await.map_err(|error| fault::reading(&error))?;
        let what = match stands {
            Some(stands) if *stands == *header => return Ok(()),
            Some(_) => "holds another event",
            None => "holds no event",
        };
        Err(JournalError::corrupt(format!(
            "{} {what} at position {position}, where this server has acknowledged or read one; it was put back from an older copy",
            options.place()
        )))
    }
}
