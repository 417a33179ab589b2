//! The floors: what the machine and the libraries allow when nothing is decided, sealed, hashed or checked.

//!
//! Every floor's table has what any table of events needs and nothing else: a position, the stream's name, the revision,
//! the header and the body, and a unique index on stream and revision. The rows are those that Guichet wrote.

pub(crate) mod postgres;
pub(crate) mod sqlite;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use guichet_journal::{Filter, Journal, Position, Recorded};
use guichet_rules::request::Event;
use serde::Deserialize;

use crate::measure::Fault;

/// The members of a header that a fold needs, as serde reads them.
#[derive(Deserialize)]
pub(crate) struct Members<'a> {
    pub(crate) stream: &'a str,
    #[serde(rename = "type")]
    pub(crate) event_type: &'a str,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) recorded_at: DateTime<Utc>,
    pub(crate) actor: &'a str,
}

/// What is done with each stored event: its header, and its body.
pub(crate) type Each<'a> = dyn FnMut(&str, &[u8]) -> Result<(), Fault> + Send + 'a;

/// An event's header and body as serde reads them; none when it is not a request's.
///
/// # Errors
/// When they cannot be read.
pub(crate) fn decoded<'a>(header: &'a str, body: &[u8]) -> Result<Option<(Members<'a>, Event)>, Fault> {
    let members: Members<'_> = serde_json::from_str(header)?;
    if !members.event_type.starts_with("request.") {
        return Ok(None);
    }
    let event = Event::decode(members.event_type, content(body))?;
    Ok(Some((members, event)))
}

/// The body inside its envelope, cut out as cheaply as can be.
fn content(stored: &[u8]) -> &[u8] {
    const ENVELOPE: usize = "{\"salt\":\"\",\"body\":".len() + 43;
    let enveloped = stored.starts_with(b"{\"salt\":");
    let inside = stored.get(ENVELOPE..stored.len().saturating_sub(1)).filter(|_| enveloped);
    inside.unwrap_or(stored)
}

/// Events that the floor of read models writes together.
pub(crate) const BATCH_EVENTS: usize = 5_000;

/// A row of the floor's read model.
#[derive(Debug, Default)]
pub(crate) struct Card {
    pub(crate) events: i64,
    pub(crate) last: String,
    pub(crate) since: String,
}

/// Rows coalesced in memory.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) cards: HashMap<String, Card>,
    pub(crate) events: usize,
}

impl Batch {
    /// Takes one event in.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn take(&mut self, header: &str, body: &[u8]) -> Result<(), Fault> {
        let Some((members, event)) = decoded(header, body)? else { return Ok(()) };
        let card = self.cards.entry(members.stream.to_owned()).or_default();
        card.events += 1;
        card.last = event.what.name().to_owned();
        card.since = members.occurred_at.to_rfc3339();
        self.events += 1;
        Ok(())
    }

    /// Whether it is time to write.
    pub(crate) fn is_full(&self) -> bool {
        self.events >= BATCH_EVENTS
    }
}

/// One stored event, as the journal wrote it.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) stream: String,
    pub(crate) command: String,
    pub(crate) revision: i64,
    pub(crate) header: String,
    pub(crate) body: String,
}

impl Row {
    /// The same bytes as a recorded event.
    ///
    /// # Errors
    /// When the event's header cannot be read.
    pub(crate) fn of(event: &Recorded) -> Result<Self, Fault> {
        Ok(Self {
            stream: event.stream().to_owned(),
            command: event.header()?.command.to_string(),
            revision: i64::try_from(event.revision().ok_or("an event without a revision")?.get())?,
            header: event.stored_header().to_owned(),
            body: event.stored_body().to_owned(),
        })
    }

    /// How many bytes of header and body it has.
    #[must_use]
    pub(crate) fn bytes(&self) -> usize {
        self.header.len() + self.body.len()
    }
}

/// The rows of so many commands together, as callers who wait at the same moment would have them written.
#[must_use]
pub(crate) fn batches(rows: &[Row], commands: usize) -> Vec<&[Row]> {
    let mut batches = Vec::new();
    let (mut rest, mut seen, mut length) = (rows, 0, 0);
    for (row, after) in rows.iter().zip(rows.iter().skip(1).map(Some).chain([None])) {
        length += 1;
        seen += usize::from(after.is_none_or(|after| after.command != row.command));
        if seen == commands || after.is_none() {
            let (batch, more) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            batches.push(batch);
            (rest, seen, length) = (more, 0, 0);
        }
    }
    batches
}

/// The rows of the journal behind a position.
///
/// # Errors
/// When the journal cannot be read.
pub(crate) async fn rows_behind(
    journal: &dyn Journal,
    mut after: Option<Position>,
) -> Result<Vec<Row>, Fault> {
    let mut rows = Vec::new();
    loop {
        let page = journal.read_all(after, &Filter::everything(), 8192).await?;
        rows.extend(page.events.iter().map(Row::of).collect::<Result<Vec<_>, _>>()?);
        after = page.through;
        if page.at_end {
            return Ok(rows);
        }
    }
}
