//! Followers: readers that never end and never miss an event.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::error::JournalError;
use crate::event::Recorded;
use crate::id::Position;
use crate::limits::FOLLOW_PAGE_EVENTS;
use crate::port::{Filter, Page};

/// How far a store has got, told to its followers at each append.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) head: Option<Position>,
    pub(crate) closed: bool,
}

impl Progress {
    /// Tells the followers that the journal reaches to here, unless they know of more already.
    pub(crate) fn reach(progress: &watch::Sender<Self>, head: Option<Position>) {
        progress.send_if_modified(|progress| {
            let further = head > progress.head;
            if further {
                progress.head = head;
            }
            further
        });
    }

    /// Refuses what is asked of a journal that is closed.
    pub(crate) fn refuse_closed(progress: &watch::Sender<Self>) -> Result<(), JournalError> {
        if progress.borrow().closed { Err(JournalError::Closed) } else { Ok(()) }
    }

    /// Closes the journal for readers, and tells the followers.
    pub(crate) fn close(progress: &watch::Sender<Self>) {
        progress.send_modify(|progress| progress.closed = true);
    }
}

/// What a follower needs of a store.
#[async_trait]
pub(crate) trait Source: Send + Sync {
    /// As `Journal::read_all`, but still answering while the store closes.
    async fn page(
        &self,
        after: Option<Position>,
        filter: &Filter,
        limit: usize,
    ) -> Result<Page, JournalError>;
}

/// What a follower tells.
#[derive(Debug, Clone)]
pub enum Followed {
    /// The next event.
    Event(Recorded),
    /// There is nothing more for now: everything up to this position (none: the journal is empty) has been told or was not wanted.
    CaughtUp(Option<Position>),
}

/// A stretch of the journal as a follower sees it.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The wanted events; may be none.
    pub events: Vec<Recorded>,
    /// Up to where the journal has been looked through, wanted or not.
    pub through: Option<Position>,
    /// Whether that was the end of the journal.
    pub caught_up: bool,
}

/// A reader that waits at the end of the journal for more. Dropping it is all it takes to stop; every method may be cancelled without losing an event.
pub struct Follower {
    source: Arc<dyn Source>,
    progress: watch::Receiver<Progress>,
    filter: Filter,
    after: Option<Position>,
    waiting: VecDeque<Recorded>,
    at_end: bool,
    told: bool,
}

impl Follower {
    pub(crate) fn new(
        source: Arc<dyn Source>,
        progress: watch::Receiver<Progress>,
        after: Option<Position>,
        filter: Filter,
    ) -> Self {
        Self { source, progress, filter, after, waiting: VecDeque::new(), at_end: false, told: false }
    }

    /// The next event, or that there is none for now. `CaughtUp` comes once each time the end is reached; after it, this waits for an append.
    ///
    /// # Errors
    /// `Closed` once the journal is closed and everything in it was told; otherwise as `Journal::read_all`, and the call may be repeated.
    pub async fn next(&mut self) -> Result<Followed, JournalError> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Ok(Followed::Event(event));
            }
            if self.at_end && !self.told {
                self.told = true;
                return Ok(Followed::CaughtUp(self.after));
            }
            self.fetch().await?;
        }
    }

    /// The next stretch, for readers that take many events at once. It is empty only to say that the end is reached.
    ///
    /// # Errors
    /// As [`Follower::next`].
    pub async fn batch(&mut self) -> Result<Batch, JournalError> {
        while self.waiting.is_empty() && (!self.at_end || self.told) {
            self.fetch().await?;
        }
        self.told |= self.at_end;
        Ok(Batch {
            events: std::mem::take(&mut self.waiting).into(),
            through: self.after,
            caught_up: self.at_end,
        })
    }

    /// Reads one page, after waiting for an append when the end was reached.
    async fn fetch(&mut self) -> Result<(), JournalError> {
        if self.at_end {
            let after = self.after;
            let grown = self.progress.wait_for(|progress| progress.head > after || progress.closed).await;
            let closed = grown.map_or(true, |progress| progress.head <= after);
            if closed {
                return Err(JournalError::Closed);
            }
        }
        let page = self.source.page(self.after, &self.filter, FOLLOW_PAGE_EVENTS).await?;
        self.told &= page.through == self.after;
        self.after = page.through;
        self.at_end = page.at_end;
        self.waiting = page.events.into();
        Ok(())
    }
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follower")
            .field("after", &self.after)
            .field("filter", &self.filter)
            .finish_non_exhaustive()
    }
}
