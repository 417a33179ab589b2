//! Sends alerts: batch by batch, each recipient once.
//!
//! A batch is taken in the journal before its first message and told of after its last. In between, each message that was
//! handed over is noted at once, so that a worker that dies leaves at most one message of which nobody knows whether it
//! went: it goes out again with the same id, by which its receiver can tell. One server sends: the one that leads.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use guichet_engine::EngineError;
use guichet_engine::rules::process::Delivery;
use guichet_engine::rules::records::alert::{
    Alert, AlertEvent, BATCH_PEOPLE, BatchDone, BatchTaken, Severity, Standing, batch_of,
};
use guichet_engine::rules::records::contact::Account;
use guichet_engine::rules::request::{Actor, CommandId};
use guichet_engine::rules::text::Language;
use uuid::Uuid;

use super::rounds::{Left, Round};
use super::{CATCH_UP, NAMESPACE, WorkerError};
use crate::accounts::alerts::{Concern, alert, change, concerned, events};
use crate::accounts::codes::unsubscribe_token;
use crate::accounts::{self};
use crate::guichet::Guichet;
use crate::outbound::{Means, OutMessage, SendError};

/// What a step did: numbers of people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Alerted {
    /// Handed over to the transport.
    pub reached: usize,
    /// Refused by the transport.
    pub failed: usize,
    /// Without a proven address.
    pub unreachable: usize,
}

/// The worker of alerts.
#[derive(Debug, Clone)]
pub struct Alerts {
    guichet: Guichet,
}

/// What became of one message.
enum Outcome {
    Reached,
    Failed,
    Unreachable,
    /// The transport is not there now: the batch goes on later.
    Later,
}

impl Alerts {
    /// A worker for this engine.
    #[must_use]
    pub fn new(guichet: &Guichet) -> Self {
        Self { guichet: guichet.clone() }
    }

    /// Sends whatever alerts are under way at `now` (UTC), as far as the hour and the transport allow.
    ///
    /// # Errors
    /// [`WorkerError`]; who was told before stays told.
    pub async fn run_once(&self, now: DateTime<Utc>) -> Result<Alerted, WorkerError> {
        let mut told = Alerted::default();
        let sending = self.guichet.read_models().alerts_sending().await?.value;
        for line in sending {
            self.send(&line.tenant, line.alert, now, &mut told).await?;
        }
        Ok(told)
    }

    async fn send(
        &self,
        tenant: &str,
        id: Uuid,
        now: DateTime<Utc>,
        told: &mut Alerted,
    ) -> Result<(), WorkerError> {
        // Where to look on for people: everybody before is taken already.
        let mut after = None;
        loop {
            let Some(alert) = alert(&self.guichet, tenant, id).await? else { return Ok(()) };
            if alert.standing != Standing::Sending || !self.may_disturb(tenant, &alert, now) {
                return Ok(());
            }
            self.guichet.read_models().catch_up(CATCH_UP).await?;
            let number = match self.guichet.read_models().alert_batch(id).await?.value {
                Some((number, false)) => number,
                last => {
                    let number = last.map_or(0, |(number, _)| number + 1);
                    let next = self.next(tenant, id, &alert, &mut after).await?;
                    if next.is_empty() {
                        return self.finish(tenant, id).await;
                    }
                    self.take(tenant, id, number, next).await?;
                    number
                }
            };
            if !self.batch(tenant, id, &alert, number, told).await? {
                return Ok(());
            }
        }
    }

    /// Whether people may be disturbed now: for a danger always, else outside of the quiet hours of the collectivity.
    fn may_disturb(&self, tenant: &str, alert: &Alert, now: DateTime<Utc>) -> bool {
        let settings = &self.guichet.options().settings;
        alert.draft.severity == Severity::Danger || !settings.alerts.is_quiet(tenant, &settings.messages, now)
    }

