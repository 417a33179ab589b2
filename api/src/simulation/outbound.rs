//! The post of a simulated town: most messages arrive, a few bounce.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use uuid::Uuid;

use crate::outbound::{Means, OutMessage, Outbound, SendError};

/// The share of messages to people outside the town hall that bounce, where nothing else is assumed.
const BOUNCED: f64 = 0.012;

/// Whether the message with this id bounces in the town with this seed.
pub(super) fn bounces(seed: u64, id: &str, share: f64) -> bool {
    let drawn = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{seed}:{id}").as_bytes());
    let thousandths = super::dice::seconds(share, 1_000.0);
    drawn.as_u128() % 1_000 < u128::try_from(thousandths).unwrap_or_default()
}

/// Counts what is sent and keeps nothing of it. Which messages bounce follows from the seed and the message's id alone, so it
/// is the same in whatever order they are sent.
#[derive(Debug, Clone, Default)]
pub struct Post {
    seed: u64,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    emails: AtomicU64,
    texts: AtomicU64,
    bounced: AtomicU64,
}

/// What was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Posted {
    /// E-mails, to citizens and to services.
    pub emails: u64,
    /// Text messages.
    pub texts: u64,
    /// Messages that did not arrive.
    pub bounced: u64,
}

impl Post {
    /// The post of the town with this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, counts: Arc::default() }
    }

    /// What was sent so far.
    #[must_use]
    pub fn posted(&self) -> Posted {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Counts { emails, texts, bounced } = &*self.counts;
        Posted { emails: count(emails), texts: count(texts), bounced: count(bounced) }
    }
}

/// The part of a message's id that is the same in every town with this seed: the tag behind it, by which answers to mails
/// find their request, is made with a key that each town draws for itself.
fn effect(message: &OutMessage) -> &str {
    match message.means {
        Means::Email => message.id.rsplit_once('.').map_or(message.id.as_str(), |(effect, _)| effect),
        Means::Sms | Means::Social => &message.id,
    }
}

#[async_trait]
impl Outbound for Post {
    async fn send(&self, message: &OutMessage) -> Result<(), SendError> {
        let outside = message.to.ends_with("@courriel.example") || message.means == Means::Sms;
        if outside && bounces(self.seed, effect(message), BOUNCED) {
            self.counts.bounced.fetch_add(1, Ordering::Relaxed);
            return Err(SendError::Never("mailbox unknown (simulated)".into()));
        }
        let counter = match message.means {
            Means::Email => &self.counts.emails,
            Means::Sms | Means::Social => &self.counts.texts,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}
