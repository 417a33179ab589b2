//! One mail instead of ten: notices to the same people of the town hall, gathered.
//!
//! Which notices make a digest is written beside the outbox before it is sent, so that a digest that was sent and not
//! reported is sent again with the same id, whatever was asked for meanwhile.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use guichet_engine::Span;
use guichet_engine::rules::request::Effect;
use guichet_engine::rules::text::Language;
use guichet_projections::OutboxItem;
use uuid::Uuid;

use super::outbox::{Outbox, Outcome, TAKEN_OVER, is_taken_over};
use super::{NAMESPACE, WorkerError};
use crate::outbound::compose::{Composed, Occasion, compose};
use crate::outbound::{OutMessage, SendError};

/// The longest line of a digest, in characters.
const LINE_CHARACTERS_MAX: usize = 400;

/// Notices for the same people, by the digest that they are in already, if any.
pub(super) fn groups(items: Vec<OutboxItem>) -> Vec<Vec<OutboxItem>> {
    let mut groups: BTreeMap<(Option<Uuid>, String, String), Vec<OutboxItem>> = BTreeMap::new();
    for item in items {
        let people = serde_json::to_string(&item.recipient).unwrap_or_default();
        groups.entry((item.digest, item.tenant.clone(), people)).or_default().push(item);
    }
    let mut groups: Vec<Vec<OutboxItem>> = groups.into_values().collect();
    groups.sort_by_key(|group| group.first().map(|item| (item.asked, item.request.0, item.effect.clone())));
    groups
}

/// The id of a digest that begins with this notice. A notice is gathered once, so no two digests have the same.
fn id_of(first: &OutboxItem) -> Uuid {
    let name = format!("digest:{}:{}", first.request, first.effect);
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

impl Outbox {
    /// Sends one digest, and reports each of its notices.
    pub(super) async fn carry_out_digest(
        &self,
        mut items: Vec<OutboxItem>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Outcome>, WorkerError> {
        let Some(first) = items.first() else { return Ok(Vec::new()) };
        let id = first.digest.unwrap_or_else(|| id_of(first));
        if first.digest.is_none() {
            self.guichet.read_models().outbox_gathered(&items, id).await?;
            items.iter_mut().for_each(|item| item.digest = Some(id));
        }
        let mut by_address: BTreeMap<String, Vec<OutMessage>> = BTreeMap::new();
        let (mut told, mut outcomes) = (Vec::new(), Vec::new());
        for item in items {
            match self.notices(&item, now).await? {
                Ok(messages) => {
                    for message in messages {
                        by_address.entry(message.to.clone()).or_default().push(message);
                    }
                    told.push(item);
                }
                Err(error) => outcomes.push(self.settle(&item, Err(error), now).await?),
            }
        }
        let sent = self.send_digests(id, by_address).await;
        for item in told {
            tracing::debug!(request.id = %item.request, effect = item.effect, digest = %id, "in a digest");
            outcomes.push(self.settle(&item, sent.clone(), now).await?);
        }
        Ok(outcomes)
    }

    /// What a notice would be as messages of its own.
    async fn notices(
        &self,
        item: &OutboxItem,
        now: DateTime<Utc>,
    ) -> Result<Result<Vec<OutMessage>, SendError>, WorkerError> {
        let history = self.guichet.history(&item.tenant, item.request, &Span::default(), true).await?;
        if is_taken_over(&history, item) {
            return Ok(Err(SendError::Never(TAKEN_OVER.to_owned())));
        }
        let known = self.guichet.request(&item.tenant, item.request).await?;
        let effect = Effect {
            id: item.effect.clone(),
            recipient: item.recipient.clone(),
            subject: item.subject.clone(),
            by: item.by,
        };
        let public_url = &self.guichet.options().public_url;
        let occasion = Occasion { effect: &effect, known: &known, history: &history, now, public_url };
        Ok(match compose(&occasion) {
            Composed::Send(messages) => Ok(messages),
            Composed::Shown => Ok(Vec::new()),
            Composed::Unreachable(why) => Err(SendError::Never(why)),
        })
    }

    async fn send_digests(
        &self,
        id: Uuid,
        by_address: BTreeMap<String, Vec<OutMessage>>,
    ) -> Result<(), SendError> {
        let mut reached = by_address.is_empty();
        let mut refused = None;
        for (address, messages) in by_address {
            let Some(message) = digest(id, &address, &messages) else { continue };
            match self.guichet.outbound().send(&message).await {
                Ok(()) => reached = true,
                Err(SendError::Later(why)) => return Err(SendError::Later(why)),
                Err(SendError::Never(why)) => refused = Some(why),
            }
        }
        match refused {
            Some(why) if !reached => Err(SendError::Never(why)),
            Some(_) | None => Ok(()),
        }
    }
}

/// One mail of several; the one itself where there is but one.
fn digest(id: Uuid, address: &str, messages: &[OutMessage]) -> Option<OutMessage> {
    let first = messages.first()?;
    let own = Uuid::new_v5(&id, address.as_bytes());
    if messages.len() == 1 {
        return Some(first.clone());
    }
    let lines: Vec<String> = messages.iter().map(line).collect();
    let number = messages.len();
    let (subject, opening) = match first.language {
        Language::Fr => (
            format!("Guichet : {number} nouvelles de vos demandes"),
            format!("Bonjour,\n\nDepuis le dernier envoi, {number} choses vous concernent :"),
        ),
        Language::En => (
            format!("Guichet: {number} news of your requests"),
            format!("Hello,\n\nSince the last message, {number} things concern you:"),
        ),
    };
    Some(OutMessage {
        id: format!("digest-{own}"),
        subject,
        text: format!("{opening}\n\n{}\n\n{}", lines.join("\n\n"), first.link),
        thread: String::new(),
        ..first.clone()
    })
}

/// The subject of a notice, and the first sentence of it that is no greeting.
fn line(message: &OutMessage) -> String {
    let greeting = |line: &&str| line.trim().is_empty() || line.trim_end().ends_with(',');
    let said = message.text.lines().find(|line| !greeting(line)).unwrap_or_default();
    let line: String = format!("- {}\n  {said}", message.subject).chars().take(LINE_CHARACTERS_MAX).collect();
    line
}
