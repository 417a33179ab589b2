//! All requests of a journal at once, each folded from its first event on. Reading, decoding and folding go on at the
//! same time, and the streams are shared out among threads, so that as many cores are used as are given.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use guichet_journal::{Filter, JournalError, Position, Recorded};
use guichet_rules::process::REQUEST_STREAM;
use guichet_rules::request::{Event, Meta, Request, RequestId, evolve};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::error::EngineError;
use crate::submit::Engine;

/// Events that are read at once.
const PAGE: usize = 4096;
/// Batches that wait for a thread, so that memory does not grow when reading is faster than folding.
const WAITING: usize = 2;

/// Every request of a journal, as it stands at one position. Nothing personal in them is opened.
#[derive(Debug, Default)]
pub struct Census {
    shares: Vec<Share>,
    through: Option<Position>,
}

/// The requests that one thread folded.
#[derive(Debug, Default)]
struct Share {
    tenants: Vec<Arc<str>>,
    requests: HashMap<(usize, Uuid), Option<Request>>,
    events: u64,
}

impl Census {
    /// How many requests there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shares.iter().map(|share| share.requests.len()).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many events were folded.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.shares.iter().map(|share| share.events).sum()
    }

    /// Up to where the journal was read; none when it was empty.
    #[must_use]
    pub fn through(&self) -> Option<Position> {
        self.through
    }

    /// Each request with its collectivity, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, RequestId, &Request)> {
        self.shares.iter().flat_map(|share| {
            share.requests.iter().filter_map(|((tenant, id), request)| {
                Some((share.tenants.get(*tenant)?.as_ref(), RequestId(*id), request.as_ref()?))
            })
        })
    }
}

impl Share {
    fn take(&mut self, recorded: &Recorded) -> Result<(), EngineError> {
        let outline = recorded.outline()?;
        let Some(id) = outline.id_of(REQUEST_STREAM) else { return Ok(()) };
        let event = Event::decode(outline.event_type, recorded.body().as_bytes())?;
        let meta = Meta {
            tenant: outline.tenant.to_owned(),
            actor: outline.actor.to_owned(),
            occurred_at: outline.occurred_at,
            recorded_at: outline.recorded_at,
        };
        let tenant = self.tenant(outline.tenant);
        let request = self.requests.entry((tenant, id)).or_default();
        *request = evolve(request.take(), &event, &meta);
        self.events += 1;
        Ok(())
    }

    fn tenant(&mut self, name: &str) -> usize {
        self.tenants.iter().position(|known| **known == *name).unwrap_or_else(|| {
            self.tenants.push(name.into());
            self.tenants.len() - 1
        })
    }
}

/// A thread that folds what it is sent.
struct Hand {
    work: mpsc::Sender<Vec<Recorded>>,
    end: JoinHandle<Result<Share, EngineError>>,
}

impl Hand {
    fn start() -> Self {
        let (work, mut batches) = mpsc::channel::<Vec<Recorded>>(WAITING);
        let end = tokio::task::spawn_blocking(move || {
            let mut share = Share::default();
            while let Some(batch) = batches.blocking_recv() {
                batch.iter().try_for_each(|recorded| share.take(recorded))?;
            }
            Ok(share)
        });
        Self { work, end }
    }
}

impl Engine {
    /// Folds the whole journal into the states of its requests, with so many threads beside the one that reads. All
    /// states are in memory at the end, some 2 kB for each request.
    ///
    /// # Errors
    /// [`EngineError::Journal`] when the journal cannot be read, [`EngineError::Newer`] or [`EngineError::Decode`] when
    /// it holds an event that this version cannot fold.
    pub async fn census(&self, threads: NonZeroUsize) -> Result<Census, EngineError> {
        let mut hands: Vec<Hand> = (0..threads.get()).map(|_| Hand::start()).collect();
        let read = self.deal(&mut hands).await;
        let mut shares = Vec::with_capacity(hands.len());
        for Hand { work, end } in hands {
            drop(work);
            let interrupted = |_| JournalError::Unavailable { reason: "folding was interrupted".to_owned() };
            shares.push(end.await.map_err(interrupted)??);
        }
        Ok(Census { shares, through: read? })
    }

    /// Reads to the end and gives each stream's events to the same hand.
    async fn deal(&self, hands: &mut [Hand]) -> Result<Option<Position>, EngineError> {
        let everything = Filter::everything();
        let mut through = None;
        loop {
            let page = self.journal().read_all(through, &everything, PAGE).await?;
            through = page.through;
            let mut batches: Vec<Vec<Recorded>> = vec![Vec::new(); hands.len()];
            for recorded in page.events {
                let hand = hand_of(recorded.stream(), batches.len());
                if let Some(batch) = batches.get_mut(hand) {
                    batch.push(recorded);
                }
            }
            for (hand, batch) in hands.iter().zip(batches) {
                // A hand that is gone says why when its end is asked for.
                if hand.work.send(batch).await.is_err() {
                    return Ok(through);
                }
            }
            if page.at_end {
                return Ok(through);
            }
        }
    }
}

/// Ids are spread evenly, so the last letters of a stream's name are.
fn hand_of(stream: &str, hands: usize) -> usize {
    let letters = stream.bytes().rev().take(4).fold(0, |sum, letter| sum * 31 + usize::from(letter));
    letters % hands.max(1)
}