    /// The next people of an alert whom nobody has taken yet.
    async fn next(
        &self,
        tenant: &str,
        id: Uuid,
        alert: &Alert,
        after: &mut Option<Uuid>,
    ) -> Result<Vec<Uuid>, WorkerError> {
        let (topics, places) = (&alert.draft.topics, &alert.draft.places);
        let until = alert.sent.unwrap_or(alert.drafted);
        let concern = Concern { tenant, topics, places, until };
        let models = self.guichet.read_models();
        loop {
            let Some((accounts, last)) = concerned(&self.guichet, &concern, *after).await? else {
                return Ok(Vec::new());
            };
            let taken = models.alert_taken(id, &accounts).await?;
            let mut free: Vec<Uuid> =
                accounts.into_iter().filter(|account| !taken.contains(account)).collect();
            if free.is_empty() {
                *after = Some(last);
                continue;
            }
            free.truncate(BATCH_PEOPLE);
            return Ok(free);
        }
    }

    async fn take(
        &self,
        tenant: &str,
        alert: Uuid,
        batch: u32,
        recipients: Vec<Uuid>,
    ) -> Result<(), WorkerError> {
        let taken = BatchTaken { alert, batch, recipients };
        let who = (&Actor::Engine, self.guichet.fresh_command_id()?);
        let place = (tenant, batch_of(alert, batch));
        let content = ("take", alert, batch);
        let done = change(&self.guichet, place, who, &content, |entries| {
            // Somebody else was faster: their batch is the batch.
            Ok(if entries.is_empty() { vec![AlertEvent::from(taken.clone())] } else { Vec::new() })
        });
        if let Some(position) = done.await?.position {
            self.guichet.wait_for(position, CATCH_UP).await?;
        }
        Ok(())
    }

    /// Sends a batch. Whether the next can follow.
    async fn batch(
        &self,
        tenant: &str,
        id: Uuid,
        alert: &Alert,
        batch: u32,
        told: &mut Alerted,
    ) -> Result<bool, WorkerError> {
        let place = (tenant, batch_of(id, batch));
        let kind = guichet_engine::rules::records::alert::ALERT;
        let entries = self.guichet.engine().recorded_of(tenant, kind, place.1, false).await?;
        let recipients = events(&entries).find_map(|(event, _)| match event {
            AlertEvent::BatchTaken(taken) => Some(taken.recipients.clone()),
            AlertEvent::AlertDrafted(_)
            | AlertEvent::AlertApproved(_)
            | AlertEvent::AlertSent(_)
            | AlertEvent::AlertCancelled(_)
            | AlertEvent::AlertFinished(_)
            | AlertEvent::BatchDone(_) => None,
        });
        let already = self.guichet.read_models().alert_marked(id).await?;
        let mut done = BatchDone { alert: id, batch, reached: vec![], failed: vec![], unreachable: vec![] };
        for account in recipients.unwrap_or_default() {
            let outcome = if already.contains(&account) {
                Outcome::Reached
            } else {
                self.tell(tenant, id, alert, account).await?
            };
            match outcome {
                Outcome::Reached => done.reached.push(account),
                Outcome::Failed => done.failed.push(account),
                Outcome::Unreachable => done.unreachable.push(account),
                Outcome::Later => return Ok(false),
            }
        }
        told.reached += done.reached.len();
        told.failed += done.failed.len();
        told.unreachable += done.unreachable.len();
        let who = (&Actor::Engine, CommandId(Uuid::new_v5(&NAMESPACE, place.1.as_bytes())));
        let content = ("done", id, batch);
        let receipt = change(&self.guichet, place, who, &content, |entries| {
            let told = events(entries).any(|(event, _)| matches!(event, AlertEvent::BatchDone(_)));
            Ok(if told { Vec::new() } else { vec![done.clone().into()] })
        });
        if let Some(position) = receipt.await?.position {
            self.guichet.wait_for(position, CATCH_UP).await?;
        }
        self.guichet.read_models().alert_unmark(id).await?;
        Ok(true)
    }

    async fn finish(&self, tenant: &str, id: Uuid) -> Result<(), WorkerError> {
        let who = (&Actor::Engine, self.guichet.fresh_command_id()?);
        let content = ("finish", id);
        let done = change(&self.guichet, (tenant, id), who, &content, |entries| {
            Ok(Alert::fold(events(entries)).map(|alert| alert.finish()).unwrap_or_default())
        });
        done.await?;
        Ok(())
    }

