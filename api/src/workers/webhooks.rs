//! Tells registered addresses what happens.
//!
//! Each address has a place in the journal up to which it was told. A server claims an address, sends what follows that
//! place, and settles: the place moves, what was not taken is parked. A crash in between sends the same events again, with
//! the same ids. Events of one request go out in their order: behind one that failed, later ones of its request wait; those
//! of other requests do not. An address that fails again and again rests, and holds nobody else up.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::StreamExt;
use guichet_engine::journal::{Filter, Position, Recorded};
use guichet_engine::rules::process::REQUEST_STREAM;
use guichet_engine::rules::records::webhook::{Disablement, WebhookStanding};
use guichet_engine::rules::request::RequestId;
use guichet_engine::{EngineError, tenant_of};
use guichet_projections::{Endpoint, EndpointClaim, Parked, Settled};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::WorkerError;
use super::rounds::{Duty, Left, Round};
use crate::guichet::Guichet;
use crate::outbound::webhook::{
    ATTEMPTS_MAX, Envelope, FAILING_MAX, FAILURES_BEFORE_REST, Outcome, REST_MAX, Sender, Signed, rest_after,
    wait_after,
};
use crate::outgoing::Outgoing;

/// Addresses claimed at once.
const CLAIMED: u32 = 64;
/// Addresses told at once by one server.
const AT_ONCE: usize = 16;
/// Events sent to an address in one turn.
const TURN_EVENTS: usize = 32;
/// Requests told of at once to one address.
const TURN_AT_ONCE: usize = 4;
/// Events looked through in one turn.
const LOOKED_THROUGH: usize = 512;
/// Events that wait for another try; as many hold back what follows.
pub const WAITING_MAX: usize = 256;
/// A turn sends nothing more after this long; what is left is sent in the next.
const TURN_MAX: Duration = Duration::from_secs(60);
/// How long a server has an address to itself: longer than a turn, with deliveries at its end that time out.
const LEASE: TimeDelta = TimeDelta::minutes(3);
/// What stops a turn at once.
const ENOUGH: u32 = u32::MAX / 2;

/// What a step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told {
    /// Addresses claimed.
    pub claimed: usize,
    /// Deliveries that were taken.
    pub delivered: usize,
    /// Deliveries that are tried again later.
    pub postponed: usize,
    /// Events that became dead letters.
    pub dead: usize,
    /// Addresses that were disabled.
    pub disabled: usize,
}

impl std::ops::AddAssign for Told {
    fn add_assign(&mut self, other: Self) {
        self.claimed += other.claimed;
        self.delivered += other.delivered;
        self.postponed += other.postponed;
        self.dead += other.dead;
        self.disabled += other.disabled;
    }
}

/// The worker of webhooks.
#[derive(Debug, Clone)]
pub struct Webhooks {
    guichet: Guichet,
    sender: Sender,
}

/// What is to be sent in a turn.
#[derive(Default)]
struct Work {
    /// Up to where the journal was looked through.
    position: Option<Position>,
    /// Events by request, each in its order.
    groups: Vec<Vec<Parked>>,
    /// Events that wait behind earlier ones of their request.
    behind: Vec<Parked>,
}

/// How a turn goes.
struct Course {
    /// Failures since the last success.
    in_a_row: AtomicU32,
    begun: Instant,
}

impl Course {
    /// Whether nothing more is sent in this turn.
    fn is_over(&self) -> bool {
        self.in_a_row.load(Ordering::Relaxed) >= FAILURES_BEFORE_REST || self.begun.elapsed() > TURN_MAX
    }
}

/// What became of the events of one request.
#[derive(Default)]
struct Sent {
    delivered: Vec<Uuid>,
    unwanted: Vec<Uuid>,
    parked: Vec<Parked>,
    failed: u32,
    wait_until: Option<DateTime<Utc>>,
    gone: bool,
    error: Option<String>,
}

/// The worker, where calls to other servers can be made at all.
pub(super) fn round(guichet: &Guichet) -> Option<Box<dyn Round>> {
    match Outgoing::new() {
        Ok(outgoing) => Some(Box::new(Webhooks::new(guichet, Sender::new(outgoing)))),
        Err(error) => {
            tracing::error!(error, "no address can be told of anything");
            None
        }
    }
}

impl Webhooks {
    /// A worker for this engine.
    #[must_use]
    pub fn new(guichet: &Guichet, sender: Sender) -> Self {
        Self { guichet: guichet.clone(), sender }
    }

