//! Questions to the store that many ask at the same moment, asked once.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use guichet_journal::StreamId;
use lru::LruCache;

/// Streams whose questions are shared. One that is pushed out costs a question more, nothing else.
const STREAMS: usize = 4096;

/// The question about one stream. Whoever comes while it is under way waits for the next one, which begins after they
/// came and therefore sees all that was acknowledged before.
#[derive(Default)]
struct Flight {
    alone: tokio::sync::Mutex<()>,
    /// How many have begun.
    begun: AtomicU64,
    /// The number of the last that was answered.
    answered: AtomicU64,
}

/// Questions about streams.
pub(crate) struct Flights(Mutex<LruCache<StreamId, Arc<Flight>>>);

impl Default for Flights {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(NonZeroUsize::new(STREAMS).unwrap_or(NonZeroUsize::MIN))))
    }
}

impl Flights {
    /// Asks, unless somebody else's question that began after this call was answered meanwhile.
    pub(crate) async fn ask<E>(
        &self,
        stream: &StreamId,
        question: impl Future<Output = Result<(), E>>,
    ) -> Result<(), E> {
        let flight = self.of(stream);
        let before = flight.begun.load(Ordering::SeqCst);
        let _alone = flight.alone.lock().await;
        if flight.answered.load(Ordering::SeqCst) > before {
            return Ok(());
        }
        let number = flight.begun.fetch_add(1, Ordering::SeqCst) + 1;
        question.await?;
        flight.answered.store(number, Ordering::SeqCst);
        Ok(())
    }

    fn of(&self, stream: &StreamId) -> Arc<Flight> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(flights.get_or_insert(stream.clone(), Arc::default))
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn those_who_come_together_share_a_question_that_began_after_they_came() {
        let (flights, asked) = (Arc::new(Flights::default()), Arc::new(AtomicU64::new(0)));
        let gate = Arc::new(Semaphore::new(0));
        let stream: StreamId = "ville.organisation-00000000-0000-0000-0000-000000000001".parse().unwrap();
        let ask = || {
            let (flights, asked, gate) = (Arc::clone(&flights), Arc::clone(&asked), Arc::clone(&gate));
            let stream = stream.clone();
            tokio::spawn(async move {
                let question = async {
                    asked.fetch_add(1, Ordering::SeqCst);
                    gate.acquire().await.map(drop).map_err(drop)
                };
                flights.ask(&stream, question).await
            })
        };
        let first = ask();
        while asked.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        // The first question is under way: what it sees may be older than these, so that they need one more, together.
        let others: Vec<_> = (0..50).map(|_| ask()).collect();
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        gate.add_permits(100);
        first.await.unwrap().unwrap();
        for other in others {
            other.await.unwrap().unwrap();
        }
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_question_that_failed_answers_nobody() {
        let flights = Flights::default();
        let stream: StreamId = "ville.organisation-00000000-0000-0000-0000-000000000001".parse().unwrap();
        assert_eq!(flights.ask(&stream, async { Err(()) }).await, Err(()));
        let mut asked = false;
        flights
            .ask(&stream, async {
                asked = true;
                Ok::<(), ()>(())
            })
            .await
            .unwrap();
        assert!(asked);
    }
}