    /// Tells one person, and notes it at once.
    async fn tell(
        &self,
        tenant: &str,
        id: Uuid,
        alert: &Alert,
        account: Uuid,
    ) -> Result<Outcome, WorkerError> {
        let known = accounts::open(&self.guichet, tenant, account).await?.account;
        // Whoever unsubscribed, or closed the account, after the batch was taken is told no more.
        let wishes = known.subscriptions.values().any(|(wish, _)| alert.concerns(wish));
        let Some(message) = self.message(tenant, id, alert, account, &known).await?.filter(|_| wishes) else {
            return Ok(Outcome::Unreachable);
        };
        match self.guichet.outbound().send(&message).await {
            Ok(()) => {
                self.guichet.read_models().alert_mark(id, account).await?;
                Ok(Outcome::Reached)
            }
            Err(SendError::Never(_)) => Ok(Outcome::Failed),
            Err(SendError::Later(reason)) => {
                tracing::warn!(%reason, "an alert waits for its transport");
                Ok(Outcome::Later)
            }
        }
    }

    async fn message(
        &self,
        tenant: &str,
        id: Uuid,
        alert: &Alert,
        account: Uuid,
        known: &Account,
    ) -> Result<Option<OutMessage>, EngineError> {
        let Some((means, to)) = way(alert, known) else { return Ok(None) };
        let organisation = self.guichet.engine().organisation_now(tenant).await?.unwrap_or_default();
        let collectivity = organisation.tenant(tenant);
        let (draft, language) = (&alert.draft, known.language);
        let token = unsubscribe_token(&self.guichet, tenant, account)?;
        let base = self.guichet.options().public_url.trim_end_matches('/').to_owned();
        let end = format!("{base}/v1/{tenant}/unsubscribe/{token}");
        let subject = draft.subject.get(language).to_owned();
        let text = match means {
            // Nobody asks for news in a conversation of a network; the short text would do.
            Means::Sms | Means::Social => {
                draft.sms.as_ref().unwrap_or(&draft.subject).get(language).to_owned()
            }
            Means::Email => format!("{}\n\n{}\n{end}\n", draft.body.get(language), goodbye(language)),
        };
        Ok(Some(OutMessage {
            id: format!("alert.{id}.{account}"),
            means,
            to,
            from: collectivity.map(|tenant| tenant.email.clone()).unwrap_or_default(),
            from_name: collectivity.map(|tenant| tenant.name.get(language).to_owned()).unwrap_or_default(),
            subject,
            text,
            at: self.guichet.now(),
            language,
            thread: format!("alert.{id}"),
            link: end.clone(),
            files: Vec::new(),
            unsubscribe: Some(end),
        }))
    }
}

#[async_trait]
impl Round for Alerts {
    fn name(&self) -> &'static str {
        "alerts"
    }

    async fn round(&mut self, now: DateTime<Utc>) -> Result<Left, WorkerError> {
        self.run_once(now).await?;
        Ok(Left::Nothing)
    }
}

fn goodbye(language: Language) -> &'static str {
    match language {
        Language::Fr => "Pour ne plus recevoir ces messages :",
        Language::En => "To receive these messages no longer:",
    }
}

/// The way by which somebody is told: the one they prefer if the alert goes out by it, else whichever is proven.
fn way(alert: &Alert, known: &Account) -> Option<(Means, String)> {
    let email = known.details.email.clone().filter(|_| known.by_email).map(|to| (Means::Email, to));
    let sms = known.details.phone.clone().filter(|_| known.by_sms).map(|to| (Means::Sms, to));
    let email = email.filter(|_| alert.draft.channels.contains(&Delivery::Email));
    let sms = sms.filter(|_| alert.draft.channels.contains(&Delivery::Sms));
    if known.preferred == Some(Delivery::Sms) { sms.or(email) } else { email.or(sms) }
}