    /// Tells what may be told at `now` (UTC): one turn for each address that there is something to do for.
    ///
    /// # Errors
    /// [`WorkerError`]; what was sent and settled before stands.
    pub async fn run_once(&self, now: DateTime<Utc>) -> Result<Told, WorkerError> {
        let head = self.guichet.engine().journal().head().await.map_err(EngineError::from)?;
        let Some(head) = head else { return Ok(Told::default()) };
        let holder = self.guichet.name().to_owned();
        let claim = EndpointClaim { holder, now, lease_until: now + LEASE, head, limit: CLAIMED };
        let mut endpoints = self.guichet.read_models().webhook_claim(&claim).await?.into_iter();
        let mut told = Told { claimed: endpoints.len(), ..Told::default() };
        let mut under_way: JoinSet<Result<Told, WorkerError>> = JoinSet::new();
        let mut broken = None;
        loop {
            while under_way.len() < AT_ONCE
                && let Some(endpoint) = endpoints.next()
            {
                let worker = self.clone();
                under_way.spawn(async move { worker.turn(&endpoint, now).await });
            }
            match under_way.join_next().await {
                None => return broken.map_or(Ok(told), Err),
                Some(Ok(Ok(turn))) => told += turn,
                // The others are told all the same.
                Some(Ok(Err(error))) => broken = broken.or(Some(error)),
                Some(Err(error)) => tracing::error!(%error, "telling an address broke off"),
            }
        }
    }

    #[tracing::instrument(name = "workers.webhook", level = "debug", skip_all, fields(webhook = %endpoint.webhook))]
    async fn turn(&self, endpoint: &Endpoint, now: DateTime<Utc>) -> Result<Told, WorkerError> {
        let webhook = self.guichet.webhook(&endpoint.tenant, endpoint.webhook).await?;
        let active = webhook.filter(|webhook| webhook.standing() == WebhookStanding::Active);
        let signed = active.and_then(|webhook| Signed::of(&webhook, &self.guichet.options().settings, now));
        let Some(signed) = signed else { return self.leave_in_peace(endpoint, now).await };
        let work = self.work(endpoint, now).await?;
        let course = Course {
            in_a_row: AtomicU32::new(endpoint.failures.min(FAILURES_BEFORE_REST - 1)),
            begun: Instant::now(),
        };
        let groups = futures_util::stream::iter(work.groups)
            .map(|events| self.tell(endpoint, &signed, events, now, &course))
            .buffer_unordered(TURN_AT_ONCE);
        let sent: Vec<Result<Sent, WorkerError>> = groups.collect().await;
        let mut all = Sent { parked: work.behind, ..Sent::default() };
        for sent in sent {
            all.join(sent?);
        }
        self.settle(endpoint, work.position, all, course.in_a_row.into_inner(), now).await
    }

    /// It was paused or removed a moment ago, its key was destroyed, or the operator no longer allows its host.
    async fn leave_in_peace(&self, endpoint: &Endpoint, now: DateTime<Utc>) -> Result<Told, WorkerError> {
        let settled = Settled {
            failures: endpoint.failures,
            failing_since: endpoint.failing_since,
            rest_until: Some(now + TimeDelta::from_std(REST_MAX).unwrap_or(LEASE)),
            error: Some("the address may not be called".into()),
            ..Settled::default()
        };
        self.guichet.read_models().webhook_settle(endpoint, &settled, now).await?;
        Ok(Told::default())
    }

    /// What is due again, and what is new. An address that fails is asked with one event whether it is there again.
    async fn work(&self, endpoint: &Endpoint, now: DateTime<Utc>) -> Result<Work, WorkerError> {
        let asking = endpoint.failures >= FAILURES_BEFORE_REST;
        let mut left = if asking { 1 } else { TURN_EVENTS };
        let mut waiting: HashMap<RequestId, Option<DateTime<Utc>>> = HashMap::new();
        let mut groups: BTreeMap<Position, Vec<Parked>> = BTreeMap::new();
        let mut firsts: HashMap<RequestId, Position> = HashMap::new();
        for parked in &endpoint.waiting {
            let first = *firsts.entry(parked.request).or_insert(parked.position);
            let next = *waiting.entry(parked.request).or_insert(parked.next_attempt);
            if left > 0 && next.is_none_or(|next| next <= now) {
                groups.entry(first).or_default().push(parked.clone());
                left -= 1;
            }
        }
        let mut work = Work { groups: groups.into_values().collect(), ..Work::default() };
        if left > 0 && endpoint.waiting.len() < WAITING_MAX {
            self.look_further(endpoint, &waiting, left, &mut work).await?;
        }
        Ok(work)
    }

