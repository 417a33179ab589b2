//! Folding a batch of events into rows. It is plain computation, except that the state of a request that is not at
//! hand is folded from its stream.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use guichet_journal::{Journal, Position, Recorded, Revision, StreamId};
use guichet_rules::organisation::Organisation;
use guichet_rules::request::evolve;
use tokio::runtime::Handle;

use super::change::{Change, Fold, Held, Process, Publication, Trace, Turn, waiting_since};
use super::decode::{Decoded, RequestEvent, decode, poison};
use super::known::Known;
use super::states::{Key, States};
use crate::error::{Poison, ProjectionError};
use crate::models::{Begin, ReadModel};
use crate::read_models::Inner;
use crate::store::{Rows, token_of};

/// Events of a stream that are read at once when a state is not at hand.
const STREAM_PAGE: usize = 512;

/// A batch, folded: what is to be written, and how far it reaches.
#[derive(Debug)]
pub(crate) struct Folded {
    pub(crate) rows: Rows,
    pub(crate) through: Position,
    pub(crate) events: u64,
    pub(crate) last_recorded: Option<DateTime<Utc>>,
    pub(crate) caught_up: bool,
    /// Whether something was published in it.
    pub(crate) published: bool,
}

/// Events to be folded together.
pub(crate) struct Batch {
    pub(crate) events: Vec<Recorded>,
    /// How many of them are counted here: another folder may have some as well.
    pub(crate) count: u64,
    pub(crate) through: Position,
    pub(crate) caught_up: bool,
}

/// The folding side of a run: the read models and what they share.
pub(crate) struct Folder {
    pub(crate) models: Vec<Box<dyn Fold>>,
    pub(crate) states: States,
    pub(crate) known: Known,
    /// Where queries look up what is published; none while a rebuild runs beside.
    pub(crate) shared: Option<Arc<RwLock<Known>>>,
    /// Whether rows are made of what is published; of several folders, one makes them.
    pub(crate) publishes: bool,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) handle: Handle,
    pub(crate) tenants: Vec<String>,
}

/// A request that the batch touches.
struct Touched {
    key: Key,
    before: Option<Held>,
    after: Option<Held>,
}

/// The requests that the batch touches, in the order of their first event in it.
#[derive(Default)]
struct Batched {
    places: HashMap<Key, usize>,
    touched: Vec<Touched>,
}

impl Folded {
    /// Takes in what another folder made of its share of the same events.
    pub(crate) fn join(&mut self, other: Self) {
        let Self { rows, events, last_recorded, published, through: _, caught_up: _ } = other;
        self.rows.join(rows);
        self.events += events;
        self.last_recorded = self.last_recorded.max(last_recorded);
        self.published |= published;
    }
}

