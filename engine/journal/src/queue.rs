//! The way of an append from its caller to the sequencer and back.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::{mpsc, oneshot, watch};

use crate::error::JournalError;
use crate::event::{Append, Appended};
use crate::follow::Progress;
use crate::keys::KeyStore;
use crate::limits::QUEUE_APPENDS_MAX;
use crate::prepare::{Preparer, StreamKeys};
use crate::sequencer::{Request, Sequencer, Table};
use crate::thread;

/// A sequencer at work in a task or on a thread of its own, and the queue that leads to it.
pub(crate) struct Queue {
    preparer: Preparer,
    queue: Mutex<Option<mpsc::Sender<Request>>>,
    sequencer: Mutex<Option<Running>>,
}

/// The sequencer's end, and the word that makes it finish. Dropping the word does the same.
struct Running {
    end: oneshot::Receiver<()>,
    finish: oneshot::Sender<()>,
}

impl Queue {
    pub(crate) fn start<T: Table + 'static>(
        sequencer: Sequencer<T>,
        progress: watch::Sender<Progress>,
        keys: Arc<dyn KeyStore>,
    ) -> Self {
        let (queue, requests) = mpsc::channel(QUEUE_APPENDS_MAX);
        let (finish, finishing) = oneshot::channel();
        let (done, end) = oneshot::channel();
        tokio::spawn(async move {
            sequencer.run(requests, finishing, progress).await;
            let _unheard = done.send(());
        });
        Self::leading_to(queue, Running { end, finish }, keys)
    }

    /// For a table whose calls hold up their thread.
    pub(crate) fn start_on_a_thread<T: Table + 'static>(
        sequencer: Sequencer<T>,
        progress: watch::Sender<Progress>,
        keys: Arc<dyn KeyStore>,
    ) -> Result<Self, JournalError> {
        let (queue, requests) = mpsc::channel(QUEUE_APPENDS_MAX);
        let (finish, finishing) = oneshot::channel();
        let end = thread::run(sequencer.run(requests, finishing, progress))?;
        Ok(Self::leading_to(queue, Running { end, finish }, keys))
    }

    fn leading_to(queue: mpsc::Sender<Request>, running: Running, keys: Arc<dyn KeyStore>) -> Self {
        Self {
            preparer: Preparer::new(keys),
            queue: Mutex::new(Some(queue)),
            sequencer: Mutex::new(Some(running)),
        }
    }

    pub(crate) fn keys(&self) -> &Arc<dyn KeyStore> {
        self.preparer.keys()
    }

    fn queue(&self) -> Result<mpsc::Sender<Request>, JournalError> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(JournalError::Closed)
    }

    pub(crate) async fn append(
        &self,
        append: Append,
        store: &dyn StreamKeys,
    ) -> Result<Appended, JournalError> {
        let queue = self.queue()?;
        let began = Instant::now();
        let (prepared, given) = self.preparer.prepare(append, store).await?;
        let (reply, answer) = oneshot::channel();
        // Once the request is in the queue the sequencer carries it out, whether or not anyone still waits for the answer.
        queue.send(Request { prepared, reply }).await.map_err(|_| JournalError::Closed)?;
        drop(queue);
        let lost = |_| JournalError::Indeterminate { reason: "the writer stopped".to_owned() };
        let receipt = answer.await.map_err(lost)??;
        if !receipt.repeated {
            self.preparer.learn(given);
            metrics::histogram!("guichet_journal_append_seconds").record(began.elapsed());
        }
        Ok(receipt)
    }

    /// Carries out what is in the queue; callers that have not got so far are told that the journal is closed.
    pub(crate) async fn close(&self) {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(queue);
        let running = self.sequencer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Running { end, finish }) = running {
            let _told = finish.send(());
            let _ended = end.await;
        }
    }
}