    async fn look_further(
        &self,
        endpoint: &Endpoint,
        waiting: &HashMap<RequestId, Option<DateTime<Utc>>>,
        mut left: usize,
        work: &mut Work,
    ) -> Result<(), WorkerError> {
        let tenant = tenant_of(&endpoint.tenant)?;
        let filter =
            Filter { tenant: Some(tenant), kinds: vec![REQUEST_STREAM.to_owned()], types: Vec::new() };
        let journal = self.guichet.engine().journal();
        let page = journal.read_all(endpoint.position, &filter, LOOKED_THROUGH).await;
        let page = page.map_err(EngineError::from)?;
        let mut groups: HashMap<RequestId, usize> = HashMap::new();
        for recorded in &page.events {
            if left == 0 {
                return Ok(());
            }
            work.position = Some(recorded.position());
            if !endpoint.subscription.wants_event(recorded.event_type()) {
                continue;
            }
            let mut event = event_of(recorded)?;
            left -= 1;
            if let Some(next) = waiting.get(&event.request) {
                event.next_attempt = *next;
                work.behind.push(event);
                continue;
            }
            let place = *groups.entry(event.request).or_insert(work.groups.len());
            match work.groups.get_mut(place) {
                Some(group) => group.push(event),
                None => work.groups.push(vec![event]),
            }
        }
        work.position = page.through.or(work.position);
        Ok(())
    }

    /// Sends the events of one request, in their order, until one fails.
    async fn tell(
        &self,
        endpoint: &Endpoint,
        signed: &Signed,
        events: Vec<Parked>,
        now: DateTime<Utc>,
        course: &Course,
    ) -> Result<Sent, WorkerError> {
        let mut sent = Sent::default();
        let Some(request) = events.first().map(|event| event.request) else { return Ok(sent) };
        let revisions: Vec<u64> = events.iter().map(|event| event.revision).collect();
        let (engine, url) = (self.guichet.engine(), &self.guichet.options().public_url);
        let envelopes = match Envelope::of(engine, url, &endpoint.tenant, request, &revisions).await {
            // A stream that was ended has nothing to tell any more.
            Err(EngineError::UnknownRequest) => Vec::new(),
            others => others?,
        };
        let mut held_up: Option<DateTime<Utc>> = None;
        for mut event in events {
            let envelope = envelopes.iter().find(|envelope| envelope.id == event.event);
            let wanted = envelope.filter(|envelope| {
                let process = envelope.data.as_ref().map(|data| data.process.as_str());
                process.is_some_and(|process| endpoint.subscription.wants_process(process))
            });
            let Some(envelope) = wanted else {
                sent.unwanted.push(event.event);
                continue;
            };
            if held_up.is_some() || course.is_over() {
                event.next_attempt = Some(held_up.unwrap_or(now));
                sent.parked.push(event);
                continue;
            }
            let outcome = self.sender.send(signed, &event.event.to_string(), envelope.bytes(), now).await;
            held_up = self.take(outcome, event, now, &course.in_a_row, &mut sent)?;
        }
        Ok(sent)
    }

    /// Notes what became of a delivery, and until when later events of the same request wait because of it.
    fn take(
        &self,
        outcome: Outcome,
        mut event: Parked,
        now: DateTime<Utc>,
        in_a_row: &AtomicU32,
        sent: &mut Sent,
    ) -> Result<Option<DateTime<Utc>>, WorkerError> {
        let held_up = match outcome {
            Outcome::Delivered => {
                in_a_row.store(0, Ordering::Relaxed);
                sent.delivered.push(event.event);
                return Ok(None);
            }
            Outcome::Failed(error) => {
                in_a_row.fetch_add(1, Ordering::Relaxed);
                sent.failed += 1;
                event.attempts += 1;
                let wait = wait_after(event.attempts, self.chance()?);
                event.dead = wait.is_none() || event.attempts >= ATTEMPTS_MAX;
                sent.error = Some(error);
                now + wait.unwrap_or_default()
            }
            Outcome::Wait(wait, error) => {
                in_a_row.store(ENOUGH, Ordering::Relaxed);
                sent.failed += 1;
                sent.error = Some(error);
                sent.wait_until = sent.wait_until.max(Some(now + wait));
                now + wait
            }
            Outcome::Gone => {
                in_a_row.store(ENOUGH, Ordering::Relaxed);
                sent.failed += 1;
                sent.gone = true;
                sent.error = Some("answered 410".into());
                now
            }
        };
        event.error.clone_from(&sent.error);
        event.next_attempt = Some(held_up);
        sent.parked.push(event);
        Ok(Some(held_up))
    }

