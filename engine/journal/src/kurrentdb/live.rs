//! The live subscription: tells followers that there is something to read. What they read are pages of the log, so a subscription that fails,
//! stalls or lies costs time and never an event.
//!
//! `kurrentdb` 1.2 mishandles a subscription that the server ends in order: asked for the next event, it turns in a circle without ever
//! giving way, so nothing on the same thread runs again and no time limit applies. Therefore the subscription has a thread and a runtime of
//! its own, a beat that stops when it turns in a circle, and a listener for the complaint that the client writes to its log at each turn:
//! it ends the thread from inside. A watch outside replaces a subscription that is gone or silent, and meanwhile looks at the log itself.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use eventstore_client::{
    Position as LogPosition, StreamPosition, SubscribeToAllOptions, SubscriptionEvent, SubscriptionFilter,
};
use tokio::sync::watch;
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::client::make;
use super::options::KurrentOptions;
use super::read::{Reader, Seen, position_of};
use crate::follow::Progress;
use crate::id::Position;

/// Complaints in a row after which the client is taken to turn in a circle.
const COMPLAINTS_MAX: u64 = 256;

/// Looks at a healthy subscription between two looks at the log.
const LOOKS_PER_READ: u32 = 5;

/// Events that the server searches before it tells how far it has got.
const CHECKPOINT_EVENTS: u32 = 32;

/// What a subscription and its watch share.
#[derive(Default)]
struct Pulse {
    /// Milliseconds since the subscription's start, at its last sign of life.
    beat: AtomicU64,
    complaints: AtomicU64,
    /// The token of the last position it told of.
    told: AtomicU64,
    stop: AtomicBool,
}

/// The subscription's surroundings, which the watch keeps only as long as somebody else does.
pub(super) struct Live {
    pub(super) options: KurrentOptions,
    pub(super) reader: Arc<Reader>,
    pub(super) progress: watch::Sender<Progress>,
}

impl Live {
    fn is_closed(&self) -> bool {
        self.progress.borrow().closed
    }

    pub(super) fn reached(&self, head: Option<Position>) {
        self.progress.send_if_modified(|progress| {
            let grown = progress.head < head;
            progress.head = progress.head.max(head);
            grown
        });
    }
}

/// A running subscription.
struct Running {
    pulse: Arc<Pulse>,
    started: Instant,
    thread: std::thread::JoinHandle<()>,
}

impl Running {
    fn start(live: &Arc<Live>) -> std::io::Result<Self> {
        let (pulse, started) = (Arc::new(Pulse::default()), Instant::now());
        let (live, shared) = (Arc::clone(live), Arc::clone(&pulse));
        let thread = std::thread::Builder::new().name("kurrent-live".to_owned()).spawn(move || {
            let listener = Listener(Arc::clone(&shared));
            let run = || tracing::subscriber::with_default(listener, || run(&live, &shared, started));
            let ended = catch_unwind(AssertUnwindSafe(run));
            let reason = match ended {
                Ok(Ok(())) => return,
                Ok(Err(reason)) => reason,
                Err(_) => "the server ended it".to_owned(),
            };
            tracing::info!(reason, "the subscription to KurrentDB ended and will be replaced");
        })?;
        Ok(Self { pulse, started, thread })
    }

    fn is_well(&self, silence: Duration) -> bool {
        let beat = Duration::from_millis(self.pulse.beat.load(Ordering::Acquire));
        !self.thread.is_finished() && self.started.elapsed().saturating_sub(beat) < silence
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.pulse.stop.store(true, Ordering::Release);
    }
}

/// Watches over the subscription until the journal is closed or gone.
pub(super) async fn watch_over(live: Weak<Live>, every: Duration) {
    let (mut running, mut looks) = (None::<Running>, 0_u32);
    // Where the subscription was when the log was last seen to have got further.
    let mut behind = None;
    loop {
        let Some(live) = live.upgrade() else { return };
        if live.is_closed() {
            return;
        }
        let well = running.as_ref().is_some_and(|running| running.is_well(every.saturating_mul(3)));
        if !well || looks.is_multiple_of(LOOKS_PER_READ) {
            // A store that cannot be read now will be next time.
            if let Ok(head) = live.reader.head().await {
                live.reached(head);
                let told = running.as_ref().map(|running| running.pulse.told.load(Ordering::Acquire));
                let late = told.filter(|told| head > Some(Position::from_token(*told)));
                if late.is_some() && std::mem::replace(&mut behind, late) == late {
                    running = None;
                }
            }
        }
        if !well || running.is_none() {
            running = Running::start(&live).ok();
        }
        looks = looks.wrapping_add(1);
        drop(live);
        tokio::time::sleep(every).await;
    }
}

/// A subscription from its beginning to its end, on this thread.
fn run(live: &Arc<Live>, pulse: &Pulse, started: Instant) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let ended = runtime.block_on(async {
        let client = make(&live.options).map_err(|error| error.to_string())?;
        let begin = live.reader.seen().through.map_or(StreamPosition::Start, |through| {
            StreamPosition::Position(LogPosition { commit: through.token(), prepare: through.token() })
        });
        let filter = SubscriptionFilter::on_event_type().exclude_system_events().max(CHECKPOINT_EVENTS);
        let options = SubscribeToAllOptions::default().position(begin).filter(filter).requires_leader(true);
        let mut subscription = client.subscribe_to_all(&options).await;
        let mut beat = tokio::time::interval(live.options.patience.watch / 2);
        loop {
            let next = subscription.next_subscription_event();
            tokio::pin!(next);
            let told = loop {
                tokio::select! {
                    told = &mut next => break told.map_err(|error| error.to_string())?,
                    _tick = beat.tick() => {
                        pulse.beat.store(millis(started.elapsed()), Ordering::Release);
                        if pulse.stop.load(Ordering::Acquire) || live.is_closed() {
                            return Ok(());
                        }
                    }
                }
            };
            pulse.complaints.store(0, Ordering::Release);
            if let Some(position) = take(live, &told) {
                pulse.told.store(position.token(), Ordering::Release);
            }
        }
    });
    runtime.shutdown_background();
    ended
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What the subscription told moves what is known of the log, and wakes those who wait for it. Answers how far it has got.
fn take(live: &Live, told: &SubscriptionEvent) -> Option<Position> {
    match told {
        SubscriptionEvent::EventAppeared(event) => {
            let event = event.get_original_event();
            let position = position_of(event);
            if live.reader.own(event).is_some() {
                live.reader.learn(Seen { head: Some(position), through: Some(position) });
                live.reached(Some(position));
            } else {
                live.reader.passed(position);
            }
            Some(position)
        }
        SubscriptionEvent::Checkpoint(position) => {
            let position = Position::from_token(position.commit);
            live.reader.passed(position);
            Some(position)
        }
        SubscriptionEvent::Confirmed(_)
        | SubscriptionEvent::FirstStreamPosition(_)
        | SubscriptionEvent::LastStreamPosition(_)
        | SubscriptionEvent::LastAllPosition(_)
        | SubscriptionEvent::CaughtUp(_)
        | SubscriptionEvent::FellBehind(_) => None,
    }
}

/// Hears what the client says on the subscription's thread.
struct Listener(Arc<Pulse>);

struct Spinning;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= Level::WARN
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::WARN)
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, _event: &Event<'_>) {
        if self.0.complaints.fetch_add(1, Ordering::AcqRel) >= COMPLAINTS_MAX {
            resume_unwind(Box::new(Spinning));
        }
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}
