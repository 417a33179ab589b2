//! Keeps messages in memory: for tests and simulations.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{OutMessage, Outbound, SendError, mail};

/// The most messages kept; older ones are let go.
const MESSAGES_MAX: usize = 10_000;

/// Keeps the last messages. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct MemoryOutbound {
    sent: Arc<Mutex<Vec<OutMessage>>>,
}

impl MemoryOutbound {
    /// What was sent, the first first.
    #[must_use]
    pub fn sent(&self) -> Vec<OutMessage> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Outbound for MemoryOutbound {
    async fn send(&self, message: &OutMessage) -> Result<(), SendError> {
        if message.means == super::Means::Email {
            // What could not be a mail must fail here as it would on its way.
            mail::mail(message)?;
        }
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.len() >= MESSAGES_MAX {
            sent.remove(0);
        }
        sent.push(message.clone());
        Ok(())
    }
}
