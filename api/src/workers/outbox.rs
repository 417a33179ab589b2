//! Sends what is to be sent, and reports it.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use guichet_engine::rules::process::Delivery;
use guichet_engine::rules::request::{
    Actor, Command, CommandId, Effect, Recipient, RequestId, Subject, What,
};
use guichet_engine::{EngineError, Entry, Span, Submission, tenant_of};
use guichet_projections::{Claim, OutboxItem};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::rounds::{Duty, Left, Round};
use super::timing::{self, Timing};
use super::{CATCH_UP, NAMESPACE, WorkerError, digest};
use crate::channels::{sms, thread};
use crate::guichet::Guichet;
use crate::outbound::compose::{Composed, Occasion, compose};
use crate::outbound::{Means, OutMessage, SendError, slip};

/// Effects claimed at once.
pub(crate) const BATCH: usize = 64;
/// Messages under way at once.
const AT_ONCE: usize = 16;
/// The wait where the options give one that no calendar holds.
const WAIT: TimeDelta = TimeDelta::minutes(2);

/// How long before a request was recorded here something must have happened to be the other system's business.
const SETTLED_ELSEWHERE: TimeDelta = TimeDelta::days(1);
/// Why nobody is told of what happened in another system.
pub(super) const TAKEN_OVER: &str = "taken over from another system: nobody is told any more";

/// What a step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Effects claimed.
    pub claimed: usize,
    /// Effects done and reported.
    pub done: usize,
    /// Effects that are tried again later.
    pub postponed: usize,
    /// Effects reported failed for good.
    pub failed: usize,
}

impl Sent {
    fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Done => self.done += 1,
            Outcome::Postponed => self.postponed += 1,
            Outcome::Failed => self.failed += 1,
        }
    }
}

/// The worker of the outbox.
#[derive(Debug, Clone)]
pub struct Outbox {
    pub(super) guichet: Guichet,
    at_once: usize,
}

/// What became of one effect.
pub(super) enum Outcome {
    Done,
    Postponed,
    Failed,
}

/// What is carried out one after the other.
enum Batch {
    /// What one request asks for.
    Request(Vec<OutboxItem>),
    /// What goes out as one message.
    Digest(Vec<OutboxItem>),
}

impl Outcome {
    fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Postponed => "postponed",
            Self::Failed => "failed",
        }
    }
}

impl Outbox {
    /// A worker for this engine.
    #[must_use]
    pub fn new(guichet: &Guichet) -> Self {
        Self { guichet: guichet.clone(), at_once: AT_ONCE }
    }

    /// One after the other, in the order in which they were asked for: the same run gives the same journal.
    #[must_use]
    pub fn in_order(self) -> Self {
        Self { at_once: 1, ..self }
    }

    /// Carries out what may be tried at `now` (UTC), at most one batch of it.
    ///
    /// # Errors
    /// [`WorkerError`]; what was sent and reported before stands.
    pub async fn run_once(&self, now: DateTime<Utc>) -> Result<Sent, WorkerError> {
        let claim = Claim {
            holder: self.guichet.name().to_owned(),
            now,
            lease_until: now + TimeDelta::from_std(self.guichet.options().lease).unwrap_or(WAIT),
            // Letters, the counter and the telephone are agents' work.
            by: vec![Delivery::Email, Delivery::Sms, Delivery::Screen, Delivery::Social],
            limit: u32::try_from(BATCH).unwrap_or(u32::MAX),
        };
        self.guichet.read_models().catch_up(CATCH_UP).await?;
        let items = self.guichet.read_models().outbox_claim(&claim).await?;
        let mut sent = Sent { claimed: items.len(), ..Sent::default() };
        let (items, gathered) = self.sorted(items, now, &mut sent).await?;
        // What one request asks for is reported in the order in which it was asked for, whatever else is under way.
        let mut by_request: BTreeMap<(usize, RequestId), Vec<OutboxItem>> = BTreeMap::new();
        let mut places: HashMap<RequestId, usize> = HashMap::new();
        for (place, item) in items.into_iter().enumerate() {
            let first = *places.entry(item.request).or_insert(place);
            by_request.entry((first, item.request)).or_default().push(item);
        }
        let mut requests = by_request.into_values().map(Batch::Request).chain(gathered);
        let mut under_way: JoinSet<Result<Vec<Outcome>, WorkerError>> = JoinSet::new();
        let mut broken = None;
        loop {
            while broken.is_none()
                && under_way.len() < self.at_once
                && let Some(batch) = requests.next()
            {
                let worker = self.clone();
                under_way.spawn(async move {
                    match batch {
                        Batch::Request(items) => worker.carry_out_all(&items, now).await,
                        Batch::Digest(items) => worker.carry_out_digest(items, now).await,
                    }
                });
            }
            match under_way.join_next().await {
                None => return broken.map_or(Ok(sent), Err),
                Some(Ok(Ok(outcomes))) => outcomes.iter().for_each(|outcome| sent.count(outcome)),
                // What is under way is let finish: a message that is out must be reported.
                Some(Ok(Err(error))) => broken = broken.or(Some(error)),
                Some(Err(error)) => tracing::error!(%error, "sending a message broke off"),
            }
        }
    }

