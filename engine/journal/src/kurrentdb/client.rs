//! The client, in a cell where it can be exchanged.
//!
//! `kurrentdb` 1.2 has two habits that a journal cannot live with: a client whose connection once failed never connects again, and a client
//! whose leader was killed keeps calling the dead node. A fresh client does neither. So every failed call may ask for a fresh one; many that
//! fail together get the same, and they are not made faster than a growing pause allows.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use eventstore_client::{Client, Error};

use super::fault::{Fault, judge};
use super::options::{KurrentOptions, PAUSE_MAX, Patience};
use crate::error::JournalError;

pub(super) struct Connection {
    options: KurrentOptions,
    cell: Mutex<Cell>,
}

struct Cell {
    client: Option<Client>,
    /// Counts the clients, so that who comes with the failure of an older one takes the newer.
    generation: u64,
    failures: u32,
    not_before: Instant,
}

/// How a call ended that is neither an answer nor worth repeating.
#[derive(Debug)]
pub(super) struct GaveUp {
    /// Whether one of the attempts may have been carried out.
    pub(super) perhaps: bool,
    pub(super) error: JournalError,
}

impl GaveUp {
    /// As a caller that writes must see it.
    pub(super) fn writing(self) -> JournalError {
        match self.error {
            JournalError::Unavailable { reason } if self.perhaps => JournalError::Indeterminate { reason },
            error => error,
        }
    }
}

/// A fresh client. Making one reads certificates, and panics on a file that holds none.
pub(super) fn make(options: &KurrentOptions) -> Result<Client, JournalError> {
    // Two cryptographic providers are linked once this feature is on, and rustls does not choose between them. The one that the rest of the
    // house uses is named before the client names another.
    let _named_already = rustls::crypto::ring::default_provider().install_default();
    let settings = options.settings.clone();
    let made = catch_unwind(AssertUnwindSafe(|| Client::new(settings)));
    let failed = || JournalError::unavailable("the certificates named in KurrentDB's address cannot be used");
    made.map_err(|_| failed())?.map_err(|_| failed())
}

/// The pause before attempt number `attempt`, counted from 0.
fn pause(patience: &Patience, attempt: u32) -> Duration {
    patience.pause.saturating_mul(1 << attempt.min(10)).min(PAUSE_MAX)
}

impl Connection {
    pub(super) fn new(options: KurrentOptions) -> Result<Self, JournalError> {
        let client = make(&options)?;
        let cell = Cell { client: Some(client), generation: 0, failures: 0, not_before: Instant::now() };
        Ok(Self { options, cell: Mutex::new(cell) })
    }

    pub(super) fn options(&self) -> &KurrentOptions {
        &self.options
    }

    fn cell(&self) -> MutexGuard<'_, Cell> {
        self.cell.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> Result<(u64, Client), JournalError> {
        let mut cell = self.cell();
        let client = match cell.client.take() {
            Some(client) => client,
            None => make(&self.options)?,
        };
        cell.client = Some(client.clone());
        Ok((cell.generation, client))
    }

    fn answered(&self) {
        let mut cell = self.cell();
        cell.failures = 0;
    }

    /// Puts a fresh client in the place of number `generation`, unless somebody did already; no sooner than the pause allows.
    async fn renew(&self, generation: u64) {
        loop {
            let wait = {
                let mut cell = self.cell();
                if cell.generation != generation {
                    return;
                }
                let now = Instant::now();
                if cell.not_before <= now {
                    cell.client = None;
                    cell.generation += 1;
                    cell.not_before = now + pause(&self.options.patience, cell.failures);
                    cell.failures = cell.failures.saturating_add(1);
                    tracing::info!(number = cell.generation, "a fresh client of KurrentDB takes over");
                    return;
                }
                cell.not_before - now
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Makes a call, and the very same again while its failure may pass and patience lasts.
    pub(super) async fn call<T, A, F>(&self, attempt: A) -> Result<T, GaveUp>
    where
        A: Fn(Client, Duration) -> F,
        F: Future<Output = Result<T, Error>>,
    {
        let patience = self.options.patience;
        let started = Instant::now();
        let (mut perhaps, mut redirected) = (false, false);
        for number in 0.. {
            let final_word = |error| GaveUp { perhaps, error };
            let (generation, client) = self.current().map_err(final_word)?;
            let fault = match tokio::time::timeout(patience.call, attempt(client, patience.call)).await {
                Ok(Ok(answer)) => {
                    self.answered();
                    return Ok(answer);
                }
                Ok(Err(error)) => judge(error),
                Err(_) => Fault::silence(),
            };
            let reason = match fault {
                Fault::Final(error) => return Err(final_word(error)),
                // The client goes to the node that it was told; a second refusal wants a fresh look at the cluster.
                Fault::NotLeader if !redirected => {
                    redirected = true;
                    continue;
                }
                Fault::NotLeader => "no node of KurrentDB says that it leads".to_owned(),
                Fault::NotDone(reason) => reason,
                Fault::Unknown(reason) => {
                    perhaps = true;
                    reason
                }
            };
            redirected = false;
            if started.elapsed() >= patience.total {
                return Err(GaveUp { perhaps, error: JournalError::Unavailable { reason } });
            }
            tokio::time::sleep(pause(&patience, number)).await;
            self.renew(generation).await;
        }
        Err(GaveUp { perhaps, error: JournalError::unavailable("no attempt was made") })
    }
}
