//! A sequencer's own thread, for a store that is called and not asked: whoever appends is one passage between threads away from it, not three.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use tokio::sync::oneshot;

use crate::error::JournalError;

/// How often the thread offers its core to others before it goes to sleep. Whoever was just answered often asks again at once, and waking
/// a thread takes longer than a whole append to memory; some 50 µs.
const PATIENCE: usize = 96;

/// Runs a piece of work on a thread of its own; the answer comes when it is done, and an error when it ended otherwise.
pub(crate) fn run<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<oneshot::Receiver<T>, JournalError> {
    let (done, end) = oneshot::channel();
    let body = move || {
        let _unheard = done.send(finish(work));
    };
    let started = std::thread::Builder::new().name("journal".to_owned()).spawn(body);
    started.map_err(|error| JournalError::unavailable(format!("no thread for the writer: {error}")))?;
    Ok(end)
}

/// Polls until there is nothing left to do.
fn finish<T>(work: impl Future<Output = T>) -> T {
    let bell = Arc::new(Bell { rung: AtomicBool::new(false), sleeper: std::thread::current() });
    let waker = Waker::from(Arc::clone(&bell));
    let mut context = Context::from_waker(&waker);
    let mut work = pin!(work);
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
            return done;
        }
        bell.wait();
    }
}

struct Bell {
    rung: AtomicBool,
    sleeper: Thread,
}

impl Bell {
    fn wait(&self) {
        for _ in 0..PATIENCE {
            if self.rung.swap(false, Ordering::Acquire) {
                return;
            }
            std::thread::yield_now();
        }
        while !self.rung.swap(false, Ordering::Acquire) {
            std::thread::park();
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::Release) {
            self.sleeper.unpark();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::run;

    #[tokio::test]
    async fn work_that_waits_is_woken_each_time_and_its_end_is_told() {
        let (ask, mut asked) = tokio::sync::mpsc::channel::<u64>(1);
        let end = run(async move {
            let mut sum = 0;
            while let Some(number) = asked.recv().await {
                sum += number;
            }
            sum
        });
        for number in 1..=500 {
            ask.send(number).await.unwrap();
            if number % 100 == 0 {
                // Long enough for the thread to have fallen asleep.
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }
        drop(ask);
        assert_eq!(end.unwrap().await.unwrap(), 125_250);
    }

    #[tokio::test]
    async fn work_that_panics_is_an_end_without_an_answer() {
        let end = run(async { assert_eq!(1, 2, "on purpose") }).unwrap();
        assert!(end.await.is_err());
    }
}