    /// What goes out by itself, and what goes out with others; what must wait is given back.
    async fn sorted(
        &self,
        items: Vec<OutboxItem>,
        now: DateTime<Utc>,
        sent: &mut Sent,
    ) -> Result<(Vec<OutboxItem>, Vec<Batch>), WorkerError> {
        let settings = &self.guichet.options().settings.messages;
        if !timing::may_wait(settings) {
            return Ok((items, Vec::new()));
        }
        let (mut alone, mut together) = (Vec::new(), Vec::new());
        for item in items {
            let known = self.guichet.request(&item.tenant, item.request).await?;
            match timing::timing(&item, &known, settings, now) {
                // What was gathered once stays so, whatever the settings say by now.
                Timing::Now | Timing::Gathered if item.digest.is_some() => together.push(item),
                Timing::Now => alone.push(item),
                Timing::Gathered => together.push(item),
                Timing::Later(until) => {
                    self.guichet.read_models().outbox_postponed(&item, until).await?;
                    sent.postponed += 1;
                }
            }
        }
        let mut batches = Vec::new();
        for group in digest::groups(together) {
            match group.first() {
                // One is no digest.
                Some(first) if group.len() == 1 && first.digest.is_none() => alone.extend(group),
                Some(_) | None => batches.push(Batch::Digest(group)),
            }
        }
        alone.sort_by_key(|item| item.asked);
        Ok((alone, batches))
    }

