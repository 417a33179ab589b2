//! What happens without anybody asking: timers fire, messages go out.
//!
//! Each worker reads what is to do from the read models, does it, and reports it as a command whose id is made from what
//! asked for it. A crash between doing and reporting repeats the doing, and the report is recognised.
//!
//! Of several servers on one store, the one that leads the read models fires timers and brings drafts into force; should
//! two of them think that they lead, the ids make the second report a repeat of the first. Messages go out from all of
//! them, each claimed by one for a while. A server that dies between sending and reporting, or sleeps longer than its
//! claim, makes a message go out twice: with the same id, so that a transport that looks at ids drops the second.
//!
//! Each is driven step by step (`run_once`), so that a simulation with a clock of its own and a server run the same code.

mod alerts;
mod comparing;
mod digest;
mod files;
mod forwards;
mod outbox;
mod parcel;
mod payments;
mod publications;
mod rounds;
mod timers;
mod timing;
mod webhooks;

use std::time::Duration;

use guichet_engine::EngineError;
use guichet_projections::ProjectionError;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::attachments::AttachmentError;
use crate::channels::{imap, maildir};
use crate::guichet::Guichet;
pub use alerts::{Alerted, Alerts};
pub use forwards::{Brought, Forwards};
pub(crate) use outbox::{BATCH, done_command, failed_command};
pub use outbox::{Outbox, Sent};
pub use payments::{Heard, PaymentInquiries};
pub use publications::Publications;
use rounds::Round;
pub use timers::{Fired, Timers};
pub use webhooks::{Told, WAITING_MAX, Webhooks};

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
    /// The store of files does not answer.
    #[error(transparent)]
    Files(#[from] AttachmentError),
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
        let rounds = all(guichet).into_iter();
        let mut tasks: Vec<JoinHandle<()>> =
            rounds.map(|round| tokio::spawn(rounds::run(guichet.clone(), round, stopped.clone()))).collect();
        for mailbox in
            guichet.options().settings.channels.mailboxes.iter().filter(|known| known.maildir.is_some())
        {
            tasks.push(tokio::spawn(maildir::watch(guichet.clone(), mailbox.clone(), stopped.clone())));
        }
        for (index, mailbox) in guichet.options().settings.channels.mailboxes.iter().enumerate() {
            let place = format!("channels.mailboxes[{}]", index + 1);
            tasks.push(tokio::spawn(imap::watch(guichet.clone(), mailbox.clone(), place, stopped.clone())));
        }
        tasks.push(tokio::spawn(comparing::run(guichet.clone(), stopped.clone())));
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

/// Everything that a server does by itself: one line for each.
fn all(guichet: &Guichet) -> Vec<Box<dyn Round>> {
    let mut rounds: Vec<Box<dyn Round>> = vec![
        Box::new(Timers::new(guichet)),
        Box::new(Publications::new(guichet)),
        Box::new(Alerts::new(guichet)),
        Box::new(Outbox::new(guichet)),
        Box::new(files::Files::new(guichet)),
        Box::new(Forwards::new(guichet)),
    ];
    rounds.extend(webhooks::round(guichet));
    rounds.extend(payments::round(guichet));
    rounds
}
