//! Keys in memory: for tests and for journals that do not outlive the program.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::{DataKey, KeyState, KeyStore, MasterKey, draw_kid};
use crate::error::JournalError;
use crate::id::{Kid, Tenant};

/// Keeps keys as long as the program runs.
#[derive(Debug)]
pub struct MemoryKeyStore {
    master: MasterKey,
    keys: Mutex<HashMap<Kid, KeyState>>,
    revoked: Mutex<HashMap<Kid, DataKey>>,
}

impl MemoryKeyStore {
    /// An empty store with a master key of its own.
    ///
    /// # Errors
    /// `Unavailable` when the system gives no random bytes.
    pub fn new() -> Result<Self, JournalError> {
        Ok(Self { master: MasterKey::draw()?, keys: Mutex::default(), revoked: Mutex::default() })
    }

    fn set(&self, kid: &Kid, change: impl FnOnce(KeyState, &mut HashMap<Kid, DataKey>) -> KeyState) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let mut revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = keys.remove(kid) {
            keys.insert(kid.clone(), change(state, &mut revoked));
        }
    }
}

#[async_trait]
impl KeyStore for MemoryKeyStore {
    async fn fresh(&self) -> Result<(Kid, DataKey), JournalError> {
        let (kid, key) = (draw_kid()?, DataKey::draw()?);
        self.keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(kid.clone(), KeyState::Active(key.clone()));
        Ok((kid, key))
    }

    async fn find(&self, kid: &Kid) -> Result<KeyState, JournalError> {
        Ok(self
            .keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(kid)
            .cloned()
            .unwrap_or(KeyState::Unknown))
    }

    async fn revoke(&self, kid: &Kid) -> Result<(), JournalError> {
        self.set(kid, |state, revoked| match state {
            KeyState::Active(key) => {
                revoked.insert(kid.clone(), key);
                KeyState::Revoked
            }
            KeyState::Revoked | KeyState::Destroyed | KeyState::Unknown => state,
        });
        Ok(())
    }

    async fn restore(&self, kid: &Kid) -> Result<(), JournalError> {
        self.set(kid, |state, revoked| match revoked.remove(kid) {
            Some(key) => KeyState::Active(key),
            None => state,
        });
        Ok(())
    }

    async fn destroy(&self, kid: &Kid) -> Result<(), JournalError> {
        self.set(kid, |_, revoked| {
            revoked.remove(kid);
            KeyState::Destroyed
        });
        Ok(())
    }

    fn blind(&self, tenant: &Tenant, text: &[u8]) -> [u8; 32] {
        self.master.blind(tenant, text)
    }

    async fn close(&self) {}
}
