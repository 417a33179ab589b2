//! What happens without anybody asking: timers fire, messages go out.
//!
//! Both workers read what is to do from the read models, do it, and report it as a command whose id is made from what
//! asked for it. A crash between doing and reporting repeats the doing, and the report is recognised.
//!
//! Of several servers on one store, the one that leads the read models fires timers and brings drafts into force; should
//! two of them think that they lead, the ids make the second report a repeat of the first. Messages go out from all of
//! them, each claimed by one for a while. A server that dies between sending and reporting, or sleeps longer than its
//! claim, makes a message go out twice: with the same id, so that a transport that looks at ids drops the second.
//!
//! Each is driven step by step (`run_once`), so that a simulation with a clock of its own and a server run the same code.

mod alerts;
mod digest;
mod outbox;
mod payments;
mod publications;
mod timers;
mod timing;
mod webhooks;

use std::time::Duration;

use guichet_engine::EngineError;
use guichet_projections::ProjectionError;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::channels::maildir;
use crate::guichet::Guichet;
use crate::outbound::webhook::Sender;
use crate::outgoing::Outgoing;
pub use alerts::{Alerted, Alerts};
pub(crate) use outbox::{BATCH, done_command, failed_command};
pub use outbox::{Outbox, Sent};
pub use payments::{Heard, PaymentInquiries};
pub use publications::Publications;
pub use timers::{Fired, Timers};
pub use webhooks::{Told, WAITING_MAX, Webhooks};

/// How often a server looks for something to do.
const PACE: Duration = Duration::from_millis(500);
/// How often files that nobody named are looked for.
const FILES_PACE: Duration = Duration::from_secs(60 * 60);
/// The wait after something failed that may pass.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How long a worker waits for the read models to have seen everything.
const CATCH_UP: Duration = Duration::from_secs(60);

/// The names from which commands of the engine's own are made.
const NAMESPACE: Uuid = Uuid::from_u128(0x7c1d_90a3_52be_4e0f_a6d4_18f2_c35b_6e97);

/// Why a worker stopped before it was done. What it had done stands; it goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The engine did not take a report.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The read models do not answer.
    #[error(transparent)]
    ReadModels(#[from] ProjectionError),
}

/// The workers of a server, until they are stopped.
#[derive(Debug)]
pub struct Workers {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Workers {
    pub(crate) fn start(guichet: &Guichet) -> Self {
        let (stop, stopped) = watch::channel(false);
        let timers = tokio::spawn(run_timers(guichet.clone(), stopped.clone()));
        let publications = tokio::spawn(run_publications(guichet.clone(), stopped.clone()));
        let alerts = tokio::spawn(run_alerts(guichet.clone(), stopped.clone()));
        let outbox = tokio::spawn(run_outbox(guichet.clone(), stopped.clone()));
        let files = tokio::spawn(run_files(guichet.clone(), stopped.clone()));
        let webhooks = tokio::spawn(run_webhooks(guichet.clone(), stopped.clone()));
        let mut tasks = vec![timers, publications, alerts, files, outbox, webhooks];
        for mailbox in
            guichet.options().settings.channels.mailboxes.iter().filter(|known| known.maildir.is_some())
        {
            tasks.push(tokio::spawn(maildir::watch(guichet.clone(), mailbox.clone(), stopped.clone())));
        }
        if guichet.payments().any() {
            tasks.push(tokio::spawn(payments::run(guichet.clone(), stopped.clone())));
        }
        Self { stop, tasks }
    }

    /// Lets each finish the step it is at, and ends them.
    pub async fn stop(self) {
        // Nobody listens any more only if both have ended already.
        let _ = self.stop.send(true);
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a worker ended badly");
            }
        }
    }
}

async fn run_timers(guichet: Guichet, mut stopped: watch::Receiver<bool>) {
    let timers = Timers::new(&guichet);
    while !*stopped.borrow() {
        let fired = if guichet.read_models().leads() {
            timers.run_once(guichet.now()).await.map(drop)
        } else {
            Ok(())
        };
        let pause = match fired {
            Ok(()) => PACE,
            Err(error) => {
                tracing::warn!(%error, "timers are interrupted and try again");
                AFTER_FAILURE
            }
        };
        rest(pause, &mut stopped).await;
    }
}

async fn run_publications(guichet: Guichet, mut stopped: watch::Receiver<bool>) {
    let publications = Publications::new(&guichet);
    while !*stopped.borrow() {
        let settled = if guichet.read_models().leads() {
            publications.run_once().await.map(drop)
        } else {
            // What the leader brings into force is known here before somebody asks for it.
            guichet.engine().refresh().await.map_err(WorkerError::from)
        };
        let pause = match settled {
            Ok(()) => PACE,
            Err(error) => {
                tracing::warn!(%error, "the entry into force of drafts is interrupted and tries again");
                AFTER_FAILURE
            }
        };
        rest(pause, &mut stopped).await;
    }
}

async fn run_files(guichet: Guichet, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        if guichet.read_models().leads() {
            match guichet.attachments().sweep(&guichet, guichet.now()).await {
                Ok(swept) => tracing::debug!(?swept, "files that nobody named"),
                Err(error) => tracing::warn!(%error, "files that nobody named are looked for again later"),
            }
        }
        rest(FILES_PACE, &mut stopped).await;
    }
}

async fn run_alerts(guichet: Guichet, mut stopped: watch::Receiver<bool>) {
    let alerts = Alerts::new(&guichet);
    while !*stopped.borrow() {
        let told = if guichet.read_models().leads() {
            alerts.run_once(guichet.now()).await.map(drop)
        } else {
            Ok(())
        };
        let pause = match told {
            Ok(()) => PACE,
            Err(error) => {
                tracing::warn!(%error, "alerts are interrupted and try again");
                AFTER_FAILURE
            }
        };
        rest(pause, &mut stopped).await;
    }
}

async fn run_outbox(guichet: Guichet, mut stopped: watch::Receiver<bool>) {
    let outbox = Outbox::new(&guichet);
    while !*stopped.borrow() {
        let pause = match outbox.run_once(guichet.now()).await {
            // Where there was a full batch there is more.
            Ok(sent) if sent.claimed >= outbox::BATCH => continue,
            Ok(_) => PACE,
            Err(error) => {
                tracing::warn!(%error, "the outbox is interrupted and tries again");
                AFTER_FAILURE
            }
        };
        rest(pause, &mut stopped).await;
    }
}

async fn run_webhooks(guichet: Guichet, mut stopped: watch::Receiver<bool>) {
    let sender = match Outgoing::new() {
        Ok(outgoing) => Sender::new(outgoing),
        Err(error) => {
            tracing::error!(error, "no address can be told of anything");
            return;
        }
    };
    let webhooks = Webhooks::new(&guichet, sender);
    while !*stopped.borrow() {
        let pause = match webhooks.run_once(guichet.now()).await {
            // Where something was taken there may be more.
            Ok(told) if told.delivered > 0 => continue,
            Ok(_) => PACE,
            Err(error) => {
                tracing::warn!(%error, "telling addresses is interrupted and tries again");
                AFTER_FAILURE
            }
        };
        rest(pause, &mut stopped).await;
    }
}

async fn rest(pause: Duration, stopped: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        // An error means that the handle is gone, and with it whoever wanted the work done.
        _ = stopped.changed() => {}
    }
}
