//! Verification: reads a stream or the whole journal again and recomputes everything that a header promises.
//!
//! What it finds: a changed header or body, a value that does not fit its commitment, an event that is missing, doubled or moved inside a
//! stream. What it cannot find: that the *last* events of a stream or of the journal were cut off. That takes a witness outside, which the
//! tamper-evident log built on these headers gives.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::digest::Digest;
use crate::error::JournalError;
use crate::event::Recorded;
use crate::header::{HEADER_VERSION, Header};
use crate::id::{Kid, Position, Revision, StreamId};
use crate::limits::READ_EVENTS_MAX;
use crate::port::{Filter, Journal};
use crate::seal::open_fully;

/// Most findings that are told one by one; the rest is counted.
pub const FINDINGS_MAX: usize = 1000;

/// What is wrong with an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The header cannot be read.
    #[error("its header cannot be read")]
    Header,
    /// The header has a version that this program does not know.
    #[error("its header has version {0}, unknown to this program")]
    Version(u32),
    /// The event stands in a stream that is not its own, or names a tenant that is not the stream's.
    #[error("it does not belong to the stream it stands in")]
    Stream,
    /// The revision is not the next of its stream: events are missing, doubled or out of order.
    #[error("it has revision {found} where {expected} was due: an event is missing, doubled or moved")]
    Revision {
        /// The revision that was due.
        expected: Revision,
        /// The one that the header has.
        found: Revision,
    },
    /// The digest of the header before it is another: that header was changed, or this one.
    #[error("it does not follow the header before it: one of the two was changed")]
    Previous,
    /// The stored body is not the one whose digest the header has.
    #[error("its body was changed")]
    Body,
    /// The parts that were opened are not what was committed to.
    #[error("its content is not what was committed to")]
    Commitment,
    /// A sealed part does not open under its key.
    #[error("a sealed part does not open")]
    Sealed,
    /// The key store never had a key that it names.
    #[error("its key `{0}` is unknown to the key store")]
    KeyMissing(Kid),
    /// It is said to have happened after it was recorded.
    #[error("it happened after it was recorded")]
    Times,
}

/// Something wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where in the journal.
    pub position: Position,
    /// In which stream, as far as its header tells.
    pub stream: String,
    /// Where in the stream, as far as its header tells.
    pub revision: Option<Revision>,
    /// What.
    pub wrong: Wrong,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "position {}, stream `{}`", self.position, self.stream)?;
        if let Some(revision) = self.revision {
            write!(f, ", revision {revision}")?;
        }
        write!(f, ": {}", self.wrong)
    }
}

/// What a verification came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// Events read.
    pub events: u64,
    /// Streams they belong to.
    pub streams: u64,
    /// Events whose content was opened and compared with its commitment.
    pub opened: u64,
    /// Events of which a part is erased or its key revoked: their digests were compared, their commitment cannot be.
    pub erased: u64,
    /// What is wrong, in order of position; the first [`FINDINGS_MAX`].
    pub findings: Vec<Finding>,
    /// How many more things are wrong.
    pub more: u64,
    /// The last position read.
    pub through: Option<Position>,
    /// When the event there was recorded (UTC), if its header can be read.
    pub recorded: Option<DateTime<Utc>>,
    /// The digest of that event's stored header.
    pub head: Option<Digest>,
}

impl Verification {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    fn report(&mut self, event: &Recorded, wrong: Wrong) {
        if self.findings.len() == FINDINGS_MAX {
            self.more += 1;
            return;
        }
        let (position, stream, revision) = (event.position(), event.stream().to_owned(), event.revision());
        self.findings.push(Finding { position, stream, revision, wrong });
    }
}

/// What the next event of a stream must follow.
struct Due {
    revision: Revision,
    previous: Digest,
}