    async fn settle(
        &self,
        endpoint: &Endpoint,
        position: Option<Position>,
        all: Sent,
        in_a_row: u32,
        now: DateTime<Utc>,
    ) -> Result<Told, WorkerError> {
        let succeeded = !all.delivered.is_empty();
        let failures = match (succeeded, in_a_row) {
            (true, ENOUGH..) => 1,
            (true, in_a_row) => in_a_row,
            (false, _) => endpoint.failures.saturating_add(all.failed),
        };
        let since = endpoint.failing_since.filter(|_| !succeeded);
        let failing_since =
            if failures == 0 { None } else { since.or_else(|| (all.failed > 0).then_some(now)) };
        let rest =
            if all.failed > 0 { rest_after(failures, self.chance()?).map(|rest| now + rest) } else { None };
        let dead = all.parked.iter().filter(|parked| parked.dead).count();
        let told = Told {
            claimed: 0,
            delivered: all.delivered.len(),
            postponed: all.parked.len() - dead,
            dead,
            disabled: 0,
        };
        let waiting = endpoint.waiting.len() + all.parked.len();
        let next = all.parked.iter().chain(&endpoint.waiting).filter_map(|parked| parked.next_attempt).min();
        let full = next.filter(|_| waiting >= WAITING_MAX && !succeeded);
        let settled = Settled {
            position,
            succeeded,
            delivered: [all.delivered, all.unwanted].concat(),
            parked: all.parked,
            failures,
            failing_since,
            rest_until: all.wait_until.max(rest).max(full),
            error: all.error.clone(),
        };
        if !self.guichet.read_models().webhook_settle(endpoint, &settled, now).await? {
            tracing::info!(webhook = %endpoint.webhook, "a claim of an address was over before its turn was");
        }
        count(&told);
        let failing = failing_since.is_some_and(|since| now - since >= FAILING_MAX) && all.failed > 0;
        let reason = if all.gone { Some(Disablement::Gone) } else { failing.then_some(Disablement::Failing) };
        let Some(reason) = reason else { return Ok(told) };
        let error = all.error.unwrap_or_default();
        tracing::warn!(webhook = %endpoint.webhook, ?reason, error, "an address is disabled");
        self.guichet.disable_webhook(&endpoint.tenant, endpoint.webhook, reason, &error).await?;
        Ok(Told { disabled: 1, ..told })
    }

    fn chance(&self) -> Result<u8, WorkerError> {
        let mut drawn = [0];
        self.guichet.ambient().fill(&mut drawn).map_err(EngineError::Chance)?;
        let [chance] = drawn;
        Ok(chance)
    }
}

#[async_trait]
impl Round for Webhooks {
    fn name(&self) -> &'static str {
        "webhooks"
    }

    fn duty(&self) -> Duty {
        Duty::Everyone
    }

    async fn round(&mut self, now: DateTime<Utc>) -> Result<Left, WorkerError> {
        // Where something was taken there may be more.
        let told = self.run_once(now).await?;
        Ok(Left::more_if(told.delivered > 0))
    }
}

impl Sent {
    fn join(&mut self, other: Self) {
        self.delivered.extend(other.delivered);
        self.unwanted.extend(other.unwanted);
        self.parked.extend(other.parked);
        self.failed += other.failed;
        self.wait_until = self.wait_until.max(other.wait_until);
        self.gone |= other.gone;
        self.error = other.error.or(self.error.take());
    }
}

fn count(told: &Told) {
    for (outcome, number) in
        [("delivered", told.delivered), ("postponed", told.postponed), ("dead", told.dead)]
    {
        let number = u64::try_from(number).unwrap_or_default();
        metrics::counter!("guichet_workers_webhook_deliveries_total", "outcome" => outcome).increment(number);
    }
}

/// An event of a request, to be sent for the first time.
fn event_of(recorded: &Recorded) -> Result<Parked, WorkerError> {
    let header = recorded.header().map_err(EngineError::from)?;
    Ok(Parked {
        event: header.event.uuid(),
        request: RequestId(header.stream.id()),
        revision: header.revision.get(),
        position: recorded.position(),
        attempts: 0,
        next_attempt: None,
        dead: false,
        error: None,
    })
}