    async fn carry_out_all(
        &self,
        items: &[OutboxItem],
        now: DateTime<Utc>,
    ) -> Result<Vec<Outcome>, WorkerError> {
        let mut outcomes = Vec::with_capacity(items.len());
        for item in items {
            let outcome = self.carry_out(item, now).await?;
            metrics::counter!("guichet_workers_effects_total", "outcome" => outcome.name()).increment(1);
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    #[tracing::instrument(name = "workers.effect", level = "debug", skip_all, fields(effect = item.effect))]
    async fn carry_out(&self, item: &OutboxItem, now: DateTime<Utc>) -> Result<Outcome, WorkerError> {
        let history = self.guichet.history(&item.tenant, item.request, &Span::default(), true).await?;
        if is_taken_over(&history, item) {
            self.report(item, &failed(item, TAKEN_OVER.to_owned()), "failed").await?;
            self.guichet.read_models().outbox_done(item).await?;
            return Ok(Outcome::Failed);
        }
        let sent = self.send(item, &history, now).await?;
        self.settle(item, sent, now).await
    }

    /// Reports what became of an effect, or notes when it is tried again.
    pub(super) async fn settle(
        &self,
        item: &OutboxItem,
        sent: Result<(), SendError>,
        now: DateTime<Utc>,
    ) -> Result<Outcome, WorkerError> {
        match sent {
            Ok(()) => {
                self.report(item, &done(item), "done").await?;
                self.guichet.read_models().outbox_done(item).await?;
                Ok(Outcome::Done)
            }
            Err(SendError::Later(why)) if item.attempts + 1 < self.guichet.options().retries.attempts_max => {
                let wait = self.guichet.options().retries.wait_after(item.attempts + 1);
                let next = now + TimeDelta::from_std(wait).unwrap_or(WAIT);
                tracing::info!(request.id = %item.request, effect = item.effect, why, "a message goes out later");
                self.guichet.read_models().outbox_failed(item, &why, next).await?;
                Ok(Outcome::Postponed)
            }
            Err(SendError::Later(why) | SendError::Never(why)) => {
                tracing::warn!(request.id = %item.request, effect = item.effect, why, "a message cannot go out");
                self.report(item, &failed(item, why), "failed").await?;
                self.guichet.read_models().outbox_done(item).await?;
                Ok(Outcome::Failed)
            }
        }
    }

    /// Composes and sends. The outer error is ours, the inner one the message's.
    async fn send(
        &self,
        item: &OutboxItem,
        history: &[Entry],
        now: DateTime<Utc>,
    ) -> Result<Result<(), SendError>, WorkerError> {
        let known = self.guichet.request(&item.tenant, item.request).await?;
        let effect = Effect {
            id: item.effect.clone(),
            recipient: item.recipient.clone(),
            subject: item.subject.clone(),
            by: item.by,
        };
        let public_url = &self.guichet.options().public_url;
        let occasion = Occasion { effect: &effect, known: &known, history, now, public_url };
        let mut messages = match compose(&occasion) {
            Composed::Shown => return Ok(Ok(())),
            Composed::Unreachable(why) => return Ok(Err(SendError::Never(why))),
            Composed::Send(messages) => messages,
        };
        if let Recipient::Administration(to) = &item.recipient {
            for message in &mut messages {
                if let Err(why) = slip::attach(&self.guichet, &occasion, to, message).await {
                    return Ok(Err(why));
                }
            }
        }
        let messages = self.tagged(item, messages)?;
        if self.is_stopped(item, &messages).await? {
            return Ok(Err(SendError::Never("its reader asked for no more text messages".into())));
        }
        let mut reached = false;
        let mut refused = None;
        for message in &messages {
            match self.guichet.outbound().hand_over(message).await {
                Ok(carrier) => {
                    reached = true;
                    if let Some(carrier) = carrier {
                        self.guichet.read_models().note_handed(&carrier, &message.id, now).await?;
                    }
                }
                // Whoever got it already gets it again, with the same id; whoever did not must not be forgotten.
                Err(SendError::Later(why)) => return Ok(Err(SendError::Later(why))),
                Err(SendError::Never(why)) => refused = Some(why),
            }
        }
        Ok(match refused {
            Some(why) if !reached => Err(SendError::Never(why)),
            Some(_) | None => Ok(()),
        })
    }

    /// Mails to the requester carry the tag by which an answer to them shows which request it is about.
    fn tagged(
        &self,
        item: &OutboxItem,
        mut messages: Vec<OutMessage>,
    ) -> Result<Vec<OutMessage>, WorkerError> {
        if item.recipient == Recipient::Requester {
            let tag = thread::tag(self.guichet.engine(), &tenant_of(&item.tenant)?, item.request);
            for message in messages.iter_mut().filter(|message| message.means == Means::Email) {
                message.id = format!("{}.{tag}", message.id);
            }
        }
        Ok(messages)
    }

    /// Whether the requester wrote STOP from the number that a text message would go to.
    async fn is_stopped(&self, item: &OutboxItem, messages: &[OutMessage]) -> Result<bool, WorkerError> {
        for message in messages.iter().filter(|message| message.means == Means::Sms) {
            let digest = sms::stop_digest(&self.guichet, &item.tenant, &message.to)?;
            if self.guichet.read_models().is_stopped(&digest).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn report(&self, item: &OutboxItem, command: &Command, how: &str) -> Result<(), WorkerError> {
        let name = format!("effect:{}:{}:{how}", item.request, item.effect);
        let submission = Submission {
            tenant: item.tenant.clone(),
            request: Some(item.request),
            command: command.clone(),
            actor: Actor::Engine,
            command_id: CommandId(Uuid::new_v5(&NAMESPACE, name.as_bytes())),
            occurred_at: None,
            expected: None,
        };
        match self.guichet.submit(submission).await {
            Ok(_) => Ok(()),
            // Somebody was quicker: an agent met the requester, or the request ended meanwhile.
            Err(EngineError::Rejected(rejection)) => {
                tracing::debug!(request.id = %item.request, code = rejection.code, "a report came too late");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

#[async_trait]
impl Round for Outbox {
    fn name(&self) -> &'static str {
        "outbox"
    }

    fn duty(&self) -> Duty {
        Duty::Everyone
    }

    async fn round(&mut self, now: DateTime<Utc>) -> Result<Left, WorkerError> {
        // Where there was a full batch there is more.
        let sent = self.run_once(now).await?;
        Ok(Left::more_if(sent.claimed >= BATCH))
    }
}

fn done(item: &OutboxItem) -> Command {
    done_command(&item.subject, &item.recipient, item.by, &item.effect)
}

fn failed(item: &OutboxItem, reason: String) -> Command {
    failed_command(&item.subject, &item.recipient, item.by, &item.effect, reason)
}

/// Whether the effect belongs to the past of a request that was taken over from another system: it was asked for by
/// something that happened there, days before the request was recorded here. Nobody is written to about that again.
pub(super) fn is_taken_over(history: &[Entry], item: &OutboxItem) -> bool {
    let Some(first) = history.first() else { return false };
    let What::Received(received) = &first.event.what else { return false };
    received.external.is_some() && item.asked + SETTLED_ELSEWHERE < first.meta.recorded_at
}

/// The command that reports an effect done.
pub(crate) fn done_command(subject: &Subject, to: &Recipient, by: Delivery, effect: &str) -> Command {
    match (subject, to) {
        (Subject::Acknowledgement, Recipient::Requester) => Command::Acknowledge { by },
        (Subject::Answer, Recipient::Requester) => Command::Deliver { by },
        _ => Command::Notify { effect: effect.to_owned(), recipient: to.clone() },
    }
}

/// The command that reports an effect failed for good.
pub(crate) fn failed_command(
    subject: &Subject,
    to: &Recipient,
    by: Delivery,
    effect: &str,
    reason: String,
) -> Command {
    match (subject, to) {
        (Subject::Answer, Recipient::Requester) => Command::FailDelivery { by, reason },
        _ => Command::FailNotification {
            effect: effect.to_owned(),
            recipient: to.clone(),
            reason,
            late: false,
        },
    }
}