/// Verifies one stream.
///
/// # Errors
/// When the journal or the key store cannot be read; what is wrong with events is in the answer.
pub async fn verify_stream(journal: &dyn Journal, stream: &StreamId) -> Result<Verification, JournalError> {
    let (mut report, mut due, mut from) = (Verification::default(), None, Revision::FIRST);
    loop {
        let events = journal.read(stream, from, READ_EVENTS_MAX).await?;
        let whole = events.len() < READ_EVENTS_MAX;
        for event in &events {
            if event.stream() != stream.as_str() {
                report.report(event, Wrong::Stream);
            }
            due = Some(verify_event(journal, event, due.as_ref(), &mut report).await?);
        }
        from = Revision::new(from.get().saturating_add(u64::try_from(events.len()).unwrap_or(u64::MAX)));
        if whole {
            report.streams = u64::from(due.is_some());
            return Ok(report);
        }
    }
}

/// Verifies the whole journal.
///
/// # Errors
/// When the journal or the key store cannot be read; what is wrong with events is in the answer.
pub async fn verify_all(journal: &dyn Journal) -> Result<Verification, JournalError> {
    let mut report = Verification::default();
    // Streams by a digest of their name: a town has many, and names are long.
    let mut due: HashMap<[u8; 16], Due> = HashMap::new();
    loop {
        let page = journal.read_all(report.through, &Filter::everything(), READ_EVENTS_MAX).await?;
        for event in &page.events {
            let name =
                Digest::of(event.stream().as_bytes()).as_bytes().first_chunk().copied().unwrap_or_default();
            let next = verify_event(journal, event, due.get(&name), &mut report).await?;
            due.insert(name, next);
        }
        report.through = page.through;
        if page.at_end {
            report.streams = u64::try_from(due.len()).unwrap_or(u64::MAX);
            return Ok(report);
        }
    }
}

async fn verify_event(
    journal: &dyn Journal,
    event: &Recorded,
    due: Option<&Due>,
    report: &mut Verification,
) -> Result<Due, JournalError> {
    report.events += 1;
    report.through = Some(event.position());
    report.head = Some(event.header_digest());
    let expected = due.map_or(Revision::FIRST, |due| due.revision);
    if Digest::of(event.stored_body().as_bytes()).to_string()
        != crate::header::cut(event.stored_header(), "body").unwrap_or_default()
    {
        report.report(event, Wrong::Body);
    }
    let Ok(header) = event.header() else {
        report.report(event, Wrong::Header);
        return Ok(Due { revision: expected.next(), previous: event.header_digest() });
    };
    report.recorded = Some(header.recorded_at);
    let previous = due.map(|due| due.previous);
    verify_header(event, header, expected, previous, report);
    verify_content(journal, event, header, report).await?;
    Ok(Due { revision: header.revision.next(), previous: event.header_digest() })
}

fn verify_header(
    event: &Recorded,
    header: &Header,
    expected: Revision,
    previous: Option<Digest>,
    report: &mut Verification,
) {
    if header.v != HEADER_VERSION {
        report.report(event, Wrong::Version(header.v));
    }
    if header.tenant.as_str() != header.stream.tenant_str() {
        report.report(event, Wrong::Stream);
    }
    if header.revision != expected {
        report.report(event, Wrong::Revision { expected, found: header.revision });
    } else if header.previous != previous {
        report.report(event, Wrong::Previous);
    }
    if header.occurred_at > header.recorded_at {
        report.report(event, Wrong::Times);
    }
}

async fn verify_content(
    journal: &dyn Journal,
    event: &Recorded,
    header: &Header,
    report: &mut Verification,
) -> Result<(), JournalError> {
    match open_fully(journal.keys().as_ref(), event).await {
        Ok(opened) => match opened.commitment {
            Some(commitment) => {
                report.opened += 1;
                if commitment != header.commit {
                    report.report(event, Wrong::Commitment);
                }
            }
            None => report.erased += 1,
        },
        Err(JournalError::KeyMissing { kid }) => report.report(event, Wrong::KeyMissing(kid)),
        Err(JournalError::Corrupt { .. }) => report.report(event, Wrong::Sealed),
        Err(error) => return Err(error),
    }
    Ok(())
}