impl Folder {
    /// The folding side of these read models from the beginning of the journal.
    pub(crate) fn new(inner: &Inner, models: &[&'static ReadModel], begin: &Begin) -> Self {
        Self {
            models: models.iter().map(|model| (model.fold)(begin)).collect(),
            states: States::new(inner.options.open_states, inner.options.finished_states),
            known: Known::default(),
            shared: None,
            publishes: true,
            journal: Arc::clone(&inner.journal),
            handle: Handle::current(),
            tenants: Vec::new(),
        }
    }

    /// Folds a batch. After an error this is of no use any more: begin again from the checkpoint.
    pub(crate) fn fold(&mut self, batch: &Batch) -> Result<Folded, ProjectionError> {
        let mut rows = Rows::default();
        let mut batched = Batched::default();
        let mut published = false;
        let mut last_recorded = None;
        for recorded in &batch.events {
            match decode(recorded)? {
                Decoded::Request(event) => {
                    last_recorded = Some(event.meta.recorded_at);
                    self.request_event(recorded, &event, &mut batched, &mut rows)?;
                }
                Decoded::Process { tenant, published: body } => {
                    published = true;
                    let process = Arc::new(Process::new(body.hash.clone(), Arc::new(body.definition)));
                    self.known.add_process(Arc::clone(&process));
                    self.publish(&Publication::Process { tenant, process: &process }, &mut rows);
                }
                Decoded::Organisation { tenant, published: body } => {
                    published = true;
                    let organisation = Arc::new(body.organisation);
                    self.known.set_organisation(tenant, Arc::clone(&organisation));
                    self.publish(
                        &Publication::Organisation { tenant, organisation: &organisation },
                        &mut rows,
                    );
                }
                Decoded::Retired { tenant, process } => {
                    self.publish(&Publication::Retired { tenant, process: &process }, &mut rows);
                }
                // Every folder is given it; one of them makes its rows.
                Decoded::Record(record) if self.publishes => {
                    last_recorded = Some(record.meta.recorded_at);
                    for model in &mut self.models {
                        model.record(&record, &mut rows).map_err(|reason| poison(recorded, reason))?;
                    }
                }
                Decoded::Record(_) | Decoded::Draft | Decoded::Tombstone => {}
            }
        }
        if let Some(shared) = self.shared.as_ref().filter(|_| published) {
            *shared.write().unwrap_or_else(PoisonError::into_inner) = self.known.clone();
        }
        self.turns(batched, &mut rows);
        let Batch { count: events, through, caught_up, .. } = *batch;
        Ok(Folded { rows, through, events, last_recorded, caught_up, published })
    }

    fn publish(&mut self, publication: &Publication<'_>, rows: &mut Rows) {
        if !self.publishes {
            return;
        }
        for model in &mut self.models {
            model.publication(publication, rows);
        }
    }

    fn request_event(
        &mut self,
        recorded: &Recorded,
        event: &RequestEvent<'_>,
        batched: &mut Batched,
        rows: &mut Rows,
    ) -> Result<(), ProjectionError> {
        let key = (self.tenant(event.tenant), event.id);
        let place = match batched.places.get(&key) {
            Some(place) => *place,
            None => {
                let before = self.held(recorded, event, &key)?;
                batched.touched.push(Touched { key, after: before.clone(), before });
                batched.places.insert(key, batched.touched.len() - 1);
                batched.touched.len() - 1
            }
        };
        let Some(touched) = batched.touched.get_mut(place) else { return Ok(()) };
        let held = advance(touched.after.take(), recorded, event)?;
        let process = self.known.process(&held.request.definition);
        let process = process.ok_or_else(|| poison(recorded, "its process was not published before it"))?;
        let nobody = Organisation::default();
        let change = Change {
            position: recorded.position(),
            revision: event.revision,
            event: &event.event,
            meta: &event.meta,
            on_behalf_of: event.on_behalf_of,
            after: &held,
            process,
            organisation: self.known.organisation(event.tenant).map_or(&nobody, |organisation| organisation),
        };
        for model in &mut self.models {
            model.event(&change, rows).map_err(|reason| poison(recorded, reason))?;
        }
        touched.after = Some(held);
        Ok(())
    }

    /// The state before the batch's first event of a request: at hand, or folded from its stream.
    fn held(
        &mut self,
        recorded: &Recorded,
        event: &RequestEvent<'_>,
        key: &Key,
    ) -> Result<Option<Held>, ProjectionError> {
        let held = self.states.take(key);
        if held.is_some() || event.revision == 0 {
            return Ok(held);
        }
        let stream: StreamId = recorded
            .stream()
            .parse()
            .map_err(|_| poison(recorded, "its stream has no name that can be read"))?;
        let mut held = None;
        let mut next = Revision::FIRST;
        while next.get() < event.revision {
            let page = self.handle.block_on(self.journal.read(&stream, next, STREAM_PAGE))?;
            let Some(last) = page.last() else {
                return Err(poison(recorded, "its stream ends before it").into());
            };
            next = last.revision().map_or(Revision::new(event.revision), Revision::next);
            for earlier in &page {
                let Decoded::Request(past) = decode(earlier)? else { continue };
                if past.revision < event.revision {
                    held = Some(advance(held, earlier, &past)?);
                }
            }
        }
        Ok(held)
    }

    fn turns(&mut self, batched: Batched, rows: &mut Rows) {
        for Touched { key, before, after } in batched.touched {
            let Some(after) = after else { continue };
            let known = &self.known;
            let before = before
                .as_ref()
                .and_then(|held| known.process(&held.request.definition).map(|process| (held, &**process)));
            if let Some(process) = known.process(&after.request.definition) {
                let turn = Turn { before, after: &after, process };
                for model in &mut self.models {
                    model.request(&turn, rows);
                }
            }
            self.states.put(key, after);
        }
    }

    fn tenant(&mut self, tenant: &str) -> u32 {
        let place = self.tenants.iter().position(|known| known == tenant).unwrap_or_else(|| {
            self.tenants.push(tenant.to_owned());
            self.tenants.len() - 1
        });
        u32::try_from(place).unwrap_or(u32::MAX)
    }
}

/// A request after one more event.
fn advance(held: Option<Held>, recorded: &Recorded, event: &RequestEvent<'_>) -> Result<Held, Poison> {
    let expected = held.as_ref().map_or(0, |held| held.revision + 1);
    if event.revision != expected {
        return Err(poison(recorded, format!("revision {expected} of its stream is missing before it")));
    }
    let (rid, mut trace, request) = match held {
        Some(held) => (held.rid, held.trace, Some(held.request)),
        None => (token_of(recorded.position()), Trace::default(), None),
    };
    let waiting = waiting_since(request.as_ref());
    let request = evolve(request, &event.event, &event.meta)
        .ok_or_else(|| poison(recorded, "a request cannot begin with it"))?;
    trace.follow(waiting, &event.event, &event.meta, &request);
    Ok(Held { request, trace, rid, revision: event.revision })
}
